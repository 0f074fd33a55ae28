package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serving starts a command that serves, and returns its address and what ends it.
func serving(t *testing.T, dir string, environ []string, args ...string) (address string, end func() (code int, errOut string)) {
	t.Helper()
	ctx, interrupt := context.WithCancel(context.Background())
	t.Cleanup(interrupt)
	out, in := io.Pipe()
	var errOut bytes.Buffer
	p := &process{
		environ: append([]string{"HOME=" + dir, "ICEBOX_OFFLINE=1"}, environ...), dir: dir, stdin: strings.NewReader(""), stdout: in, stderr: &errOut,
		interrupts: func(context.Context) (context.Context, context.CancelFunc) { return ctx, interrupt },
	}
	ended := make(chan int, 1)
	go func() {
		ended <- p.main(args)
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: exit %d: %s", err, <-ended, errOut.String())
	}
	return strings.TrimSpace(line), func() (int, string) {
		interrupt()
		return <-ended, errOut.String()
	}
}

// fetched asks for an address, and returns status and body.
func fetched(t *testing.T, client *http.Client, method, address string, body []byte, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, address, bytes.NewReader(body))
	must(t, err)
	for n := 0; n+1 < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	answer, err := client.Do(r)
	must(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(t, err)
	return answer.StatusCode, string(text)
}

// newClient is a client that keeps no connection once the test is over.
func newClient(t *testing.T, transport *http.Transport) *http.Client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestServeAnswersUntilItIsInterrupted(t *testing.T) {
	dir := trainedIn(t)
	write(t, dir, "new.png", pngOf(t, 1, 50))
	address, end := serving(t, dir, nil, "serve", "--run", "latest", "--port", "0")
	if !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Fatal(address)
	}
	client := newClient(t, &http.Transport{})
	status, said := fetched(t, client, "PUT", address+"predictions/photos", pngOf(t, 1, 50))
	if status != 200 || !strings.HasPrefix(said, `{"b":`) {
		t.Errorf("%d %s", status, said)
	}
	if status, said = fetched(t, client, "GET", address+"openapi.json", nil); status != 200 || !strings.Contains(said, "/invocations") {
		t.Errorf("%d %.100s", status, said)
	}
	if status, said = fetched(t, client, "POST", address, []byte("no image")); status != 400 {
		t.Errorf("%d %s", status, said)
	}
	code, errOut := end()
	if code != exitOK || !strings.Contains(errOut, "path=/predictions/photos dialect=torchserve status=200") || !strings.Contains(errOut, "status=400") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

// writeCertificate writes a certificate for this machine, and returns it.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	made := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert, err := x509.CreateCertificate(rand.Reader, made, made, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	write(t, dir, "cert.pem", certPEM)
	write(t, dir, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pool
}

// With a token, other machines may ask, over TLS; the environment stands for flags.
func TestServeToOthers(t *testing.T) {
	dir := trainedIn(t)
	pool := writeCertificate(t, dir)
	write(t, dir, "token", []byte("a token of some length\n"))
	address, end := serving(t, dir, []string{"ICEBOX_SERVE_RUN=latest", "ICEBOX_SERVE_HOST=0.0.0.0"},
		"serve", "--port", "0", "--token-file", "token", "--tls-cert", dir+"/cert.pem", "--tls-key", dir+"/key.pem", "--quiet")
	if !strings.HasPrefix(address, "https://") {
		t.Fatal(address)
	}
	_, port, err := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(address, "https://"), "/"))
	must(t, err)
	address = "https://127.0.0.1:" + port + "/"
	client := newClient(t, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}})
	if status, said := fetched(t, client, "POST", address, pngOf(t, 0, 60)); status != 401 {
		t.Errorf("without a token: %d %s", status, said)
	}
	if status, said := fetched(t, client, "POST", address, pngOf(t, 0, 60), "Authorization", "Bearer a token of some length"); status != 200 || !strings.Contains(said, `"label":"a"`) {
		t.Errorf("with it: %d %s", status, said)
	}
	ready := []byte("\x00\x00\x00\x00\x08\x0a\x06photos")
	over2 := newClient(t, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true})
	method := address + "inference.GRPCInferenceService/ModelReady"
	if status, said := fetched(t, over2, "POST", method, ready, "Authorization", "Bearer a token of some length", "Content-Type", "application/grpc"); status != 200 || said != "\x00\x00\x00\x00\x02\x08\x01" {
		t.Errorf("gRPC over TLS: %d %q", status, said)
	}
	if code, errOut := end(); code != exitOK || strings.Contains(errOut, "status=200") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}

func TestServeRefusesWhatIsNotSafe(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "short", []byte("short"))
	for says, args := range map[string][]string{
		"serve needs --run RUN":       {},
		"name a --token-file, or say": {"--run", "latest", "--host", "0.0.0.0"},
		"--tls-cert and --tls-key go": {"--run", "latest", "--tls-cert", "x"},
		"--port (70000)":              {"--run", "latest", "--port", "70000"},
		"16 are the least":            {"--run", "latest", "--token-file", "short"},
		`--promote "sometimes"`:       {"--run", "latest", "--promote", "sometimes"},
		"has no name before the =":    {"--run", "=latest"},
	} {
		r := icebox(t, dir, append([]string{"serve"}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.errOut, says) {
			t.Errorf("%v: exit %d: %s", args, r.code, r.errOut)
		}
	}
	if r := icebox(t, dir, "serve", "--run", "latest"); r.code != exitData {
		t.Errorf("without a run: exit %d: %s", r.code, r.errOut)
	}
}
