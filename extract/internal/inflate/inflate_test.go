package inflate

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// packed is data as compress/zlib packs them, with Slack.
func packed(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), make([]byte, Slack)...)
}

// samples are data of many kinds: noise, runs, text, far copies, and slopes with noise, whose
// codes are long.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 1))
	all := map[string][]byte{"nothing": {}, "a byte": {7}, "zeros": make([]byte, 70000)}
	for _, n := range []int{3, 100, 257, 258, 300, 1000, 40000, 1_100_000} {
		noise, slope, text, skewed := make([]byte, n), make([]byte, n), make([]byte, n), make([]byte, n)
		for i := range n {
			noise[i] = byte(r.Uint32())
			slope[i] = byte(r.NormFloat64() * 9)
			text[i] = "a few words that are said again, and again. "[i%44]
			if r.IntN(50) == 0 {
				text[i] = byte(r.Uint32())
			}
			skewed[i] = byte(r.ExpFloat64() * 4)
		}
		for name, data := range map[string][]byte{"noise": noise, "slope": slope, "text": text, "skewed": skewed} {
			all[fmt.Sprint(name, n)] = data
		}
	}
	far := make([]byte, 60000)
	for i := range far {
		far[i] = byte(r.Uint32())
		if i >= 32768 && i%300 > 9 {
			far[i] = far[i-32768]
		}
	}
	all["far"] = far
	return all
}

func TestStreamsComeBack(t *testing.T) {
	var d Decoder
	for name, want := range samples() {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, 1, 6, 9} {
			got := make([]byte, len(want))
			if err := d.Zlib(got, packed(t, want, level)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, level %d: %v", name, level, err)
			}
		}
	}
}

func TestStreamsThatEndEarlyAreShort(t *testing.T) {
	var d Decoder
	for name, want := range samples() {
		if len(want) > 1000 {
			want = want[:1000]
		}
		for _, level := range []int{flate.NoCompression, flate.HuffmanOnly, 6} {
			stream := packed(t, want, level)
			stream = stream[:len(stream)-Slack]
			for n := range stream {
				cut := append(bytes.Clone(stream[:n]), bytes.Repeat([]byte{0xff}, Slack)...)
				if err := d.Zlib(make([]byte, len(want)), cut); !errors.Is(err, ErrShort) {
					t.Fatalf("%s, level %d, the first %d of %d bytes: %v", name, level, n, len(stream), err)
				}
			}
		}
	}
}

func TestOtherFaultsAreTold(t *testing.T) {
	want := samples()["text1000"]
	stream := packed(t, want, 6)
	edit := func(at int, v byte) []byte { b := bytes.Clone(stream); b[at] ^= v; return b }
	for name, c := range map[string]struct {
		dst  int
		src  []byte
		want error
	}{
		"header":      {1000, edit(0, 1), ErrHeader},
		"dictionary":  {1000, edit(1, 0x20), ErrHeader},
		"checksum":    {1000, edit(len(stream)-Slack-1, 1), ErrChecksum},
		"too long":    {999, stream, ErrLong},
		"too short":   {1001, stream, ErrShort},
		"a 4th kind":  {1000, edit(2, 2), ErrCorrupt},
		"much longer": {10, stream, ErrLong},
	} {
		if err := new(Decoder).Zlib(make([]byte, c.dst), c.src); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestItStopsWhereItIsInterrupted(t *testing.T) {
	want := samples()["slope1100000"]
	stream := packed(t, want, 6)
	enough := errors.New("enough")
	asked := 0
	d := Decoder{Interrupted: func() error { asked++; return nil }}
	if err := d.Zlib(make([]byte, len(want)), stream); err != nil || asked < 2 {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	for after := range asked {
		left := after
		d.Interrupted = func() error {
			if left--; left < 0 {
				return enough
			}
			return nil
		}
		if err := d.Zlib(make([]byte, len(want)), stream); !errors.Is(err, enough) {
			t.Errorf("after %d questions: %v", after, err)
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	want := samples()["skewed40000"]
	stream, got := packed(t, want, 6), make([]byte, len(want))
	var d Decoder
	if n := testing.AllocsPerRun(10, func() {
		if err := d.Zlib(got, stream); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a stream", n)
	}
}

// FuzzZlib holds that it takes what compress/zlib takes, and gives the same bytes.
func FuzzZlib(f *testing.F) {
	for _, data := range samples() {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, 6} {
			if len(data) <= 1000 {
				stream := packed(f, data, level)
				f.Add(stream[:len(stream)-Slack])
			}
		}
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, stream []byte) {
		const most = 1 << 16
		var want []byte
		from, err := zlib.NewReader(bytes.NewReader(stream))
		if err == nil {
			want, err = io.ReadAll(io.LimitReader(from, most+1))
		}
		if len(want) > most {
			return
		}
		for _, room := range []int{0, quickRoom + 10} { // the second is taken for short, but decodes its last bytes quickly
			got := make([]byte, len(want)+room)
			src := append(bytes.Clone(stream), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
			ours := d.Zlib(got, src)
			if room == 0 && (ours == nil) != (err == nil) {
				t.Fatalf("%v, compress/zlib: %v", ours, err)
			}
			if err == nil && !bytes.Equal(got[:len(want)], want) {
				t.Fatal("other bytes than of compress/zlib")
			}
		}
	})
}

func BenchmarkZlib(b *testing.B) {
	var d Decoder
	for _, name := range []string{"slope1100000", "text1100000", "noise1100000"} {
		want := samples()[name]
		stream, got := packed(b, want, 6), make([]byte, len(want))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(want)))
			for b.Loop() {
				if err := d.Zlib(got, stream); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/compress-zlib", func(b *testing.B) {
			b.SetBytes(int64(len(want)))
			for b.Loop() {
				from, err := zlib.NewReader(bytes.NewReader(stream))
				if err == nil {
					_, err = io.ReadFull(from, got)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
