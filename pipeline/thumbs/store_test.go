package thumbs

import (
	"bytes"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"icebox/cache"
	"icebox/extract"
)

func key(n byte) (k cache.Key) {
	k[0] = n
	return k
}

func open(t *testing.T, path, preprocessing string) *Store {
	t.Helper()
	s, err := Open(path, preprocessing)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func save(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
}

func TestPicturesComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.thumbs")
	a := open(t, path, "one")
	a.Put(key(1), []byte("first"))
	a.Put(key(1), []byte("another"))
	save(t, a)
	b := open(t, path, "two")
	if b.Get(key(1)) != nil {
		t.Error("a picture of other preprocessing is served")
	}
	b.Put(key(1), []byte("cropped otherwise"))
	b.Put(key(2), bytes.Repeat([]byte{7}, maxPicture+1))
	save(t, b)
	for preprocessing, want := range map[string]string{"one": "first", "two": "cropped otherwise"} {
		if got := open(t, path, preprocessing).Get(key(1)); string(got) != want {
			t.Errorf("%s: %q, want %q", preprocessing, got, want)
		}
	}
	if open(t, path, "two").Get(key(2)) != nil {
		t.Error("a picture that is too large is kept")
	}
}

// Whatever becomes of a file, no picture is served that was not put in.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.thumbs")
	s := open(t, path, "one")
	for i := range byte(9) {
		s.Put(key(i), bytes.Repeat([]byte{i}, 100))
	}
	save(t, s)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		data := bytes.Clone(whole)
		data[r.IntN(len(data))] ^= byte(1 << r.IntN(8))
		if r.IntN(2) == 0 {
			data = data[:r.IntN(len(data))]
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		damaged := open(t, path, "one")
		for i := range byte(9) {
			if got := damaged.Get(key(i)); got != nil && !bytes.Equal(got, bytes.Repeat([]byte{i}, 100)) {
				t.Fatalf("picture %d is another", i)
			}
		}
		if len(damaged.pictures) == 9 {
			t.Fatal("the damage was not seen")
		}
		damaged.Put(key(200), []byte("new"))
		save(t, damaged)
		again := open(t, path, "one")
		if again.Get(key(200)) == nil || len(again.pictures) != len(damaged.pictures) {
			t.Fatal("what was sound is lost when a picture is added")
		}
	}
}

func TestFileBeginsAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.thumbs")
	for from := 0; from < 3; from++ {
		s := open(t, path, "one")
		for i := range 500 {
			k := key(byte(from))
			k[1], k[2] = byte(i), byte(i>>8)
			s.Put(k, bytes.Repeat([]byte{1}, maxPicture))
		}
		save(t, s)
		if fi, err := os.Stat(path); err != nil || fi.Size() > MaxBytes {
			t.Fatalf("%v, %v bytes", err, fi.Size())
		}
	}
}

func TestPicture(t *testing.T) {
	crop := bytes.Repeat([]byte{200, 100, 50}, extract.Side*extract.Side)
	data, err := Picture(crop)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Dx() != Side || img.Bounds().Dy() != Side {
		t.Fatalf("%v, %v", err, img.Bounds())
	}
	r, g, b, _ := img.At(40, 40).RGBA()
	if r>>8 < 195 || r>>8 > 205 || g>>8 < 95 || g>>8 > 105 || b>>8 < 45 || b>>8 > 55 {
		t.Errorf("colour is %d, %d, %d", r>>8, g>>8, b>>8)
	}
}

// Whatever a file holds, it is opened, and what is in it can be added to.
func FuzzOpen(f *testing.F) {
	s := &Store{pictures: map[cache.Key][]byte{}}
	s.Put(key(1), []byte("a picture"))
	var out bytes.Buffer
	out.WriteString(banner)
	s.appendRecord(&out, key(1))
	f.Add(out.Bytes())
	f.Add([]byte(banner))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "c.thumbs")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, path, "")
		had := len(s.pictures)
		s.Put(key(200), []byte("new"))
		save(t, s)
		if again := open(t, path, ""); again.Get(key(200)) == nil || len(again.pictures) < had {
			t.Errorf("%d pictures before, %d after", had, len(again.pictures))
		}
	})
}
