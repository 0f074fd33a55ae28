package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/pipeline"
	"icebox/pipeline/runs"
	"icebox/pipeline/serve/web"
	"icebox/pipeline/words"
)

const serveHelp = `serve answers for images over HTTP, with the head of a run, until it is told to
end (Ctrl-C or SIGTERM; requests that have come are answered). It speaks the
languages of other servers' clients:

  POST /, /models/NAME               Hugging Face's inference API
  /v2/…                              Open Inference Protocol (KServe, Triton)
  inference.GRPCInferenceService     the same over gRPC, at the same port
  POST /predictions/NAME             TorchServe
  POST /invocations, GET /ping       MLflow, SageMaker
  /v1/models/NAME:predict, :classify TensorFlow Serving
  POST /image                        Custom Vision's containers
  POST /setup, /predict, /train, …   Label Studio's machine-learning back end
  /metrics, /openapi.json            numbers for Prometheus, all paths

--run takes a folder, the name of a run or latest, as NAME=RUN under another
name than that of its dataset, and may be given several times; or a folder of
runs, of which the newest of each name is served. With a name or latest, a newer
run takes the place of the one that is served, also on SIGHUP, unless it is
worse on the same held-out images by more than chance (--promote).

Without --host it listens on this machine alone. Elsewhere it wants a file with
a token, which clients send as "Authorization: Bearer …", or --insecure. The
variables ICEBOX_SERVE_RUN, ICEBOX_SERVE_HOST and ICEBOX_SERVE_INSECURE=1 stand
for the flags, as in a container. Images are sent, never fetched.

Tasks of Label Studio name files below the folder of --local-files. With
data.corrections=FILE, too, annotations of the dataset's images are written to
that file, and each trains a new run, which is served by the rule of --promote.

  icebox serve --run latest
  curl -T a.jpg http://127.0.0.1:8080/predictions/photos`

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

func (p *process) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve --run RUN [--run NAME=RUN …] [--host HOST] [--port N]",
		Short: "Answer for images over HTTP, in the languages of other servers",
		Long:  serveHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.fromEnvironment(p, cmd)
			if err := f.check(); err != nil {
				return err
			}
			cfg, err := f.load(p, args)
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), &f, cfg)
		},
	}
	f.settings.addFlags(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.runs, "run", nil, "`run` to serve: its folder, its name, latest, or NAME=RUN; may be repeated")
	flags.StringVar(&f.host, "host", "127.0.0.1", "`address` to listen at")
	flags.IntVar(&f.port, "port", 8080, "`number` of the port; 0 takes a free one")
	flags.StringVar(&f.tokenFile, "token-file", "", "`file` with the token that requests must bring")
	flags.BoolVar(&f.insecure, "insecure", false, "listen at another address than this machine's without a token")
	flags.StringVar(&f.cert, "tls-cert", "", "`file` with the certificate, for HTTPS")
	flags.StringVar(&f.key, "tls-key", "", "`file` with the key of the certificate")
	flags.StringArrayVar(&f.origins, "origin", nil, "`origin` of pages that may ask, as https://example.org; may be repeated")
	flags.StringVar(&f.localFiles, "local-files", "", "`folder` below which tasks of Label Studio have their images")
	flags.StringVar(&f.serving.Promote, "promote", pipeline.PromoteNotWorse, "when a newer run takes over: "+words.Or([]string{pipeline.PromoteNotWorse, pipeline.PromoteBetter, pipeline.PromoteAlways}))
	flags.BoolVar(&f.serving.Exact, "exact", false, "answer as eval does, bit by bit, and not as predict does for a few files")
	flags.IntVar(&f.serving.Queue, "queue", 256, "`number` of images that may wait; more are refused (503)")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "how long an answer may take")
	flags.Int64Var(&f.maxBody, "max-body", 64<<20, "most `bytes` of a request")
	flags.IntVar(&f.perClient, "per-client", 0, "`number` of requests of one address that are answered at a time; 0 is no limit")
	flags.BoolVar(&f.pprof, "pprof", false, "serve profiles of the program below /debug/pprof/")
	return cmd
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

// served are the runs that the flags name.
func (f *serveFlags) served(p *process, cfg *config.Config) ([]pipeline.Served, error) {
	var all []pipeline.Served
	for _, text := range f.runs {
		name, run, named := strings.Cut(text, "=")
		if !named {
			name, run = "", text
		}
		if name == "" && named {
			return nil, usagef("--run %s has no name before the =", text)
		}
		dir := p.path(run)
		if found, err := runs.List(dir); !named && err == nil && len(found) > 0 && !isRunFolder(dir) {
			all = append(all, newestOfEach(p, cfg, dir, found)...)
			continue
		}
		if _, o, err := p.findRun(cfg, run); err != nil {
			return nil, err
		} else {
			all = append(all, pipeline.Served{Name: name, Options: o, Find: func() (string, error) {
				dir, _, err := p.findRun(cfg, run)
				return dir, err
			}})
		}
	}
	return all, nil
}

// isRunFolder reports whether dir is the folder of one run.
func isRunFolder(dir string) bool {
	_, _, err := runs.Head(dir)
	return err == nil
}

// newestOfEach are the newest runs of each name in a folder of runs.
func newestOfEach(p *process, cfg *config.Config, dir string, found []string) []pipeline.Served {
	var all []pipeline.Served
	var names []string
	for _, run := range found {
		name := runs.Name(run)
		if slices.Contains(names, name) {
			continue
		}
		names = append(names, name)
		_, o, err := p.findRun(cfg, run)
		if err != nil {
			continue // opening it says so
		}
		all = append(all, pipeline.Served{Name: name, Options: o, Find: func() (string, error) { return runs.Find(dir, name, "") }})
	}
	return all
}

// serve serves until ctx is done.
func (p *process) serve(ctx context.Context, f *serveFlags, cfg *config.Config) (err error) {
	o, err := f.webOptions(p)
	if err != nil {
		return err
	}
	if o.LocalFiles != nil {
		defer o.LocalFiles.Close()
	}
	all, err := f.served(p, cfg)
	if err != nil {
		return err
	}
	f.serving.Corrections = p.options(cfg).Data.Corrections
	f.serving.Reloaded = func(r pipeline.Reloaded) { tell(o, r) }
	bar := p.progress()
	for i := range all {
		all[i].Options.Fetch = p.fetcher(bar)
		all[i].Options.Data.Corrections = "" // a head is judged by the labels that were given
	}
	f.serving.Batched = o.Metrics.Batched
	s, err := pipeline.OpenServer(ctx, all, f.serving)
	bar.finish()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if f.serving.Corrections != "" {
		o.Learn, o.Train = s.Learn, s.Train
	}
	l, err := f.listen(ctx)
	if err != nil {
		return err
	}
	scheme := "http"
	if f.cert != "" {
		scheme = "https"
	}
	if isLoopback(f.host) {
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return errors.Join(err, l.Close())
		}
		o.Hosts = web.Hosts(port)
	}
	address := scheme + "://" + l.Addr().String() + "/"
	if err := p.printLine(map[string]any{"address": address, "models": s.Shelf.Names()}, "%s", address); err != nil {
		return errors.Join(err, l.Close())
	}
	watch, stop := context.WithCancel(ctx)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		follow(watch, s, o)
	}()
	err = web.Serve(ctx, l, web.New(s.Shelf, o))
	stop()
	<-followed
	return err
}

// listen opens the port.
func (f *serveFlags) listen(ctx context.Context) (net.Listener, error) {
	var secure *tls.Config
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, usagef("--tls-cert and --tls-key: %w", err)
		}
		secure = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(f.host, strconv.Itoa(f.port)))
	if err != nil {
		return nil, fmt.Errorf("the server has no port to listen on: %w", err)
	}
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	return l, nil
}

// webOptions are those of the HTTP server.
func (f *serveFlags) webOptions(p *process) (web.Options, error) {
	o := web.Options{
		Origins: f.origins, MaxBody: f.maxBody, Timeout: f.timeout, PerClient: f.perClient, Pprof: f.pprof,
		Program: "icebox " + version, Metrics: web.NewMetrics(),
		Log: slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: p.logLevel()})),
	}
	if p.json {
		o.Log = slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{Level: p.logLevel()}))
	}
	if f.localFiles != "" {
		var err error
		if o.LocalFiles, err = os.OpenRoot(p.path(f.localFiles)); err != nil {
			return o, usagef("--local-files: %w", err)
		}
	}
	if f.tokenFile != "" {
		data, err := os.ReadFile(p.path(f.tokenFile))
		if err != nil {
			return o, fmt.Errorf("the token: %w", err)
		}
		if o.Token = string(bytes.TrimSpace(data)); len(o.Token) < 16 {
			return o, usagef("the token in %s has %d characters, and 16 are the least", f.tokenFile, len(o.Token))
		}
	}
	return o, nil
}

// logLevel is what is worth a line of the log.
func (p *process) logLevel() slog.Level {
	if p.quiet {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// lookEvery is how often a newer run is looked for.
const lookEvery = 2 * time.Second

// follow looks for newer runs, every now and then and at each SIGHUP, until ctx is done.
func follow(ctx context.Context, s *pipeline.Server, o web.Options) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	now := time.NewTicker(lookEvery)
	defer now.Stop()
	for {
		again := false
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			again = true
		case <-now.C:
		}
		for _, r := range s.Reload(ctx, again) {
			tell(o, r)
		}
	}
}

// tell says what became of a newer run.
func tell(o web.Options, r pipeline.Reloaded) {
	attrs := []any{slog.String("model", r.Name), slog.String("from", r.From), slog.String("to", r.To)}
	if r.Why != "" {
		attrs = append(attrs, slog.String("test", r.Why))
	}
	switch {
	case r.Err != nil:
		o.Metrics.Reloaded(r.Name, "failed")
		o.Log.Warn("a newer run cannot be served", append(attrs, slog.String("error", r.Err.Error()))...)
	case r.Promoted:
		o.Metrics.Reloaded(r.Name, "promoted")
		o.Log.Info("a newer run is served", attrs...)
	default:
		o.Metrics.Reloaded(r.Name, "kept")
		o.Log.Warn("a newer run is not served, as it is not good enough", attrs...)
	}
}
