package web

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"icebox/pipeline/studio"
)

// evidence serves the map of an image that is open; a grey tile says why there is none.
func (v *server) evidence(w http.ResponseWriter, r *http.Request) {
	number, ok := strings.CutSuffix(r.PathValue("name"), ".jpg")
	item, err := strconv.Atoi(number)
	if !ok || err != nil {
		http.NotFound(w, r)
		return
	}
	jpeg, err := v.s.Evidence(r.Context(), item)
	if err != nil {
		drawTile(w, "no map: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(jpeg) // who has gone gets nothing
}

// drawn is a map of evidence as the template shows it.
type drawn struct {
	*studio.Contest
	Where template.URL
}

// mapOf is that of an image that is open; nil where it has none.
func mapOf(d *studio.Detail) *drawn {
	if d.Contest == nil {
		return nil
	}
	// The address is of this server, and made of numbers.
	return &drawn{d.Contest, template.URL("/evidence/" + strconv.Itoa(d.Item) + ".jpg?head=" + template.URLQueryEscaper(d.Stamp))} //nolint:gosec // see above
}

// newMapOf is that of a new picture; nil where it has none.
func newMapOf(p *studio.NewPicture) *drawn {
	if p.Map == nil {
		return nil
	}
	return &drawn{p.Contest, template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(p.Map))} //nolint:gosec // a picture that was drawn here
}
