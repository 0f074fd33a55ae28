package config

import (
	"encoding/json"
	"maps"

	"go.yaml.in/yaml/v3"
)

// Schema returns a JSON Schema of the file, for editors.
func Schema() []byte {
	root := sectionSchema("")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "icebox configuration"
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // the table holds nothing that JSON cannot
	}
	return append(out, '\n')
}

// sectionSchema is the schema of a section, with those below it.
func sectionSchema(section string) map[string]any {
	properties := map[string]any{}
	for _, leaf := range children(section) {
		name := join(section, leaf)
		if k := keyNamed(name); k != nil {
			properties[leaf] = keySchema(k)
		} else {
			properties[leaf] = sectionSchema(name)
		}
	}
	// A section may be there without keys, as in the file that Init writes.
	return map[string]any{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

func keySchema(k *key) map[string]any {
	s := maps.Clone(k.schema)
	s["description"] = k.Help
	if k.Default != "" {
		var v any
		if err := yaml.Unmarshal([]byte(k.Default), &v); err != nil {
			panic(err) // inline wrote it
		}
		s["default"] = v
	}
	return s
}
