package slackemu

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options configures a Server. With an empty Token every call is refused, as is every call with another token.
type Options struct {
	// Token is the bot token that the Web API accepts.
	Token string
	// SigningSecret signs what is sent to the bot.
	SigningSecret string
	// TeamID is the workspace; empty means T0ACME.
	TeamID string
	// Now gives the timestamps of messages and actions, which stay unique and increasing whatever it answers. Signatures,
	// triggers, response URLs and rates use the real clock. nil means time.Now.
	Now func() time.Time
	// RateClock is what rates are measured on; nil is the real clock. Signatures and triggers are not measured on it.
	RateClock func() time.Time
	// RateLimits makes the server refuse calls beyond Slack's tiers.
	RateLimits bool
	// BotURL is where the bot listens; SetBotURL may set it later.
	BotURL string
	// Scopes are the token's scopes; nil means AllScopes.
	Scopes []string
}

// AllScopes are the scopes that the emulated methods ask for, without chat:write.public.
var AllScopes = []string{
	"channels:read", "chat:write", "commands", "im:write", "team:read", "usergroups:read", "users:read", "users:read.email",
}

// Identifiers of the app itself.
const (
	AppID     = "A0KEYTURN"
	BotID     = "B0KEYTURN"
	BotUserID = "U0KEYTURN"
)

// Server is the emulated Slack. It is safe for concurrent use. Make one with New.
type Server struct {
	opt       Options
	now       func() time.Time
	real      func() time.Time
	ackWithin time.Duration // how long the bot may take to answer
	client    *http.Client  // towards the bot
	done      chan struct{} // closed by Close: lets hanging calls go

	mu       sync.Mutex // guards everything below; never held during a call to the bot or to a hook
	changed  *sync.Cond
	listener listening
	botURL   string
	people   directory
	msgs     map[string][]*record // by channel, oldest first
	whispers []*record            // ephemeral messages, oldest first
	shown    []*record            // ephemeral answers to commands, which nobody has changed yet
	lastTS   int64                // microseconds
	serial   int                  // numbers triggers, views, blocks, events
	triggers map[string]*trigger
	answers  map[string]*responseURL
	views    viewStore
	rates    map[string][]time.Time
	faults   []*armed
	hook     func(Call) Action
	calls    int
	counts   map[string]int
	tooMany  map[string]int // calls that were refused because there were too many
	last     sent
	refused  []Refused

	traffic traffic
}

// New returns a server that does not listen yet.
func New(o Options) *Server {
	if o.TeamID == "" {
		o.TeamID = "T0ACME"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RateClock == nil {
		o.RateClock = time.Now
	}
	if o.Scopes == nil {
		o.Scopes = AllScopes
	}
	s := &Server{
		opt: o, now: o.Now, real: time.Now, ackWithin: 3 * time.Second, client: botClient(), done: make(chan struct{}),
		botURL: o.BotURL, people: newDirectory(), msgs: map[string][]*record{}, triggers: map[string]*trigger{},
		answers: map[string]*responseURL{}, views: newViewStore(), rates: map[string][]time.Time{}, counts: map[string]int{}, tooMany: map[string]int{},
	}
	s.changed = sync.NewCond(&s.mu)
	s.people.put(User{ID: BotUserID, Name: "keyturn", RealName: "keyturn", TeamID: o.TeamID, Bot: true})
	return s
}

func (s *Server) hasScope(scope string) bool {
	return scope == "" || slices.Contains(s.opt.Scopes, scope)
}
