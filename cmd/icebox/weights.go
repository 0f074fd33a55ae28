package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"icebox/extract"
	"icebox/pipeline/report"
	"icebox/pipeline/words"
)

func (p *process) weightsCommand() *cobra.Command {
	return group("weights", "Find, fetch, inspect and convert the backbone's weights",
		p.weightsWhereCommand(), p.weightsFetchCommand(), p.weightsInspectCommand(), p.weightsConvertCommand())
}

func (p *process) weightsFetchCommand() *cobra.Command {
	var o extract.FetchOptions
	cmd := &cobra.Command{
		Use: "fetch", Short: "Download torchvision's ResNet-18 weights (45 MB)", Args: cobra.NoArgs,
		Long: `fetch downloads torchvision's ResNet-18 weights to where icebox finds them.
Commands that need weights and find none on this machine do so by themselves.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := p.progress()
			defer bar.finish()
			path, err := p.fetch(cmd.Context(), bar, p.download(o))
			if err != nil {
				return err
			}
			return p.printLine(pathResult{path}, "%s", path)
		},
	}
	cmd.Flags().StringVar(&o.URL, "url", "", "download from `URL` instead of the official place; the file must be the same")
	cmd.Flags().StringVar(&o.SHA256Prefix, "sha256", "", "first `digits` (8 or more) that the file's SHA-256 must have (default: from its name, as in resnet18-f37072fd.pth)")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "`folder` to keep it in (default: PyTorch's hub folder, if there is one, else icebox's cache folder)")
	return cmd
}

// download completes o with what the process says: where folders are, and what the tests
// put in the place of torchvision's server.
func (p *process) download(o extract.FetchOptions) extract.FetchOptions {
	o.URL, o.SHA256Prefix = cmp.Or(o.URL, p.official.URL), cmp.Or(o.SHA256Prefix, p.official.SHA256Prefix)
	o.Connect, o.Dir, o.Env = p.official.Connect, p.path(o.Dir), p.getenv
	return o
}

// fetcher returns what brings torchvision's weights to a command that finds none; it is
// drawn on bar.
func (p *process) fetcher(bar progress) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		return p.fetch(ctx, bar, p.download(extract.FetchOptions{}))
	}
}

// fetch downloads a file of weights, unless that is forbidden.
func (p *process) fetch(ctx context.Context, bar progress, o extract.FetchOptions) (string, error) {
	if err := o.Validate(); err != nil {
		return "", usagef("%w; name them with --sha256", err)
	}
	if why := p.forbidden(); why != "" {
		return "", fmt.Errorf("%w: %s forbids downloads", errOffline, why)
	}
	began := false
	var before int64
	o.Progress = func(done, total int64) {
		if !began {
			bar.Note(fmt.Sprintf("downloading ResNet-18 weights, once: %s to %s", cmp.Or(o.URL, extract.OfficialWeightsURL), p.short(filepath.Dir(o.Target()))))
			bar.Start("fetch", int(total))
		}
		began = true
		bar.Add(int(done - before))
		before = done
	}
	return extract.FetchWeights(ctx, o)
}

// forbidden names what forbids downloads; "" if nothing does. The words are those that
// Hugging Face's tools take for yes.
func (p *process) forbidden() string {
	if p.offline {
		return "--offline"
	}
	for _, name := range []string{"ICEBOX_OFFLINE", "HF_HUB_OFFLINE"} {
		switch strings.ToUpper(p.getenv(name)) {
		case "1", "ON", "YES", "TRUE":
			return name
		}
	}
	return ""
}

// weightsPlace says which weights there are, and where they come from.
type weightsPlace struct {
	Path    string `json:"path"`              // of the file that auto takes, or where a download would put it
	Found   bool   `json:"found"`             // it is there
	URL     string `json:"url"`               // where it would come from
	Offline string `json:"offline,omitempty"` // what forbids downloads
}

// weightsPlace looks on this machine alone.
func (p *process) weightsPlace() (weightsPlace, error) {
	o := p.download(extract.FetchOptions{})
	w := weightsPlace{Path: o.Target(), URL: cmp.Or(o.URL, extract.OfficialWeightsURL), Offline: p.forbidden()}
	path, err := extract.FindWeights(p.getenv)
	switch {
	case err == nil:
		w.Path, w.Found = path, true
	case errors.Is(err, extract.ErrNoWeights):
		err = nil
	}
	return w, err
}

// missing says, of weights that are not there, what would become of them.
func (w weightsPlace) missing() string {
	if w.Offline != "" {
		return fmt.Sprintf("there are no ResNet-18 weights on this machine, and %s forbids to download them; %s belongs in %s", w.Offline, w.URL, filepath.Dir(w.Path))
	}
	return fmt.Sprintf("there are no ResNet-18 weights on this machine: a run or `icebox weights fetch` downloads them from %s to %s", w.URL, filepath.Dir(w.Path))
}

func (p *process) weightsWhereCommand() *cobra.Command {
	return &cobra.Command{
		Use: "where", Short: "Say which weights auto takes, or where it would put them", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w, err := p.weightsPlace()
			if err != nil {
				return err
			}
			if w.Found {
				return p.printLine(w, "%s", w.Path)
			}
			return p.printLine(w, "%s", w.missing())
		},
	}
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
