package trace

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

// Event is a system call of a traced process on a file, or a line on its stdout.
type Event struct {
	// What is write, truncate, sync, create, rename, link, unlink or said; of a tracer that
	// sees all also open, mkdir, rmdir, stat, list, close and read.
	What string
	Name string // path of the file below the folder; "." is the folder
	To   string // second name of rename and link; the line of said
	Off  int64  // of a write, -1 where it is at the file's own place; the size of truncate
	Data []byte
}

// changes reports whether the call changes what another process sees.
func (e *Event) changes() bool {
	switch e.What {
	case "write", "truncate", "create", "mkdir", "rename", "link", "unlink", "rmdir":
		return true
	}
	return false
}

// grows reports whether the call needs room on the disk.
func (e *Event) grows() bool {
	switch e.What {
	case "write", "create", "mkdir", "link":
		return true
	}
	return false
}

// Fault is what happens to a traced process.
type Fault int

// Faults, and the calls that Tracer.At counts.
const (
	None Fault = iota
	Fail       // the call returns Errno and does nothing; all calls but "said"
	Kill       // the process is killed at it; calls that change files
	Fill       // half of what it writes fits, and nothing from then on; calls that need room
)

// Tracer runs a process and sees its system calls.
type Tracer struct {
	Dir   string // whose files count; a path without links
	All   bool   // calls count that change nothing, and write(2)
	Fault Fault
	At    int // the call that meets the fault, counted from 0 among those that Fault names
	Errno syscall.Errno

	Events []Event       // that succeeded; "read" is left out
	Counts [Fill + 1]int // of the calls that each fault names
	Killed bool
	Hit    Event // the call that met the fault

	pid    int
	cwd    string
	mem    *os.File
	inside map[int]*Event // by thread: the call that it is in, nil if that is of no interest
	failed map[int]syscall.Errno
}

// Run starts cmd and traces it to its end; cmd.ProcessState is not set. It returns the exit
// status, -1 of a process that was killed. Several goroutines may trace, each its own.
func (t *Tracer) Run(cmd *exec.Cmd) (status int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return -1, err
	}
	t.pid, t.cwd, t.inside, t.failed = cmd.Process.Pid, cmd.Dir, map[int]*Event{}, map[int]syscall.Errno{}
	defer cmd.Wait() //nolint:errcheck // it only closes files: the process is waited for here
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(t.pid, &ws, 0, nil); err != nil {
		return -1, err
	}
	const exitKill = 0x100000
	if t.mem, err = os.Open(fmt.Sprintf("/proc/%d/mem", t.pid)); err != nil {
		return -1, err
	}
	defer t.mem.Close()
	err = syscall.PtraceSetOptions(t.pid, syscall.PTRACE_O_TRACESYSGOOD|syscall.PTRACE_O_TRACECLONE|exitKill)
	if err == nil {
		err = syscall.PtraceSyscall(t.pid, 0)
	}
	const ofThisThread = 0x20000000
	for err == nil {
		var tid int
		tid, err = syscall.Wait4(-1, &ws, syscall.WALL|ofThisThread, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			err = nil
		case err != nil:
		case (ws.Exited() || ws.Signaled()) && tid == t.pid:
			return ws.ExitStatus(), nil
		case ws.Stopped():
			err = t.stopped(tid, ws.StopSignal())
		}
	}
	return -1, err
}

// stopped looks at a thread that stopped, and lets it go on.
func (t *Tracer) stopped(tid int, sig syscall.Signal) error {
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
func (t *Tracer) call(tid int) error {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
		return err
	}
	e, leaving := t.inside[tid]
	if !leaving {
		return t.enter(tid, &regs)
	}
	delete(t.inside, tid)
	if errno, failed := t.failed[tid]; failed {
		delete(t.failed, tid)
		regs.Rax = uint64(-int64(errno))
		return syscall.PtraceSetRegs(tid, &regs)
	}
	if e != nil && int64(regs.Rax) >= 0 && e.What != "read" {
		if e.What == "write" {
			e.Data = e.Data[:regs.Rax]
		}
		t.Events = append(t.Events, *e)
	}
	return nil
}

// enter sees a thread enter a system call, which may be the one that meets the fault.
func (t *Tracer) enter(tid int, regs *syscall.PtraceRegs) error {
	e := t.eventOf(regs)
	t.inside[tid] = e
	if e == nil || e.What == "said" || t.Killed {
		return nil
	}
	met := t.meets(e)
	switch {
	case met && t.Fault == Kill:
		t.Hit, t.Killed = *e, true
		return syscall.Kill(t.pid, syscall.SIGKILL)
	case met && t.Fault == Fill && e.What == "write" && regs.Rdx > 1:
		t.Hit = *e
		regs.Rdx /= 2
		return syscall.PtraceSetRegs(tid, regs)
	case met && t.Fault == Fail:
		t.Hit = *e
		if e.What == "close" { // which fails after it has closed
			t.failed[tid] = t.Errno
			return nil
		}
		return t.fail(tid, regs, t.Errno)
	case t.Fault == Fill && e.grows() && t.Counts[Fill] > t.At:
		if met {
			t.Hit = *e
		}
		return t.fail(tid, regs, syscall.ENOSPC)
	}
	return nil
}

// meets counts a call, and reports whether it is the one that meets the fault.
func (t *Tracer) meets(e *Event) bool {
	met := false
	for fault, counts := range map[Fault]bool{Fail: true, Kill: e.changes(), Fill: e.grows()} {
		if counts {
			met = met || fault == t.Fault && t.Counts[fault] == t.At
			t.Counts[fault]++
		}
	}
	return met
}

// fail lets a thread make no call at all, and see an error.
func (t *Tracer) fail(tid int, regs *syscall.PtraceRegs, errno syscall.Errno) error {
	t.failed[tid] = errno
	regs.Orig_rax = ^uint64(0)
	return syscall.PtraceSetRegs(tid, regs)
}

// eventOf makes an event of a call; nil if it is of no interest.
func (t *Tracer) eventOf(r *syscall.PtraceRegs) *Event {
	e := &Event{}
	switch r.Orig_rax {
	case syscall.SYS_WRITE:
		if r.Rdi == 1 {
			return &Event{What: "said", To: string(bytes.TrimSpace(t.bytes(r.Rsi, r.Rdx)))}
		}
	case syscall.SYS_PWRITE64:
		if e = t.onFile("write", r.Rdi); e.Name != "" {
			e.Off, e.Data = int64(r.R10), t.bytes(r.Rsi, r.Rdx)
		}
	case syscall.SYS_PREAD64:
		e = t.onFile("read", r.Rdi)
	case syscall.SYS_FTRUNCATE:
		e = t.onFile("truncate", r.Rdi)
		e.Off = int64(r.Rsi)
	case syscall.SYS_FSYNC, syscall.SYS_FDATASYNC:
		e = t.onFile("sync", r.Rdi)
	case syscall.SYS_OPENAT:
		if r.Rdx&syscall.O_CREAT != 0 {
			e = t.named("create", r.Rdi, r.Rsi)
		}
	case syscall.SYS_UNLINKAT:
		e = t.named("unlink", r.Rdi, r.Rsi)
	case syscall.SYS_RENAMEAT:
		e = t.named("rename", r.Rdi, r.Rsi)
		e.To = t.named("", r.Rdx, r.R10).Name
	case syscall.SYS_LINKAT:
		e = t.named("link", r.Rdi, r.Rsi)
		e.To = t.named("", r.Rdx, r.R10).Name
	}
	if t.All {
		e = t.wide(r, e)
	}
	if e.Name == "" {
		return nil
	}
	return e
}

// wide makes events of further calls; e is what the call is without.
func (t *Tracer) wide(r *syscall.PtraceRegs, e *Event) *Event {
	const removeDir = 0x200
	switch r.Orig_rax {
	case syscall.SYS_WRITE:
		if e = t.onFile("write", r.Rdi); e.Name != "" {
			e.Off, e.Data = -1, t.bytes(r.Rsi, r.Rdx)
		}
	case syscall.SYS_READ:
		return t.onFile("read", r.Rdi)
	case syscall.SYS_CLOSE:
		return t.onFile("close", r.Rdi)
	case syscall.SYS_GETDENTS64:
		return t.onFile("list", r.Rdi)
	case syscall.SYS_NEWFSTATAT:
		return t.named("stat", r.Rdi, r.Rsi)
	case syscall.SYS_MKDIRAT:
		return t.named("mkdir", r.Rdi, r.Rsi)
	case syscall.SYS_OPENAT:
		if r.Rdx&syscall.O_CREAT == 0 {
			return t.named("open", r.Rdi, r.Rsi)
		}
	case syscall.SYS_UNLINKAT:
		if r.Rdx&removeDir != 0 {
			e.What = "rmdir"
		}
	}
	return e
}

// onFile is an event on an open file.
func (t *Tracer) onFile(what string, fd uint64) *Event {
	return &Event{What: what, Name: t.inDir(t.open(fd))}
}

// named is an event on a path, which may be relative to a folder that is open.
func (t *Tracer) named(what string, at, path uint64) *Event {
	name := t.text(path)
	switch {
	case filepath.IsAbs(name):
	case int32(at) == -100: // AT_FDCWD
		name = filepath.Join(t.cwd, name)
	default:
		name = filepath.Join(t.open(at), name)
	}
	return &Event{What: what, Name: t.inDir(name)}
}

// open is the path of an open file.
func (t *Tracer) open(fd uint64) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", t.pid, int32(fd)))
	return path
}

// inDir is the path of a file below the folder; "" for any other.
func (t *Tracer) inDir(path string) string {
	rel, err := filepath.Rel(t.Dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return rel
}

func (t *Tracer) bytes(at, n uint64) []byte {
	b := make([]byte, n)
	got, _ := t.mem.ReadAt(b, int64(at))
	return b[:got]
}

// text reads a string that ends with a zero.
func (t *Tracer) text(at uint64) string {
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
