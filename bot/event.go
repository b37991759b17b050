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
		b.afterAck(ctx, func(ctx context.Context) { b.home(ctx, e.Event.User) })
	}
	w.WriteHeader(http.StatusOK)
}

// homeRows is how many rows each part of App Home shows.
const homeRows = 20

// home publishes a person's App Home.
func (b *Bot) home(ctx context.Context, user string) {
	who := b.person(ctx, user)
	var h templates.HomeView
	if h.Refused = b.mayRead(who); h.Refused != "" {
		b.turnedAway(who, "home", h.Refused)
	} else {
		waiting, rest, err := b.mine(ctx, who)
		if err != nil {
			b.o.Log.Error("home not read", "actor", user, "error", err.Error())
			h.Refused = "keyturn cannot read its store just now. Open this page again in a minute."
		}
		n, m := min(len(waiting), homeRows), min(len(rest), homeRows)
		h.Waiting, h.More, h.Mine, h.MoreOf = waiting[:n], len(waiting)-n, rest[:m], len(rest)-m
	}
	if err := b.o.Slack.PublishHome(ctx, user, templates.Home(h)); err != nil {
		b.o.Log.Warn("home not published", "actor", user, "error", err.Error())
	}
}
