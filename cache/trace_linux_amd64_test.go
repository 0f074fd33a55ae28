package cache

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// event is a system call of a traced process on a file, or a line on its stdout.
type event struct {
	what string // read, write, truncate, sync, create, rename, link, unlink or said
	name string // of the file, in its folder; "." is the folder
	to   string // second name of rename and link; the line of said
	off  int64  // of a write; the size of truncate
	data []byte
}

// tracer runs a process and sees its system calls. One call can be made to fail.
type tracer struct {
	dir    string // whose files count
	failAt int    // the call that fails, counted from 0 among events and reads; -1: none
	errno  syscall.Errno
	events []event

	calls  int
	pid    int
	mem    *os.File
	inside map[int]*event // by thread: the call that it is in, nil if that is of no interest
	failed map[int]bool
}

// run starts cmd and traces it to its end. The caller's goroutine must not have other
// processes to wait for.
func (t *tracer) run(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	t.pid, t.inside, t.failed = cmd.Process.Pid, map[int]*event{}, map[int]bool{}
	defer cmd.Wait() // only closes files: it is waited for here
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(t.pid, &ws, 0, nil); err != nil {
		return err
	}
	const exitKill = 0x100000
	var err error
	if t.mem, err = os.Open(fmt.Sprintf("/proc/%d/mem", t.pid)); err != nil {
		return err
	}
	defer t.mem.Close()
	err = syscall.PtraceSetOptions(t.pid, syscall.PTRACE_O_TRACESYSGOOD|syscall.PTRACE_O_TRACECLONE|exitKill)
	if err == nil {
		err = syscall.PtraceSyscall(t.pid, 0)
	}
	for err == nil {
		var tid int
		tid, err = syscall.Wait4(-1, &ws, syscall.WALL, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			err = nil
		case err != nil:
		case (ws.Exited() || ws.Signaled()) && tid == t.pid:
			return nil
		case ws.Stopped():
			err = t.stopped(tid, ws.StopSignal())
		}
	}
	return err
}

// stopped looks at a thread that stopped, and lets it go on.
func (t *tracer) stopped(tid int, sig syscall.Signal) error {
	deliver := 0
	switch sig {
	case syscall.SIGTRAP | 0x80:
		if err := t.call(tid); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	case syscall.SIGTRAP, syscall.SIGSTOP: // a new thread
	default:
		deliver = int(sig)
	}
	if err := syscall.PtraceSyscall(tid, deliver); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// call sees a thread enter a system call or leave it.
func (t *tracer) call(tid int) error {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
		return err
	}
	e, leaving := t.inside[tid]
	if leaving {
		delete(t.inside, tid)
		if t.failed[tid] {
			delete(t.failed, tid)
			regs.Rax = uint64(-int64(t.errno))
			return syscall.PtraceSetRegs(tid, &regs)
		}
		if e != nil && int64(regs.Rax) >= 0 {
			if e.what == "write" {
				e.data = e.data[:regs.Rax]
			}
			if e.what != "read" {
				t.events = append(t.events, *e)
			}
		}
		return nil
	}
	e = t.eventOf(&regs)
	t.inside[tid] = e
	if e == nil || e.what == "said" {
		return nil
	}
	if t.calls++; t.calls-1 == t.failAt {
		t.failed[tid] = true
		regs.Orig_rax = ^uint64(0) // no call at all
		return syscall.PtraceSetRegs(tid, &regs)
	}
	return nil
}

// eventOf makes an event of a call; nil if it changes no file of the folder.
func (t *tracer) eventOf(r *syscall.PtraceRegs) *event {
	named := func(what string, path, to uint64) *event {
		e := &event{what: what, name: t.inDir(t.text(path))}
		if to != 0 {
			e.to = t.inDir(t.text(to))
		}
		return e
	}
	e := &event{}
	switch r.Orig_rax {
	case syscall.SYS_WRITE:
		if r.Rdi == 1 {
			return &event{what: "said", to: string(bytes.TrimSpace(t.bytes(r.Rsi, r.Rdx)))}
		}
	case syscall.SYS_PWRITE64:
		if e = t.onFile("write", r.Rdi); e.name != "" {
			e.off, e.data = int64(r.R10), t.bytes(r.Rsi, r.Rdx)
		}
	case syscall.SYS_PREAD64:
		e = t.onFile("read", r.Rdi)
	case syscall.SYS_FTRUNCATE:
		e = t.onFile("truncate", r.Rdi)
		e.off = int64(r.Rsi)
	case syscall.SYS_FSYNC, syscall.SYS_FDATASYNC:
		e = t.onFile("sync", r.Rdi)
	case syscall.SYS_OPENAT:
		if r.Rdx&syscall.O_CREAT != 0 {
			e = named("create", r.Rsi, 0)
		}
	case syscall.SYS_UNLINKAT:
		e = named("unlink", r.Rsi, 0)
	case syscall.SYS_RENAMEAT:
		e = named("rename", r.Rsi, r.R10)
	case syscall.SYS_LINKAT:
		e = named("link", r.Rsi, r.R10)
	}
	if e.name == "" {
		return nil
	}
	return e
}

func (t *tracer) onFile(what string, fd uint64) *event {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", t.pid, fd))
	return &event{what: what, name: t.inDir(path)}
}

// inDir is the name of a file of the folder; "" for any other.
func (t *tracer) inDir(path string) string {
	if path == t.dir {
		return "."
	}
	if filepath.Dir(path) != t.dir {
		return ""
	}
	return filepath.Base(path)
}

func (t *tracer) bytes(at, n uint64) []byte {
	b := make([]byte, n)
	got, _ := t.mem.ReadAt(b, int64(at))
	return b[:got]
}

// text reads a string that ends with a zero.
func (t *tracer) text(at uint64) string {
	var s []byte
	for len(s) < 4096 {
		part := t.bytes(at, 64-at%64) // which crosses no page
		if i := bytes.IndexByte(part, 0); i >= 0 || len(part) == 0 {
			return string(append(s, part[:max(i, 0)]...))
		}
		s, at = append(s, part...), at+uint64(len(part))
	}
	return string(s)
}
