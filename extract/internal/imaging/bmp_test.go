package imaging

import (
	"encoding/binary"
	"testing"
)

func TestBMPsThatPillowDoesNotReadAreUnsupported(t *testing.T) {
	for name, at := range map[string]int{"a compression": 30, "bits": 28, "a mask": 14 + 40, "a palette": 46} {
		data := fixture(t, map[bool]string{true: "few-colours.bmp", false: "fields-565.bmp"}[name == "a palette"])
		binary.LittleEndian.PutUint16(data[at:], 9)
		if name == "a palette" {
			binary.LittleEndian.PutUint32(data[at:], 1<<17)
		}
		var p Preprocessor
		checkError(t, name, p.Crop(new(Pixels), data), ErrUnsupported)
	}
}

// A step in a file of run lengths leads no further than the picture.
func TestStepsEndWithThePicture(t *testing.T) {
	b := bmpHeader{runs: 8}
	pix := make([]byte, 6)
	if !b.unpackRuns(pix, 3, []byte{2, 7, 0, 2, 255, 255}, 0) || pix[0] != 7 || pix[1] != 7 || pix[2] != 0 {
		t.Error(pix)
	}
	for _, short := range [][]byte{{}, {1}, {0, 1}, {0, 2, 1}, {0, 3, 1, 2}} {
		if b.unpackRuns(make([]byte, 6), 3, short, 0) {
			t.Errorf("%v passes for a picture", short)
		}
	}
}
