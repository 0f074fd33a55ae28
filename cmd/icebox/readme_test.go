package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every command that the README names is there.
func TestReadmeNamesEveryCommand(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	must(t, err)
	p := &process{}
	for _, cmd := range p.rootCommand().Commands() {
		if !strings.Contains(string(readme), cmd.Name()) {
			t.Errorf("README.md does not name the command %s", cmd.Name())
		}
	}
}

// Text that was to be filled in later has been.
func TestReadmeHasNoPlaceholders(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	must(t, err)
	if at := strings.Index(string(readme), "@@"); at >= 0 {
		t.Errorf("README.md has a placeholder: %.40q", readme[at:])
	}
}
