// Package browser tests the pages of the studio in a real browser: a Chromium that is on
// this machine. Where there is none, the tests are skipped by name.
package browser
