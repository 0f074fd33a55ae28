package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"icebox/extract"
)

// pseudoTerminal opens a terminal of 24 lines of 80 columns that no person sits at: what a
// program writes to tty is read from keeper.
func pseudoTerminal(t *testing.T) (keeper, tty *os.File) {
	t.Helper()
	keeper, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("skipped: no pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { keeper.Close() })
	must(t, unix.IoctlSetPointerInt(int(keeper.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(keeper.Fd()), unix.TIOCGPTN)
	must(t, err)
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	must(t, unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	return keeper, tty
}

// onPseudoTerminal runs a command on a terminal and returns what stands there at the end.
func onPseudoTerminal(t *testing.T, dir string, official extract.FetchOptions, environ []string, args ...string) (code int, shown string) {
	t.Helper()
	keeper, tty := pseudoTerminal(t)
	written := make(chan string)
	go func() {
		text, _ := io.ReadAll(keeper) // it ends with an error where the terminal is closed
		written <- string(text)
	}()
	p := &process{
		official: official, environ: append([]string{"HOME=" + dir, "ICEBOX_OFFLINE=1"}, environ...), dir: dir,
		stdin: strings.NewReader(""), stdout: tty, stderr: tty, outWidth: columns(tty), errWidth: columns(tty),
		interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
	}
	code = p.main(args)
	must(t, tty.Close())
	return code, screen(<-written)
}

var escape = regexp.MustCompile(`^\x1b\[(\d*)([A-Za-z])`)

// screen returns the lines that stand on a terminal after text was written to it, which
// scroll away above. It knows what progress bars write: lines, and cursor up with erase.
func screen(text string) string {
	lines, row := []string{""}, 0
	for text != "" {
		if m := escape.FindStringSubmatch(text); m != nil {
			n := 1
			_, _ = fmt.Sscan(m[1], &n)
			switch m[2] {
			case "A":
				row = max(row-n, 0)
			case "J":
				lines = append(lines[:row], "")
			}
			text = text[len(m[0]):]
			continue
		}
		switch text[0] {
		case '\r':
		case '\n':
			if row++; row == len(lines) {
				lines = append(lines, "")
			}
		default:
			lines[row] += text[:1]
		}
		text = text[1:]
	}
	return strings.Join(lines, "\n")
}

var runName = regexp.MustCompile(`\b\d{8}-\d{6}-[\w-]+`)

var barLine = regexp.MustCompile(`(?m)^[a-z ]+\[[=> -]*\].*\n`)

// wordsShown are the words of an output, without progress and wherever its lines were
// wrapped; numbers, amounts and names of runs stand for themselves.
func wordsShown(text string) []string {
	text = barLine.ReplaceAllString(progressLine.ReplaceAllString(text, ""), "")
	text = runName.ReplaceAllString(text, "NAME") // of two in a second, one has a number
	return strings.Fields(shape(strings.Join(strings.Fields(text), " ")))
}

// Notes that come when the last bar is full, or where no bar is, are seen.
func TestLateNotesAreSeenOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for _, total := range []int{3, 5} { // the bar is full, or is not
		keeper, tty := pseudoTerminal(t)
		written := make(chan string)
		go func() { text, _ := io.ReadAll(keeper); written <- string(text) }()
		p := &process{stderr: tty, errWidth: columns(tty)}
		bar := p.progress()
		bar.Note("before the bar")
		bar.Start("train", total)
		bar.Add(1)
		bar.Note("beside the bar")
		time.Sleep(250 * time.Millisecond) // some frames
		bar.Add(2)
		bar.Note("at the end of the bar")
		bar.Note("and once more")
		bar.Start("look up", 0)
		bar.Note("after the bar")
		bar.finish()
		must(t, tty.Close())
		shown := screen(<-written)
		var notes []string
		for line := range strings.Lines(shown) {
			if note, ok := strings.CutPrefix(line, "note: "); ok {
				notes = append(notes, strings.TrimSpace(note))
			}
		}
		if want := []string{"before the bar", "beside the bar", "at the end of the bar", "and once more", "after the bar"}; !slices.Equal(notes, want) {
			t.Errorf("notes are %q, want %q, on\n%s", notes, want, shown)
		}
		if len(barLine.FindAllString(shown, -1)) != 1 {
			t.Errorf("not one bar is left on\n%s", shown)
		}
	}
}

// readmeCommands are the commands in the README's blocks, but for those that go to the
// network, and those that serve until they are stopped. What they name is found in a folder
// that readmeFolder makes.
func readmeCommands(t *testing.T) [][]string {
	t.Helper()
	var all [][]string
	fenced := false
	for line := range strings.Lines(document(t, "README.md")) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		command, ok := strings.CutPrefix(strings.TrimPrefix(line, "$ "), "icebox ")
		if !fenced || !ok || strings.HasPrefix(command, "weights fetch") || strings.HasPrefix(command, "studio") || strings.HasPrefix(command, "serve") {
			continue
		}
		command, _, _ = strings.Cut(command, " #")
		var args []string
		for i, part := range strings.Split(command, "'") {
			if i%2 == 1 {
				args = append(args, part)
			} else {
				args = append(args, strings.Fields(part)...)
			}
		}
		all = append(all, args)
	}
	return all
}

// readmeFolder makes a folder for the README's commands, with the weights that they name.
func readmeFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	weightsFile(t, dir, "resnet18.pth")
	return dir
}

// drawNamed draws the images that args name and that are not there in dir: a folder of
// classes for --data, of parts if there are images of its test, and files.
func drawNamed(t *testing.T, dir string, args []string) {
	t.Helper()
	for i, arg := range args {
		switch {
		case args[i-min(i, 1)] == "--data":
			if isDir(filepath.Join(dir, arg)) {
				continue
			}
			for c, class := range sessionClasses[:3] {
				for n := range 10 {
					part := map[bool]string{true: []string{"train/", "test/"}[n/7]}[arg == "cifar10-6k"]
					write(t, dir, fmt.Sprintf("%s/%s%s/%d.png", arg, part, class, n), pngOf(t, c, n+len(arg)))
				}
			}
		case filepath.Ext(arg) == ".jpg" && !isFile(filepath.Join(dir, arg)):
			write(t, dir, arg, pngOf(t, 1, i))
		}
	}
	time.Sleep(50 * time.Millisecond) // so that the cache trusts the times
}

// Every command of the README says the same in a pipe and on a terminal.
func TestReadmeCommandsSayTheSameOnATerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	t.Setenv("TERM", "xterm")
	commands := readmeCommands(t)
	if len(commands) < 8 {
		t.Errorf("only %d commands were found", len(commands))
	}
	var piped, tty, data string
	for _, args := range commands {
		if at := slices.Index(args, "--data"); args[0] == "run" && args[at+1] != data { // another story
			piped, tty, data = readmeFolder(t), readmeFolder(t), args[at+1]
		}
		drawNamed(t, piped, args)
		drawNamed(t, tty, args)
		environ := []string{"ICEBOX_BACKBONE_WEIGHTS=resnet18.pth"}
		var both bytes.Buffer
		p := &process{
			environ: append([]string{"HOME=" + piped, "ICEBOX_OFFLINE=1"}, environ...), dir: piped,
			stdin: strings.NewReader(""), stdout: &both, stderr: &both,
			interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
		}
		pipedCode := p.main(latestRun(t, piped, args))
		code, shown := onPseudoTerminal(t, tty, extract.FetchOptions{}, environ, latestRun(t, tty, args)...)
		if code != exitOK || pipedCode != exitOK {
			t.Fatalf("icebox %v: exit %d in a pipe, %d on a terminal:\n%s\n%s", args, pipedCode, code, both.String(), shown)
		}
		want, got := wordsShown(strings.ReplaceAll(both.String(), piped, "DIR")), wordsShown(strings.ReplaceAll(shown, tty, "DIR"))
		if !slices.Equal(got, want) {
			t.Errorf("icebox %v says in a pipe:\n%s\nand on a terminal:\n%s", args, both.String(), shown)
		}
	}
}

// latestRun puts the latest run in dir where args name one that the README made.
func latestRun(t *testing.T, dir string, args []string) []string {
	t.Helper()
	args = slices.Clone(args)
	for i, arg := range args {
		if !strings.HasPrefix(arg, "runs/") {
			continue
		}
		runs, err := filepath.Glob(filepath.Join(dir, "runs", "*"))
		must(t, err)
		if len(runs) == 0 {
			t.Fatalf("icebox %v: there is no run", args)
		}
		args[i] = "runs/" + filepath.Base(slices.Max(runs))
	}
	return args
}

// A download shows a bar on a terminal.
func TestDownloadShowsABar(t *testing.T) {
	t.Setenv("TERM", "xterm")
	dir := t.TempDir()
	o, _ := torchvision(t)
	code, shown := onPseudoTerminal(t, dir, o, online(dir), "weights", "fetch")
	if code != exitOK || !regexp.MustCompile(`(?m)^fetch +\[=+\] +4\d\.\d MB / 4\d\.\d MB `).MatchString(shown) || !strings.Contains(shown, "downloading ResNet-18 weights, once") {
		t.Errorf("exit %d:\n%s", code, shown)
	}
}
