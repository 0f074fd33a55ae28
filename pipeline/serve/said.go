package serve

import (
	"crypto/sha256"
	"errors"
)

// ErrHeld is returned where another program writes to the corrections.
var ErrHeld = errors.New("another program writes to the corrections: say it again later")

// Said is what somebody says of an image.
type Said struct {
	Image [sha256.Size]byte // hash of the bytes of its file
	Class string
}

// Learned is what a model has learned of what was said.
type Learned struct {
	Known    int    // images of those said of that the model's dataset has, with classes that the model knows
	Changed  int    // labels that are others than before, or that nobody had confirmed
	Trained  string // version of the model that was trained; "" where none was
	Promoted bool   // it is served
	Why      string // the test that decided whether it is
}
