package web

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// describe is the OpenAPI description of the routes. It is made from the very table that
// requests are answered by.
func describe(s *server) map[string]any {
	paths := map[string]map[string]any{}
	for _, r := range s.routes() {
		if r.dialect == rpc {
			continue // OpenAPI has no words for it
		}
		path := strings.TrimSuffix(r.path, "{$}")
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(r.method)] = operation(s, r, path)
	}
	d := map[string]any{
		"openapi": "3.0.3",
		"info":    map[string]any{"title": "icebox", "version": s.Program, "description": "Classifies images. Each group of paths is the language of another server's clients."},
		"paths":   paths,
	}
	if s.Token != "" {
		d["components"] = map[string]any{"securitySchemes": map[string]any{
			"token": map[string]string{"type": "http", "scheme": "bearer"}, "password": map[string]string{"type": "http", "scheme": "basic"},
		}}
		d["security"] = []any{map[string]any{"token": []string{}}, map[string]any{"password": []string{}}}
	}
	return d
}

var inPath = regexp.MustCompile(`\{([a-z]+)\}`)

func operation(s *server, r route, path string) map[string]any {
	answer := map[string]any{"description": "the answer"}
	switch {
	case slices.Contains(r.takes, "application/octet-stream") && r.dialect == openInference: // with binary tensors
		answer["content"] = schema{"application/json": inSchema(r.gives), "application/octet-stream": inSchema(fileBytes)}
	case r.gives != nil:
		answer["content"] = schema{"application/json": inSchema(r.gives)}
	default:
		answer["content"] = schema{"text/plain": inSchema(anyText)}
	}
	responses := map[string]any{strconv.Itoa(cmp.Or(r.status, http.StatusOK)): answer}
	for _, status := range failures(s, r, path) {
		responses[strconv.Itoa(status)] = schema{"description": statusWords[status], "content": schema{"application/json": inSchema(r.dialect.fault)}}
	}
	op := map[string]any{"summary": r.about, "tags": []string{r.dialect.name}, "responses": responses}
	var params []any
	for _, m := range inPath.FindAllStringSubmatch(path, -1) {
		params = append(params, map[string]any{"name": m[1], "in": "path", "required": true, "schema": s.inPath(m[1], path)})
	}
	if params != nil {
		op["parameters"] = params
	}
	if r.takes != nil {
		content := map[string]any{}
		for _, kind := range r.takes {
			content[kind] = inSchema(bodyOf(r, kind))
		}
		op["requestBody"] = map[string]any{"required": true, "content": content}
	}
	if r.open && s.Token != "" {
		op["security"] = []any{}
	}
	return op
}

// inSchema is a body of a schema.
func inSchema(of schema) schema { return schema{"schema": of} }

// inPath is the schema of a part of a path: the models that are served, where it names one.
func (s *server) inPath(part, path string) schema {
	var models, versions []string
	for _, name := range s.shelf.Names() {
		if place, err := s.shelf.Find(name, ""); err == nil {
			models, versions = append(models, name), append(versions, place.Model().Version)
		}
	}
	switch part {
	case "model":
		return word(models...)
	case "version":
		return word(versions...)
	case "call":
		if strings.Contains(path, "{model}") {
			models = versions
		}
		var calls []string
		for _, name := range models {
			calls = append(calls, name+":predict", name+":classify")
		}
		return word(calls...)
	}
	return schema{"type": "string", "minLength": 1}
}

// bodyOf is the schema of a body.
func bodyOf(r route, kind string) schema {
	switch kind {
	case "application/json":
		if r.asks == nil {
			return anyObject
		}
		return r.asks()
	case "multipart/form-data":
		if r.dialect == vision {
			return has(schema{"imageData": fileBytes})
		}
		return has(schema{"data": fileBytes})
	case "text/csv":
		return anyText
	}
	return fileBytes
}

// statusWords say what a status means here.
var statusWords = map[int]string{
	400: "the request, or its image, is wrong", 401: "the token is missing or wrong", 404: "there is no such model or version", 413: "the body or the image is too large",
	415: "the content type is not taken", 429: "too many requests at once from this address", 500: "the server could not compute an answer", 501: "this server does not learn",
	503: "too many images are waiting; see Retry-After", 504: "the answer took too long",
}

// failures are the statuses that a route may fail with.
func failures(s *server, r route, path string) []int {
	all := map[int]bool{}
	if r.takes != nil {
		for _, status := range []int{400, 413, 500, 503, 504} {
			all[status] = true
		}
	}
	if slices.Contains(r.takes, "text/csv") {
		all[415] = true
	}
	if inPath.MatchString(path) || r.takes != nil {
		all[404] = true
	}
	if r.status == http.StatusCreated {
		all[501] = true
	}
	if s.Token != "" && !r.open {
		all[401] = true
	}
	if s.PerClient > 0 {
		all[429] = true
	}
	return slices.Sorted(maps.Keys(all))
}
