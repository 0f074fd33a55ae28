package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"

	"icebox/cache"
	"icebox/extract"
)

// verdicts are the gate's, by key; the document "gate" of the cache, JSON.
type verdicts map[string]extract.Verdict

func loadVerdicts(c *cache.Cache) (verdicts, error) {
	v := verdicts{}
	doc, err := c.Doc(gateDoc)
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
