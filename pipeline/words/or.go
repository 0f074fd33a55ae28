package words

import "strings"

// Or joins alternatives: "a", "a or b", "a, b or c".
func Or(all []string) string {
	last := len(all) - 1
	if last < 1 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:last], ", ") + " or " + all[last]
}
