// Package httpd runs HTTP servers until they are told to end.
package httpd

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Options say how a server ends, and what it waits for.
type Options struct {
	// Grace is how long requests that are being answered have when ctx is done.
	Grace time.Duration
	// Streams has the contexts of requests end with ctx, for handlers that stream for ever;
	// else a request is answered to its end.
	Streams bool
	// HTTP2 has the server speak HTTP/2 without TLS, too, to clients that begin with it.
	HTTP2 bool
	// Read and Write are how long a request and its answer may take to travel.
	Read, Write time.Duration
}

// Serve answers requests on a listener until ctx is done, and the requests of that moment
// are answered, or [Options.Grace] is over.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, o Options) error {
	requests, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	srv := &http.Server{
		Handler: handler, BaseContext: func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: o.Read, WriteTimeout: o.Write, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	if o.HTTP2 {
		srv.Protocols = new(http.Protocols)
		srv.Protocols.SetHTTP1(true)
		srv.Protocols.SetHTTP2(true)
		srv.Protocols.SetUnencryptedHTTP2(true)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	if o.Streams {
		stop()
	}
	moment, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Grace)
	defer cancel()
	err := srv.Shutdown(moment)
	if errors.Is(err, context.DeadlineExceeded) {
		stop()
		err = srv.Close()
	}
	if left := <-ended; !errors.Is(left, http.ErrServerClosed) {
		err = errors.Join(err, left)
	}
	return err
}

// Hosts are the names by which a program on this machine reaches a port.
func Hosts(port string) []string {
	var all []string
	for _, name := range []string{"127.0.0.1", "localhost", "::1"} {
		all = append(all, net.JoinHostPort(name, port))
	}
	return all
}
