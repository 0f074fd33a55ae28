// Package studio is a dataset on which a person works: labels change, a head is trained
// again, and what it says changes with it. It knows no pages; package web shows it.
//
// A [Session] holds the features of all images of a dataset, and the corrections of its
// labels, which it appends to a file. [Session.Change] writes a change and returns; a
// goroutine trains the head of the session's recipe on the labels as they are by then, and
// begins anew where they change meanwhile. What it finds is a [Numbers], which nobody changes:
// first the accuracy, from as good a head as there is at once, then that of the very recipe,
// then doubts about labels. Whoever listens hears of each as an [Event].
package studio
