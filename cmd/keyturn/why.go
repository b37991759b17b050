package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

type whyCmd struct {
	Key   keyArg    `arg:"" help:"An access key: AKIA..."`
	Email emailFlag `help:"Say whether the person with this address may decide." placeholder:"EMAIL"`
	Slack slackFlag `help:"The same for a Slack user ID; with --email too, more can be told." placeholder:"ID"`
	JSON  bool      `help:"Print JSON; its durations are nanoseconds."`
}

// explained is everything that explains what keyturn does, or does not do, with a key.
type explained struct {
	Key         rotation.KeyID     `json:"key"`
	Account     rotation.AccountID `json:"account"`
	AccountName string             `json:"account_name,omitempty"`
	User        rotation.UserName  `json:"user"`
	Owner       string             `json:"owner,omitempty"`
	Created     time.Time          `json:"created,omitzero"`
	Status      rotation.KeyStatus `json:"status,omitempty"` // as the last scan saw it; empty: it has not seen the key
	LastUse     rotation.LastUse   `json:"last_use,omitzero"`

	State   rotation.State   `json:"state,omitempty"` // of the key's rotation; empty: there is none
	Outcome rotation.Outcome `json:"outcome,omitempty"`
	Kind    rotation.Kind    `json:"kind,omitempty"`
	Reason  rotation.Reason  `json:"reason,omitempty"`
	Since   time.Time        `json:"since,omitzero"`
	Reopen  time.Time        `json:"reopen_at,omitzero"` // when a closed one may come back
	Next    rotation.Step    `json:"next,omitempty"`     // what keyturn does next by itself
	NextAt  time.Time        `json:"next_at,omitzero"`
	Open    time.Time        `json:"calendar_open,omitzero"` // the next moment at which today's calendar lets a key be deactivated
	Closed  string           `json:"calendar_why,omitempty"` // why not earlier

	Exempt    string          `json:"exempt,omitempty"` // why the user is left alone, a sentence
	Covered   bool            `json:"covered"`          // a policy rule matches today
	Policy    rotation.Policy `json:"policy,omitzero"`  // today's
	Rule      string          `json:"rule,omitempty"`   // of the approvals
	Self      bool            `json:"self_approval,omitempty"`
	Reasons   bool            `json:"justification,omitempty"`
	Escalates bool            `json:"escalates,omitempty"` // to a next circle of people, once nobody answered

	Approvals []rotation.Approval `json:"approvals,omitempty"`
	Gate      []string            `json:"gate,omitempty"`     // what the gate said last
	WaysOut   []rotation.Advice   `json:"ways_out,omitempty"` // what could take the place of the key
	Person    *given              `json:"person,omitempty"`
	Rights    []right             `json:"rights,omitempty"`
	NotLooked []string            `json:"not_looked_up,omitempty"` // what Slack would have to be asked

	standing string // what stands about the rotation, in words
	reason   string
}

// Run explains a key.
func (c whyCmd) Run(e *environment) error { return e.look(c.show) }

func (c whyCmd) show(v *view) error {
	x, err := v.explain(rotation.KeyID(c.Key), given{Email: string(c.Email), Slack: string(c.Slack)})
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(v.out, x)
	}
	return x.print(v.out, v.now())
}

// explain collects what is known of a key and what today's rules say of it.
func (v *view) explain(key rotation.KeyID, who given) (explained, error) {
	r, found, err := v.byKey(key)
	if err != nil {
		return explained{}, err
	}
	x := explained{Key: key}
	if !who.none() {
		x.Person = &who
	}
	var target approval.Target
	var s approval.Subject
	var user rotation.UserID
	if found {
		user, target, s = r.UserID, approval.TargetOf(r), approval.SubjectOf(r, v.teams)
		x.rotation(r, v.now())
		if r.Open() {
			x.Open, x.Closed = v.rules.When(r, true, v.now())
			x.Open = x.Open.UTC()
		}
		in, err := v.store.GetSnapshot(v.ctx, r.Account)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return x, fmt.Errorf("read the store: %w", err)
		}
		for _, u := range in.Users {
			if u.ID == r.UserID {
				k, _ := rotation.Find(u.Keys, key)
				x.key(k)
				x.group(u)
			}
		}
	} else {
		in, u, k, ok, err := v.findKey(key)
		if err != nil {
			return x, err
		}
		if !ok {
			return x, errNoKey(key)
		}
		x.Account, x.AccountName, x.User, x.Owner = in.Account, in.Name, u.Name, v.ownerOf(in, u)
		user, target = u.ID, targetOf(in, u)
		s = approval.Subject{Owner: x.Owner, AccountEmail: in.Email, Teams: v.teams}
		x.key(k)
		x.group(u)
	}
	e, err := v.store.GetExemption(v.ctx, x.Account, user)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return x, fmt.Errorf("read the store: %w", err)
	}
	if err == nil && e.InForce(v.now()) {
		x.Exempt = fmt.Sprintf("until %s, by %s: %s", date(e.Until), e.By, e.Why)
	}
	x.rules(v, target, s, who)
	return x, nil
}

// rotation takes what a rotation says.
func (x *explained) rotation(r rotation.Rotation, now time.Time) {
	x.Account, x.AccountName, x.User, x.Owner = r.Account, r.AccountName, r.UserName, r.Owner
	x.State, x.Outcome, x.Kind, x.Reason, x.Since, x.Approvals = r.State, r.Outcome, r.Kind, r.Reason, r.Since, r.Approvals
	x.Reopen = r.ReopenAt
	x.Next, x.NextAt = r.Next()
	for _, b := range r.GateSeen {
		x.Gate = append(x.Gate, b.Sentence)
	}
	if r.Open() {
		x.WaysOut = rotation.Advise(r)
	}
	x.reason, x.standing = r.Reason.Sentence(r.Policy), standing(r, now)
	switch {
	case x.Key == r.Old.ID:
		x.Created, x.LastUse = r.Old.Created, r.Old.LastUse
	case r.New != nil && x.Key == r.New.ID:
		x.Created, x.LastUse = r.New.Created, r.New.InUse
	}
}

// key takes what the last scan saw of the key.
func (x *explained) key(k rotation.Key) {
	if k.ID != "" {
		x.Status, x.Created, x.LastUse = k.Status, k.Created, k.LastUse
	}
}

func (x *explained) group(u rotation.User) {
	if u.Exempt {
		x.Exempt = "the user is in the exemption group, as of the last scan"
	}
}

// rules takes what today's configuration says.
func (x *explained) rules(v *view, t approval.Target, s approval.Subject, who given) {
	var rule approval.Rule
	x.Policy, rule, x.Covered = v.rules.For(t)
	if !x.Covered {
		return
	}
	x.Rule, x.Self, x.Reasons, x.Escalates = rule.Name, rule.SelfApproval, rule.Justification, len(rule.Escalate) > 0
	x.Rights = []right{judge(toApprove, rule.At(s.Escalated), s, who)}
	if len(rule.Escalate) > 0 && !s.Escalated {
		x.Rights = append(x.Rights, judge(toApproveLater, rule.At(true), s, who))
	}
	x.Rights = append(x.Rights, judge(toReport, rule.Leak(), s, who), judge(toBreakGlass, rule.Glass(), s, who))
	for _, id := range rule.GroupIDs() {
		x.NotLooked = append(x.NotLooked, "who is in the group "+id)
	}
	if !who.none() {
		x.NotLooked = append(x.NotLooked, "whether "+who.String()+" is a full member of the workspace")
		if who.Email == "" {
			x.NotLooked = append(x.NotLooked, "which e-mail address "+who.Slack+" has (--email gives it)")
		}
		if who.Slack == "" {
			x.NotLooked = append(x.NotLooked, "which Slack user "+who.Email+" is (--slack gives it)")
		}
	}
}
