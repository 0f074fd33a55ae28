package corrections

import (
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"icebox/pipeline/words"
)

// header is the first line of a file.
var header = []string{"action", "path", "sha256", "old", "new", "when"}

// maxField bounds a path and the name of a class, in bytes.
const maxField = 16 << 10

// form is how a file separates fields and lines.
type form struct {
	comma rune
	crlf  bool
}

// line appends c as a line of the form, with its end.
func (f form) line(c *Change) string {
	return f.join(string(c.Action), text(c.Path), hex.EncodeToString(c.Hash[:]), text(c.Old), text(c.New), c.When.UTC().Format(time.RFC3339))
}

func (f form) join(fields ...string) string {
	var out strings.Builder
	w := csv.NewWriter(&out)
	w.Comma, w.UseCRLF = f.comma, f.crlf
	_ = w.Write(fields) // into memory
	w.Flush()
	return out.String()
}

// text is a name as a field holds it.
func text(name string) string {
	if name != "" && strings.ContainsRune("=+-@", rune(name[0])) {
		return strconv.Quote(name)
	}
	return words.Name(name)
}

// named is the name that a field holds.
func named(field string) (string, error) {
	if !strings.HasPrefix(field, `"`) {
		return field, nil
	}
	name, err := strconv.Unquote(field)
	if err != nil {
		return "", fmt.Errorf("%.60q begins with a quote, and is not quoted as Go quotes strings", field)
	}
	return name, nil
}

// change reads the fields of a line.
func change(fields []string) (c Change, err error) {
	if len(fields) != len(header) {
		return c, fmt.Errorf("it has %d fields, not %d: a line is cut or holds a stray quote", len(fields), len(header))
	}
	if slices.ContainsFunc(fields, func(s string) bool { return strings.ContainsRune(s, '\n') }) {
		return c, errors.New("a line break stands within quotes")
	}
	var errs [4]error
	c.Action = Action(fields[0])
	c.Path, errs[0] = named(fields[1])
	c.Old, errs[1] = named(fields[3])
	c.New, errs[2] = named(fields[4])
	if c.When, err = time.Parse(time.RFC3339, fields[5]); err != nil {
		errs[3] = fmt.Errorf("%.60q is no time such as 2026-11-27T12:00:00Z", fields[5])
	}
	if n, err := hex.Decode(c.Hash[:], []byte(fields[2])[:min(len(fields[2]), 2*len(c.Hash))]); err != nil || n != len(c.Hash) || len(fields[2]) != 2*n {
		return c, fmt.Errorf("%.80q is no SHA-256 of 64 hexadecimal digits", fields[2])
	}
	if err := errors.Join(errs[:]...); err != nil {
		return c, err
	}
	return c, c.Check()
}
