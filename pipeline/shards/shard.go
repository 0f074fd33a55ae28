package shards

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrShard is returned for a shard that is not one of i/n, or whose number is not known.
var ErrShard = errors.New("not a shard")

// MaxShards is how many shards a manifest can be divided into: as many as a name can number.
const MaxShards = 100_000

// Shard is one of Of equal ranges of a manifest's rows.
type Shard struct {
	Index int `json:"shard"` // from 0
	Of    int `json:"of"`
}

// String returns i/n.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Range is the rows of the shard, from first up to end, among rows.
func (s Shard) Range(rows int) (first, end int) {
	at := func(i int) int { return int(int64(i) * int64(rows) / int64(s.Of)) }
	return at(s.Index), at(s.Index + 1)
}

// IndexVariables are those that schedulers set to the number of a task among equal ones, from
// 0: Kubernetes' indexed jobs, SLURM's arrays, AWS Batch's arrays, Cloud Run's jobs. The first
// that is set counts.
var IndexVariables = []string{"JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX", "CLOUD_RUN_TASK_INDEX"}

// Parse reads i/n, with i from 0 to n-1. Of /n, env tells i: it looks up [IndexVariables]. The
// error is an [ErrShard].
func Parse(text string, env func(string) string) (s Shard, err error) {
	index, of, ok := strings.Cut(text, "/")
	if !ok {
		return s, fmt.Errorf("%w: %q is not i/n, such as 0/8, or /8", ErrShard, text)
	}
	if s.Of, err = strconv.Atoi(of); err != nil || s.Of < 1 || s.Of > MaxShards {
		return s, fmt.Errorf("%w: %q has no number of shards from 1 to %d after the /", ErrShard, text, MaxShards)
	}
	from := fmt.Sprintf("%q", text)
	if index == "" {
		name := ""
		if name, index = indexOf(env); name == "" {
			return s, fmt.Errorf("%w: %q leaves the index to the environment, and none of %s is set", ErrShard, text, strings.Join(IndexVariables, ", "))
		}
		from = fmt.Sprintf("%s=%s", name, index)
	}
	if s.Index, err = strconv.Atoi(index); err != nil || s.Index < 0 || s.Index >= s.Of {
		return s, fmt.Errorf("%w: %s is no index from 0 to %d, of %d shards", ErrShard, from, s.Of-1, s.Of)
	}
	return s, nil
}

// indexOf is the first of the variables that is set, and its value.
func indexOf(env func(string) string) (name, value string) {
	for _, name := range IndexVariables {
		if value := env(name); value != "" {
			return name, value
		}
	}
	return "", ""
}
