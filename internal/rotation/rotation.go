package rotation

import (
	"maps"
	"slices"
	"time"
)

// Kind is what happens to the key: replaced, or removed without a replacement.
type Kind string

// The kinds.
const (
	Rotate Kind = "rotate"
	Retire Kind = "retire"
)

// State is where a rotation stands.
type State string

// The states of a rotation, in the order of its life.
const (
	Upcoming   State = "upcoming"   // people were warned
	Awaiting   State = "awaiting"   // a decision is due
	Approved   State = "approved"   // decided, nothing done yet
	Evicting   State = "evicting"   // a slot is being freed
	Issuing    State = "issuing"    // a new key is being made and stored
	Installing State = "installing" // both keys live
	Recovering State = "recovering" // the old key is inactive and can be brought back
	Closed     State = "closed"
)

// States lists every state in the order of a rotation's life.
var States = []State{Upcoming, Awaiting, Approved, Evicting, Issuing, Installing, Recovering, Closed}

// Outcome is how a closed rotation ended.
type Outcome string

// The outcomes.
const (
	OutcomeRotated    Outcome = "rotated"
	OutcomeRetired    Outcome = "retired"
	OutcomeRejected   Outcome = "rejected"
	OutcomeExempted   Outcome = "exempted"
	OutcomeGone       Outcome = "gone"
	OutcomeSuperseded Outcome = "superseded"
	OutcomeExpired    Outcome = "expired" // nobody decided in time
)

// Op is a mutation of AWS that is claimed before it is made.
type Op string

// The operations of the rotator.
const (
	OpEvictDeactivate Op = "evict_deactivate"
	OpEvictDelete     Op = "evict_delete"
	OpIssue           Op = "issue"
	OpDeactivate      Op = "deactivate"
	OpDelete          Op = "delete"
	OpRestore         Op = "restore"
	OpLeakOff         Op = "leak_off" // deactivate a leaked key of the rotation that is not its old one
)

// Doing returns the operation as a participle for people: "being deleted".
func (o Op) Doing() string {
	switch o {
	case OpEvictDeactivate, OpDeactivate:
		return "being deactivated"
	case OpEvictDelete, OpDelete:
		return "being deleted"
	case OpIssue:
		return "being replaced"
	case OpRestore:
		return "being restored"
	default:
		return "being worked on"
	}
}

// KeyRef is what a rotation remembers of a key.
type KeyRef struct {
	ID      KeyID     `json:"id"`
	Created time.Time `json:"created"`
	LastUse LastUse   `json:"last_use,omitzero"` // as the last scan or the last live read saw it

	// InactiveSince is when keyturn deactivated the key or first saw it inactive. Zero while it is active.
	InactiveSince time.Time `json:"inactive_since,omitzero"`
	// ByHand is set when a person, not keyturn, deactivated it.
	ByHand bool `json:"by_hand,omitempty"`
	// Deleted is when keyturn deleted it, or saw that it is gone.
	Deleted time.Time `json:"deleted,omitzero"`
}

// NewKey is the key that keyturn issued, and where its secret is. The secret itself is never part of it.
type NewKey struct {
	ID         KeyID     `json:"id"`
	Created    time.Time `json:"created"`
	SecretARN  string    `json:"secret_arn"`
	SecretName string    `json:"secret_name"`
	VersionID  string    `json:"version_id"` // the version that holds it; the journal's token
	// VerifiedAt is keyturn's own last use of the key. Only later uses count as adoption.
	VerifiedAt time.Time `json:"verified_at"`
	InUse      LastUse   `json:"in_use,omitzero"` // a use by somebody else than keyturn, once seen
}

// Journal is what was saved before a key was created, and how far issuing came. It makes issuing resumable.
type Journal struct {
	Token       string    `json:"token"`                // ClientRequestToken and so the ID of the coming version
	Started     time.Time `json:"started"`              // domain clock, by the clock of this process
	StartedReal time.Time `json:"started_real"`         // protocol clock; LeaseUntil counts on the same
	KeyIDs      []KeyID   `json:"key_ids"`              // the user's keys before the create
	Current     string    `json:"current,omitempty"`    // the version that was AWSCURRENT, "" if there was none
	SecretARN   string    `json:"secret_arn"`           // of the container prepared for it
	SecretName  string    `json:"secret_name"`          //
	NewKey      KeyID     `json:"new_key,omitempty"`    // known once the create answered
	NewCreated  time.Time `json:"new_created,omitzero"` // as IAM says
	Stored      bool      `json:"stored,omitempty"`     // the value is in the version
	VerifiedAt  time.Time `json:"verified_at,omitzero"` // the new key answered as its user
	LostKey     KeyID     `json:"lost_key,omitempty"`   // a key of ours whose secret was lost, to be removed
	LostAt      time.Time `json:"lost_at,omitzero"`     // when it was deactivated
	LastLease   time.Time `json:"last_lease,omitzero"`  // protocol clock: end of the last lease in which a key may have been created
	Lost        int       `json:"lost,omitempty"`       // how many keys were lost and removed
	Creates     int       `json:"creates,omitempty"`    // how often CreateAccessKey was called under this token
}

// Acting is a claim: one holder is allowed to touch AWS for this rotation until the lease ends (protocol clock).
type Acting struct {
	Op         Op        `json:"op"`
	Token      string    `json:"token"`
	LeaseUntil time.Time `json:"lease_until"`
}

// Approval is one person's yes, bound to what was shown.
type Approval struct {
	Actor  Actor     `json:"actor"`
	At     time.Time `json:"at"`
	Digest string    `json:"digest"`
	Pick   KeyID     `json:"pick,omitempty"`

	BreakGlass bool `json:"break_glass,omitempty"` // it counted alone
}

// Escalation says that a decision has gone to the next circle.
type Escalation struct {
	At  time.Time `json:"at"`
	Why string    `json:"why"` // a sentence
}

// Passed says that a rotation was approved because a time has passed, and not by people.
type Passed struct {
	Timeout   bool      `json:"timeout,omitempty"` // of the decision (on_timeout: approve); else the notice of mode auto
	Delivered time.Time `json:"delivered"`         // when Slack or mail had accepted the notice
	At        time.Time `json:"at"`
}

// Postponed says until when today's calendar lets keyturn do nothing, and why.
type Postponed struct {
	Op    Op        `json:"op"`
	Until time.Time `json:"until"`
	Why   string    `json:"why"`
}

// LeakedKey is a key of the rotation, not its old one, that was reported as leaked.
type LeakedKey struct {
	Key KeyID     `json:"key"`
	By  Actor     `json:"by"`
	Why string    `json:"why,omitempty"`
	At  time.Time `json:"at"`
	Off time.Time `json:"off,omitzero"` // when it was deactivated
}

// Hold stops every step that keyturn would take by itself, until a time.
type Hold struct {
	By    Actor     `json:"by"`
	Why   string    `json:"why"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
}

// Stuck says that keyturn needs a person, and what it saw. The state beside it is the one it happened in.
type Stuck struct {
	Seen string    `json:"seen"`
	From State     `json:"from"`
	Op   Op        `json:"op,omitempty"`
	At   time.Time `json:"at"`
}

// Intent is something a person asked for that the rotator carries out.
type Intent struct {
	By  Actor     `json:"by"`
	Why string    `json:"why,omitempty"`
	At  time.Time `json:"at"`
}

// Spent counts what was used of a Budget.
type Spent struct {
	Count int           `json:"count,omitempty"`
	Total time.Duration `json:"total,omitempty"`
}

// Choice is one way out when two full slots are both in use: which key goes first, and which one is then replaced.
type Choice struct {
	Remove KeyID `json:"remove"`
	Rotate KeyID `json:"rotate,omitempty"` // empty: the other key is young enough and simply stays
}

// Trouble is the state of retrying a step that failed.
type Trouble struct {
	Op       Op        `json:"op"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error"` // AWS's code and a sentence; never secret material
	RetryAt  time.Time `json:"retry_at"`
}

// MessageRef is a Slack message that shows this rotation and is updated in place.
type MessageRef struct {
	Channel string    `json:"channel"`
	TS      string    `json:"ts"`
	For     string    `json:"for"` // the recipient: a Slack user ID, or the channel's ID
	Seq     int64     `json:"seq"` // the people_seq that it shows
	At      time.Time `json:"at"`
}

// Telling is a claim like Acting, on telling people: two processes must not both post a notice. Protocol clock.
type Telling struct {
	Token      string    `json:"token"`
	LeaseUntil time.Time `json:"lease_until"`
}

// Rotation is the journey of one IAM user from an aging key to a closed case: one aggregate, saved by one conditional
// write on Version. Values are copied, never shared; only Apply and the With... functions make new ones.
type Rotation struct {
	ID      ID    `json:"id"`
	Episode int   `json:"episode"` // 1 for the first rotation of this user, then counting
	Version int64 `json:"version"` // owned by the store: 0 was never saved

	Account      AccountID         `json:"account"`
	AccountName  string            `json:"account_name,omitempty"`
	AccountEmail string            `json:"account_email,omitempty"`
	OUPath       string            `json:"ou_path,omitempty"` // r-ab12/ou-ab12-prod/...
	UserID       UserID            `json:"user_id"`
	UserName     UserName          `json:"user_name"`
	UserPath     string            `json:"user_path,omitempty"`
	UserARN      string            `json:"user_arn,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`    // of the user: approval rules may match on them
	Console      bool              `json:"console,omitempty"` // has a password
	Owner        string            `json:"owner,omitempty"`   // e-mail address or Slack user ID
	OwnerTagged  bool              `json:"owner_tagged,omitempty"`
	RequestedBy  Actor             `json:"requested_by,omitzero"` // of a forced rotation
	RequestedWhy string            `json:"requested_why,omitempty"`
	Admin        *AdminPolicies    `json:"admin,omitempty"` // nil: not read

	// Secret is the name of the secret that an earlier rotation of this user made: its readers keep finding it there, also
	// after a rename or where the configuration names new secrets otherwise.
	Secret string `json:"secret,omitempty"`

	Kind       Kind     `json:"kind"`
	Reason     Reason   `json:"reason"`
	Policy     Policy   `json:"policy"`
	Old        KeyRef   `json:"old"`
	New        *NewKey  `json:"new,omitempty"`
	Evict      *KeyRef  `json:"evict,omitempty"`
	Other      *KeyRef  `json:"other,omitempty"` // the second key, where Choices leave open which one goes
	Choices    []Choice `json:"choices,omitempty"`
	LastActive bool     `json:"last_active,omitempty"` // a retire that takes the last active key, and says so

	State    State     `json:"state"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	Opened   time.Time `json:"opened"`
	Since    time.Time `json:"since"` // in this state
	ClosedAt time.Time `json:"closed_at,omitzero"`
	ReopenAt time.Time `json:"reopen_at,omitzero"`

	DueAt        time.Time  `json:"due_at"`                  // the old key reaches its age
	SnoozedUntil time.Time  `json:"snoozed_until,omitzero"`  //
	DeactivateAt time.Time  `json:"deactivate_at,omitzero"`  // not before; the gate still decides
	DeleteAt     time.Time  `json:"delete_at,omitzero"`      // not before; the gate still decides
	EvictAt      time.Time  `json:"evict_at,omitzero"`       // next look at the key that has to go first
	NextAt       time.Time  `json:"next_at,omitzero"`        // when the tick has to look; zero when closed and told
	Held         *Hold      `json:"held,omitempty"`          //
	Stuck        *Stuck     `json:"stuck,omitempty"`         //
	Acting       *Acting    `json:"acting,omitempty"`        //
	Trouble      *Trouble   `json:"trouble,omitempty"`       //
	Restore      *Intent    `json:"restore,omitempty"`       //
	Anyway       *Intent    `json:"anyway,omitempty"`        // deactivate although it is in use
	Leaked       *Intent    `json:"leaked,omitempty"`        //
	Confirmed    *Intent    `json:"confirmed,omitempty"`     // the owner says that the new key is in use
	RestoredAt   time.Time  `json:"restored_at,omitzero"`    // a key of the rotation was active again after its deactivation
	Approvals    []Approval `json:"approvals,omitempty"`     //
	Journal      *Journal   `json:"journal,omitempty"`       //
	GateRefusals int        `json:"gate_refusals,omitempty"` // in the present state
	GateSeen     []Block    `json:"gate_seen,omitempty"`     // what the gate last said
	Escalated    bool       `json:"escalated,omitempty"`     // the gate refused as often as allowed
	AbsentSince  time.Time  `json:"absent_since,omitzero"`   // first live read that did not show the key or user
	Frozen       *Intent    `json:"frozen,omitempty"`        // the account cannot be reached; its clocks stand still
	LookedAt     time.Time  `json:"looked_at,omitzero"`      // last look at a frozen account that was in vain

	AskedAt      time.Time   `json:"asked_at,omitzero"`       // since when the decision waits; zero: since Since
	NoticeAt     time.Time   `json:"notice_at,omitzero"`      // when Slack or mail had accepted the notice of what is proposed now
	NoticeDigest string      `json:"notice_digest,omitempty"` // of what that notice showed
	Escalation   *Escalation `json:"escalation,omitempty"`    //
	TimedOut     time.Time   `json:"timed_out,omitzero"`      // the decision's time ran out, and it still waits
	Passed       *Passed     `json:"passed,omitempty"`        //
	Postponed    *Postponed  `json:"postponed,omitempty"`     //
	LeakedKey    *LeakedKey  `json:"leaked_key,omitempty"`    //

	RemindedAt time.Time `json:"reminded_at,omitzero"`
	Reminders  int       `json:"reminders,omitempty"`

	Snoozed  Spent `json:"snoozed,omitzero"`
	HeldUsed Spent `json:"held_used,omitzero"`
	Extended Spent `json:"extended,omitzero"`

	PeopleSeq int64        `json:"people_seq"`           // rises when people should hear something
	ToldSeq   int64        `json:"told_seq"`             // follows it
	TellAfter time.Time    `json:"tell_after,omitzero"`  // the next try after telling failed
	TellTries int          `json:"tell_tries,omitempty"` //
	Telling   *Telling     `json:"telling,omitempty"`    // who is telling people just now
	Messages  []MessageRef `json:"messages,omitempty"`

	History []Entry `json:"history"`
}

// Open reports whether the rotation still has a life before it.
func (r Rotation) Open() bool { return r.State != Closed }

// Untold reports whether people should hear something that they have not been told.
func (r Rotation) Untold() bool { return r.ToldSeq < r.PeopleSeq }

// Clone returns a copy that shares no memory with r.
func (r Rotation) Clone() Rotation {
	c := r
	c.New, c.Evict, c.Other = ref(r.New), ref(r.Evict), ref(r.Other)
	c.Held, c.Stuck, c.Acting, c.Trouble = ref(r.Held), ref(r.Stuck), ref(r.Acting), ref(r.Trouble)
	c.Restore, c.Anyway, c.Leaked = ref(r.Restore), ref(r.Anyway), ref(r.Leaked)
	c.Confirmed, c.Frozen, c.Journal = ref(r.Confirmed), ref(r.Frozen), ref(r.Journal)
	if c.Journal != nil {
		c.Journal.KeyIDs = slices.Clone(r.Journal.KeyIDs)
	}
	c.Escalation, c.Passed, c.Postponed, c.LeakedKey = ref(r.Escalation), ref(r.Passed), ref(r.Postponed), ref(r.LeakedKey)
	if c.Admin = ref(r.Admin); c.Admin != nil {
		c.Admin.Names = slices.Clone(r.Admin.Names)
	}
	c.Telling, c.Tags = ref(r.Telling), maps.Clone(r.Tags)
	c.Choices, c.Approvals = slices.Clone(r.Choices), slices.Clone(r.Approvals)
	c.Messages, c.GateSeen, c.History = slices.Clone(r.Messages), slices.Clone(r.GateSeen), slices.Clone(r.History)
	return c
}

func ref[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}
