package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"icebox/extract"
)

// version is set by the linker, in releases: -ldflags "-X main.version=0.1.0".
var version string

// build says which program this is.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	ISA      string `json:"isa"` // that the native engine would use here
}

func thisBuild() build {
	b := build{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, ISA: extract.NativeISA()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	if version != "" {
		b.Version = version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (p *process) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which icebox this is", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.printVersion() },
	}
}

// addVersionFlag lets root say its version as the command does.
func (p *process) addVersionFlag(root *cobra.Command) {
	asked := root.Flags().Bool("version", false, "say which icebox this is")
	otherwise := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *asked && len(args) == 0 {
			return p.printVersion()
		}
		return otherwise(cmd, args)
	}
}

func (p *process) printVersion() error {
	b := thisBuild()
	return p.printLine(b, "%s, %s, %s, native engine: %s", program(), b.Go, b.Platform, b.ISA)
}
