package scheduler

import (
	"context"
	"errors"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Account is one account of the organization.
type Account struct {
	ID         rotation.AccountID
	Name       string
	Email      string
	OUPath     string // r-ab12/ou-ab12-prod/..., from the root to its parent
	State      string // as Organizations says; only ACTIVE ones are scanned
	Management bool
}

// Organization lists accounts.
type Organization interface {
	// Accounts returns every account below the organizational units (nested ones too), or all of them if there are none.
	Accounts(ctx context.Context, includeOUs []string) ([]Account, error)
}

// Errors by which an IAM tells the scheduler what kind of failure it met. Others are just failures.
var (
	// ErrUnreachable: the account's role cannot be assumed, so nothing is known of the account.
	ErrUnreachable = errors.New("the account cannot be reached")
	// ErrNotReady: the credential report is still being made.
	ErrNotReady = errors.New("the credential report is not ready")
	// ErrNoSuchUser: the user is not there (any more).
	ErrNoSuchUser = errors.New("there is no such user")
	// ErrNoSuchKey: the key is not there (any more).
	ErrNoSuchKey = errors.New("there is no such key")
)

// ReportRow is one user of the credential report. It is a filter and never a decision: it has no key IDs, and its dates
// may be four hours old.
type ReportRow struct {
	User    rotation.UserName // "<root_account>" for the root user
	ARN     string
	Created time.Time // of the user
	Console bool
	Keys    int // slots that look taken: active, or with a date
	Active  int // active keys
	// Sum is a digest of the columns about keys, the user's creation date and password: another one means read again. Of the
	// last use it covers whether there was one, not when: a key in daily use is not read again every day.
	Sum string
}

// IAM reads one account. Implementations are bound to it and safe for concurrent use.
type IAM interface {
	// Report makes and reads the credential report, parsed by column name.
	Report(ctx context.Context) ([]ReportRow, error)
	// GroupMembers returns the members of a group, all pages. A group that does not exist has none; every other failure is
	// an error, so that exemptions never fail open.
	GroupMembers(ctx context.Context, group string) ([]rotation.UserName, error)
	// User returns a user with ID, path, ARN and tags, and without keys. ErrNoSuchUser if it is not there.
	User(ctx context.Context, name rotation.UserName) (rotation.User, error)
	// FindUser returns the present name of a user by its ID: it may have been renamed. ErrNoSuchUser if no user has it. A
	// key's last use does not tell: AWS answers AccessDenied for a key that is not there.
	FindUser(ctx context.Context, id rotation.UserID) (rotation.UserName, error)
	// Keys lists a user's keys with true creation dates and status, without last use. ErrNoSuchUser.
	Keys(ctx context.Context, name rotation.UserName) ([]rotation.Key, error)
	// LastUse reads when a key was used last, and by which user it is owned now (a rename shows here). ErrNoSuchKey.
	LastUse(ctx context.Context, key rotation.KeyID) (rotation.LastUse, rotation.UserName, error)
	// AdminPolicies names the policies of AWS that make the user an administrator. That the role may not read them is no error
	// but a Problem of the result.
	AdminPolicies(ctx context.Context, name rotation.UserName) (rotation.AdminPolicies, error)
}

// Secrets finds what keyturn left in AWS, for an empty store.
type Secrets interface {
	// Pairs returns the tagged secrets of the account by user ID: old and new key ID that keyturn noted there.
	Pairs(ctx context.Context) (map[rotation.UserID]Pair, error)
}

// Pair is what the tags of one of our secrets say.
type Pair struct {
	SecretARN string
	Rotation  rotation.ID
	Old, New  rotation.KeyID
}

// AccountReader opens read-only access to accounts.
type AccountReader interface {
	IAM(ctx context.Context, account Account) (IAM, error) // ErrUnreachable, wrapped, if the role cannot be assumed
	Secrets(ctx context.Context, account Account) (Secrets, error)
}

// Store is what the scheduler reads and writes.
type Store interface {
	GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error)
	SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error)
	RotationsByAccount(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Rotation, string, error)
	Due(ctx context.Context, now time.Time, page store.Page) ([]rotation.ID, string, error)
	GetSnapshot(ctx context.Context, account rotation.AccountID) (rotation.Snapshot, error)
	SaveSnapshot(ctx context.Context, s rotation.Snapshot) error
	ListSnapshots(ctx context.Context, page store.Page) ([]rotation.Snapshot, string, error)
	GetExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (rotation.Exemption, error)
	ListExemptions(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Exemption, string, error)
	// SaveExemption puts an exemption in the place of the one that was read. store.ErrConflict if another stands there.
	SaveExemption(ctx context.Context, before, e rotation.Exemption) error
	// GetState returns a note that is kept beside rotations, or "" if there is none.
	GetState(ctx context.Context, key string) (string, error)
	SetState(ctx context.Context, key, value string) error
	ListRequests(ctx context.Context, page store.Page) ([]rotation.Request, string, error)
	DeleteRequest(ctx context.Context, q rotation.Request) error
}

// Waker performs what waits on a rotation: one step, and telling people. rotator.Rotator is one.
type Waker interface {
	Wake(ctx context.Context, id rotation.ID) error
}

// Teller tells people what a run found. Each call is tried on its own: one that fails never hides another.
type Teller interface {
	// Opened tells people of the rotations that a run opened or changed, as digests where one person has many. Those that
	// it could not tell stay untold and are told by Wake later.
	Opened(ctx context.Context, ids []rotation.ID) error
	// AccountDone mails the account's owner, and tagged owners, what was done and what is about to be done. It is called once
	// per account and run, one call at a time.
	AccountDone(ctx context.Context, done AccountReport) error
	// Renewals asks people whether exemptions that end soon are to be renewed, and returns those about which somebody was
	// asked, beside an error too. It is called one call at a time for an account.
	Renewals(ctx context.Context, all []Renewal) (told []Renewal, err error)
	// RunDone posts the summary of a run.
	RunDone(ctx context.Context, s Summary) error
}
