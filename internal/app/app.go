package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"github.com/keyturn/keyturn/bot"
	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/audit"
	"github.com/keyturn/keyturn/internal/aws"
	"github.com/keyturn/keyturn/internal/circle"
	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/notify"
	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/slackapi"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
	"github.com/keyturn/keyturn/templates"
)

// Store is everything that the parts of keyturn ask of a store.
type Store interface {
	bot.Store
	scheduler.Store
	rotator.Store
	notify.Store
	// GetState returns a note that the process keeps beside rotations, or "" if there is none.
	GetState(ctx context.Context, key string) (string, error)
	SetState(ctx context.Context, key, value string) error
	// ListChains and ListEntries read the chains of entries that belong to no rotation, the oldest entry first.
	ListChains(ctx context.Context, page store.Page) ([]string, string, error)
	ListEntries(ctx context.Context, chain string, page store.Page) ([]rotation.Entry, string, error)
	io.Closer
}

// Options is what wiring needs beside the configuration. Zero values are the real ones.
type Options struct {
	AWS  awssdk.Config    // loaded from the environment; AWS_ENDPOINT_URL is honoured
	Log  *slog.Logger     // nil: nothing is logged
	Now  func() time.Time // domain clock: ages, dates
	Real func() time.Time // protocol clock: signatures, leases

	// Function is which of the three Lambda functions this process is; "": it is none. It takes store.dynamodb.
	Function Function
	Meter    *metric.Meter // nil: no figures are written

	Lease     time.Duration                              // how long a claim lasts; zero: the rotator's default
	Settle    time.Duration                              // how long a listing may lag; zero: the rotator's default
	Spare     time.Duration                              // of a function's time, for what is begun; see rotator and scheduler
	Wait      func(context.Context, time.Duration) error // pauses between retries; nil: real ones
	WrapStore func(Store) Store                          // puts something around the store; nil: nothing
	Progress  func(done, total int, a scheduler.Account)
}

// App is the whole program, wired. Close it.
type App struct {
	Config    config.Config
	Store     Store
	Slack     *slackapi.Client
	Accounts  *aws.Client
	Scheduler *scheduler.Scheduler
	Rotator   *rotator.Rotator // nil in mode audit: then nothing mutates AWS
	Notifier  *notify.Notifier

	bot      *bot.Bot
	function Function
	table    *dynamo.Store // the store, if it is a table
	mac      audit.MAC     // signs anchors of the audit chains; nil: none are made
	queue    *queue        // rotations that changed, to the rotator
	requests *queue        // users whose rotation a person asked for, to the scheduler
	meter    *metric.Meter // nil: no figures
	log      *slog.Logger
	now      func() time.Time
}

// New wires keyturn. Everything that can be wrong with configuration, templates and secrets is found here, before any key
// is touched.
func New(ctx context.Context, cfg config.Config, o Options) (*App, error) {
	o = o.defaults()
	mails, err := templates.LoadMails(cfg.Email.Templates)
	if err != nil {
		return nil, fmt.Errorf("e-mail templates: %w", err)
	}
	a := &App{Config: cfg, function: o.Function, meter: o.Meter, log: o.Log, now: o.Now}
	a.Accounts = aws.New(aws.Options{
		Config: o.AWS, ManagementRole: cfg.Organization.ManagementRole, ManagementAccount: cfg.Organization.ManagementAccount,
		MemberRole: cfg.Organization.MemberRole, ScanRole: cfg.Organization.ScanRole, ExternalID: cfg.Organization.ExternalID,
		ManagementDirect: cfg.Organization.IncludeManagement, Wait: o.Wait, Log: o.Log,
	})
	if cfg.MACKey != "" {
		a.mac = a.Accounts.MAC(cfg.MACKey)
	}
	token, err := resolve(ctx, a.Accounts.Config(), "slack.token", cfg.Slack.Token)
	if err != nil {
		return nil, err
	}
	signing := "" // none: every request is refused
	if o.Function == "" || o.Function == Bot {
		if signing, err = resolve(ctx, a.Accounts.Config(), "slack.signing_secret", cfg.Slack.SigningSecret); err != nil {
			return nil, err
		}
	}
	if err := a.openStore(o); err != nil {
		return nil, err
	}
	a.Slack = slackapi.New(slackapi.Options{Token: token, APIURL: cfg.Slack.APIURL, Now: o.Real, Wait: o.Wait, Log: o.Log})
	circles := circle.New(a.Slack, cfg.Slack.Teams)
	a.Notifier = notify.New(notify.Options{
		Slack: meteredSlack{a.Slack, o.Meter}, Mail: meteredMail{a.Accounts.Mailer(cfg.Email.From), o.Meter}, Templates: mails, Rules: cfg, Store: a.Store,
		DefaultChannel: cfg.Slack.DefaultChannel, DigestFrom: cfg.Slack.DigestFrom,
		Channel: func(r rotation.Rotation) string { return cfg.Channel(approval.TargetOf(r)) },
		Teams:   cfg.Slack.Teams, Now: o.Now, Real: o.Real, NewToken: NewToken, Lease: min(o.Lease, time.Minute), Log: o.Log,
	})
	wake := func(context.Context, rotation.ID) error { return nil }
	if !cfg.Audit() {
		a.Rotator = rotator.New(rotator.Options{
			Store: a.Store, AWS: a.Accounts.Rotations(), Rules: cfg, Teller: a.Notifier,
			SecretName: func(acct rotation.AccountID, u rotation.UserName) (string, error) {
				return aws.SecretName(cfg.Secrets.Name, acct, u)
			},
			KMSKey:      func(rotation.Rotation) string { return cfg.Secrets.KMSKey },
			ExemptGroup: cfg.Organization.ExemptGroup, When: cfg.When, Groups: circles.Groups, Able: circles.Able,
			Now: o.Now, Real: o.Real, NewToken: NewToken, Lease: o.Lease, Settle: o.Settle, Spare: o.Spare, Wait: o.Wait, Log: o.Log,
		})
		wake = a.Rotator.Wake
	}
	nudge, requested := a.offer, a.offerRequest
	if a.table != nil {
		// The rotator is another function: a write wakes it, and a request, through the table's stream.
		wake, nudge, requested = a.table.Touch, nil, nil
	}
	a.queue = newQueue(workers, o.Log, wake)
	a.Scheduler = scheduler.New(scheduler.Options{
		Organization: a.Accounts, Accounts: a.Accounts, Store: a.Store, Rules: cfg, Teller: a.Notifier, Waker: waker(wake), Able: circles.Able,
		Include: cfg.Organization.IncludeOUs, Exclude: cfg.Organization.ExcludeAccounts, ExemptGroup: cfg.Organization.ExemptGroup,
		OwnerTag: cfg.OwnerTag, ManagementDirect: cfg.Organization.IncludeManagement, Spare: o.Spare, TellWait: tellWait(o.Function),
		Now: o.Now, Real: o.Real, Wait: o.Wait, Log: o.Log, Progress: o.Progress,
	})
	a.requests = newQueue(1, o.Log, a.ServeRequest)
	a.bot = bot.New(bot.Options{
		SigningSecret: signing, Store: a.Store, Slack: a.Slack, Rules: cfg, Teams: cfg.Slack.Teams, OwnerTag: cfg.OwnerTag,
		Now: o.Now, Real: o.Real, Wake: nudge, Requested: requested, Log: o.Log,
	})
	return a, nil
}

// workers is how many rotations are worked on at a time in one process.
const workers = 4

func (o Options) defaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Real == nil {
		o.Real = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Wait == nil {
		o.Wait = pause.For
	}
	return o
}

// NewToken returns 32 random hexadecimal digits: long enough for a ClientRequestToken (32 to 64 characters).
func NewToken() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never returns an error
	return hex.EncodeToString(b[:])
}

// waker lets a function be a scheduler.Waker.
type waker func(context.Context, rotation.ID) error

// Wake implements scheduler.Waker.
func (w waker) Wake(ctx context.Context, id rotation.ID) error { return w(ctx, id) }

// Handler is the bot's HTTP handler.
func (a *App) Handler() http.Handler { return a.bot }

// Answered waits until every answer of the bot went out, or ctx ends.
func (a *App) Answered(ctx context.Context) error { return a.bot.Answered(ctx) }

// Drain waits until everything that was handed to the rotator, and every answer of the bot, is through.
func (a *App) Drain() {
	a.bot.Wait()
	a.requests.Drain()
	a.queue.Drain()
}

// Close lets what is under way finish and closes the store.
func (a *App) Close() error {
	a.bot.Wait()
	a.requests.Close()
	a.queue.Close()
	return a.Store.Close()
}

// Load reads a configuration file.
func Load(path string) (config.Config, error) {
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return config.Config{}, fmt.Errorf("there is no configuration file %s. Name one with --config; the README has a complete one to begin with", path)
	}
	if err != nil {
		return config.Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	return config.Parse(path, data)
}
