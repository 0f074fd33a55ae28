package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"icebox/config"
)

// document reads a file of the repository.
func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	must(t, err)
	return string(text)
}

func TestReadmeIsShort(t *testing.T) {
	if n := len(document(t, "README.md")); n > 10_000 {
		t.Errorf("README.md has %d bytes, 10,000 are the limit: what is not for a first reader belongs elsewhere", n)
	}
}

func TestReadmeNamesEveryCommand(t *testing.T) {
	readme := document(t, "README.md")
	for _, cmd := range (&process{}).rootCommand().Commands() {
		if cmd.Hidden {
			continue
		}
		named := regexp.MustCompile("(icebox |`)(help )?" + cmd.Name() + `\b`)
		if !named.MatchString(readme) {
			t.Errorf("README.md does not name the command %s", cmd.Name())
		}
	}
}

// TestDocumentsShowWhatIsThere finds each command line of the documents among the
// commands, its flags among theirs, and its keys among those of the configuration.
func TestDocumentsShowWhatIsThere(t *testing.T) {
	root := (&process{}).rootCommand()
	total := 0
	for _, name := range []string{"README.md", "config/REFERENCE.md", ".github/BENCHMARKS.md", ".github/CHANGELOG.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", "Dockerfile"} {
		lines := commandsShown(document(t, name))
		total += len(lines)
		for _, line := range lines {
			if fault := commandFault(root, strings.Fields(line)); fault != "" {
				t.Errorf("%s: icebox %s: %s", name, line, fault)
			}
		}
	}
	if total < 15 {
		t.Errorf("only %d command lines were found", total)
	}
	for _, wrong := range []string{"cook --data photos", "run --dat photos", "train head.lrr=1", "cache melt"} {
		if commandFault(root, strings.Fields(wrong)) == "" {
			t.Errorf("icebox %s passes for a command line", wrong)
		}
	}
}

var commandLine = regexp.MustCompile("(?m)(?:^|`|\\$ |cmd/|\" )icebox ([a-z][^`#\n]*)")

// commandsShown are what follows "icebox" where a line, a piece of code or a prompt
// begins with it.
func commandsShown(text string) []string {
	var lines []string
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		for _, m := range commandLine.FindAllStringSubmatch(line, -1) {
			if fenced || strings.Contains(m[0], "`") || strings.HasPrefix(line, "#") {
				lines = append(lines, m[1])
			}
		}
	}
	return lines
}

// commandFault says what is wrong with a command line.
func commandFault(root *cobra.Command, args []string) string {
	if args[0] == "help" {
		args = args[1:]
	}
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root {
		return "there is no such command"
	}
	if cmd.HasSubCommands() && len(rest) > 0 {
		return "there is no such command"
	}
	for _, word := range rest {
		if name, ok := strings.CutPrefix(word, "--"); ok {
			name, _, _ = strings.Cut(name, "=")
			if cmd.Flag(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
				return "there is no flag --" + name
			}
		} else if key, _, ok := strings.Cut(strings.Trim(word, "'"), "="); ok && strings.Contains(key, ".") {
			if !slices.ContainsFunc(config.Keys(), func(k config.Key) bool { return k.Name == key }) {
				return "there is no key " + key
			}
		}
	}
	return ""
}

// The program that the README shows compiles.
func TestReadmeProgramCompiles(t *testing.T) {
	_, rest, _ := strings.Cut(document(t, "README.md"), "```go\n")
	program, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("README.md shows no Go program")
	}
	cmd := exec.Command("go", "vet", write(t, t.TempDir(), "main.go", []byte(program)))
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// Links between the documents lead somewhere.
func TestDocumentsLinkToFiles(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]+)\)`)
	found := 0
	for _, name := range []string{"README.md", ".github/BENCHMARKS.md", ".github/CHANGELOG.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"} {
		for _, m := range link.FindAllStringSubmatch(document(t, name), -1) {
			found++
			if _, err := os.Stat(filepath.Join("..", "..", filepath.Dir(name), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
	if found < 4 {
		t.Errorf("only %d links were found", found)
	}
}
