package main

import (
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"icebox/pipeline"
	"icebox/pipeline/serve/web"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	settings
	runs, origins        []string
	host, localFiles     string
	health, predict      string // paths of Vertex AI
	port                 int
	tokenFile, cert, key string
	insecure, pprof      bool
	serving              pipeline.ServeOptions
	timeout              time.Duration
	maxBody              int64
	perClient            int
}

// fromEnvironment takes what flags do not say from the environment: from its own variables,
// and from those by which Vertex AI tells a container what it will ask.
func (f *serveFlags) fromEnvironment(p *process, cmd *cobra.Command) error {
	if run := p.getenv("ICEBOX_SERVE_RUN"); run != "" && len(f.runs) == 0 {
		f.runs = []string{run}
	}
	if host := p.getenv("ICEBOX_SERVE_HOST"); host != "" && !cmd.Flags().Changed("host") {
		f.host = host
	}
	f.insecure = f.insecure || p.getenv("ICEBOX_SERVE_INSECURE") == "1"
	if port := p.getenv("AIP_HTTP_PORT"); port != "" && !cmd.Flags().Changed("port") {
		var err error
		if f.port, err = strconv.Atoi(port); err != nil || f.port < 0 || f.port > 65535 {
			return usagef("AIP_HTTP_PORT (%s) must be a number from 0 to 65535", port)
		}
	}
	for name, to := range map[string]*string{"AIP_HEALTH_ROUTE": &f.health, "AIP_PREDICT_ROUTE": &f.predict} {
		if *to = p.getenv(name); *to != "" {
			if err := web.CheckPath(*to); err != nil {
				return usagef("%s: %w", name, err)
			}
		}
	}
	return nil
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
