// Package lint holds the tests that keep the tree's layers apart: which package may
// import which, and which third-party module belongs to which package. The same
// rules stand in .golangci.yml; the tests hold without a linter at hand.
package lint
