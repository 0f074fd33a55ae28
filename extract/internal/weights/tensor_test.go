package weights

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Every view that fits yields the bytes that index arithmetic says; every other
// view is refused.
func TestViewIsIndexArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		storage := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "storage")
		kind := rapid.SampledFrom([]dtype{"U8", "I16", "F32"}).Draw(t, "dtype")
		rank := rapid.IntRange(0, 4).Draw(t, "rank")
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), rank, rank).Draw(t, "shape")
		strides := rapid.SliceOfN(rapid.IntRange(0, 13), rank, rank).Draw(t, "strides")
		if rapid.Bool().Draw(t, "dense") {
			strides = rowMajor(shape)
		}
		offset := rapid.IntRange(0, 8).Draw(t, "offset")

		want, fits := gather(storage, kind.size(), offset, shape, strides)
		got, err := tensor{"t", kind, shape, storage, offset, strides}.view()
		if n, _ := elements(shape); n == 0 {
			fits = offset <= len(storage)/kind.size()
		}
		if (err == nil) != fits {
			t.Fatalf("fits is %v, error is %v", fits, err)
		}
		if fits && !bytes.Equal(got.bytes(), want) {
			t.Fatalf("got %v, want %v", got.bytes(), want)
		}
	})
}

func gather(storage []byte, size, at int, shape, strides []int) (out []byte, ok bool) {
	if len(shape) == 0 {
		if (at+1)*size > len(storage) {
			return nil, false
		}
		return storage[at*size : (at+1)*size], true
	}
	for i := range shape[0] {
		inner, ok := gather(storage, size, at+i*strides[0], shape[1:], strides[1:])
		if !ok {
			return nil, false
		}
		out = append(out, inner...)
	}
	return out, true
}

func TestViewRefusesNegativeAndHuge(t *testing.T) {
	const huge = math.MaxInt/2 + 1
	for _, v := range []tensor{
		{shape: []int{-1}, strides: []int{1}},
		{shape: []int{2}, strides: []int{-1}},
		{shape: []int{2}, strides: []int{1}, offset: -1},
		{shape: []int{2}, strides: []int{1}, offset: 5},
		{shape: []int{2, 2}, strides: []int{1}},
		{shape: []int{huge, 4}, strides: []int{0, 0}},
		{shape: []int{2}, strides: []int{huge}},
		{shape: []int{3, 3}, strides: []int{math.MaxInt, math.MaxInt}},
		{shape: []int{huge}, strides: []int{2}},
	} {
		v.dtype, v.storage = float32Type, make([]byte, 16)
		if got, err := v.view(); err == nil {
			t.Errorf("shape %v, strides %v, offset %d is accepted: %v", v.shape, v.strides, v.offset, got)
		}
	}
}

func TestFloat32sAtAnyAlignment(t *testing.T) {
	data := float32Tensor("", nil, 1, -2.5, 1e-40, float32(math.Inf(1))).storage
	want := decodeFloat32s(data)
	if want[1] != -2.5 {
		t.Fatalf("decoded %v", want)
	}
	for shift := range 5 {
		moved := append(make([]byte, shift), data...)[shift:]
		got := float32s(moved)
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Errorf("shift %d: value %d is %v, want %v", shift, i, got[i], want[i])
			}
		}
	}
	if got := float32s(nil); got == nil || len(got) != 0 {
		t.Errorf("no bytes give %v", got)
	}
}
