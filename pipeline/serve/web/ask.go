package web

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"icebox/extract"
	"icebox/pipeline/serve"
)

// MaxImages is how many images a request may bring.
const MaxImages = 128

// reply is what a model answered.
type reply struct {
	*serve.Model
	answers []serve.Answer
}

// asked is a model that a request names.
type asked struct{ name, version string }

// ask has a model answer for images: for all of them, where some are bad.
func (s *server) ask(ctx context.Context, to asked, inputs []serve.Input) (*reply, error) {
	if len(inputs) == 0 {
		return nil, bad("the request has no image")
	}
	if len(inputs) > MaxImages {
		return nil, tooManyImages(len(inputs))
	}
	place, err := s.shelf.Find(to.name, to.version)
	if err != nil {
		return nil, err
	}
	m := place.Model()
	answers, features, err := m.Images(ctx, inputs)
	if errors.Is(err, serve.ErrClosed) { // another model has just taken its place
		m = place.Model()
		answers, features, err = m.Images(ctx, inputs)
	}
	if err != nil {
		return nil, err
	}
	place.Drift.Add(answers, features)
	s.Metrics.images.Add(float64(len(inputs)))
	return &reply{m, answers}, nil
}

// tooManyImages is the error of a request that brings more than [MaxImages].
func tooManyImages(n int) error {
	return &httpError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request has %d images, and %d are allowed", n, MaxImages)}
}

// askOne is ask for one image, whose fault is the request's.
func (s *server) askOne(ctx context.Context, to asked, image []byte) (*reply, error) {
	r, err := s.ask(ctx, to, []serve.Input{{Image: image}})
	if err == nil && r.answers[0].Err != nil {
		err = imageError{r.answers[0].Err}
	}
	return r, err
}

// askFeatures has a model answer for rows of features.
func (s *server) askFeatures(to asked, x []float32) (*reply, error) {
	place, err := s.shelf.Find(to.name, to.version)
	if err != nil {
		return nil, err
	}
	m := place.Model()
	if len(x) == 0 || len(x)%m.Head.Dim != 0 {
		return nil, bad("the model takes rows of %d features, and %d numbers are no whole rows", m.Head.Dim, len(x))
	}
	answers := m.Features(x)
	place.Drift.Add(answers, x)
	s.Metrics.images.Add(float64(len(answers)))
	return &reply{m, answers}, nil
}

// imagesOf returns the images of a body that holds them as they are: one, or the files of a
// form.
func imagesOf(r *http.Request, field string) ([][]byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		return formImages(r, field, params["boundary"])
	}
	data, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return [][]byte{data}, nil
}

// formImages reads the files of a form, or those of one field.
func formImages(r *http.Request, field, boundary string) ([][]byte, error) {
	if boundary == "" {
		return nil, bad("the form has no boundary")
	}
	form, err := r.MultipartReader()
	if err != nil {
		return nil, bad("the form cannot be read: %v", err)
	}
	var images [][]byte
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, bodyError(err)
		}
		if field != "" && part.FormName() != field {
			continue
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, bodyError(err)
		}
		images = append(images, data)
		if len(images) > MaxImages {
			return nil, &httpError{http.StatusRequestEntityTooLarge, fmt.Sprintf("the form has more than %d images", MaxImages)}
		}
	}
	if len(images) == 0 {
		return nil, bad("the form has no file in the field %q", field)
	}
	return images, nil
}

// fromBase64 reads bytes as JSON carries them, with or without a data: address before them.
func fromBase64(text string) ([]byte, error) {
	if strings.HasPrefix(text, "data:") {
		_, after, ok := strings.Cut(text, ";base64,")
		if !ok {
			return nil, bad("a data: address must be in base64")
		}
		text = after
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return nil, bad("addresses are not fetched: send the image itself, in base64")
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		data, err = base64.URLEncoding.DecodeString(text)
	}
	if err != nil {
		return nil, bad("an image is not in base64: %v", err)
	}
	return data, nil
}

// toBase64 writes bytes as JSON carries them.
func toBase64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// inputsOf wraps images.
func inputsOf(images ...[]byte) []serve.Input {
	all := make([]serve.Input, len(images))
	for i, data := range images {
		all[i].Image = data
	}
	return all
}

// cropsOf are the crops in pixels.
func cropsOf(pixels []byte) []serve.Input {
	all := make([]serve.Input, len(pixels)/extract.PixelBytes)
	for i := range all {
		all[i].Crop = pixels[i*extract.PixelBytes : (i+1)*extract.PixelBytes]
	}
	return all
}
