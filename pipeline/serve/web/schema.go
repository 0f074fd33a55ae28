package web

import (
	"bytes"
	"image"
	"maps"
	"slices"
	"sync"

	"icebox/extract"
)

// Schemas of JSON, as OpenAPI writes them.
type schema = map[string]any

var (
	anyText   = schema{"type": "string"}
	anyNumber = schema{"type": "number"}
	anyWhole  = schema{"type": "integer"}
	anyBool   = schema{"type": "boolean"}
	anyObject = schema{"type": "object"}
	fileBytes = schema{"type": "string", "format": "binary"}
	// inBase64 is an image, with one as an example.
	inBase64 = func() schema { return schema{"type": "string", "format": "byte", "example": tinyImage()} }
)

// has is the schema of an object whose properties are all there.
func has(properties schema) schema {
	return schema{"type": "object", "required": slices.Sorted(maps.Keys(properties)), "properties": properties}
}

// may is the schema of an object whose properties need not be there.
func may(properties schema) schema { return schema{"type": "object", "properties": properties} }

// listOf is the schema of a list.
func listOf(item schema) schema { return schema{"type": "array", "items": item} }

// mapOf is the schema of an object of any keys.
func mapOf(value schema) schema { return schema{"type": "object", "additionalProperties": value} }

// oneOf is the schema of a value of one of several.
func oneOf(all ...schema) schema { return schema{"anyOf": all} }

// word is the schema of a text of a few words.
func word(words ...string) schema { return schema{"type": "string", "enum": words} }

// tinyImage is a PNG of one pixel, in base64.
var tinyImage = sync.OnceValue(func() string {
	img := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	copy(img.Pix, bytes.Repeat([]byte{255}, len(img.Pix)))
	data, err := extract.Encode(img)
	if err != nil {
		return ""
	}
	return toBase64(data)
})
