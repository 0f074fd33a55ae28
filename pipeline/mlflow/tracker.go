package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrDenied is wrapped by the error of a tracker that wants to know who asks.
var ErrDenied = errors.New("it wants to know who asks")

// maxAnswer is the most bytes of an answer that are read.
const maxAnswer = 1 << 20

// Tracker is a server at an address. Close lets go of its connections.
type Tracker struct {
	address, authorization string
	client                 *http.Client
}

// Check returns an error unless an address is one of a tracker. It must hold no password,
// because addresses are written into runs.
func Check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("is no address") // the error of url.Parse quotes it
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("(%s) must be an address as http://127.0.0.1:5000", u.Redacted())
	case u.User != nil:
		return errors.New("must not hold a name or a password: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN")
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("(%s) must end where the tracker's own paths begin", address)
	}
	return nil
}

// New returns the tracker at an address that passes [Check]. The token, or the name and the
// password, are those of MLflow's own environment variables, which env looks up.
func New(address string, env func(string) string) *Tracker {
	t := &Tracker{address: strings.TrimRight(address, "/"), client: &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if token := env("MLFLOW_TRACKING_TOKEN"); token != "" {
		t.authorization = "Bearer " + token
	} else if user, password := env("MLFLOW_TRACKING_USERNAME"), env("MLFLOW_TRACKING_PASSWORD"); user != "" || password != "" {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		t.authorization = r.Header.Get("Authorization")
	}
	return t
}

// Close lets go of connections.
func (t *Tracker) Close() { t.client.CloseIdleConnections() }

// answerError is what a tracker says is wrong.
type answerError struct {
	call, code, text string
	status           int
}

func (e *answerError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s: status %d %s %s", e.call, e.status, e.code, e.text))
}

// ask calls a method of the API with a value in JSON, and reads the answer into another one.
func (t *Tracker) ask(ctx context.Context, method, call string, query url.Values, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	address := t.address + "/api/2.0/mlflow/" + call
	if query != nil {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if t.authorization != "" {
		r.Header.Set("Authorization", t.authorization)
	}
	answer, err := t.client.Do(r)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // without the address, which callers name
		}
		return err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return failure(call, answer, data)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s: the answer is none of MLflow: %w", call, err)
	}
	return nil
}

// failure reads the form of MLflow's errors, where an answer has it.
func failure(call string, answer *http.Response, data []byte) error {
	e := &answerError{call: call, status: answer.StatusCode}
	var said struct {
		Code    string `json:"error_code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &said) == nil {
		e.code, e.text = said.Code, cut(said.Message, 300)
	}
	if answer.Header.Get("Location") != "" {
		e.text = "it leads elsewhere, which is not followed"
	}
	if e.status == http.StatusUnauthorized || e.status == http.StatusForbidden {
		return fmt.Errorf("%w: %w", ErrDenied, e)
	}
	return e
}

// cut is a text of so many bytes at most.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most-len("…")], "") + "…"
	}
	return text
}

// milliseconds is a moment as MLflow writes it.
func milliseconds(at time.Time) int64 { return at.UnixMilli() }
