package scheduler

import (
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// AccountReport is what one run knows of one account.
type AccountReport struct {
	Account  Account
	At       time.Time
	Since    time.Time           // the run before, zero for the first
	Open     []rotation.Rotation // still open, whatever their state
	Closed   []rotation.Rotation // closed since the run before
	Findings []Finding           // mode audit, or a dry run: what would be proposed
	// Reminders are dates that come near, for information: those of open rotations, and keys that come of age in conflict.
	Reminders []Finding
	Failures  []string // what went wrong with single users, as sentences
	Exempt    int      // users left alone
	RootKeys  int      // active access keys of the root user
	Users     int
	Keys      int
	OverAge   int // active keys past their age
	Stock     Stock
}

// Finding is a proposal that only gets reported (mode audit, or a dry run).
type Finding struct {
	User     rotation.User
	Owner    string
	Policy   rotation.Policy
	Proposal rotation.Proposal
}

// Summary is what a run did, for the channel, the command line and the log.
type Summary struct {
	Started, Ended time.Time
	DryRun         bool
	Accounts       int // scanned
	Skipped        []Skipped
	Failed         []Failed
	Users, Keys    int
	OverAge        int
	Opened         int
	Refreshed      int
	Closed         int
	Findings       int
	RootKeys       []rotation.AccountID
	Problems       []string        `json:",omitempty"` // what went wrong beside the accounts, as sentences: a mail not sent
	Reports        []AccountReport `json:",omitempty"` // of each account; in a dry run only
}

// Skipped is an account that was not scanned on purpose.
type Skipped struct {
	Account Account
	Why     string
}

// Failed is an account whose scan failed after its retries.
type Failed struct {
	Account  Account
	Error    string // what happened and what to do; no internals
	Attempts int
}
