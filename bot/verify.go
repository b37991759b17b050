package bot

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/slack-go/slack"
)

// MostBody is the largest request that is read, in bytes. Slack's own are far smaller.
const MostBody = 256 << 10

// signed lets a request through only if it is a POST of bearable size whose raw body Slack signed within the last five
// minutes. Nothing of the body is parsed before that. Copies within the five minutes pass: state makes them harmless.
func (b *Bot) signed(next func(ctx context.Context, w http.ResponseWriter, body []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MostBody))
		if err != nil {
			status := http.StatusBadRequest
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				status = http.StatusRequestEntityTooLarge
			}
			b.o.Log.Warn("request refused", "path", r.URL.Path, "status", status, "remote", r.RemoteAddr, "why", err.Error())
			http.Error(w, http.StatusText(status), status)
			return
		}
		if err := verify(r.Header, body, b.o.SigningSecret); err != nil {
			b.o.Log.Warn("request refused", "path", r.URL.Path, "status", http.StatusUnauthorized, "remote", r.RemoteAddr, "why", err.Error())
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		began := b.o.Real()
		// A connection that Slack drops must not leave a save half known.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), b.ack)
		defer cancel()
		next(ctx, w, body)
		b.o.Log.LogAttrs(ctx, slog.LevelDebug, "request answered", slog.String("path", r.URL.Path), slog.Duration("took", b.o.Real().Sub(began)))
	}
}

func verify(h http.Header, body []byte, secret string) error {
	v, err := slack.NewSecretsVerifier(h, secret)
	if err != nil {
		return err
	}
	if _, err := v.Write(body); err != nil {
		return err
	}
	return v.Ensure()
}
