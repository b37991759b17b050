package main

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

type dueCmd struct {
	Within durationFlag `help:"Keys too that will be due within this time, like 30d." placeholder:"TIME"`
	where
	Age  ageFlag `help:"Only keys at least so old, like 90d." placeholder:"AGE"`
	JSON bool    `help:"Print JSON Lines: one key a line."`
}

// dueKey is a key that is due, or will be.
type dueKey struct {
	Key         rotation.KeyID     `json:"key"`
	Account     rotation.AccountID `json:"account"`
	AccountName string             `json:"account_name,omitempty"`
	User        rotation.UserName  `json:"user"`
	Owner       string             `json:"owner,omitempty"`
	DueAt       time.Time          `json:"due_at"`
	Created     time.Time          `json:"created"`
	LastUse     rotation.LastUse   `json:"last_use,omitzero"`
	State       rotation.State     `json:"state,omitempty"` // of its rotation; none: nobody was asked yet
}

// Run lists the keys about which somebody has to decide.
func (c dueCmd) Run(e *environment) error { return e.look(c.show) }

func (c dueCmd) show(v *view) error {
	s, err := v.scope(c.where, store.Filter{OlderThan: time.Duration(c.Age)})
	if err != nil {
		return err
	}
	keys, err := c.keys(v, s)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		none, within := "no key is due", ""
		if !c.where.empty() || c.Age > 0 {
			none = "no key like that is due"
		}
		if c.Within > 0 {
			within = " within " + rotation.FormatDuration(time.Duration(c.Within))
		}
		return v.nothing(s, c.JSON, none+within, "")
	}
	if c.JSON {
		enc := json.NewEncoder(v.out)
		for _, k := range keys {
			if err := enc.Encode(k); err != nil {
				return err
			}
		}
		return nil
	}
	t := newTable(v.out, "KEY", "USER", "ACCOUNT", "DUE", "AGE", "LAST USED", "STATE", "OWNER")
	for _, k := range keys {
		state := string(k.State)
		if state == "" {
			state = "not asked yet"
		}
		t.add(string(k.Key), string(k.User), string(k.Account), date(k.DueAt), ageOf(k.Created, v.now()), useOf(k.LastUse), state, k.Owner)
	}
	return t.flush()
}

// keys finds what waits for a decision, and keys that reach their age within the time and about which somebody will be asked
// then, soonest first. Who is exempt, was rejected for now, or is only reported on, is not among them.
func (c dueCmd) keys(v *view, s scope) ([]dueKey, error) {
	now := v.now()
	until := now.Add(time.Duration(c.Within))
	var keys []dueKey
	settled := map[rotation.ID]bool{} // users about whom nobody is asked otherwise
	all := store.Filter{Account: s.in.Account, OU: s.in.OU}
	if err := v.eachRotation(all, func(r rotation.Rotation) error {
		settled[r.ID] = r.Open() || now.Before(r.ReopenAt)
		if undecided := r.State == rotation.Upcoming || r.State == rotation.Awaiting; undecided && !r.DueAt.After(until) && s.has(r) {
			keys = append(keys, dueKey{r.Old.ID, r.Account, r.AccountName, r.UserName, r.Owner, r.DueAt, r.Old.Created, r.Old.LastUse, r.State})
		}
		return nil
	}, func() error { return nil }); err != nil {
		return nil, err
	}
	if err := v.eachExemption(s.in.Account, func(e rotation.Exemption) { settled[rotation.MakeID(e.Account, e.UserID)] = true }); err != nil {
		return nil, err
	}
	failed := 0
	err := v.eachSnapshot(func(in rotation.Snapshot) error {
		if !s.hasPlace(in) {
			return nil
		}
		if in.Error != "" {
			failed++
		}
		for _, u := range in.Users {
			p, _, ok := v.rules.For(targetOf(in, u))
			if settled[rotation.MakeID(in.Account, u.ID)] || u.Exempt || !ok || p.Mode == rotation.ModeAudit {
				continue
			}
			for _, k := range u.Keys {
				at := k.Created.Add(p.RotateAfter)
				if owner := v.ownerOf(in, u); k.Status == rotation.Active && !k.Created.IsZero() && !at.After(until) && s.hasKey(in, owner, k) {
					keys = append(keys, dueKey{k.ID, in.Account, in.Name, u.Name, owner, at, k.Created, k.LastUse, ""})
				}
			}
		}
		return nil
	})
	if failed > 0 {
		v.note("the last scan of %d accounts failed, so their keys are as the scans before saw them. keyturn report and the log say more", failed)
	}
	slices.SortFunc(keys, func(a, b dueKey) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.Key, b.Key)) })
	return keys, err
}
