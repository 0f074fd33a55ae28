package web

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// labelConfig is what the configuration of a project of Label Studio says of its pictures.
type labelConfig struct {
	from, to string   // names of the choices and of the picture
	key      string   // of the picture in a task's data
	choices  []string // as annotations name them
}

// choiceTag is a tag with choices, and imageTag one with a picture.
type choiceTag struct {
	name, to string
	choices  []string
}

// readLabelConfig finds the first choices that are for a picture.
func readLabelConfig(text string) (c labelConfig, err error) {
	if strings.TrimSpace(text) == "" {
		return c, bad("the project has no label_config")
	}
	images := map[string]string{} // names and values
	var tags []choiceTag
	in := -1 // the tag that choices belong to
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c, bad("the label_config cannot be read: %v", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch strings.ToLower(t.Name.Local) {
			case "image":
				images[attribute(t, "name")] = attribute(t, "value")
			case "choices":
				in, tags = len(tags), append(tags, choiceTag{name: attribute(t, "name"), to: attribute(t, "toName")})
			case "choice":
				if in >= 0 {
					name := attribute(t, "alias") // which annotations have in place of the value
					if name == "" {
						name = attribute(t, "value")
					}
					tags[in].choices = append(tags[in].choices, name)
				}
			}
		case xml.EndElement:
			if strings.EqualFold(t.Name.Local, "choices") {
				in = -1
			}
		}
	}
	for _, tag := range tags {
		key, ok := strings.CutPrefix(images[tag.to], "$")
		if ok && key != "" && tag.name != "" {
			return labelConfig{tag.name, tag.to, key, tag.choices}, nil
		}
	}
	return c, bad("the label_config has no <Choices> for an <Image value=\"$…\">")
}

func attribute(t xml.StartElement, name string) string {
	at := slices.IndexFunc(t.Attr, func(a xml.Attr) bool { return a.Name.Local == name })
	if at < 0 {
		return ""
	}
	return t.Attr[at].Value
}
