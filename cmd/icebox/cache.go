package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"icebox/cache"
	"icebox/pipeline"
)

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
		return "", fmt.Errorf("%w: %w: no cache at %s; --cache names another", pipeline.ErrData, fs.ErrNotExist, path)
	}
	return path, nil
}

// cacheSub builds a subcommand that works on the cache file.
func (p *process) cacheSub(c *common, use, short string, run func(cmd *cobra.Command, path string) error) *cobra.Command {
	f := &cacheFlags{settings{common: c}}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := f.path(p)
			if err != nil {
				return err
			}
			return run(cmd, path)
		},
	}
	f.addFlags(cmd)
	return cmd
}

func (p *process) cacheCommand(c *common) *cobra.Command {
	return group("cache", "Look into the cache, check it, export from it, tidy it",
		p.cacheStatCommand(c), p.cacheVerifyCommand(c), p.cacheExportCommand(c), p.cacheDropCommand(c), p.cacheCompactCommand(c))
}

// cacheStat is what `cache stat --json` prints.
type cacheStat struct {
	Path string `json:"path"`
	cache.Stat
	Datasets []pipeline.DatasetStat `json:"datasets"`
}

func (p *process) cacheStatCommand(c *common) *cobra.Command {
	return p.cacheSub(c, "stat", "Say what the cache holds", func(_ *cobra.Command, path string) error {
		store, err := cache.Open(path, cache.Options{})
		if err != nil {
			return err
		}
		defer store.Close()
		st, err := store.Stat()
		if err != nil {
			return err
		}
		sets, err := pipeline.Datasets(store)
		if err != nil {
			return err
		}
		if c.json {
			return p.printJSON(cacheStat{path, st, sets})
		}
		p.printStat(path, st, sets)
		return nil
	})
}

func (p *process) printStat(path string, st cache.Stat, sets []pipeline.DatasetStat) {
	out := func(format string, args ...any) { fmt.Fprintf(p.stdout, format, args...) }
	out("%s: %s", p.short(path), humanize.Bytes(uint64(st.FileBytes)))
	if st.RawBytes > 0 {
		out(", %.3f times the raw rows", float64(st.FileBytes)/float64(st.RawBytes))
	}
	out("\n")
	for _, s := range st.Spaces {
		out("space   %.12s  %s rows of %d %s in %d blocks", s.ID, comma(s.Rows), s.Dim, s.DType, s.Blocks)
		if info, err := pipeline.DescribeSpace(s.Space); err == nil {
			out(", %s", info)
		}
		out("\n")
		for _, w := range s.Producers {
			out("        %s rows by %s on %s, plan %s-%d\n", comma(w.Rows), w.Engine, w.ISA, w.Plan, w.Version)
		}
	}
	for _, d := range sets {
		out("dataset %s  %s images, %d classes (train %d, val %d, test %d), from %s\n", d.Name, comma(d.Items), d.Classes, d.Train, d.Val, d.Test, d.Source)
	}
}

func (p *process) cacheVerifyCommand(c *common) *cobra.Command {
	return p.cacheSub(c, "verify", "Check every block and document of the cache", func(_ *cobra.Command, path string) error {
		report, err := cache.Verify(path)
		if err != nil {
			return err
		}
		if c.json {
			if err := p.printJSON(report); err != nil {
				return err
			}
		}
		if !report.OK() {
			for _, f := range report.Faults {
				p.say("%s", f)
			}
			return fmt.Errorf("%w: %s: %d faults; `icebox cache compact --salvage` keeps what is sound, `icebox extract` computes the rest again", cache.ErrCorrupt, path, len(report.Faults))
		}
		if !c.json {
			fmt.Fprintf(p.stdout, "%s is sound: %s rows in %d blocks, %d documents\n", p.short(path), comma(report.Rows), report.Blocks, report.Docs)
		}
		return nil
	})
}

func (p *process) cacheExportCommand(c *common) *cobra.Command {
	var dir, split string
	var ch *pipeline.Choice
	cmd := p.cacheSub(c, "export --out DIR", "Write features.npy, labels.npy and index.csv", func(_ *cobra.Command, path string) error {
		if dir == "" {
			return usagef("cache export needs --out DIR")
		}
		part := pipeline.Unassigned
		if split != "" {
			var ok bool
			if part, ok = pipeline.ParsePart(split); !ok {
				return usagef("--split %q is not train, val or test", split)
			}
		}
		done, err := pipeline.Export(path, p.path(dir), *ch, part)
		if errors.Is(err, fs.ErrExist) {
			return usagef("%w: an export does not overwrite; name another folder", err)
		}
		if err != nil {
			return err
		}
		if c.json {
			return p.printJSON(done)
		}
		p.say("%s rows of dataset %s in %s; %d items have no feature", comma(done.Rows), done.Dataset, p.short(done.Dir), done.Missing)
		return nil
	})
	ch = choice(cmd)
	cmd.Flags().StringVarP(&dir, "out", "o", "", "`folder` to write to")
	cmd.Flags().StringVar(&split, "split", "", "only this `part`: train, val or test")
	return cmd
}

func (p *process) cacheDropCommand(c *common) *cobra.Command {
	var space string
	cmd := p.cacheSub(c, "drop --space ID", "Remove the features of one space", func(_ *cobra.Command, path string) error {
		if space == "" {
			return usagef("cache drop needs --space ID; `icebox cache stat` lists the spaces")
		}
		id, err := pipeline.SpaceID(path, space)
		if err != nil {
			return err
		}
		if err := cache.Drop(path, id, cache.Options{}); err != nil {
			return err
		}
		p.say("dropped space %.12s", id)
		return nil
	})
	cmd.Flags().StringVar(&space, "space", "", "beginning of the space's `id`")
	return cmd
}

func (p *process) cacheCompactCommand(c *common) *cobra.Command {
	var salvage bool
	cmd := p.cacheSub(c, "compact", "Copy the cache into a new file without gaps", func(_ *cobra.Command, path string) error {
		report, err := cache.Compact(path, cache.CompactOptions{Salvage: salvage})
		if err != nil {
			return err
		}
		if c.json {
			return p.printJSON(report)
		}
		p.say("%s: %s before, %s now", p.short(path), humanize.Bytes(uint64(report.Before)), humanize.Bytes(uint64(report.After)))
		for _, f := range report.Lost {
			p.say("lost: %s", f)
		}
		return nil
	})
	cmd.Flags().BoolVar(&salvage, "salvage", false, "keep what is sound of a damaged file, and say what is lost")
	return cmd
}
