package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"icebox/extract"
)

func (p *process) weightsCommand(c *common) *cobra.Command {
	return group("weights", "Fetch, inspect and convert the backbone's weights", p.weightsFetchCommand(c), p.weightsInspectCommand(c), p.weightsConvertCommand())
}

func (p *process) weightsFetchCommand(c *common) *cobra.Command {
	var o extract.FetchOptions
	cmd := &cobra.Command{
		Use: "fetch", Short: "Download torchvision's ResNet-18 weights (45 MB) to where icebox finds them", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Dir = p.path(o.Dir)
			path, err := p.fetch(cmd.Context(), c, o)
			if err != nil {
				return err
			}
			if c.json {
				return p.printJSON(map[string]string{"path": path})
			}
			_, err = fmt.Fprintln(p.stdout, path)
			return err
		},
	}
	cmd.Flags().StringVar(&o.URL, "url", "", "download from `URL` instead of the official place; the file must be the same")
	cmd.Flags().StringVar(&o.Dir, "dir", "", "`folder` to keep it in (default: icebox's cache folder)")
	return cmd
}

func (p *process) fetch(ctx context.Context, c *common, o extract.FetchOptions) (string, error) {
	bar := p.progress(c)
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
func (p *process) withWeights(ctx context.Context, c *common, work func() error) error {
	err := work()
	if !errors.Is(err, extract.ErrNoWeights) || !p.answers {
		return err
	}
	fmt.Fprintf(p.stderr, "No ResNet-18 weights on this machine. Download torchvision's (45 MB, download.pytorch.org)? [y/N] ")
	answer, _ := bufio.NewReader(p.stdin).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return err
	}
	if _, err := p.fetch(ctx, c, extract.FetchOptions{}); err != nil {
		return err
	}
	return work()
}

func (p *process) weightsInspectCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use: "inspect FILE", Short: "Say what a weights file holds and whether it is a ResNet-18", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			w, err := extract.InspectWeights(p.path(args[0]))
			if err != nil {
				return err
			}
			if c.json {
				return p.printJSON(w)
			}
			_, err = fmt.Fprint(p.stdout, w)
			return err
		},
	}
}

func (p *process) weightsConvertCommand() *cobra.Command {
	return &cobra.Command{
		Use: "convert SRC DST", Short: "Convert .pth to .safetensors or back; the tensors stay the same", Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := extract.ConvertWeights(p.path(args[0]), p.path(args[1])); err != nil {
				return err
			}
			p.say("wrote %s", args[1])
			return nil
		},
	}
}
