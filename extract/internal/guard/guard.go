// Package guard gives tests memory between pages that may not be touched: assembly that
// reads or writes outside its slices faults there.
package guard
