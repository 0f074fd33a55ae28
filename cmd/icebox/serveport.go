package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"

	"icebox/pipeline/serve/web"
)

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
		Origins: f.origins, MaxBody: f.maxBody, Timeout: f.timeout, PerClient: f.perClient, HealthPath: f.health, PredictPath: f.predict, Pprof: f.pprof,
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
