package weights

import (
	"os"
	"testing"
)

func BenchmarkOpen(b *testing.B) {
	path := randomFile(b)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		s, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkRandom(b *testing.B) {
	for b.Loop() {
		Random(0)
	}
}

func BenchmarkFinite(b *testing.B) {
	data := resnetTensors()[0].storage
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if !finite(data) {
			b.Fatal("random weights are not finite")
		}
	}
}
