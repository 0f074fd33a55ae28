// Package lint holds tests of the tree as a whole: which package may import which,
// which third-party module belongs to which package, that no string below cmd names a
// command or a flag, that every package has a doc comment and every function fits a
// screen. The fences of imports stand in .golangci.yml, too, which is written from
// the table here; the tests hold without a linter at hand. The limits that SECURITY.md states
// are those of the code.
package lint
