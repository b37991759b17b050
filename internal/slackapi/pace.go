package slackapi

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Slack's limits (docs.slack.dev, "Rate limits"): methods belong to tiers, counted per app and workspace in a minute;
// chat.postMessage takes about one message a second and channel, with short bursts. Ours are below them, because Slack
// counts in windows that we do not see.
const (
	tier2 = 20
	tier3 = 50
	tier4 = 100

	postEvery = 1050 * time.Millisecond
	postBurst = 3
)

var tiers = map[string]int{
	"usergroups.users.list": tier2,
	"chat.update":           tier3, "users.lookupByEmail": tier3, "conversations.open": tier3,
	"users.info": tier4, "views.open": tier4, "views.publish": tier4, "views.update": tier4, "chat.postEphemeral": tier4,
}

// mostPaces bounds the memory of paces; when it is full it starts afresh.
const mostPaces = 10_000

// Pace keeps a client below Slack's limits. Each method has a bucket of its own, so that background work never starves what a
// person waits for. It belongs to one client, or to several of one process.
type Pace struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	held    map[string]time.Time // Slack said not before
	free    bool
}

// NewPace returns a Pace on a clock.
func NewPace(now func() time.Time) *Pace {
	return &Pace{now: now, buckets: map[string]*rate.Limiter{}, held: map[string]time.Time{}}
}

// Unpaced returns a Pace that knows no limits but what Slack asks for.
func Unpaced(now func() time.Time) *Pace {
	p := NewPace(now)
	p.free = true
	return p
}

// key names what a call is limited by: its method, and where it posts.
func key(method, channel string) string {
	if method == "chat.postMessage" {
		return method + " " + channel
	}
	return method
}

// take takes a turn for a call. It returns how long to wait for it, and a function that gives the turn back.
func (p *Pace) take(k, method string) (wait time.Duration, giveBack func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if until, ok := p.held[k]; ok {
		if wait = until.Sub(now); wait <= 0 {
			delete(p.held, k)
			wait = 0
		}
	}
	b := p.bucket(k, method)
	if b == nil {
		return wait, func() {}
	}
	r := b.ReserveN(now, 1)
	return max(wait, r.DelayFrom(now)), func() { r.CancelAt(now) }
}

// bucket returns the bucket of a key, or nil if it has no limit. It needs mu.
func (p *Pace) bucket(k, method string) *rate.Limiter {
	if b, ok := p.buckets[k]; ok || p.free {
		return b
	}
	var b *rate.Limiter
	switch perMinute := tiers[method]; {
	case method == "chat.postMessage":
		b = rate.NewLimiter(rate.Every(postEvery), postBurst)
	case perMinute > 0: // more than half of them at once, for people who all click in one moment, and the rest over the minute
		atOnce := perMinute * 3 / 5
		b = rate.NewLimiter(rate.Limit(float64(perMinute-atOnce)/60), atOnce)
	default:
		return nil
	}
	if len(p.buckets) >= mostPaces {
		p.buckets = map[string]*rate.Limiter{}
	}
	p.buckets[k] = b
	return b
}

// hold notes that Slack asked everybody to wait.
func (p *Pace) hold(k string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.held) >= mostPaces {
		p.held = map[string]time.Time{}
	}
	if until := p.now().Add(d); until.After(p.held[k]) {
		p.held[k] = until
	}
}

// turn waits for a call's turn. Where that takes longer than it is worth, or than ctx lasts, the call is not made:
// ErrRateLimited says when to try again.
func (c *Client) turn(ctx context.Context, method, k string) error {
	wait, giveBack := c.pace.take(k, method)
	if wait <= 0 {
		return nil
	}
	if wait > maxWait || !fits(ctx, wait) {
		giveBack()
		return &Error{Method: method, RetryAfter: wait, kind: ErrRateLimited, notSent: true}
	}
	if err := c.wait(ctx, wait); err != nil {
		giveBack()
		return &Error{Method: method, RetryAfter: wait, kind: ErrRateLimited, cause: err, notSent: true}
	}
	return nil
}
