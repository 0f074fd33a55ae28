package main

import (
	"net"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"icebox/pipeline"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	settings
	runs, origins        []string
	host, localFiles     string
	port                 int
	tokenFile, cert, key string
	insecure, pprof      bool
	serving              pipeline.ServeOptions
	timeout              time.Duration
	maxBody              int64
	perClient            int
}

// fromEnvironment takes what flags do not say from the environment.
func (f *serveFlags) fromEnvironment(p *process, cmd *cobra.Command) {
	if run := p.getenv("ICEBOX_SERVE_RUN"); run != "" && len(f.runs) == 0 {
		f.runs = []string{run}
	}
	if host := p.getenv("ICEBOX_SERVE_HOST"); host != "" && !cmd.Flags().Changed("host") {
		f.host = host
	}
	f.insecure = f.insecure || p.getenv("ICEBOX_SERVE_INSECURE") == "1"
}

// check refuses what contradicts itself, and what is not safe.
func (f *serveFlags) check() error {
	switch {
	case len(f.runs) == 0:
		return usagef("serve needs --run RUN: latest, or a folder that `icebox run` or `icebox train` wrote")
	case f.port < 0 || f.port > 65535:
		return usagef("--port (%d) must be from 0 to 65535", f.port)
	case (f.cert == "") != (f.key == ""):
		return usagef("--tls-cert and --tls-key go together")
	case !slices.Contains([]string{pipeline.PromoteNotWorse, pipeline.PromoteBetter, pipeline.PromoteAlways}, f.serving.Promote):
		return usagef("--promote %q is not known: choose %s, %s or %s", f.serving.Promote, pipeline.PromoteNotWorse, pipeline.PromoteBetter, pipeline.PromoteAlways)
	case f.serving.Queue < 1 || f.timeout <= 0 || f.maxBody < 1 || f.perClient < 0:
		return usagef("--queue, --timeout and --max-body must be above 0, and --per-client not below")
	case !isLoopback(f.host) && f.tokenFile == "" && !f.insecure:
		return usagef("--host %s lets other machines ask: name a --token-file, or say --insecure", f.host)
	}
	return nil
}

// isLoopback reports whether only this machine reaches a host.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
