package studio

// Event is what all who listen hear.
type Event struct {
	Version int    `json:"version"`         // of the labels
	Items   []int  `json:"items,omitempty"` // that have changed
	By      string `json:"by,omitempty"`    // who changed them
	Text    string `json:"text,omitempty"`  // for people
	// Numbers is set where there are new numbers.
	Numbers bool `json:"numbers,omitempty"`
	// Elsewhere is set where other processes do something; see [Session.Elsewhere].
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// heard is how many events wait for somebody who listens. Who is slower misses some, and
// asks anew.
const heard = 64

// Listen hears of events until forget is called, which is to be called once.
func (s *Session) Listen() (events <-chan Event, forget func()) {
	c := make(chan Event, heard)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hearers[c] = true
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.hearers, c)
	}
}

// publish tells everybody that labels have changed, and has the head trained again.
func (s *Session) publish(items []int, by, text string) Event {
	s.version++
	for _, i := range items {
		s.changed[i] = change{s.version, by}
	}
	e := Event{Version: s.version, Items: items, By: by, Text: text}
	s.tell(e)
	select {
	case s.wake <- struct{}{}:
	default: // it will see this change too
	}
	return e
}

func (s *Session) tell(e Event) {
	for c := range s.hearers {
		select {
		case c <- e:
		default:
		}
	}
}
