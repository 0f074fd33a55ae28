package main

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/spf13/cobra"

	"icebox/config"
	"icebox/pipeline"
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
for the flags, as in a container, and Vertex AI's AIP_HTTP_PORT,
AIP_HEALTH_ROUTE and AIP_PREDICT_ROUTE say where it will be asked. Images are
sent, never fetched.

Tasks of Label Studio name files below the folder of --local-files. With
data.corrections=FILE, too, annotations of the dataset's images are written to
that file, and each trains a new run, which is served by the rule of --promote.
Of several models, each is a back end of its own below /labelstudio/NAME.

  icebox serve --run latest
  curl -T a.jpg http://127.0.0.1:8080/predictions/photos`

func (p *process) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve --run RUN [--run NAME=RUN …] [--host HOST] [--port N]",
		Short: "Answer for images over HTTP, in the languages of other servers",
		Long:  serveHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.fromEnvironment(p, cmd); err != nil {
				return err
			}
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
