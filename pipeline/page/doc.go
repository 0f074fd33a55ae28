// Package page draws the report of a run as one HTML file, for people:
//
//	report.json ─┐
//	insight.json ┼─▶ Page ──template──▶ report.html
//	pictures ────┘
//
// The file works from a disk. It loads nothing: a content security policy forbids it, and
// names the sums of the one style sheet and the one script in it. It shows at most
// [MaxPictures] images, each picture once, so that it stays below 5 MB however large the
// dataset is. All numbers
// stand in the HTML; the script only sorts tables and copies commands.
//
// Names of classes and files come from people, and may hold markup. All text goes through
// html/template, and nothing of it is declared safe.
package page
