package slackapi

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Slack's limits (docs.slack.dev, "Rate limits"): methods belong to tiers, counted per app and workspace in a minute;
// chat.postMessage takes about one message a second and channel, with short bursts. Ours are a tenth below them, because
// Slack counts in windows that we do not see, and what left in its turn arrives with whatever delay the network has.
const (
	tier2 = 20 * 9 / 10
	tier3 = 50 * 9 / 10
	tier4 = 100 * 9 / 10

	postEvery = 1050 * time.Millisecond
	postBurst = 3
)

var tiers = map[string]int{
	"usergroups.users.list": tier2,
	"chat.update":           tier3, "users.lookupByEmail": tier3, "conversations.open": tier3,
	"users.info": tier4, "views.open": tier4, "views.publish": tier4, "views.update": tier4, "chat.postEphemeral": tier4,
}

// lookups are asked before a click is acknowledged and in the background too. A tenth of their turns is kept for callers
// whose time ends before Slack gives up on the click: to them a turn in ten seconds is as good as none.
var lookups = map[string]bool{"users.info": true, "users.lookupByEmail": true, "usergroups.users.list": true}

// ackWithin is how long Slack waits for the answer to a click (docs.slack.dev, "Handling user interaction").
const ackWithin = 3 * time.Second

// somePaces is from how many paces on those are forgotten that hold nobody back.
const somePaces = 10_000

// Pace keeps a client below Slack's limits. Each method has a bucket of its own, so that background work never starves what a
// person waits for. It belongs to one client, or to several of one process: another process has its own, and between them
// Slack's "not so fast" decides.
type Pace struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	held    map[string]time.Time // Slack said not before
	sweepAt int
	free    bool
}

// NewPace returns a Pace on a clock.
func NewPace(now func() time.Time) *Pace {
	return &Pace{now: now, buckets: map[string]*rate.Limiter{}, held: map[string]time.Time{}, sweepAt: somePaces}
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

// ticket is a place in the queue.
type ticket struct {
	wait  time.Duration
	until time.Time         // what Slack had asked for when the place was taken
	place *rate.Reservation // nil without a limit of our own
}

// take takes a turn for a call. Turns are counted from when Slack allows the next one.
func (p *Pace) take(k, method string, urgent bool) ticket {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	t := ticket{until: p.held[k]}
	at := p.from(k, now)
	t.wait = at.Sub(now)
	b := p.bucket(k, method, false)
	if b == nil {
		return t
	}
	t.place = b.ReserveN(at, 1)
	if urgent && lookups[method] && t.place.DelayFrom(at) > 0 {
		if kept := p.bucket(k, method, true); kept.TokensAt(at) >= 1 {
			t.place.CancelAt(at)
			t.place = kept.ReserveN(at, 1)
		}
	}
	t.wait = t.place.DelayFrom(now)
	return t
}

// from is when the next call may be made as far as Slack is concerned. It never goes back, which the buckets rely on. It
// needs mu.
func (p *Pace) from(k string, now time.Time) time.Time {
	if until := p.held[k]; until.After(now) {
		return until
	}
	return now
}

// giveBack leaves the queue.
func (p *Pace) giveBack(k string, t ticket) {
	if t.place == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t.place.CancelAt(p.from(k, p.now()))
}

// moved reports whether Slack asked for more time since the ticket was taken.
func (p *Pace) moved(k string, t ticket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held[k].After(t.until)
}

// bucket returns the bucket of a key, or nil if it has no limit; kept is the part for urgent lookups. It needs mu.
func (p *Pace) bucket(k, method string, kept bool) *rate.Limiter {
	name := k
	if kept {
		name += " kept"
	}
	if b, ok := p.buckets[name]; ok || p.free {
		return b
	}
	perMinute := tiers[method]
	atOnce := perMinute * 3 / 5 // for people who all click in one moment; the rest comes over the minute
	if lookups[method] {
		most := perMinute * 9 / 10
		if kept {
			most = perMinute - most
		}
		perMinute, atOnce = most, most*2/3
	}
	var b *rate.Limiter
	switch {
	case method == "chat.postMessage":
		b = rate.NewLimiter(rate.Every(postEvery), postBurst)
	case perMinute > 0:
		b = rate.NewLimiter(rate.Limit(float64(perMinute-atOnce)/60), atOnce)
	default:
		return nil
	}
	p.sweep()
	p.buckets[name] = b
	return b
}

// hold notes that Slack asked everybody to wait. It has counted more calls than we know of, as other processes make them
// too: after the wait calls go one by one.
func (p *Pace) hold(k, method string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := p.now().Add(d)
	if !until.After(p.held[k]) {
		return
	}
	p.sweep()
	p.held[k] = until
	if b := p.bucket(k, method, false); b != nil {
		if saved := int(b.TokensAt(until)) - 1; saved > 0 {
			b.ReserveN(until, saved)
		}
	}
}

// sweep forgets what holds nobody back: buckets that are full again, and waits that are over. It needs mu.
func (p *Pace) sweep() {
	if len(p.buckets)+len(p.held) < p.sweepAt {
		return
	}
	now := p.now()
	for name, b := range p.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(p.buckets, name)
		}
	}
	for k, until := range p.held {
		if !until.After(now) {
			delete(p.held, k)
		}
	}
	p.sweepAt = max(somePaces, 2*(len(p.buckets)+len(p.held)))
}

// turn waits for a call's turn. Where that takes longer than it is worth, or than ctx lasts, the call is not made:
// ErrRateLimited says when to try again.
func (c *Client) turn(ctx context.Context, method, k string) error {
	t := c.pace.take(k, method, urgent(ctx))
	for waited := time.Duration(0); t.wait > 0; {
		if waited+t.wait > maxWait || !fits(ctx, t.wait) {
			c.pace.giveBack(k, t)
			return &Error{Method: method, RetryAfter: t.wait, kind: ErrRateLimited, notSent: true}
		}
		if err := c.wait(ctx, t.wait); err != nil {
			c.pace.giveBack(k, t)
			return &Error{Method: method, RetryAfter: t.wait, kind: ErrRateLimited, cause: err, notSent: true}
		}
		if !c.pace.moved(k, t) {
			return nil
		}
		waited += t.wait
		t = c.pace.take(k, method, urgent(ctx))
	}
	return nil
}

// urgent reports whether a caller cannot wait, because a click is to be acknowledged.
func urgent(ctx context.Context) bool {
	end, has := ctx.Deadline()
	return has && time.Until(end) < ackWithin
}
