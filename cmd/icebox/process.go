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

	"icebox/config"
	"icebox/extract"
	"icebox/pipeline/bucket"
)

// common are the flags that every command has.
type common struct {
	json    bool
	quiet   bool
	offline bool
	wait    patience // of those commands that write to the cache
}

// process is everything of the operating system that a command may touch, so that
// the whole program can be run inside a test.
type process struct {
	common
	environ        []string
	dir            string // working directory
	stdin          io.Reader
	stdout, stderr io.Writer
	outWidth       int                  // columns of the terminal that stdout is; 0 if it is none
	errWidth       int                  // of stderr
	official       extract.FetchOptions // where torchvision's weights come from; zero but in tests
	interrupts     func(context.Context) (context.Context, context.CancelFunc)
}

func thisProcess() *process {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	return &process{
		environ: os.Environ(), dir: dir,
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		outWidth: columns(os.Stdout), errWidth: columns(os.Stderr),
		interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		},
	}
}

// columns returns the width of the terminal f, and 80 where the terminal does not say. It
// returns 0 for what is no terminal, or one that takes plain lines only.
func columns(f *os.File) int {
	if !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return 0
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// main runs the command that args name and returns the process's exit code.
func (p *process) main(args []string) int {
	ctx, stop := p.interrupts(context.Background())
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	out := &checkedWriter{Writer: p.stdout}
	p.stdout = out
	root := p.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.err
	}
	if err == nil {
		return exitOK
	}
	return p.fail(err, args)
}

// checkedWriter remembers the first error of a writer: help is written by code that looks at
// none.
type checkedWriter struct {
	io.Writer
	err error
}

func (w *checkedWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// path makes a path that a person gave absolute. The address of a bucket is as it is.
func (p *process) path(s string) string {
	if bucket.Is(s) {
		return s
	}
	s = config.FromHome(s, p.environ)
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

// short is how a path is shown: relative to the working directory if it is below it.
func (p *process) short(path string) string {
	if rel, err := filepath.Rel(p.dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func (p *process) getenv(key string) string {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if name, value, ok := strings.Cut(p.environ[i], "="); ok && name == key {
			return value
		}
	}
	return ""
}
