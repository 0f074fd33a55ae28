package features

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"icebox/pipeline/npy"
)

// residentBytes is how much of mapped files is resident at most, about; see [pager].
const residentBytes = 512 << 20

// pager lets the system have the memory of mapped files from time to time, where more of it
// is resident than residentBytes. What was read lately stays in the cache of the system as
// long as there is memory for it, but counts no more as this process's.
type pager struct {
	files []*npy.File
	stop  chan struct{}
	done  chan struct{}
}

func newPager(files []*npy.File) *pager {
	p := &pager{files: files, stop: make(chan struct{}), done: make(chan struct{})}
	go p.run()
	return p
}

func (p *pager) run() {
	defer close(p.done)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		if residentFiles() < residentBytes {
			continue
		}
		for _, f := range p.files {
			f.Forget()
		}
	}
}

// Close ends the pager: no file of it is touched any more.
func (p *pager) Close() {
	close(p.stop)
	<-p.done
}

// residentFiles is how many bytes of mapped files are resident, as Linux tells it; elsewhere
// it is 0.
func residentFiles() int64 {
	text, _ := os.ReadFile("/proc/self/statm") // size, resident, shared, …, in pages
	f := bytes.Fields(text)
	if len(f) < 3 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(f[2]), 10, 64)
	return pages * int64(os.Getpagesize())
}
