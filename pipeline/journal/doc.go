// Package journal is what a program says while it runs: how far it is, remarks on
// what it meets, what a person can do next, and how long each stage took.
//
// A [Progress] hears of it as it happens; drawing is the caller's business. A
// [Journal] passes it on and keeps what belongs in a report. A [Step] is a thing to
// do next, as a value: a program at a command line says it as a command, another one
// as a button.
package journal
