// Package browser tests the studio and the reports in a real browser: a Chromium that is on
// this machine. Where there is none, the tests are skipped by name. ICEBOX_BROWSER names
// another program, ICEBOX_AXE the script of axe-core (axe.min.js), by whose rules the pages
// are then checked, and ICEBOX_SHOTS a folder for screenshots.
package browser
