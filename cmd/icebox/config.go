package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/pipeline/files"
	"icebox/pipeline/report"
)

func (p *process) configCommand() *cobra.Command {
	return group("config", "Make, show and check the configuration", p.configInitCommand(), p.configShowCommand(), p.configCheckCommand(), p.configKeysCommand(), p.configSchemaCommand())
}

func (p *process) configInitCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init [FILE]", Short: "Write a commented configuration file (" + configName + ")", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			name := configName
			if len(args) == 1 {
				name = args[0]
			}
			err := files.WriteNew(p.path(name), config.Init())
			if errors.Is(err, fs.ErrExist) {
				return usagef("%s is there already and stays as it is", name)
			}
			if err != nil {
				return err
			}
			return p.printLine(pathResult{p.path(name)}, "wrote %s: every key with its default, commented; `icebox config show` says which value holds, and why", name)
		},
	}
}

func (p *process) configShowCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use: "show [key=value …]", Short: "Print each effective value and where it came from",
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := s.load(p, args)
			if err != nil {
				return err
			}
			return p.print(map[string]any{"config": cfg.Show()}, func(w io.Writer) { p.printEntries(w, cfg.Show()) })
		},
	}
	s.addFlags(cmd)
	return cmd
}

// printEntries shortens values on a terminal alone: elsewhere they may be wanted whole.
func (p *process) printEntries(w io.Writer, entries []config.Entry) {
	var shortened []int
	if p.outWidth > 0 {
		shortened = []int{2, 3}
	}
	t := report.NewTable(w, shortened...)
	for _, e := range entries {
		t.AppendRow(table.Row{e.Key, e.Value, "# " + e.Origin})
	}
	t.Render()
}

func (p *process) configCheckCommand() *cobra.Command {
	var s settings
	cmd := &cobra.Command{
		Use: "check [key=value …]", Short: "Report every fault of the configuration",
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := s.load(p, args)
			if err != nil {
				return err
			}
			return p.printLine(map[string]any{"sound": true, "warnings": append([]string{}, cfg.Warnings...)}, "the configuration is sound")
		},
	}
	s.addFlags(cmd)
	return cmd
}

func (p *process) configKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use: "keys", Short: "List every key: type, default, meaning (Markdown)", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if p.json {
				return p.printJSON(map[string]any{"keys": config.Keys()})
			}
			_, err := io.WriteString(p.stdout, config.Reference())
			return err
		},
	}
}

func (p *process) configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the configuration's JSON Schema, for editors", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema := config.Schema()
			if p.json {
				var line bytes.Buffer
				if err := json.Compact(&line, schema); err != nil {
					return err
				}
				schema = line.Bytes()
			}
			_, err := fmt.Fprintf(p.stdout, "%s\n", bytes.TrimSpace(schema))
			return err
		},
	}
}
