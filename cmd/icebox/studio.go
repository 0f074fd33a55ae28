package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/studio/web"
)

const studioHelp = `studio shows the dataset as a wall of pictures in the browser, to see and mend
labels. A key changes a label; the head is trained again from the cache, and
accuracy, doubts and the wall follow. ? lists the keys.

A change is a line in a file of corrections: the key data.corrections, or else
corrections.csv in the working directory. Images and cache stay as they are;
run, train, sweep, eval and insight use the file with data.corrections=FILE.
` + "`icebox corrections`" + ` says what it comes to.

Files that are dropped on the page get an answer. Those that are kept are copied
to a folder beside the corrections (corrections-pictures), and are images
without a label: here, and for run, train and sweep with these corrections. Take
them away from there once they are among the images.

Heads are trained as the newest run of the dataset was, or as settings of head
on the command line say. With head.tune=auto the recipe is chosen anew once
labels have settled, unless that run's was chosen by nobody. The dataset must be
in the cache: run, or extract, brings it there.

The server listens on this machine alone, at 127.0.0.1, until Ctrl-C.

  icebox studio
  icebox studio --dataset photos data.corrections=photos.csv`

// studioFlags are the flags of studio.
type studioFlags struct {
	settings
	choice    pipeline.Choice
	port      int
	noBrowser bool
}

func (p *process) studioCommand() *cobra.Command {
	var f studioFlags
	cmd := &cobra.Command{
		Use:   "studio [--cache FILE] [--dataset NAME] [key=value …]",
		Short: "See the pictures in a browser, mend labels, watch the head follow",
		Long:  studioHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.port < 0 || f.port > 65535 {
				return usagef("--port (%d) must be from 0 to 65535", f.port)
			}
			cfg, err := f.load(p, args)
			if err != nil {
				return err
			}
			o := p.options(cfg)
			if o.Data.Corrections == "" {
				o.Data.Corrections = filepath.Join(p.dir, "corrections.csv")
			}
			f.choice.KeepSplit, f.choice.ByBackbone, f.choice.Made = !cfg.Given("data.split"), cfg.Given("backbone"), cfg.Made()
			return p.studio(cmd.Context(), &f, o, cfg.Given("head"))
		},
	}
	f.settings.addFlags(cmd)
	addChoice(cmd, &f.choice.Dataset, &f.choice.Space)
	cmd.Flags().IntVar(&f.port, "port", 0, "`number` of the port; 0 takes a free one")
	cmd.Flags().BoolVar(&f.noBrowser, "no-browser", false, "open no browser; the address is printed")
	return cmd
}

func (p *process) studio(ctx context.Context, f *studioFlags, o pipeline.Options, asked bool) (err error) {
	bar := p.progress()
	s, err := pipeline.OpenStudio(ctx, o, f.choice, asked, bar)
	bar.finish()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.port)))
	if err != nil {
		return fmt.Errorf("the studio has no port to listen on: %w", err)
	}
	address := "http://" + l.Addr().String() + "/"
	if err := p.printLine(map[string]any{"address": address, "corrections": s.File()}, "%s", address); err != nil {
		l.Close()
		return err
	}
	p.tell("corrections go to %s; Ctrl-C ends the studio", p.short(s.File()))
	if !f.noBrowser {
		p.browse(ctx, address)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return err
	}
	return web.Serve(ctx, l, web.New(s, web.Options{Hosts: web.Hosts(port), Runs: o.Output.Dir}))
}

// browse opens an address in the browser, if there is one to be found.
func (p *process) browse(ctx context.Context, address string) {
	opener := map[string][]string{
		"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"},
	}[runtime.GOOS]
	if opener == nil {
		opener = []string{"xdg-open"}
	}
	if browser := p.getenv("BROWSER"); browser != "" && runtime.GOOS != "windows" {
		opener = []string{browser}
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), opener[0], append(opener[1:], address)...) //nolint:gosec // the person's own browser
	if err := cmd.Start(); err != nil {
		p.tell("no browser was found to open the address in")
		return
	}
	go func() { _ = cmd.Wait() }() // it tells nothing
}
