package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The README shows one session: what a person types, and what icebox prints. It is
// made from a real run by
//
//	go test ./cmd/icebox -run ReadmeSession -session-data cifar10-6k -session-weights resnet18.pth
//
// and held to what icebox prints now, line by line, by the test without those flags.
var (
	sessionData    = flag.String("session-data", "", "`folder` of images, holding train/<class> and test/<class>, for a new session in README.md")
	sessionWeights = flag.String("session-weights", "", "`file` of the backbone's weights for a new session in README.md")
)

const (
	sessionBegin = "<!-- The session is made by cmd/icebox/session_test.go. -->\n```\n"
	sessionEnd   = "```\n"
)

// sessionCommands are what is typed. RUN is the folder of the latest run, DATA that
// of the images, IMAGE one of its test images.
var sessionCommands = []string{
	"icebox run --data DATA --weights resnet18.pth head.tune=off head.epochs=30",
	"icebox train",
	"icebox predict --run RUN IMAGE",
}

// sessionClasses are those of the images in the README's session.
var sessionClasses = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

func TestReadmeSession(t *testing.T) {
	file := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(file)
	must(t, err)
	before, rest, ok := strings.Cut(string(text), sessionBegin)
	shown, after, closed := strings.Cut(rest, sessionEnd)
	if !ok || !closed {
		t.Fatalf("README.md has no session between %q and %q", sessionBegin, sessionEnd)
	}
	if *sessionData != "" {
		must(t, os.WriteFile(file, []byte(before+sessionBegin+realSession(t)+sessionEnd+after), 0o644))
		return
	}
	checkSession(t, shown, drawnSession(t))
}

// checkSession compares the shapes of lines. What icebox prints now may hold more
// lines than the README shows, and more in a line: notes, and that drawn pictures met
// random weights.
func checkSession(t *testing.T, shown, now string) {
	t.Helper()
	left := unwrapped(now)
	commands := 0
	for _, line := range unwrapped(shown) {
		want := shape(line)
		if strings.HasPrefix(line, "$ ") {
			commands++
		}
		at := slices.IndexFunc(left, func(l string) bool { return strings.HasPrefix(shape(l), want) })
		if at < 0 {
			t.Fatalf("README.md shows a line that icebox does not print, or not there:\n%s\nof the shape %q, where it goes on with\n%s", line, want, strings.Join(left, "\n"))
		}
		left = left[at+1:]
	}
	if commands != len(sessionCommands) {
		t.Errorf("README.md shows %d commands of %d", commands, len(sessionCommands))
	}
}

// unwrapped joins lines with those that go on with them, which are indented.
func unwrapped(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if last := len(lines) - 1; last >= 0 && strings.HasPrefix(line, "  ") {
			lines[last] += " " + strings.TrimSpace(line)
		} else if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// realSession runs the commands on the images and weights that the flags name.
func realSession(t *testing.T) string {
	dir := t.TempDir()
	data, err := filepath.Abs(*sessionData)
	must(t, err)
	weights, err := filepath.Abs(*sessionWeights)
	must(t, err)
	must(t, os.Symlink(data, filepath.Join(dir, filepath.Base(data))))
	must(t, os.Symlink(weights, filepath.Join(dir, "resnet18.pth")))
	return session(t, dir, filepath.Base(data), "resnet18.pth")
}

// drawnSession runs them on a few drawn pictures, with random weights.
func drawnSession(t *testing.T) string {
	dir := t.TempDir()
	for c, class := range sessionClasses[:3] {
		for i := range 10 {
			part := []string{"train", "test"}[i/7]
			write(t, dir, fmt.Sprintf("drawn/%s/%s/%d.png", part, class, i), pngOf(t, c, i))
		}
	}
	time.Sleep(50 * time.Millisecond) // so that the cache trusts the times
	return session(t, dir, "drawn", "random")
}

// session runs the commands in dir and returns what a terminal would show, but for
// the progress that a terminal draws over.
func session(t *testing.T, dir, data, weights string) string {
	t.Helper()
	images, err := filepath.Glob(filepath.Join(dir, data, "test", "*", "*"))
	must(t, err)
	if len(images) == 0 {
		t.Fatalf("no image lies below %s/test", data)
	}
	image, err := filepath.Rel(dir, images[len(images)/2])
	must(t, err)
	var out strings.Builder
	for i, command := range sessionCommands {
		run := ""
		if runs, _ := filepath.Glob(filepath.Join(dir, "runs", "*")); len(runs) > 0 {
			run = "runs/" + filepath.Base(slices.Max(runs))
		}
		typed := strings.NewReplacer("DATA", data, "RUN", run, "IMAGE", filepath.ToSlash(image)).Replace(command)
		if i > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "$ %s\n%s", typed, terminal(t, dir, strings.Fields(strings.ReplaceAll(typed, "resnet18.pth", weights))[1:]))
	}
	return out.String()
}

var progressLine = regexp.MustCompile(`(?m)^[a-z ]+: [\d,]+ of [\d,]+ .*\n`)

// terminal runs a command and returns its stdout and stderr together, as a terminal
// shows them.
func terminal(t *testing.T, dir string, args []string) string {
	t.Helper()
	var screen bytes.Buffer
	p := &process{
		environ: []string{"HOME=" + dir, "ICEBOX_OFFLINE=1"}, dir: dir,
		stdin: strings.NewReader(""), stdout: &screen, stderr: &screen, outWidth: 80, errWidth: 80,
		interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
	}
	if code := p.main(args); code != exitOK {
		t.Fatalf("%v: exit %d: %s", args, code, screen.String())
	}
	return progressLine.ReplaceAllString(screen.String(), "")
}

var shapes = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`runs/\S+`), "RUN"},
	{regexp.MustCompile(`\S+/test/\S+`), "IMAGE"},
	{regexp.MustCompile(`--data \S+`), "--data DATA"},
	{regexp.MustCompile(`\b(` + strings.Join(sessionClasses, "|") + `)\b`), "CLASS"},
	{regexp.MustCompile(`\b(avx512|avx2|portable)\b`), "ISA"},
	{regexp.MustCompile(`\b(ridge regression|nearest (\d+ )?images?|majority class)\b`), "BASELINE"},
	{regexp.MustCompile(`\d[\d,]*(\.\d+)?(e[-+]\d+)?`), "N"},
	{regexp.MustCompile(`\bN ([kMG]?B|µs|ms|s)\b`), "AMOUNT"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

// shape puts placeholders for what differs between two runs: numbers, amounts,
// names.
func shape(line string) string {
	line = strings.TrimSpace(line)
	for _, s := range shapes {
		line = s.what.ReplaceAllString(line, s.as)
	}
	return line
}

func TestSessionShapesTellLinesApart(t *testing.T) {
	same := [][2]string{
		{"took       102.53 s", "took       871 ms"},
		{"run        runs/20261127-015118-cifar10-6k", "run  runs/20200101-000000-drawn"},
		{"features   6,000 images: 5 from the cache; 5.5 MB read", "features 30 images: 1 from the cache; 0 B read"},
		{"cifar10-6k/test/frog/1.jpg\tfrog\t0.9\tbird 0.1", "drawn/test/bird/1.png\tbird\t0.5\tairplane 0.5"},
		{"baseline   nearest 5 images: 66.50 %", "baseline   ridge regression: 40.00 %"},
	}
	for _, s := range same {
		if shape(s[0]) != shape(s[1]) {
			t.Errorf("%q has the shape %q, %q the shape %q", s[0], shape(s[0]), s[1], shape(s[1]))
		}
	}
	differ := [][2]string{
		{"took 3 s", "took 3 images"},
		{"accuracy val 5 %", "accuracy test 5 %"},
		{"$ icebox run head.epochs=30", "$ icebox train head.epochs=30"},
	}
	for _, s := range differ {
		if shape(s[0]) == shape(s[1]) {
			t.Errorf("%q and %q have one shape, %q", s[0], s[1], shape(s[0]))
		}
	}
}
