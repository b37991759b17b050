package scheduler

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Options is what a Scheduler needs. Organization, Accounts, Store, Rules, Teller and Waker are required.
type Options struct {
	Organization Organization
	Accounts     AccountReader
	Store        Store
	Rules        approval.Rules // today's
	Teller       Teller
	Waker        Waker

	// Able counts the people who could approve a rotation, with the next circle or without it. nil: that is not checked.
	Able func(ctx context.Context, rule approval.Rule, r rotation.Rotation, escalated bool) (int, error)

	Include     []string             // organizational units to scan; empty: the whole organization
	Exclude     []rotation.AccountID // accounts to leave alone
	ExemptGroup string               // IAM group whose members are left alone; empty: there is none
	OwnerTag    string               // tag of a user that names its owner; empty: the account's address is asked
	// ManagementDirect scans the management account too, with our own credentials.
	ManagementDirect bool

	Now  func() time.Time                                 // domain clock; nil: the real one
	Real func() time.Time                                 // protocol clock, for how long a run took; nil: the real one
	Wait func(ctx context.Context, d time.Duration) error // pauses between tries; nil: real ones
	// Spare is what the scan of an account keeps of the time of its context, to save what it saw; 0: it goes on to the end.
	Spare time.Duration
	// TellWait is how long the tick leaves people alone about what a scan changed, so that the run can put it into digests;
	// 0: 15 minutes. It is longer where the accounts of a run are scanned one by one.
	TellWait time.Duration
	Log      *slog.Logger // nil: slog.Default
	// Progress is called after each account, one call at a time. It may be nil.
	Progress func(done, total int, a Account)
}

// Bounds of what is done at a time.
const (
	accountsAtOnce = 8
	usersAtOnce    = 4 // of one account
	wakesAtOnce    = 8
)

// Scheduler finds what is due. It is safe for concurrent use, also by several processes on one store.
type Scheduler struct {
	o       Options
	telling sync.Mutex // one report at a time
}

// New returns a scheduler.
func New(o Options) *Scheduler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Real == nil {
		o.Real = time.Now
	}
	if o.Wait == nil {
		o.Wait = pause.For
	}
	if o.TellWait <= 0 {
		o.TellWait = tellWait
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Scheduler{o: o}
}
