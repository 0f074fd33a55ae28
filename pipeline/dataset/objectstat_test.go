package dataset

import (
	"testing"
	"time"

	"icebox/pipeline/bucket"
)

// Stores may tell another time in a list than in an answer: it says nothing where there is an ETag.
func TestAnObjectIsKnownByItsETag(t *testing.T) {
	listed := bucket.Object{Name: "a", Size: 5, MTime: time.Unix(100, 999e6), ETag: "x"}
	same, other, larger := listed, listed, listed
	same.MTime, other.ETag, larger.Size = time.Unix(101, 0), "y", 6
	if StatOfObject(same) != StatOfObject(listed) || StatOfObject(other) == StatOfObject(listed) || StatOfObject(larger) == StatOfObject(listed) {
		t.Errorf("%v %v %v %v", StatOfObject(listed), StatOfObject(same), StatOfObject(other), StatOfObject(larger))
	}
	listed.ETag, same.ETag = "", ""
	if StatOfObject(same) == StatOfObject(listed) || !StatOfObject(listed).Timed() {
		t.Errorf("without an ETag: %v %v", StatOfObject(listed), StatOfObject(same))
	}
}
