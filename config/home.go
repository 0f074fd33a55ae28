package config

import (
	"os"
	"path/filepath"
	"strings"
)

// FromHome returns path, which begins with ~/ or is ~, as a path in the home folder of the
// process with this environment ("KEY=value"). Other paths stay: ~name is a file of that
// name.
func FromHome(path string, environ []string) string {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) {
		return path
	}
	home := ""
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); value != "" && (name == "HOME" || name == "USERPROFILE" && home == "") {
			home = value
		}
	}
	if home == "" {
		var err error
		if home, err = os.UserHomeDir(); err != nil {
			return path
		}
	}
	return filepath.Join(home, rest)
}
