package words

import "testing"

func TestCountsHaveASingular(t *testing.T) {
	for want, got := range map[string]string{
		"1 image": Count(1, "image"), "0 images": Count(0, "image"), "1,234 rows": Count(1234, "row"),
		"2 classes": Count(2, "class"), "3 copies": Count(3, "copy"), "2 keys": Count(2, "key"), "2 axes": Count(2, "ax"), "2 patches": Count(2, "patch"), "2 epochs": Count(2, "epoch"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDurationsAreNeverNothing(t *testing.T) {
	for seconds, want := range map[float64]string{4.2e-5: "42 µs", 0.0013: "1.3 ms", 43.356: "43.36 s"} {
		if got := Duration(seconds); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestListsAreShort(t *testing.T) {
	if got, want := List([]string{"a", "b", "c", "d", "e", "f", "g"}), `"a", "b", "c", "d", "e", and 2 more`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := Share(0.125) + Percent(0.125); got != "12 %12.50 %" {
		t.Errorf("got %s", got)
	}
	if got := PercentOrDash(nil); got != "–" {
		t.Errorf("got %s", got)
	}
}

func TestAlternativesAreJoined(t *testing.T) {
	for want, all := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := Or(all); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
