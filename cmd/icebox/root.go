package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"icebox/cmd/internal/exitcode"
)

func (p *process) rootCommand() *cobra.Command {
	root := group("icebox", "Turn a folder of labelled images into a classifier")
	root.Long = `icebox runs each image through a frozen ResNet-18 once and keeps its 512 numbers
in one file. It trains linear heads on them in seconds, without opening an image
again.

  icebox quickstart                    see it work on pictures that it draws
  icebox run --data photos/            photos/<class>/*.jpg, or
                                       photos/{train,val,test}/<class>/*.jpg
  icebox train head.lr=0.01            train again, from the cache
  icebox sweep sweep.axes.lr='{log: [1e-4, 1e-1], steps: 7}'
                                       train many heads, keep the best
  icebox predict --run latest a.jpg    ask the classifier

Results go to stdout, notes and progress to stderr.`
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; `%s --help` lists the flags", err, cmd.CommandPath())
	})
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print one JSON object, on the last line of stdout; also of an error")
	root.PersistentFlags().BoolVarP(&p.quiet, "quiet", "q", false, "no progress, no notes and no summary; results that were asked for are printed")
	root.PersistentFlags().BoolVar(&p.offline, "offline", false, "download nothing: weights that are not on this machine are missing (also ICEBOX_OFFLINE=1)")
	root.AddCommand(
		p.quickstartCommand(), p.waits(p.runCommand()), p.waits(p.extractCommand()), p.waits(p.trainCommand()), p.waits(p.sweepCommand()), p.waits(p.evalCommand()), p.manifestCommand(), p.workerCommand(), p.insightCommand(), p.reportCommand(), p.waits(p.predictCommand()), p.exportCommand(), p.runsCommand(), p.studioCommand(), p.serveCommand(), p.correctionsCommand(),
		p.cacheCommand(), p.configCommand(), p.weightsCommand(), p.benchCommand(), p.doctorCommand(), p.versionCommand(), p.completionCommand(), exitCodesTopic(),
	)
	p.addVersionFlag(root)
	p.completeWords(root)
	for _, cmd := range root.Commands() {
		usageArgs(cmd)
	}
	return root
}

// usageArgs makes cobra's complaints about arguments errors of usage.
func usageArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%s: %w", cmd.CommandPath(), err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		usageArgs(sub)
	}
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return usagef("%s has no command %q; `%s --help` lists them", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	cmd.AddCommand(commands...)
	return cmd
}

func exitCodesTopic() *cobra.Command {
	var text strings.Builder
	text.WriteString("icebox ends with one of these exit codes:\n\n")
	var retry []string
	for _, m := range exitcode.Meanings {
		fmt.Fprintf(&text, "  %3d  %s\n", m.Code, m.Text)
		if m.Retry {
			retry = append(retry, fmt.Sprint(m.Code))
		}
	}
	fmt.Fprintf(&text, "\nA scheduler does well to try again, later or on another machine, after\n%s. After the others the same command fails again.\n", strings.Join(retry, ", "))
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: text.String()}
}
