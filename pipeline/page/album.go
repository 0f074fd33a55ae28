package page

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
)

// album is the pictures of a page, each once. A class of the style sheet stands for each.
type album struct {
	pictures map[string][]byte
	where    func(path string) string
	numbers  map[string]int
	images   [][]byte
	bytes    int
}

func newAlbum(pictures map[string][]byte, where func(path string) string) album {
	return album{pictures: pictures, where: where, numbers: map[string]int{}}
}

// number returns which picture of the album that of an image is; 0 where there is none, or no
// more room.
func (a *album) number(path string) int {
	n, ok := a.numbers[path]
	if !ok {
		if n = a.add(a.pictures[path]); n > 0 {
			a.numbers[path] = n
		}
	}
	return n
}

// add puts a picture into the album and returns its number; 0 where it is none, or there is no
// more room.
func (a *album) add(jpeg []byte) int {
	if jpeg == nil || a.bytes+len(jpeg) > maxPictureBytes {
		return 0
	}
	a.bytes += len(jpeg)
	a.images = append(a.images, jpeg)
	return len(a.images)
}

func (a *album) css() string {
	var b strings.Builder
	for i, jpeg := range a.images {
		fmt.Fprintf(&b, ".p%d{background-image:url(data:image/jpeg;base64,%s)}\n", i+1, base64.StdEncoding.EncodeToString(jpeg))
	}
	return b.String()
}

// picture is an image as the template draws it.
type picture struct {
	Path   string
	Name   string // its last part
	Number int    // in the album; 0 is none
	Where  template.URL
	Alt    string
}

// Pic returns the picture of an image and puts it into the album. What describes it to those
// who do not see it, alt, follows its path.
func (a *album) Pic(path, alt string) picture {
	p := picture{Path: path, Name: path[strings.LastIndexByte(path, '/')+1:], Number: a.number(path), Alt: alt}
	if a.where != nil {
		p.Where = template.URL(a.where(path)) //nolint:gosec // of a file of the user's own, made by net/url
	}
	return p
}
