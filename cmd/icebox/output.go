package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"icebox/cmd/internal/exitcode"
	"icebox/pipeline/words"
)

// Results go to stdout. What a person reads meanwhile goes to stderr: progress, notes,
// questions and errors.

// print writes the result of a command: v as JSON, with --json, or else the text.
func (p *process) print(v any, text func(io.Writer)) error {
	if p.json {
		return p.printJSON(v)
	}
	var out bytes.Buffer
	text(&out)
	_, err := io.WriteString(p.stdout, wrap(words.Printable(out.String()), p.outWidth))
	return err
}

// printLine prints a result that is one line.
func (p *process) printLine(v any, format string, args ...any) error {
	return p.print(v, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

// printSummary prints the summary of what a command has done, which --quiet leaves out.
func (p *process) printSummary(v any, text func(io.Writer)) error {
	if p.quiet && !p.json {
		return nil
	}
	return p.print(v, text)
}

// printJSON writes v as one line of stdout.
func (p *process) printJSON(v any) error {
	return json.NewEncoder(p.stdout).Encode(v)
}

// failure is what --json prints of an error.
type failure struct {
	Error string `json:"error"`
	Code  int    `json:"code"` // the exit code
	Hint  string `json:"hint"` // what to try next; "" where the error says all
}

// fail says why a command failed and what would help, and returns the exit code.
func (p *process) fail(err error, args []string) int {
	code := exitcode.Of(err)
	f := failure{message(err, code), code, p.hint(err)}
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	if p.json || slices.Contains(args, "--json") { // cobra stops reading at a wrong flag, so that --json may stand behind it unread
		_ = p.printJSON(f) // stderr and the exit code say it too
	}
	p.say("icebox: %s", strings.ReplaceAll(f.Error, "\n", "\n  "))
	if f.Hint != "" {
		p.say("  try: %s", f.Hint)
	}
	return code
}

// say writes a line for a person.
func (p *process) say(format string, args ...any) {
	_, _ = io.WriteString(p.stderr, wrap(words.Printable(fmt.Sprintf(format+"\n", args...)), p.errWidth))
}

// tell says what --quiet leaves out.
func (p *process) tell(format string, args ...any) {
	if !p.quiet {
		p.say(format, args...)
	}
}

// wrap breaks the lines of text that are longer than width at spaces; 0 leaves them.
func wrap(text string, width int) string {
	if width == 0 {
		return text
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		body := strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(body) > width && !strings.HasPrefix(body, "  icebox ") { // a command is to be copied
			body = wrapLine(body, width)
		}
		out.WriteString(body)
		out.WriteString(line[len(strings.TrimSuffix(line, "\n")):])
	}
	return out.String()
}

// wrapLine breaks one line. The lines that follow are indented so that they stand below the
// text of the first, behind its name.
func wrapLine(line string, width int) string {
	indent := textColumn(line)
	out := line[:indent]
	column := utf8.RuneCountInString(out)
	empty := true // whether the present line has no word yet
	for _, word := range strings.Fields(line[indent:]) {
		n := utf8.RuneCountInString(word)
		switch {
		case empty:
		case column+1+n > width:
			out += "\n" + strings.Repeat(" ", indent)
			column = indent
		default:
			out += " "
			column++
		}
		out += word
		column += n
		empty = false
	}
	return out
}

// textColumn is where the text of a line begins: after its indent and, if a short name and
// two spaces or more come first, after those.
func textColumn(line string) int {
	const longest = 24
	start := len(line) - len(strings.TrimLeft(line, " "))
	if gap := strings.Index(line[start:], "  "); gap > 0 && start+gap < longest {
		at := start + gap
		for at < len(line) && line[at] == ' ' {
			at++
		}
		return at
	}
	return start
}
