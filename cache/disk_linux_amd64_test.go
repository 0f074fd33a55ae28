package cache

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"

	"icebox/cache/trace"
)

// sector is what a disk writes whole.
const sector = 512

// inode is a file of a disk that may lose power.
type inode struct {
	live, durable []byte
	pending       []trace.Event // since it was last synced
}

// disk replays events. What is not synced may be lost in part when the power is cut; names
// change in order, as in the journal of a file system.
type disk struct {
	live, durable map[string]*inode
	pending       []func(map[string]*inode) // changes of names since the folder was last synced
}

func newDisk() *disk { return &disk{live: map[string]*inode{}, durable: map[string]*inode{}} }

func (d *disk) apply(e trace.Event) {
	f := d.live[e.Name]
	switch e.What {
	case "create":
		if f == nil {
			f = &inode{}
			d.rename(func(names map[string]*inode) { names[e.Name] = f })
		}
	case "unlink":
		d.rename(func(names map[string]*inode) { delete(names, e.Name) })
	case "link":
		d.rename(func(names map[string]*inode) { names[e.To] = f })
	case "rename":
		d.rename(func(names map[string]*inode) { names[e.To] = f; delete(names, e.Name) })
	case "sync":
		if e.Name == "." {
			d.durable, d.pending = maps.Clone(d.live), nil
		} else if f != nil {
			f.durable, f.pending = append([]byte(nil), f.live...), nil
		}
	case "write", "truncate":
		if f != nil {
			f.live = on(e, f.live)
			f.pending = append(f.pending, e)
		}
	}
}

func (d *disk) rename(change func(map[string]*inode)) {
	change(d.live)
	d.pending = append(d.pending, change)
}

// on applies a write or truncate to the content of a file.
func on(e trace.Event, b []byte) []byte {
	size := e.Off + int64(len(e.Data))
	if e.What == "truncate" && e.Off < int64(len(b)) {
		return b[:e.Off]
	}
	if size > int64(len(b)) {
		b = append(b, make([]byte, size-int64(len(b)))...)
	}
	copy(b[e.Off:], e.Data)
	return b
}

// killed is what is there after the process was killed.
func (d *disk) killed() map[string][]byte {
	files := map[string][]byte{}
	for name, f := range d.live {
		files[name] = f.live
	}
	return files
}

// cut is what may be there after the power was cut: of what was not synced some sectors of
// some writes.
func (d *disk) cut(rng *rand.Rand) map[string][]byte {
	names := maps.Clone(d.durable)
	for _, change := range d.pending[:rng.IntN(len(d.pending)+1)] {
		change(names)
	}
	files := map[string][]byte{}
	lose := rng.Float64()
	for name, f := range names {
		b := append([]byte(nil), f.durable...)
		for _, e := range f.pending {
			if rng.Float64() >= lose {
				b = on(e, b)
			} else if e.What == "write" && rng.IntN(2) == 0 {
				b = torn(e, b, rng)
			}
		}
		files[name] = b
	}
	return files
}

// torn writes some sectors of e.
func torn(e trace.Event, b []byte, rng *rand.Rand) []byte {
	for at := 0; at < len(e.Data); at += sector {
		if rng.IntN(2) == 0 {
			b = on(trace.Event{What: "write", Off: e.Off + int64(at), Data: e.Data[at:min(at+sector, len(e.Data))]}, b)
		}
	}
	return b
}

// lay writes files to the empty folder dir.
func lay(t tester, dir string, files map[string][]byte) {
	t.Helper()
	for name, b := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), b, 0o644))
	}
}
