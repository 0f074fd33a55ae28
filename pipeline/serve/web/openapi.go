package web

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// describe is the OpenAPI description of the routes. It is made from the very table that
// requests are answered by.
func describe(s *server) map[string]any {
	paths := map[string]map[string]any{}
	for _, r := range routes() {
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
		d["components"] = map[string]any{"securitySchemes": map[string]any{"token": map[string]string{"type": "http", "scheme": "bearer"}}}
		d["security"] = []any{map[string]any{"token": []string{}}}
	}
	return d
}

var inPath = regexp.MustCompile(`\{([a-z]+)\}`)

// anything is the schema of a value that a dialect describes in its own documents.
var anything = map[string]any{"schema": map[string]any{}}

func operation(s *server, r route, path string) map[string]any {
	responses := map[string]any{"200": map[string]any{"description": "the answer"}}
	for _, status := range failures(s, r, path) {
		responses[strconv.Itoa(status)] = map[string]any{"description": statusWords[status]}
	}
	op := map[string]any{"summary": r.about, "tags": []string{r.dialect.name}, "responses": responses}
	var params []any
	for _, m := range inPath.FindAllStringSubmatch(path, -1) {
		params = append(params, map[string]any{"name": m[1], "in": "path", "required": true, "schema": map[string]any{"type": "string", "minLength": 1}})
	}
	if params != nil {
		op["parameters"] = params
	}
	if r.takes != nil {
		content := map[string]any{}
		for _, kind := range r.takes {
			content[kind] = bodyOf(kind)
		}
		op["requestBody"] = map[string]any{"required": true, "content": content}
	}
	if r.open && s.Token != "" {
		op["security"] = []any{}
	}
	return op
}

// bodyOf is the schema of a body.
func bodyOf(kind string) any {
	file := map[string]any{"type": "string", "format": "binary"}
	switch kind {
	case "application/json":
		return map[string]any{"schema": map[string]any{"type": "object"}}
	case "multipart/form-data":
		return map[string]any{"schema": map[string]any{"type": "object", "properties": map[string]any{"data": file, "imageData": file}}}
	case "text/csv":
		return map[string]any{"schema": map[string]any{"type": "string"}}
	}
	if strings.HasPrefix(kind, "application/") {
		return map[string]any{"schema": file}
	}
	return anything
}

// statusWords say what a status means here.
var statusWords = map[int]string{
	400: "the request, or its image, is wrong", 401: "the token is missing or wrong", 404: "there is no such model or version", 413: "the body or the image is too large",
	415: "the content type is not taken", 429: "too many requests at once from this address", 500: "the server could not compute an answer",
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
	if s.Token != "" && !r.open {
		all[401] = true
	}
	if s.PerClient > 0 {
		all[429] = true
	}
	return slices.Sorted(maps.Keys(all))
}
