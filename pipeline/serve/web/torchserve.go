package web

import (
	"net/http"

	"icebox/pipeline/serve"
)

// The inference API of TorchServe: an image in the body, or in fields of a form, and the five
// likeliest classes with their probabilities.
// https://pytorch.org/serve/inference_api.html
var (
	torch = &dialect{"torchserve", has(schema{"code": anyWhole, "type": anyText, "message": anyText}), func(w http.ResponseWriter, status int, text string) {
		kind := map[int]string{http.StatusNotFound: "ModelNotFoundException", http.StatusServiceUnavailable: "ServiceUnavailableException", http.StatusBadRequest: "BadRequestException"}[status]
		if kind == "" {
			kind = "InternalServerException"
		}
		writeJSON(w, status, map[string]any{"code": status, "type": kind, "message": text})
	}}

	torchServe = func() (all []route) {
		for _, method := range []string{"POST", "PUT"} { // curl -T puts
			for _, path := range []string{"/predictions/{model}", "/predictions/{model}/{version}"} {
				all = append(all, route{method: method, path: path, dialect: torch, about: "The likeliest five classes, and their probabilities",
					takes: []string{"application/octet-stream", "multipart/form-data"}, gives: oneOf(mapOf(anyNumber), listOf(anyObject)), body: predictions})
			}
		}
		return all
	}()
)

func predictions(s *server, w http.ResponseWriter, r *http.Request) error {
	images, err := imagesOf(r, "")
	if err != nil {
		return err
	}
	reply, err := s.ask(r.Context(), asked{r.PathValue("model"), r.PathValue("version")}, inputsOf(images...))
	if err != nil {
		return err
	}
	w.Header().Set("X-Model-Version", reply.Version)
	if len(images) == 1 {
		if fault := reply.answers[0].Err; fault != nil {
			return imageError{fault}
		}
		writeJSON(w, http.StatusOK, fiveOf(reply, &reply.answers[0]))
		return nil
	}
	all := make([]any, len(images))
	for i := range reply.answers {
		if fault := reply.answers[i].Err; fault != nil {
			all[i] = map[string]any{"code": http.StatusBadRequest, "type": "BadRequestException", "message": fault.Error()}
		} else {
			all[i] = fiveOf(reply, &reply.answers[i])
		}
	}
	writeJSON(w, http.StatusOK, all)
	return nil
}

// fiveOf are the likeliest classes, in their order.
func fiveOf(r *reply, a *serve.Answer) ordered {
	var o ordered
	for _, c := range a.Ranked(5) {
		o = append(o, pair{r.Head.Classes[c], a.Probabilities[c]})
	}
	return o
}
