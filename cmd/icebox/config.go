package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"icebox/config"
)

func (p *process) configCommand(c *common) *cobra.Command {
	return group("config", "Make, show and check the configuration", p.configInitCommand(), p.configShowCommand(c), p.configCheckCommand(c), p.configKeysCommand(c), p.configSchemaCommand())
}

func (p *process) configInitCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init [FILE]", Short: "Write a commented configuration file (" + configName + ")", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := configName
			if len(args) == 1 {
				name = args[0]
			}
			f, err := os.OpenFile(p.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return usagef("%s is there already and stays as it is", name)
			}
			if err != nil {
				return err
			}
			_, err = f.Write(config.Init())
			if err := errors.Join(err, f.Close()); err != nil {
				return err
			}
			p.say("wrote %s: every key with its default, commented", name)
			return nil
		},
	}
}

func (p *process) configShowCommand(c *common) *cobra.Command {
	s := &settings{common: c}
	cmd := &cobra.Command{
		Use: "show [key=value …]", Short: "Print each effective value and where it came from",
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := s.load(p, args)
			if err != nil {
				return err
			}
			if c.json {
				return p.printJSON(map[string]any{"config": cfg.Show()})
			}
			printEntries(p.stdout, cfg.Show())
			return nil
		},
	}
	s.addFlags(cmd)
	return cmd
}

func printEntries(w io.Writer, entries []config.Entry) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	t.SetStyle(style)
	for _, e := range entries {
		t.AppendRow(table.Row{e.Key, e.Value, "# " + e.Origin})
	}
	t.SuppressTrailingSpaces()
	t.Render()
}

func (p *process) configCheckCommand(c *common) *cobra.Command {
	s := &settings{common: c}
	cmd := &cobra.Command{
		Use: "check [key=value …]", Short: "Report every fault of the configuration",
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := s.load(p, args); err != nil {
				return err
			}
			p.say("the configuration is sound")
			return nil
		},
	}
	s.addFlags(cmd)
	return cmd
}

func (p *process) configKeysCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use: "keys", Short: "List every key with its type, default and meaning (Markdown)", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if c.json {
				return p.printJSON(config.Keys())
			}
			_, err := fmt.Fprint(p.stdout, config.Reference())
			return err
		},
	}
}

func (p *process) configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the configuration's JSON Schema, for editors", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(p.stdout, "%s\n", config.Schema())
			return err
		},
	}
}
