package features

import (
	"encoding/json"
	"errors"
	"fmt"

	"icebox/cache"
	"icebox/extract"
)

// gateDoc is the cache's document of the gate's verdicts, a JSON object: which engines
// have agreed with the reference.
const gateDoc = "gate"

// verdicts are the gate's, by key.
type verdicts map[string]extract.Verdict

func loadVerdicts(s *Store) (verdicts, error) {
	v := verdicts{}
	doc, err := s.Doc(gateDoc)
	if errors.Is(err, cache.ErrNoDoc) {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(doc, &v); err != nil {
		return nil, fmt.Errorf("%w: document %s: %w", cache.ErrCorrupt, gateDoc, err)
	}
	return v, nil
}

func putVerdicts(w *cache.Writer, v verdicts) error {
	doc, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.PutDoc(gateDoc, doc)
}
