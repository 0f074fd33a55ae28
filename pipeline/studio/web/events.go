package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// alive is how often a stream without events says something, so that both ends know that
// the other is there.
const alive = 20 * time.Second

// events streams what happens, until the browser or the server goes.
func (v *server) events(w http.ResponseWriter, r *http.Request) {
	events, forget := v.s.Listen()
	defer forget()
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(2 * alive)) // a recorder has none
		_, err := fmt.Fprint(w, text)
		return err == nil && out.Flush() == nil
	}
	if !send("retry: 1000\n\n") {
		return
	}
	tick := time.NewTicker(alive)
	defer tick.Stop()
	for {
		text := ": alive\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		case e := <-events:
			data, err := json.Marshal(e)
			if err != nil {
				return
			}
			text = "data: " + string(data) + "\n\n"
		}
		if !send(text) {
			return
		}
	}
}
