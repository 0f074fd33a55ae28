package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"icebox/cmd/internal/exitcode"
	"icebox/pipeline/shards"
	"icebox/pipeline/words"
)

// failed is the error of a shard, in words that survive the way through an engine's log: the
// exit code that icebox has for it, and whether a retry can help.
func failed(s shards.Shard, err error) error {
	code := exitcode.Of(err)
	retry := "a retry cannot help"
	if exitcode.MayPass(code) {
		retry = "a retry can help"
	}
	return fmt.Errorf("shard %v failed: %s (exit code %d; %s)", s, strings.ReplaceAll(err.Error(), "\n", "; "), code, retry)
}

// ofShard finds the words of failed in what an engine says.
var ofShard = regexp.MustCompile(`shard \d+/\d+ failed: .*? \(exit code (\d+); a retry can(?:not)? help\)`)

// told is what a person is told of an error, and the exit code.
func told(err error) (text string, code int) {
	text = err.Error()
	if m := ofShard.FindStringSubmatch(text); m != nil {
		code, _ = strconv.Atoi(m[1]) // it is digits
		return words.Printable(m[0]), code
	}
	code = exitcode.Of(err)
	switch code {
	case exitcode.Interrupted:
		text = "interrupted" + strings.TrimPrefix(text, context.Canceled.Error())
	case exitcode.Usage:
		text = strings.TrimPrefix(text, exitcode.ErrUsage.Error()+": ")
	}
	return text, code
}
