package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"icebox/extract"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

func (p *process) weightsCommand() *cobra.Command {
	return group("weights", "Fetch, inspect and convert the backbone's weights", p.weightsFetchCommand(), p.weightsInspectCommand(), p.weightsConvertCommand())
}

func (p *process) weightsFetchCommand() *cobra.Command {
	var o extract.FetchOptions
	cmd := &cobra.Command{
		Use: "fetch", Long: "fetch downloads torchvision's ResNet-18 weights to where icebox finds them.", Short: "Download torchvision's ResNet-18 weights (45 MB)", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Dir = p.path(o.Dir)
			if err := o.Validate(); err != nil {
				return usagef("%w; name them with --sha256", err)
			}
			path, err := p.fetch(cmd.Context(), o)
			if err != nil {
				return err
			}
			return p.printLine(pathResult{path}, "%s", path)
		},
	}
	cmd.Flags().StringVar(&o.URL, "url", "", "download from `URL` instead of the official place; the file must be the same")
	cmd.Flags().StringVar(&o.SHA256Prefix, "sha256", "", "first `digits` (8 or more) that the file's SHA-256 must have (default: from its name, as in resnet18-f37072fd.pth)")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "`folder` to keep it in (default: icebox's cache folder)")
	return cmd
}

func (p *process) fetch(ctx context.Context, o extract.FetchOptions) (string, error) {
	bar := p.progress()
	defer bar.finish()
	var before int64
	o.Progress = func(done, total int64) {
		if before == 0 {
			bar.Start("fetch", int(total))
		}
		bar.Add(int(done - before))
		before = done
	}
	return extract.FetchWeights(ctx, o)
}

// withWeights does the work; if it lacks weights and a person is there to ask, it
// offers the download and tries again.
func (p *process) withWeights(ctx context.Context, work func() error) error {
	err := work()
	if !errors.Is(err, extract.ErrNoWeights) || !p.answers {
		return err
	}
	fmt.Fprintf(p.stderr, "No ResNet-18 weights on this machine. Download torchvision's (45 MB, download.pytorch.org)? [y/N] ")
	answer, _ := bufio.NewReader(p.stdin).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return err
	}
	if _, err := p.fetch(ctx, extract.FetchOptions{}); err != nil {
		return err
	}
	return work()
}

func (p *process) weightsInspectCommand() *cobra.Command {
	return &cobra.Command{
		Use: "inspect FILE", Short: "Say what a weights file holds", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := extract.InspectWeights(p.path(args[0]))
			if err != nil {
				return err
			}
			return p.print(w, func(out io.Writer) { printWeights(out, w) })
		},
	}
}

// pathResult is what a command prints, with --json, that has written a file.
type pathResult struct {
	Path string `json:"path"`
}

// printWeights describes a weights file.
func printWeights(out io.Writer, w extract.WeightsFile) {
	verdict := "a ResNet-18; tensor hash " + w.Hash
	if w.Problem != "" {
		verdict = "no ResNet-18 that icebox can use: " + w.Problem
	}
	fmt.Fprintf(out, "%s: %s, %s, %s of %s\nSHA-256 %s\n%s\n",
		w.Path, w.Format, humanize.Bytes(uint64(w.Bytes)), words.Count(len(w.Tensors), "tensor"), words.Count(w.Values, "value"), w.SHA256, verdict)
	t := report.NewTable(out)
	for _, tensor := range w.Tensors {
		t.AppendRow(table.Row{tensor.Name, tensor.DType, fmt.Sprint(tensor.Shape)})
	}
	t.Render()
}

func (p *process) weightsConvertCommand() *cobra.Command {
	return &cobra.Command{
		Use: "convert SRC DST", Short: "Convert .pth to .safetensors or back", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := extract.ConvertWeights(p.path(args[0]), p.path(args[1])); err != nil {
				return err
			}
			return p.printLine(pathResult{p.path(args[1])}, "wrote %s", args[1])
		},
	}
}
