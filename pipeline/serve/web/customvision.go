package web

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"
)

// The container that Azure Custom Vision exports a classifier as, and the paths of its service.
var (
	vision = &dialect{"customvision", has(schema{"code": anyText, "message": anyText}), func(w http.ResponseWriter, status int, text string) {
		writeJSON(w, status, map[string]string{"code": http.StatusText(status), "message": text})
	}}

	visionGives = has(schema{"id": anyText, "project": anyText, "iteration": anyText, "created": anyText,
		"predictions": listOf(has(schema{"probability": anyNumber, "tagId": anyText, "tagName": anyText}))})

	// customVision is asked where no other route fits: its paths begin with any word.
	customVision = func() (all []route) {
		for _, at := range []string{"", "/{project}", "/{project}/classify/iterations/{model}", "/customvision/{api}/{service}/{project}/classify/iterations/{model}"} {
			for _, store := range []string{"", "/nostore"} {
				all = append(all,
					route{method: "POST", path: at + "/image" + store, dialect: vision, about: "The probability of each tag", gives: visionGives, body: visionImage,
						takes: []string{"application/octet-stream", "multipart/form-data"}},
					route{method: "POST", path: at + "/url" + store, dialect: vision, about: "Refused: this server fetches nothing", takes: []string{"application/json"}, body: visionURL})
			}
		}
		return all
	}()
)

func visionURL(*server, http.ResponseWriter, *http.Request) error {
	return bad("addresses are not fetched: send the image itself to …/image")
}

func visionImage(s *server, w http.ResponseWriter, r *http.Request) error {
	images, err := imagesOf(r, "imageData")
	if err != nil {
		return err
	}
	reply, err := s.askOne(r.Context(), asked{name: r.PathValue("model")}, images[0])
	if err != nil {
		return err
	}
	a := &reply.answers[0]
	all := []any{}
	for _, c := range a.Ranked(0) {
		class := reply.Head.Classes[c]
		all = append(all, ordered{{"probability", a.Probabilities[c]}, {"tagId", idOf("tag " + class)}, {"tagName", class}, {"boundingBox", nil}})
	}
	writeJSON(w, http.StatusOK, ordered{
		{"id", idOf(string(images[0]))}, {"project", idOf("project " + reply.Name)}, {"iteration", idOf("iteration " + reply.Version)},
		{"created", time.Now().UTC().Format(time.RFC3339)}, {"predictions", all},
	})
	return nil
}

// idOf is an identifier in the usual form, the same for the same name.
func idOf(name string) string {
	h := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
