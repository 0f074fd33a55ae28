package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/bucket"
	"icebox/pipeline/features"
	"icebox/pipeline/journal"
	"icebox/pipeline/shards"
	"icebox/pipeline/words"
)

// shardFlags name a piece of the work on a manifest.
type shardFlags struct{ manifest, shard, parts string }

func (f *shardFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.manifest, "manifest", "", "`file` that icebox manifest wrote: compute a shard of it, and not --data")
	cmd.Flags().StringVar(&f.shard, "shard", "", "`i/n`, with i from 0 to n-1; /n takes i from the scheduler's variable")
	cmd.Flags().StringVar(&f.parts, "parts", "", "`folder` or s3://BUCKET/PREFIX that the part of the shard is written to")
}

// extractShard computes a shard.
func (p *process) extractShard(ctx context.Context, x *extraction, f *shardFlags, args []string) error {
	switch {
	case f.manifest == "" || f.shard == "" || f.parts == "":
		return usagef("a shard needs --manifest FILE, --shard i/n and --parts DIR")
	case len(x.data) > 0:
		return usagef("--manifest and --data exclude each other: a manifest names the images")
	case x.dryRun:
		return usagef("--manifest and --dry-run exclude each other")
	}
	shard, err := shards.Parse(f.shard, p.getenv)
	if err != nil {
		return usagef("%w", err)
	}
	cfg, err := x.load(p, args)
	if err != nil {
		return err
	}
	o := p.options(cfg)
	o.Extract.RetryFailed = o.Extract.RetryFailed || x.retry
	bar := p.progress()
	o.Fetch = p.fetcher(bar)
	sum, err := pipeline.ExtractShard(ctx, o, pipeline.ShardOptions{Manifest: p.path(f.manifest), Shard: shard, Parts: p.path(f.parts), Made: cfg.Made()}, bar)
	bar.finish()
	if err != nil {
		return interrupted(err, "nothing is published; on this machine the same command goes on from there")
	}
	return p.printSummary(sum, func(w io.Writer) {
		mk := sum.Marker
		if sum.Already {
			fmt.Fprintf(w, "shard %v is done already: %s\n", shard, p.short(sum.Part))
			return
		}
		sum.Text(w, p.style())
		fmt.Fprintf(w, "shard      %v: %s, %s without a feature\n", shard, words.Count(mk.Rows, "row"), words.Number(mk.Dead))
		fmt.Fprintf(w, "part       %s\n", p.short(sum.Part))
		fmt.Fprintf(w, "took       %s\n", words.Duration(sum.Seconds))
	})
}

const mergeHelp = `merge brings features that were computed elsewhere into one cache: those of a
folder of parts, which the shards of a manifest left (see icebox manifest), or
those of other caches. All shards must be there, of the same manifest, and
whole. It can be stopped at any time; the same command goes on from there.

  icebox cache merge parts --manifest m --cache c.db
  icebox cache merge a.db b.db --cache c.db

Manifest and parts may lie in a bucket, at s3://BUCKET/PREFIX or gs://….`

func (p *process) cacheMergeCommand() *cobra.Command {
	var s settings
	var manifest string
	cmd := &cobra.Command{
		Use:   "merge PARTS|CACHE… --cache FILE",
		Short: "Bring parts of shards, or other caches, into one cache",
		Long:  mergeHelp,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := s.options(p, nil)
			if err != nil {
				return err
			}
			from, folders := make([]string, len(args)), 0
			for i, arg := range args {
				from[i] = p.path(arg)
				if bucket.Is(from[i]) {
					folders++
					continue
				}
				fi, err := os.Stat(from[i])
				if err != nil {
					return err
				}
				if fi.IsDir() {
					folders++
				}
			}
			switch {
			case folders > 1 || folders == 1 && len(args) > 1:
				return usagef("merge takes one folder of parts, or caches")
			case folders == 0 && manifest != "":
				return usagef("--manifest belongs to a folder of parts, and %s is a file", args[0])
			case folders == 0:
				return p.mergeCaches(cmd.Context(), o, from)
			case manifest == "":
				manifest = filepath.Join(from[0], "manifest")
				if !isFile(manifest) {
					return usagef("merge needs --manifest FILE, which the parts are of")
				}
			}
			return p.mergeParts(cmd.Context(), o, p.path(manifest), from[0])
		},
	}
	cmd.Flags().StringVarP(&s.file, "config", "c", "", "configuration `file` that names the cache")
	cmd.Flags().StringVar(&s.cache, "cache", "", "cache `file` to merge into (default: the key cache.path)")
	cmd.Flags().StringVar(&manifest, "manifest", "", "`file` that the parts are of (default: manifest in their folder)")
	return cmd
}

func (p *process) mergeParts(ctx context.Context, o pipeline.Options, manifest, parts string) error {
	bar := p.progress()
	sum, err := pipeline.MergeParts(ctx, o, manifest, parts, bar)
	bar.finish()
	if err != nil {
		return interrupted(err, "what was merged by then is kept; the same command goes on from there")
	}
	return p.printSummary(sum, func(w io.Writer) {
		fmt.Fprintf(w, "merged     %s of dataset %s, %s without a feature\n", words.Count(sum.Hits, "row"), sum.Dataset, words.Number(sum.Images-sum.Hits))
		fmt.Fprintf(w, "cache      %s\n", p.short(o.Cache.Path))
		fmt.Fprintf(w, "took       %s\n", words.Duration(sum.Seconds))
	})
}

func (p *process) mergeCaches(ctx context.Context, o pipeline.Options, from []string) error {
	bar := p.progress()
	j := journal.New(bar, o.Words)
	store, err := features.OpenStore(ctx, o.Cache.Path, o.Cache.Wait, j)
	if err != nil {
		return err
	}
	done, err := features.MergeCaches(ctx, store, from, j)
	bar.finish()
	if cerr := store.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return interrupted(err, "what was merged by then is kept; the same command goes on from there")
	}
	return p.printSummary(done, func(w io.Writer) {
		fmt.Fprintf(w, "%s added to %s", words.Count(done.Rows, "row"), p.short(o.Cache.Path))
		if len(done.Kept) > 0 {
			fmt.Fprintf(w, "; it had other versions of %s, and kept them", words.List(done.Kept))
		}
		fmt.Fprintln(w)
	})
}
