package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"icebox/cache"
	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/studio"
)

// asked is the body of a change.
type asked struct {
	Items  []int              `json:"items"`
	Action corrections.Action `json:"action"`
	Class  string             `json:"class"`
	Seen   int                `json:"seen"` // version of the labels that the page shows
	By     string             `json:"by"`   // of the window
}

// refused is what a browser gets for a change that was not made.
type refused struct {
	Error string `json:"error"`
}

func (v *server) change(w http.ResponseWriter, r *http.Request) {
	var a asked
	if !readJSON(w, r, &a) {
		return
	}
	e, err := v.s.Change(studio.Request(a))
	changed(w, e, err)
}

func (v *server) undo(do func(by string) (studio.Event, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var a asked
		if readJSON(w, r, &a) {
			e, err := do(a.By)
			changed(w, e, err)
		}
	}
}

// readJSON reads the body of a request; false where that was answered.
func readJSON(w http.ResponseWriter, r *http.Request, to any) bool {
	if r.Header.Get("Content-Type") != "application/json" {
		writeJSON(w, http.StatusUnsupportedMediaType, refused{"a change is sent as application/json"})
		return false
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxChange))
	if err := d.Decode(to); err != nil {
		writeJSON(w, http.StatusBadRequest, refused{"the change cannot be read: " + err.Error()})
		return false
	}
	return true
}

// changed answers a change.
func changed(w http.ResponseWriter, e studio.Event, err error) {
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, e)
	case errors.Is(err, studio.ErrRequest), errors.Is(err, dataset.ErrAlike):
		writeJSON(w, http.StatusUnprocessableEntity, refused{err.Error()})
	case errors.Is(err, corrections.ErrChanged), errors.Is(err, cache.ErrLocked):
		writeJSON(w, http.StatusConflict, refused{err.Error()})
	default:
		writeJSON(w, http.StatusInsufficientStorage, refused{err.Error()})
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who has gone hears nothing
}

// keep makes a picture that is the body an image of the dataset.
func (v *server) keep(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/octet-stream" {
		writeJSON(w, http.StatusUnsupportedMediaType, refused{"a picture is sent as application/octet-stream"})
		return
	}
	picture, status, err := readPicture(w, r)
	if err != nil {
		writeJSON(w, status, refused{err.Error()})
		return
	}
	e, err := v.s.Keep(r.Context(), picture, r.URL.Query().Get("by"))
	changed(w, e, err)
}

// readPicture reads a picture that is the body of a request; status is that of an error.
func readPicture(w http.ResponseWriter, r *http.Request) (picture []byte, status int, err error) {
	picture, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxPicture))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the picture has more than %d bytes", large.Limit)
	}
	return picture, http.StatusBadRequest, err
}

// answer answers for a picture that is the body.
func (v *server) answer(w http.ResponseWriter, r *http.Request) {
	picture, status, err := readPicture(w, r)
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	p, err := v.s.Answer(r.Context(), picture)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	render(w, "answer", p)
}
