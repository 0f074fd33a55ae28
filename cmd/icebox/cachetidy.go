package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"icebox/cache"
	"icebox/pipeline/features"
	"icebox/pipeline/words"
)

const cacheGCHelp = `gc forgets datasets and removes the rows that no other dataset of the cache has.
At least one of these says what goes; several go together:

  --dataset NAME    this dataset, its evaluations and its answers, and the rows
                    that only they have; may be given several times
  --older-than AGE  datasets that were not used for as long: 30d, 12w or 36h.
                    Use is noted by the day. A dataset that an older icebox kept
                    has no note: it stays, and its age counts from the first gc
  --space ID        all features of one space: of other weights, say
  --orphans         rows that no dataset has, as of images that are gone. Rows
                    that were merged without their datasets are such, too

The file keeps its size: what is free is for later rows, or for icebox cache
compact, which gives it back. gc needs no free disk. If it is killed, the same
command goes on. Whatever goes can be computed again from the images.

  icebox cache gc --older-than 90d --dry-run
  icebox cache gc --dataset photos`

// age is a flag of a duration that may be given in days or weeks.
type age time.Duration

func (a *age) String() string {
	if *a == 0 {
		return ""
	}
	return time.Duration(*a).String()
}

func (a *age) Type() string { return "age" }

// Set implements [pflag.Value].
func (a *age) Set(s string) error {
	unit := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	d, err := time.ParseDuration(s)
	if n := len(s) - 1; n > 0 && unit[s[n]] > 0 {
		var count float64
		count, err = strconv.ParseFloat(s[:n], 64)
		d = time.Duration(count * float64(unit[s[n]]))
	}
	if err != nil || d <= 0 {
		return errors.New("it must be an age such as 30d, 12w or 36h")
	}
	*a = age(d)
	return nil
}

func (p *process) cacheGCCommand() *cobra.Command {
	var g features.Garbage
	var unused age
	cmd := p.onCache(&cobra.Command{Use: "gc", Short: "Forget datasets, and remove the rows that nothing needs", Long: cacheGCHelp}, func(ctx context.Context, path string) error {
		g.UnusedFor = time.Duration(unused)
		if len(g.Datasets) == 0 && g.UnusedFor == 0 && g.Space == "" && !g.Orphans {
			return usagef("cache gc needs --dataset, --older-than, --space or --orphans, which say what may go")
		}
		done, err := features.Collect(path, g, time.Now(), p.patient(ctx))
		if err != nil {
			return err
		}
		return p.print(done, func(w io.Writer) { writeCollected(w, done, p.short(path)) })
	})
	cmd.Flags().StringArrayVar(&g.Datasets, "dataset", nil, "`name` of a dataset to forget")
	cmd.Flags().Var(&unused, "older-than", "forget datasets that were not used for as long, such as 30d")
	cmd.Flags().StringVar(&g.Space, "space", "", "beginning of the `id` of a space to remove")
	cmd.Flags().BoolVar(&g.Orphans, "orphans", false, "remove the rows that no dataset has")
	cmd.Flags().BoolVar(&g.DryRun, "dry-run", false, "say what would go, and remove nothing")
	return cmd
}

// writeCollected says what gc did to the cache that people call name.
func writeCollected(w io.Writer, done *features.Collected, name string) {
	forgot, removed := "forgot", "removed"
	if done.DryRun {
		forgot, removed = "would forget", "would remove"
	}
	for _, f := range done.Datasets {
		fmt.Fprintf(w, "%s %v\n", forgot, f)
	}
	for _, f := range done.Unknown {
		fmt.Fprintf(w, "kept %v: when it was last used is not known; its age counts from the first gc\n", f)
	}
	for _, id := range done.Spaces {
		fmt.Fprintf(w, "%s space %.12s\n", removed, id)
	}
	fmt.Fprintf(w, "%s %s, about %s\n", removed, words.Count(done.Rows, "row"), humanize.Bytes(uint64(done.Bytes)))
	switch {
	case done.DryRun:
		fmt.Fprintln(w, "nothing was written")
	case done.FreeIn > 0:
		fmt.Fprintf(w, "%s has %s free for later rows; `icebox cache compact` gives them back to the disk\n", name, humanize.Bytes(uint64(done.FreeIn)))
	}
}

func (p *process) cacheDropCommand() *cobra.Command {
	var space string
	cmd := p.onCache(&cobra.Command{Use: "drop --space ID", Short: "Remove the features of one space"}, func(ctx context.Context, path string) error {
		if space == "" {
			return usagef("cache drop needs --space ID; `icebox cache stat` lists the spaces")
		}
		id, err := features.CompleteSpace(path, space)
		if err != nil {
			return err
		}
		if err := cache.Drop(path, id, p.patient(ctx)); err != nil {
			return err
		}
		return p.printLine(map[string]string{"space": id}, "dropped space %.12s", id)
	})
	cmd.Flags().StringVar(&space, "space", "", "beginning of the space's `id`")
	return cmd
}

const cacheCompactHelp = `compact copies the cache into a new file without gaps, checks it and puts it in
the place of the old one. It says first what that gives back, how much free disk
it takes and about how long; --dry-run says only that. It does not begin where
the disk has no room for both files. If it is killed, the old file is whole and
the next compact or writer tidies up.

drop, too, copies what stays; gc removes within the file and needs no room.`

func (p *process) cacheCompactCommand() *cobra.Command {
	var salvage, dry bool
	cmd := p.onCache(&cobra.Command{Use: "compact", Short: "Copy the cache into a new file without gaps", Long: cacheCompactHelp}, func(ctx context.Context, path string) error {
		if salvage && dry {
			return usagef("--dry-run says nothing of a damaged file: leave --salvage or --dry-run out")
		}
		if !salvage {
			f, err := cache.ForecastCompact(path, p.patient(ctx))
			if err != nil {
				return err
			}
			if dry {
				return p.print(f, func(w io.Writer) { fmt.Fprintln(w, forecastLine(f, p.short(path))) })
			}
			p.tell("%s", forecastLine(f, p.short(path)))
		}
		report, err := cache.Compact(path, cache.CompactOptions{Options: p.patient(ctx), Salvage: salvage})
		if err != nil {
			return err
		}
		return p.print(report, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s before, %s now\n", p.short(path), humanize.Bytes(uint64(report.Before)), humanize.Bytes(uint64(report.After)))
			for _, f := range report.Lost {
				fmt.Fprintf(w, "lost: %s\n", f)
			}
		})
	})
	cmd.Flags().BoolVar(&salvage, "salvage", false, "keep what is sound of a damaged file, and say what is lost")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what it would give back and take, and write nothing")
	return cmd
}

// forecastLine says what compact will do with the cache that people call name.
func forecastLine(f cache.Forecast, name string) string {
	parts := []string{fmt.Sprintf("%s: %s would become about %s", name, humanize.Bytes(uint64(f.Before)), humanize.Bytes(uint64(f.After)))}
	room := fmt.Sprintf("the copy needs %s of free disk", humanize.Bytes(uint64(f.Needs)))
	if f.Free > 0 {
		room += fmt.Sprintf(" and %s are free", humanize.Bytes(uint64(f.Free)))
	}
	parts = append(parts, room)
	if f.Seconds >= 1 {
		parts = append(parts, fmt.Sprintf("it takes about %v", time.Duration(f.Seconds*float64(time.Second)).Round(time.Second)))
	}
	return strings.Join(parts, "; ")
}
