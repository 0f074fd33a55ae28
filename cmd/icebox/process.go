package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// process is everything of the operating system that a command may touch, so that
// the whole program can be run inside a test.
type process struct {
	environ        []string
	dir            string // working directory
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stderr is one: draw progress bars
	answers        bool // stdin and stderr are terminals: questions may be asked
	interrupts     func(context.Context) (context.Context, context.CancelFunc)
}

func thisProcess() *process {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	terminal := term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb"
	return &process{
		environ: os.Environ(), dir: dir,
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal: terminal,
		answers:  terminal && term.IsTerminal(int(os.Stdin.Fd())),
		interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		},
	}
}

// main runs the command that args name and returns the process's exit code.
func (p *process) main(args []string) int {
	ctx, stop := p.interrupts(context.Background())
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	root := p.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(err)
	fmt.Fprintln(p.stderr, "icebox: "+message(err, code))
	return code
}

// path makes a path that a person gave absolute.
func (p *process) path(s string) string {
	if s == "" || filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(p.dir, s)
}

// program names this program and its version.
func program() string {
	b := thisBuild()
	return strings.TrimSpace(fmt.Sprintf("icebox %s %.12s", b.Version, b.Revision))
}

// short is how a path is shown: relative to the working directory if below it.
func (p *process) short(path string) string {
	if rel, err := filepath.Rel(p.dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func (p *process) getenv(key string) string {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if v, ok := cutPrefixKey(p.environ[i], key); ok {
			return v
		}
	}
	return ""
}

func cutPrefixKey(entry, key string) (string, bool) {
	if len(entry) > len(key) && entry[:len(key)] == key && entry[len(key)] == '=' {
		return entry[len(key)+1:], true
	}
	return "", false
}

// say writes a line for a person.
func (p *process) say(format string, args ...any) { fmt.Fprintf(p.stderr, format+"\n", args...) }
