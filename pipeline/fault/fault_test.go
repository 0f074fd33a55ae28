package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"icebox/pipeline/fault"
)

var errClass = errors.New("class")

func TestFaultsOfAPartLieBelowItsSection(t *testing.T) {
	var inner fault.List
	inner.Check(true, "Fine", "is fine")
	inner.Check(false, "Val", "(%v) must be less than 1", 2)
	var outer fault.List
	outer.Under("Data", inner.Err())
	outer.Under("Sweep", errors.Join(nil, fmt.Errorf("no such engine: %w", errClass)))
	outer.Under("Head", nil)
	all := fault.All(errors.Join(outer.Err(), errors.New("no fault at all")))
	var got []string
	for _, f := range all {
		got = append(got, f.Field+"|"+f.Text)
	}
	want := []string{"Data.Val|(2) must be less than 1", "Sweep|no such engine: class", "|no fault at all"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(outer.Err(), errClass) {
		t.Error("the cause is lost")
	}
}

func TestNoFaultIsNoError(t *testing.T) {
	var l fault.List
	l.Check(true, "A", "is fine")
	if l.Err() != nil || fault.All(nil) != nil {
		t.Errorf("%v, %v", l.Err(), fault.All(nil))
	}
}
