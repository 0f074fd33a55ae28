// Package guard gives tests memory between pages that may not be touched, so that
// assembly that strays faults.
package guard
