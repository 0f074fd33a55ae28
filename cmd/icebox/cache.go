package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"icebox/cache"
	"icebox/pipeline/dataset"
	"icebox/pipeline/export/rows"
	"icebox/pipeline/features"
	"icebox/pipeline/words"
)

// errNoCache, a [dataset.ErrData], is returned where the cache of a command is not there.
var errNoCache = fmt.Errorf("%w: no cache", dataset.ErrData)

// cacheFlags name a cache file: by --cache, else by the configuration.
type cacheFlags struct{ settings }

func (f *cacheFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "config", "c", "", "configuration `file` that names the cache")
	cmd.Flags().StringVar(&f.cache, "cache", "", "cache `file` (default: the key cache.path)")
}

// path returns the cache file, which must be there.
func (f *cacheFlags) path(p *process) (string, error) {
	o, err := f.options(p, nil)
	if err != nil {
		return "", err
	}
	path := p.path(o.Cache.Path)
	if !isFile(path) {
		return "", fmt.Errorf("%w: %w: %s", errNoCache, fs.ErrNotExist, path)
	}
	return path, nil
}

// onCache makes cmd one that works on the cache file.
func (p *process) onCache(cmd *cobra.Command, run func(ctx context.Context, path string) error) *cobra.Command {
	var f cacheFlags
	f.addFlags(cmd)
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path, err := f.path(p)
		if err != nil {
			return err
		}
		return run(cmd.Context(), path)
	}
	return cmd
}

func (p *process) cacheCommand() *cobra.Command {
	return group("cache", "Look into the cache, check it, export, merge and tidy it",
		p.cacheStatCommand(), p.cacheVerifyCommand(), p.cacheExportCommand(), p.waits(p.cacheMergeCommand()), p.waits(p.cacheGCCommand()), p.waits(p.cacheDropCommand()), p.waits(p.cacheCompactCommand()))
}

func (p *process) cacheStatCommand() *cobra.Command {
	return p.onCache(&cobra.Command{Use: "stat", Short: "Say what the cache holds"}, func(_ context.Context, path string) error {
		s, err := features.ReadContents(path)
		if err != nil {
			return err
		}
		return p.print(s, func(w io.Writer) { writeContents(w, s, p.short(path)) })
	})
}

// writeContents says what a cache holds; name is its path, for people.
func writeContents(w io.Writer, s *features.Contents, name string) {
	fmt.Fprintf(w, "%s: %s", name, humanize.Bytes(uint64(s.FileBytes)))
	if s.RawBytes > 0 {
		fmt.Fprintf(w, ", %.3f times the raw rows", float64(s.FileBytes)/float64(s.RawBytes))
	}
	fmt.Fprintln(w)
	for _, space := range s.Spaces {
		fmt.Fprintf(w, "space   %.12s  %s of %d %s in %s", space.ID, words.Count(space.Rows, "row"), space.Dim, space.DType, words.Count(space.Blocks, "block"))
		if info, err := features.DescribeSpace(space.Space); err == nil {
			fmt.Fprintf(w, ", %s", info)
		}
		fmt.Fprintln(w)
		for _, by := range space.Producers {
			fmt.Fprintf(w, "        %s by %s on %s, plan %s-%d\n", words.Count(by.Rows, "row"), by.Engine, by.ISA, by.Plan, by.Version)
		}
	}
	for _, d := range s.Datasets {
		if d.Error != "" {
			fmt.Fprintf(w, "dataset %s  cannot be read: %s\n", d.Name, d.Error)
			continue
		}
		fmt.Fprintf(w, "dataset %s  %s, %s (train %s, val %s, test %s), from %s\n", d.Name, words.Count(d.Items, "image"), words.Count(d.Classes, "class"),
			words.Number(d.Train), words.Number(d.Val), words.Number(d.Test), d.Source)
	}
}

func (p *process) cacheVerifyCommand() *cobra.Command {
	return p.onCache(&cobra.Command{Use: "verify", Short: "Check every block and document of the cache"}, func(_ context.Context, path string) error {
		report, err := cache.Verify(path)
		if err != nil {
			return err
		}
		if report.OK() {
			if report.Faults, err = features.VerifyDocuments(path); err != nil {
				return err
			}
		}
		err = p.print(report, func(w io.Writer) {
			for _, f := range report.Faults {
				fmt.Fprintln(w, f)
			}
			if report.OK() {
				fmt.Fprintf(w, "%s is sound: %s in %s, %s\n", p.short(path), words.Count(report.Rows, "row"), words.Count(report.Blocks, "block"), words.Count(report.Docs, "document"))
			}
		})
		if err != nil || report.OK() {
			return err
		}
		return fmt.Errorf("%w: %s: %s", cache.ErrCorrupt, path, words.Count(len(report.Faults), "fault"))
	})
}

const cacheExportHelp = `export writes the features of a dataset to a folder, a row an image, float32:

  npy          features.npy, labels.npy (int64, -1 for none) and index.csv,
               which icebox reads with --features
  npz          the same and more in one file, features.npz
  parquet      features.parquet: path, class, label, split, sha256, feature
  safetensors  features.safetensors and index.csv
  csv          features.csv: a column a number
  projector    for TensorBoard's projector: tensors.tsv, metadata.tsv and, of
               the small pictures that are kept beside the cache, sprite.png

Nothing is overwritten.

  icebox cache export --out features
  icebox cache export --format parquet --split train --out train`

// exportFlags are the flags of cache export.
type exportFlags struct {
	features.ExportOptions
	split string
}

func (f *exportFlags) addFlags(cmd *cobra.Command) {
	addChoice(cmd, &f.Choice.Dataset, &f.Choice.Space)
	cmd.Flags().StringVarP(&f.Dir, "out", "o", "", "`folder` to write to")
	cmd.Flags().StringVar(&f.Format, "format", rows.NPY, words.Or(rows.Formats()))
	cmd.Flags().StringVar(&f.split, "split", "", "only this `part`: train, val or test")
	oneOf(cmd, "format", rows.Formats())
}

// check completes the options.
func (f *exportFlags) check(p *process) error {
	if f.Dir == "" {
		return usagef("cache export needs --out DIR")
	}
	part, ok := dataset.ParsePart(f.split)
	if f.split != "" && !ok {
		return usagef("--split %q is not train, val or test", f.split)
	}
	f.Part, f.Dir = part, p.path(f.Dir)
	return rows.Check(f.Format)
}

func (p *process) cacheExportCommand() *cobra.Command {
	var f exportFlags
	cmd := p.onCache(&cobra.Command{Use: "export --out DIR", Short: "Write features and labels for other programs", Long: cacheExportHelp}, func(_ context.Context, path string) error {
		if err := f.check(p); err != nil {
			return err
		}
		done, err := features.Export(path, f.ExportOptions)
		if errors.Is(err, fs.ErrExist) {
			return usagef("%w: an export does not overwrite; name another folder", err)
		}
		if err != nil {
			return err
		}
		return p.print(done, func(w io.Writer) {
			fmt.Fprintf(w, "%s of dataset %s in %s", words.Count(done.Rows, "row"), done.Dataset, p.short(done.Dir))
			if done.Missing > 0 {
				fmt.Fprintf(w, "; %s without a feature left out", words.Count(done.Missing, "item"))
			}
			fmt.Fprintln(w)
		})
	})
	f.addFlags(cmd)
	return cmd
}
