package main

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icebox/pipeline/corrections"
)

// startStudio starts a studio in dir as a process of its own, and returns its address.
func startStudio(t *testing.T, dir string) (cmd *exec.Cmd, address string) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd = exec.Command(self, "studio", "--no-browser", "--cache", "f.db")
	cmd.Dir, cmd.Env = dir, []string{asCommand + "=1", "HOME=" + dir, "ICEBOX_OFFLINE=1", "GOMAXPROCS=2"}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v, %v", err, cmd.Wait())
	}
	return cmd, strings.TrimSpace(line)
}

// A studio that is killed in the midst of changes leaves its file whole to the last line, with
// every change that a browser was told of, and the next one goes on from there.
func TestAKilledStudioLosesNoChange(t *testing.T) {
	dir := folder(t, 2, 6)
	if r := icebox(t, dir, "extract", "--data", "photos", "--weights", "random", "--cache", "f.db"); r.code != 0 {
		t.Fatal(r.errOut)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	told := 0 // lines of changes that were answered, over all studios
	for round := range 5 {
		cmd, address := startStudio(t, dir)
		killed := time.AfterFunc(time.Duration(50+rand.IntN(300))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		answered := 0
		for i := 0; ; i++ {
			body := fmt.Sprintf(`{"items":[%d,%d,%d],"action":"relabel","class":"round %d, \"%d\""}`, i%12, (i+1)%12, (i+2)%12, round, i)
			r, err := client.Post(address+"change", "application/json", strings.NewReader(body))
			if err != nil {
				break // it is gone
			}
			must(t, r.Body.Close())
			if r.StatusCode != http.StatusOK {
				t.Fatalf("round %d, change %d: %s", round, i, r.Status)
			}
			answered++
		}
		killed.Stop()
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() {
			t.Fatalf("round %d: it was not killed: %v", round, err)
		}
		f, err := corrections.Read(filepath.Join(dir, "corrections.csv"))
		if errors.Is(err, corrections.ErrMissing) && answered+told == 0 {
			continue
		}
		must(t, err)
		before := told
		told += 3 * answered
		if n := len(f.Changes); n < told || n > told+3 {
			t.Fatalf("round %d: %d lines, and %d were answered", round, n, told)
		}
		for n, c := range f.Changes[before:told] {
			if want := fmt.Sprintf(`round %d, "%d"`, round, n/3); c.New != want {
				t.Fatalf("round %d: line %d is of class %s, want %s", round, before+n, c.New, want)
			}
		}
		told = len(f.Changes) // one more may be there that nobody was told of
	}
	if told == 0 {
		t.Fatal("no change came through")
	}
	t.Logf("%d lines", told)
	if r := icebox(t, dir, "corrections", "show", "corrections.csv"); r.code != 0 {
		t.Error(r.errOut)
	}
}
