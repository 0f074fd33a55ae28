package tensorboard

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"
)

// A file is what TensorBoard's own writer makes of the same events, byte by byte.
func TestFileIsTensorBoards(t *testing.T) {
	var out bytes.Buffer
	w := New(&out, time.Unix(1700000000, 500e6))
	w.Scalars(time.Unix(1700000001, 0), 3, Scalar{"loss/val", 0.25})
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	if got := hex.EncodeToString(out.Bytes()); got != golden {
		t.Errorf("got\n%s, want\n%s", got, golden)
	}
}

// full takes no byte.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFirstErrorIsKept(t *testing.T) {
	w := New(full{}, time.Now())
	w.Scalars(time.Now(), 1, Scalar{"a", 1})
	if !errors.Is(w.Err(), errFull) {
		t.Errorf("%v", w.Err())
	}
}

const golden = "1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a322b3531101e00000000000000d9dc12320900004040fc54d94110032a110a0f0a086c6f73732f76616c150000803eed7e2200"
