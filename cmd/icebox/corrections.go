package main

import (
	"fmt"
	"io"
	"path"

	"github.com/spf13/cobra"

	"icebox/pipeline/corrections"
	"icebox/pipeline/dataset"
	"icebox/pipeline/words"
)

func (p *process) correctionsCommand() *cobra.Command {
	cmd := group("corrections", "Look into a file of corrections, or turn it into moves of files",
		p.correctionsShowCommand(), p.correctionsMovesCommand())
	cmd.Long = `corrections reads a file of corrections of labels. The key data.corrections has
run, train, sweep, eval and insight use it; ` + "`icebox studio`" + ` writes it. Images
and cache stay as they are.

A line is a change, the newest last:

  action,path,sha256,old,new,when
  relabel,cat/17.jpg,9f86…0a08,cat,dog,2026-11-27T12:00:00Z

The actions are relabel, confirm (the label is right), exclude (the image takes
part in nothing) and undo (of the newest change of the image). A change is of
the image with that path and these bytes; where none has the path, of all images
with these bytes. Pictures in a folder beside the file, corrections-pictures for
corrections.csv, are images without a label of their own; the studio keeps them
there.`
	return cmd
}

func (p *process) correctionsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show FILE", Short: "Say what a file of corrections comes to", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := corrections.Read(p.path(args[0]))
			if err != nil {
				return err
			}
			all := f.Outcomes()
			if all == nil {
				all = []corrections.Outcome{} // which JSON writes as a list
			}
			return p.print(map[string]any{"changes": len(f.Changes), "torn_line": f.Torn, "images": all}, func(w io.Writer) { showCorrections(w, f, all) })
		},
	}
}

func showCorrections(w io.Writer, f *corrections.File, all []corrections.Outcome) {
	fmt.Fprintf(w, "%s, of %s\n", words.Count(len(f.Changes), "change"), words.Count(len(all), "image"))
	if f.Torn > 0 {
		fmt.Fprintf(w, "line %d is not whole, and is left out\n", f.Torn)
	}
	for _, o := range all {
		what := "confirmed as " + o.Class
		switch {
		case o.Excluded:
			what = "excluded"
		case o.Class != o.Given && o.Given == "":
			what = "labelled " + o.Class
		case o.Class != o.Given:
			what = o.Given + " → " + o.Class
		case !o.Confirmed:
			what = "labelled " + o.Class + " as before"
		}
		fmt.Fprintf(w, "  %s: %s\n", words.Name(o.Path), what)
	}
}

func (p *process) correctionsMovesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "moves FILE", Short: "Print a script that moves files to their classes' folders", Args: cobra.ExactArgs(1),
		Long: `moves prints a script for a POSIX shell that moves the files of corrected images
to the folders of their classes. It is run in the folder of images, replaces no
file, and leaves out what it cannot do, such as moves in archives, in comments.
Corrections that are applied so have no effect any more, and may stay.`,
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := corrections.Read(p.path(args[0]))
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(map[string]any{"moves": movesOf(f)})
			}
			return writeMoves(p.stdout, f)
		},
	}
}

// move is a file and where it goes.
type move struct {
	From string `json:"from"`
	To   string `json:"to"`
}

func movesOf(f *corrections.File) []move {
	moves := []move{}
	for _, o := range f.Outcomes() {
		if to, ok := o.Moved(); ok && !o.Excluded && !dataset.InArchive(o.Path) {
			moves = append(moves, move{o.Path, to})
		}
	}
	return moves
}

// writeMoves writes a script. A name in a comment is quoted as Go quotes strings, so that it
// is one line; in a command, as a shell does.
func writeMoves(w io.Writer, f *corrections.File) error {
	_, err := fmt.Fprint(w, "#!/bin/sh\n# to be run in the folder of images\nset -eu\n")
	for _, o := range f.Outcomes() {
		to, ok := o.Moved()
		switch {
		case o.Excluded:
			_, err = fmt.Fprintf(w, "# excluded: %s\n", words.Name(o.Path))
		case dataset.InArchive(o.Path):
			_, err = fmt.Fprintf(w, "# of class %s, in an archive, where nothing can be moved: %s\n", words.Name(o.Class), words.Name(o.Path))
		case ok:
			_, err = fmt.Fprintf(w, "mkdir -p -- %s && mv -n -- %s %s\n", quoted(path.Dir(to)), quoted(o.Path), quoted(to))
		case o.Class != o.Given:
			_, err = fmt.Fprintf(w, "# of class %s, and in no folder of its class %s: %s\n", words.Name(o.Class), words.Name(o.Given), words.Name(o.Path))
		}
		if err != nil {
			return err
		}
	}
	return err
}
