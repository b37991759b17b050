package main

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

type statusCmd struct {
	where
	State []stateFlag `help:"Only rotations in these states, like awaiting,installing; closed shows those that are over." placeholder:"STATE"`
	Age   ageFlag     `help:"Only keys at least so old, like 90d." placeholder:"AGE"`
	Kind  kindFlag    `help:"Only rotations of this kind: rotate or retire." placeholder:"KIND"`
	Stuck bool        `help:"Only rotations that need a person to go on."`
	All   bool        `help:"Closed rotations too."`
	JSON  bool        `help:"Print JSON Lines: one rotation a line."`
}

// Run lists rotations.
func (c statusCmd) Run(e *environment) error { return e.look(c.show) }

func (c statusCmd) show(v *view) error {
	in := store.Filter{OlderThan: time.Duration(c.Age)}
	for _, s := range c.State {
		in.States = append(in.States, rotation.State(s))
	}
	in.OpenOnly = !c.All && !slices.Contains(in.States, rotation.Closed)
	s, err := v.scope(c.where, in)
	if err != nil {
		return err
	}
	s.kind, s.stuck = rotation.Kind(c.Kind), c.Stuck
	t, enc, n := newTable(v.out, "KEY", "USER", "ACCOUNT", "AGE", "STATE", "SINCE", "NEXT", "OWNER"), json.NewEncoder(v.out), 0
	err = v.eachRotation(s.in, func(r rotation.Rotation) error {
		if !s.has(r) {
			return nil
		}
		n++
		if c.JSON {
			return enc.Encode(r)
		}
		t.add(string(r.Old.ID), string(r.UserName), string(r.Account), ageOf(r.Old.Created, v.now()), stateOf(r), date(r.Since), nextOf(r), r.Owner)
		return nil
	}, func() error {
		if c.JSON || n == 0 {
			return nil
		}
		return t.flush()
	})
	if err != nil || n > 0 {
		return err
	}
	none, say := "nothing is open", ": every key that was scanned is within its policy, exempt or rejected for now"
	switch {
	case !c.where.empty() || len(c.State) > 0 || c.Age > 0 || c.Kind != "" || c.Stuck:
		none, say = "no rotation is like that", ". Without filters keyturn status lists all that are open, with --all the closed ones too"
	case c.All:
		none, say = "there is no rotation yet", ": every key that was scanned is within its policy or exempt"
	}
	return v.nothing(s, c.JSON, none, say)
}

// stateOf is the state and what stands beside it.
func stateOf(r rotation.Rotation) string {
	s := string(r.State)
	if r.State == rotation.Closed {
		s += " (" + string(r.Outcome) + ")"
	}
	for _, f := range []struct {
		flag string
		on   bool
	}{
		{"leaked", r.Open() && (r.Leaked != nil || r.LeakedKey != nil)}, {"stuck", r.Stuck != nil}, {"held", r.Held != nil},
		{"snoozed", !r.SnoozedUntil.IsZero()}, {"escalated", r.Open() && (r.Escalated || r.Escalation != nil)}, {"unreachable", r.Frozen != nil},
	} {
		if f.on {
			s += ", " + f.flag
		}
	}
	return s
}

func nextOf(r rotation.Rotation) string {
	step, at := r.Next()
	if step == rotation.StepNone {
		return ""
	}
	return strings.ReplaceAll(string(step), "_", " ") + " " + date(at)
}
