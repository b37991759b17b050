package function

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/keyturn/keyturn/internal/app"
)

// answersWithin is how long an invocation waits for answers that the bot sends beside its acknowledgement. AWS freezes a
// function that has answered, so they are sent before; Slack wants the acknowledgement within three seconds of the click.
const answersWithin = 2300 * time.Millisecond

// bot turns a Function URL event (payload 2.0) into a request to the HTTP handler that serve uses too.
func (h *Handler) bot(ctx context.Context, a *app.App, event []byte) (any, error) {
	if t, ok := taskOf(event); ok && t.Task == "doctor" {
		return h.doctor(ctx, a, t)
	}
	began := h.o.Real()
	req, err := request(ctx, event)
	if err != nil {
		return nil, h.unknown("a Function URL event of payload version 2.0 is expected: %w: %s", err, clip(event))
	}
	w := &answer{header: http.Header{}}
	a.Handler().ServeHTTP(w, req)
	if left := answersWithin - h.o.Real().Sub(began); left > 0 {
		ctx, cancel := context.WithTimeout(ctx, left)
		defer cancel()
		if err := a.Answered(ctx); err != nil {
			h.o.Log.Warn("an answer to Slack takes long; it goes on with the next request", "path", req.URL.Path)
		}
	}
	return w.event(), nil
}

// request reads a Function URL event.
func request(ctx context.Context, event []byte) (*http.Request, error) {
	var e events.LambdaFunctionURLRequest
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	call := e.RequestContext.HTTP
	if e.Version != "2.0" || call.Method == "" || !strings.HasPrefix(e.RawPath, "/") {
		return nil, fmt.Errorf("version %q, method %q, path %q", e.Version, call.Method, e.RawPath)
	}
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, fmt.Errorf("the body is not base64: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, call.Method, "/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	// The path comes decoded, the query as it was sent. Neither is parsed as a URL: "//x" is a path here and no host.
	req.URL = &url.URL{Path: e.RawPath, RawQuery: e.RawQueryString}
	for name, value := range e.Headers {
		req.Header.Set(name, value)
	}
	for _, c := range e.Cookies {
		req.Header.Add("Cookie", c)
	}
	req.Host, req.RemoteAddr, req.RequestURI = e.RequestContext.DomainName, call.SourceIP, req.URL.RequestURI()
	return req, nil
}

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *answer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *answer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *answer) event() events.LambdaFunctionURLResponse {
	w.WriteHeader(http.StatusOK)
	if w.header.Get("Content-Type") == "" && w.body.Len() > 0 {
		w.header.Set("Content-Type", http.DetectContentType(w.body.Bytes()))
	}
	e := events.LambdaFunctionURLResponse{StatusCode: w.status, Headers: map[string]string{}, Body: w.body.String()}
	for name, values := range w.header {
		if name == "Set-Cookie" {
			e.Cookies = values
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if !utf8.Valid(w.body.Bytes()) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	return e
}
