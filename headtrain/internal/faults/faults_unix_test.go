//go:build unix

package faults_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"golang.org/x/sys/unix"

	"icebox/headtrain/internal/faults"
	"icebox/headtrain/internal/parallel"
	"icebox/headtrain/internal/team"
)

// cutShort maps a file of some pages that has none any more.
func cutShort(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 1<<16), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := unix.Mmap(int(f.Fd()), 0, 1<<16, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(data) })
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	return data
}

// A fault of a worker is raised where its work was asked for, once nobody works any more.
func TestFaultsOfWorkersReachTheOneWhoWaits(t *testing.T) {
	data := cutShort(t)
	sum := make([]byte, 100)
	for name, work := range map[string]func(read func(i int)){
		"parallel": func(read func(i int)) {
			_ = parallel.EachOn(context.Background(), 3, 100, func(_ context.Context, i int) error { read(i); return nil })
		},
		"nested": func(read func(i int)) {
			_ = parallel.EachOn(context.Background(), 2, 2, func(ctx context.Context, _ int) error {
				return parallel.EachOn(ctx, 2, 100, func(_ context.Context, i int) error { read(i); return nil })
			})
		},
		"team": func(read func(i int)) {
			crew := team.New(3)
			defer crew.Close()
			crew.Run(3, 100, func(_, i int) { read(i) })
		},
		"a team of one": func(read func(i int)) {
			crew := team.New(1)
			defer crew.Close()
			crew.Run(3, 100, func(_, i int) { read(i) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() {
				if fault, ok := recover().(faults.Error); !ok || fault.Addr() == 0 {
					t.Errorf("raised %v", fault)
				}
			}()
			work(func(i int) { sum[i] = data[i<<9] })
			t.Error("nothing is raised")
		})
	}
}
