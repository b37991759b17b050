package slackapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/notify"
	"github.com/keyturn/keyturn/internal/pause"
)

// Options is what a Client needs. Only Token is required.
type Options struct {
	Token    string
	APIURL   string           // empty: https://slack.com/api/
	HTTP     *http.Client     // nil: one with a timeout; redirects are never followed, because the token would go with them
	CacheFor time.Duration    // how long a person's standing is remembered; 0: five minutes, negative: not at all
	Now      func() time.Time // protocol clock, for the cache; nil: the real one
	Log      *slog.Logger     // nil: slog.Default
	Pace     *Pace            // keeps below Slack's limits; nil: one of its own

	// Wait pauses before a call is tried again; nil: a real pause. It returns an error if ctx ends before that.
	Wait func(ctx context.Context, d time.Duration) error
}

const (
	defaultCache = 5 * time.Minute
	maxTries     = 3
	maxWait      = 30 * time.Second // the longest Retry-After that is waited out
	callTimeout  = 15 * time.Second
)

var _ notify.Slack = (*Client)(nil)

// Client calls Slack with one bot token. It is safe for concurrent use.
type Client struct {
	api    calls
	http   *http.Client
	base   *url.URL
	token  string
	log    *slog.Logger
	people *people
	groups *groups
	pace   *Pace
	wait   func(ctx context.Context, d time.Duration) error
}

// New returns a client. It makes no call: AuthTest shows whether the token is good.
func New(o Options) *Client {
	if o.APIURL == "" {
		o.APIURL = slack.APIURL
	}
	if !strings.HasSuffix(o.APIURL, "/") {
		o.APIURL += "/"
	}
	base, err := url.Parse(o.APIURL)
	if err != nil {
		base = &url.URL{} // the configuration checks the address; a call to a bad one fails with a sentence of its own
	}
	hc := &http.Client{Timeout: callTimeout}
	if o.HTTP != nil {
		c := *o.HTTP
		hc = &c
	}
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if o.CacheFor == 0 {
		o.CacheFor = defaultCache
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Wait == nil {
		o.Wait = pause.For
	}
	if o.Pace == nil {
		o.Pace = NewPace(o.Now)
	}
	return &Client{
		api:    callsOf(slack.New(o.Token, slack.OptionAPIURL(o.APIURL), slack.OptionHTTPClient(hc))),
		http:   hc,
		base:   base,
		token:  o.Token,
		log:    o.Log,
		people: newPeople(o.CacheFor, o.Now),
		groups: newGroups(o.CacheFor, o.Now),
		pace:   o.Pace,
		wait:   o.Wait,
	}
}

// safety says whether a call whose effect is unknown may be made again.
type safety bool

const (
	repeatable safety = true  // reads, and writes that say the same twice
	once       safety = false // a second one would be seen: a message posted twice
)

// call makes a call in its turn, with bounded retries. channel is where it posts, if it does. Slack's "not so fast" is obeyed
// where the wait fits into the context's time and below maxWait, by everybody who uses this client; failures of unknown
// effect are tried again only if that does no harm.
func (c *Client) call(ctx context.Context, method, channel string, s safety, do func(context.Context) error) error {
	k := key(method, channel)
	for try := 1; ; try++ {
		if err := c.turn(ctx, method, k); err != nil {
			return err
		}
		err := c.typed(method, do(ctx))
		if err == nil {
			return nil
		}
		pause, again := retryAfter(err, s, try)
		if errors.Is(err, ErrRateLimited) {
			c.pace.hold(k, method, pause)
		}
		if !again || try >= maxTries || !fits(ctx, pause) {
			return err
		}
		c.log.LogAttrs(ctx, slog.LevelInfo, "slack call is tried again", slog.String("method", method),
			slog.Int("try", try), slog.Duration("after", pause), slog.String("why", err.Error()))
		if errors.Is(err, ErrRateLimited) {
			continue // its turn comes when Slack is ready
		}
		if c.wait(ctx, pause) != nil {
			return err
		}
	}
}

func retryAfter(err error, s safety, try int) (time.Duration, bool) {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return 0, false
	case errors.Is(err, ErrRateLimited):
		return max(e.RetryAfter, time.Second), e.RetryAfter <= maxWait
	case errors.Is(err, ErrUnavailable) && (s == repeatable || e.notSent):
		return 200 * time.Millisecond << (try - 1), true
	default:
		return 0, false
	}
}

func fits(ctx context.Context, pause time.Duration) bool {
	end, has := ctx.Deadline()
	return !has || pause < time.Until(end)
}
