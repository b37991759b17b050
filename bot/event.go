package bot

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/keyturn/keyturn/templates"
)

// event serves the Events API. Retries are served like the first time: publishing the same Home twice does no harm, and a
// dropped retry might be the only one that arrives.
func (b *Bot) event(ctx context.Context, w http.ResponseWriter, body []byte) {
	var e struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
		Event     struct {
			Type string `json:"type"`
			User string `json:"user"`
			Tab  string `json:"tab"`
		} `json:"event"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Type == "" {
		b.o.Log.Warn("event not understood")
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	if e.Type == "url_verification" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(templates.Cut(e.Challenge, 1000)))
		return
	}
	if e.Event.Type == "app_home_opened" && e.Event.User != "" && (e.Event.Tab == "" || e.Event.Tab == "home") {
		b.afterAck(ctx, func(ctx context.Context) { b.home(ctx, e.Event.User, cursor{List: listHome, Page: 1}) })
	}
	w.WriteHeader(http.StatusOK)
}
