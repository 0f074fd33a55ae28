// Package report says what a program found out: as values, whose JSON is what programs
// read, and as text, tables and files for people.
//
// A [Summary] counts what was done. A [Report] is everything a run found out; [Report.Write]
// completes the run folder with it. An [Evaluation] judges a head on other images, and an
// [Insight] looks at the data behind one. Nothing here computes features or trains.
package report
