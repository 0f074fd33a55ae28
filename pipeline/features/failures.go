package features

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"icebox/cache"
	"icebox/pipeline/journal"
)

// Bad is a quarantined image.
type Bad struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// failures remembers, for one space, the contents that no feature can be computed
// from, and why. It is the document "failures/<space>" of the cache: a JSON object
// from hexadecimal content hash to reason.
type failures map[cache.Key]string

const failuresPrefix = "failures/"

func failuresDoc(space string) string { return failuresPrefix + space }

func loadFailures(s *Store, space string) (failures, error) {
	f := failures{}
	doc, err := s.Doc(failuresDoc(space))
	if errors.Is(err, cache.ErrNoDoc) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	var byHex map[string]string
	if err := json.Unmarshal(doc, &byHex); err != nil {
		return nil, fmt.Errorf("%w: document %s: %w", cache.ErrCorrupt, failuresDoc(space), err)
	}
	for h, reason := range byHex {
		var k cache.Key
		if n, err := hex.Decode(k[:], []byte(h)); err != nil || n != len(k) {
			return nil, fmt.Errorf("%w: document %s: key %q", cache.ErrCorrupt, failuresDoc(space), h)
		}
		f[k] = reason
	}
	return f, nil
}

func (f failures) encode() ([]byte, error) {
	byHex := make(map[string]string, len(f))
	for k, reason := range f {
		byHex[hex.EncodeToString(k[:])] = reason
	}
	return json.Marshal(byHex)
}

// quarantine collects the bad images of one run, by path.
type quarantine map[string]string

func (q quarantine) list() []Bad {
	var bad []Bad
	for _, p := range slices.Sorted(maps.Keys(q)) {
		bad = append(bad, Bad{p, strings.ReplaceAll(q[p], "\n", "; ")})
	}
	return bad
}

// toleratedFailures is how many bad images a run bears whatever their share is.
const toleratedFailures = 10

// ErrFailureBudget is returned when too many images had to be quarantined. What could
// be extracted is kept.
var ErrFailureBudget = errors.New("too many bad images")

// checkBudget fails a run with too many bad images among all.
func (q quarantine) checkBudget(images int, rate float64) error {
	if len(q) <= toleratedFailures || float64(len(q)) <= rate*float64(images) {
		return nil
	}
	worst := q.list()[0]
	err := fmt.Errorf("%w: %d of %d images (%.1f %%) are bad, where %.1f %% are allowed; the first is %s: %s. "+
		"What could be extracted is kept. Mend or remove the bad ones, or allow more", ErrFailureBudget,
		len(q), images, 100*float64(len(q))/float64(images), 100*rate, worst.Path, worst.Reason)
	return journal.WithSteps(err, journal.Step{Do: journal.Raise, Field: "Extract.MaxFailureRate"}, journal.SetTo("Extract.RetryFailed", true))
}
