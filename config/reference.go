package config

import (
	"fmt"
	"strings"
)

const referenceHead = `# Configuration keys

Values come from one YAML file, from the environment and from the command line; the later of these wins. The file is ` + "`icebox.yaml`" + ` in the working directory, unless the command line names another.

- In the file a key's parts nest: ` + "`head.lr`" + ` is ` + "`lr`" + ` in the section ` + "`head`" + `.
- In the environment the same key is ` + "`ICEBOX_HEAD_LR`" + `. An empty variable counts as not set. ` + "`ICEBOX_OFFLINE=1`" + ` is no key: it forbids downloads.
- On the command line it is the argument ` + "`head.lr=0.01`" + `.
- A path in the file is relative to the file's folder; elsewhere it is relative to the working directory. One that begins with ` + "`~/`" + ` starts in your home folder, wherever it is written.
- A key that does not exist, a value of the wrong type and a value out of range are errors. They name the line, and the nearest key.
`

// Reference returns everything there is to know of every key, as a Markdown
// document. REFERENCE.md is its text.
func Reference() string {
	var out strings.Builder
	out.WriteString(referenceHead)
	top := ""
	for _, k := range table {
		if section, _, _ := strings.Cut(k.Name, "."); section != top {
			top = section
			fmt.Fprintf(&out, "\n## %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", section)
		}
		fallback := ""
		if k.Default != "" {
			fallback = "`" + k.Default + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s |\n", k.Name, k.Type, fallback, k.Help)
	}
	out.WriteString("\nA range is `{log: [a, b], steps: n}` or `{lin: [a, b], steps: n}`.\n")
	return out.String()
}
