package features

import (
	"fmt"

	"icebox/cache"
	"icebox/pipeline/dataset"
)

// VerifyDocuments reads everything in the cache at path that programs read beside rows, as
// they do, and returns a fault for each document or space that cannot be read. The file is
// sound: see [cache.Verify].
func VerifyDocuments(path string) ([]cache.Fault, error) {
	c, err := cache.Open(path, cache.Options{})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s := &Store{path: path, c: c}
	var faults []cache.Fault
	check := func(where string, err error) {
		if err != nil {
			faults = append(faults, cache.Fault{Where: where, What: err.Error()})
		}
	}
	for _, p := range dataset.Purposes {
		for _, name := range dataset.Names(s, p) {
			_, err := dataset.Load(s, p, name)
			check("document "+string(p)+name, err)
		}
	}
	for _, name := range s.Docs(failuresPrefix) {
		_, err := loadByHash[string](s, name)
		check("document "+name, err)
	}
	for _, name := range s.Docs(limitsPrefix) {
		_, err := loadByHash[int64](s, name)
		check("document "+name, err)
	}
	_, err = loadVerdicts(s)
	check("document "+gateDoc, err)
	check("document "+measuredDoc, new(measured).load(s))
	check("document "+usedDoc, verifyUsed(s))
	for _, space := range c.Spaces() {
		_, err := spaceIn(space.Space)
		check(fmt.Sprintf("space %.12s", space.ID), err)
		_, err = loadMeasures(s, space.ID)
		check(fmt.Sprintf("what was measured of the pictures of space %.12s", space.ID), err)
	}
	return faults, nil
}
