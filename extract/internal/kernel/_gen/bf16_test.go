package main

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// The bytes are those that GNU as 2.40 makes of the text.
func TestEVEXGivesTheBytesOfAnAssembler(t *testing.T) {
	for _, c := range []struct {
		text               string
		opcode, reg, v, rm int
		want               string
	}{} {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], evex(c.opcode, c.reg, c.v, c.rm))
		if got := fmt.Sprintf("%x", b[:6]); got != c.want || b[6]|b[7] != 0 {
			t.Errorf("%s: %x, want %s", c.text, b, c.want)
		}
	}
}
