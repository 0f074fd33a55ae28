package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"icebox/extract"
	"icebox/pipeline/serve"
)

// statusGone is what nginx calls the status of a client that has gone; nobody reads it.
const statusGone = 499

// httpError is an error with its status.
type httpError struct {
	status int
	text   string
}

func (e *httpError) Error() string { return e.text }

// bad is the error of a request that is wrong.
func bad(format string, args ...any) error {
	return &httpError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// imageError is what is wrong with an image of a request that has no room to say so beside
// the answers to others.
type imageError struct{ error }

func (e imageError) Unwrap() error { return e.error }

// bodyError is the error of a body that could not be read.
func bodyError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &httpError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", large.Limit)}
	}
	return bad("the body cannot be read: %v", err)
}

// statusOf is the status that stands for an error.
func statusOf(err error) int {
	var own *httpError
	var image imageError
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &image):
		if errors.Is(err, extract.ErrImageTooLarge) {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusBadRequest
	case errors.Is(err, serve.ErrNoModel), errors.Is(err, serve.ErrNoVersion):
		return http.StatusNotFound
	case errors.Is(err, serve.ErrNoImages):
		return http.StatusBadRequest
	case errors.Is(err, serve.ErrBusy), errors.Is(err, serve.ErrHeld), errors.Is(err, serve.ErrClosed):
		return http.StatusServiceUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.Is(err, context.Canceled):
		return statusGone
	}
	return http.StatusInternalServerError
}

// textOf is what a client is told of an error. What failed in here is for the log.
func textOf(err error, status int) string {
	switch status {
	case http.StatusInternalServerError:
		return "the server could not compute an answer"
	case http.StatusGatewayTimeout:
		return "the answer took too long"
	}
	return err.Error()
}

// writeJSON answers with a value.
func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // who has gone gets nothing
}

// faultError is the schema of what failError writes.
var faultError = has(schema{"error": anyText})

// failError is the form {"error": "…"} of several dialects.
func failError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}
