package main

import (
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/export"
	"icebox/pipeline/words"
)

const exportHelp = `export takes the classifier of a run, backbone and head, to another program:

  onnx     one file: images in, logits, probabilities and label out
  hf       a folder that Hugging Face's transformers loads, with an ONNX file
           and a model card in it
  torch    a state dict of torchvision's resnet18 with the head as its fc (--out
           NAME.pth or NAME.safetensors), and index_to_name.json beside it
  sklearn  coef_, intercept_ and classes_ of a LogisticRegression on the
           features that ` + "`icebox cache export`" + ` writes, as .npz

An ONNX file takes, by --input:

  crop     image, uint8 [N,224,224,3]: crops, RGB (default)
  pixels   pixel_values, float32 [N,3,224,224]: crops, normalised
  image    image, uint8 [H,W,3]: one decoded and upright image of any size,
           which the file resizes and crops itself (opset 18, for the CPU of
           ONNX Runtime)

logits are as trained; probabilities are calibrated as icebox's; label is the
place of the likeliest class in the metadata's labels.

What was written is read again, run on fixed pictures and compared with what
icebox answers. If the two disagree, the exit code is 9 and nothing is left.
Nothing is overwritten.

  icebox export --run latest --format onnx --out photos.onnx
  icebox export --run latest --format hf --out photos-resnet18`

// exportRunFlags are the flags of export.
type exportRunFlags struct {
	judged judgedRun
	export.Options
}

func (p *process) exportCommand() *cobra.Command {
	var f exportRunFlags
	cmd := &cobra.Command{
		Use:   "export --run RUN --format FORMAT --out PATH",
		Short: "Take a run's classifier to another program",
		Long:  exportHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.Format == "" || f.Out == "" {
				return usagef("export needs --format and --out: icebox export --run latest --format onnx --out model.onnx")
			}
			dir, _, o, err := f.judged.read(p, cmd, args)
			if err != nil {
				return err
			}
			e := f.Options
			e.Out = p.path(f.Out)
			bar := p.progress()
			o.Fetch = p.fetcher(bar)
			done, err := pipeline.Export(cmd.Context(), dir, e, o, bar)
			bar.finish()
			if err != nil {
				return interrupted(err, "nothing was written")
			}
			return p.print(done, func(w io.Writer) { p.printExported(w, done) })
		},
	}
	s := cmd.Flags()
	s.StringVarP(&f.judged.file, "config", "c", "", "configuration `file` (default "+configName+", if there is one)")
	s.StringVar(&f.judged.weights, "weights", "", "`file` of the backbone's weights, if they are not where they were")
	f.judged.addRun(cmd)
	s.StringVar(&f.Format, "format", "", words.Or(export.Formats()))
	s.StringVar(&f.Input, "input", "", "of an ONNX file: "+words.Or(export.Inputs())+" (default "+export.InputCrop+")")
	s.StringVarP(&f.Out, "out", "o", "", "`path` of the file or the folder to write")
	oneOf(cmd, "format", export.Formats())
	oneOf(cmd, "input", export.Inputs())
	return cmd
}

// oneOf tells the shells' Tab key the values of a flag.
func oneOf(cmd *cobra.Command, flag string, values []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // it has that flag
}

func (p *process) printExported(w io.Writer, done *export.Exported) {
	fmt.Fprintf(w, "%s: %s, %s", p.short(done.Path), words.Count(len(done.Files), "file"), humanize.Bytes(uint64(done.Bytes)))
	if c := done.Check; c != nil {
		fmt.Fprintf(w, "; its answers to %s differ from icebox's by at most %.1g in probability", words.Count(c.Images, "fixed picture"), c.Probability)
	} else {
		fmt.Fprint(w, "; read again, it is the same bit by bit")
	}
	fmt.Fprintln(w)
}
