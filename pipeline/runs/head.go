package runs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"icebox/cache"
	"icebox/extract"
	"icebox/headtrain"
	"icebox/pipeline/features"
)

// HeadInfo is kept in a head file, as its preprocessing: what is needed to use the
// head on new images, and where its features came from.
type HeadInfo struct {
	Fingerprint extract.Fingerprint `json:"extraction"`
	DType       cache.DType         `json:"dtype"`
	Weights     extract.WeightsInfo `json:"weights"`
	Dataset     string              `json:"dataset"`
	Cache       string              `json:"cache"` // path at the time of training

	// Features is the folder that the features came from; nobody knows what made
	// them, and the rest but Dataset says nothing. "" is features of the cache.
	Features string `json:"features,omitempty"`

	// Refit is set where the head learned from validation rows, too.
	Refit bool `json:"refit,omitempty"`
}

// InfoOf describes a head that was trained on rows of the source.
func InfoOf(src features.Source) HeadInfo {
	o := src.Origin()
	return HeadInfo{
		Fingerprint: o.Space.Fingerprint, DType: o.Space.DType, Weights: o.Space.Weights,
		Dataset: src.Dataset().Name, Cache: o.Cache, Features: o.Folder,
	}
}

// Describe puts i into the head, and the name of its features.
func (i HeadInfo) Describe(h *headtrain.Head, o features.Origin) error {
	info, err := json.Marshal(i)
	if err != nil {
		return err
	}
	h.Fingerprint, h.Preprocessing = o.Space.ID, info
	return nil
}

// Head loads the head of the run in folder dir; a path to a head file will do too. It
// returns an [ErrRun] where there is none.
func Head(dir string) (*headtrain.Head, HeadInfo, error) {
	path := dir
	if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
		path = filepath.Join(dir, HeadFile)
	}
	h, err := headtrain.LoadHead(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, HeadInfo{}, fmt.Errorf("%w: %s holds no %s", ErrRun, dir, HeadFile)
	}
	if err != nil {
		return nil, HeadInfo{}, err
	}
	var info HeadInfo
	if err := json.Unmarshal(h.Preprocessing, &info); err != nil {
		return nil, HeadInfo{}, fmt.Errorf("%w: %s does not say what its features are: %w", headtrain.ErrFormat, path, err)
	}
	return h, info, nil
}
