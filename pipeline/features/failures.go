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
	"icebox/extract"
	"icebox/pipeline/journal"
)

// Bad is a quarantined image.
type Bad struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// failures remembers, for one space, the contents that no feature can be computed from, and
// why. In the cache it is three documents, JSON objects from hexadecimal content hash:
// "failures/<space>" to the reason; for the reasons that come of a limit, "limits/<space>" to
// the extract.max_pixels that refused an image, and "memory/<space>" to the bytes that it needs.
type failures struct {
	reasons map[cache.Key]string
	limits  map[cache.Key]int64
	memory  map[cache.Key]int64
}

const (
	failuresPrefix = "failures/"
	limitsPrefix   = "limits/"
	memoryPrefix   = "memory/"
)

// known returns why a content is bad. One that a limit has refused is not known to be bad
// under a larger limit, of which o has two.
func (f failures) known(k cache.Key, o Options) (reason string, ok bool) {
	reason, ok = f.reasons[k]
	if limit, limited := f.limits[k]; limited && o.MaxPixels > limit {
		return "", false
	}
	if need, limited := f.memory[k]; limited && o.Memory >= need {
		return "", false
	}
	return reason, ok
}

// add remembers that a content is bad under the limits of o.
func (f failures) add(k cache.Key, reason error, o Options) {
	f.remove(k)
	f.reasons[k] = reason.Error()
	var memory *extract.MemoryError
	switch {
	case errors.As(reason, &memory):
		f.memory[k] = memory.Need
	case errors.Is(reason, extract.ErrImageTooLarge):
		f.limits[k] = o.MaxPixels
	}
}

// remember is add for what another process has found.
func (f failures) remember(k cache.Key, why Failure) {
	f.remove(k)
	f.reasons[k] = why.Reason
	if why.Pixels > 0 {
		f.limits[k] = why.Pixels
	}
	if why.Memory > 0 {
		f.memory[k] = why.Memory
	}
}

func (f failures) remove(k cache.Key) {
	delete(f.reasons, k)
	delete(f.limits, k)
	delete(f.memory, k)
}

func loadFailures(s *Store, space string) (f failures, err error) {
	if f.reasons, err = loadByHash[string](s, failuresPrefix+space); err != nil {
		return f, err
	}
	if f.limits, err = loadByHash[int64](s, limitsPrefix+space); err != nil {
		return f, err
	}
	f.memory, err = loadByHash[int64](s, memoryPrefix+space)
	for k, reason := range f.reasons {
		// An older program did not say which limit it was: it is tried again.
		if _, limited := f.limits[k]; !limited && strings.Contains(reason, "(raise the limit") {
			f.limits[k] = 0
		}
	}
	return f, err
}

// loadByHash reads a JSON object from hexadecimal content hash to value; empty where there is
// no such document.
func loadByHash[V any](s *Store, name string) (map[cache.Key]V, error) {
	doc, err := s.Doc(name)
	if errors.Is(err, cache.ErrNoDoc) {
		return map[cache.Key]V{}, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeByHash[V](name, doc)
}

// decodeByHash reads what [encodeByHash] wrote.
func decodeByHash[V any](name string, doc []byte) (map[cache.Key]V, error) {
	values := map[cache.Key]V{}
	var byHex map[string]V
	if err := json.Unmarshal(doc, &byHex); err != nil {
		return nil, fmt.Errorf("%w: document %s: %w", cache.ErrCorrupt, name, err)
	}
	for h, v := range byHex {
		raw, err := hex.DecodeString(h)
		if err != nil || len(raw) != len(cache.Key{}) {
			return nil, fmt.Errorf("%w: document %s: key %q", cache.ErrCorrupt, name, h)
		}
		values[cache.Key(raw)] = v
	}
	return values, nil
}

// documents returns the documents of f for a space, by name; nil is one to be deleted.
func (f failures) documents(space string) (map[string][]byte, error) {
	reasons, err := encodeByHash(f.reasons)
	limits, lerr := encodeByHash(f.limits)
	memory, merr := encodeByHash(f.memory)
	return map[string][]byte{failuresPrefix + space: reasons, limitsPrefix + space: limits, memoryPrefix + space: memory}, errors.Join(err, lerr, merr)
}

func encodeByHash[V any](values map[cache.Key]V) ([]byte, error) {
	if len(values) == 0 {
		return nil, nil
	}
	byHex := make(map[string]V, len(values))
	for k, v := range values {
		byHex[hex.EncodeToString(k[:])] = v
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
