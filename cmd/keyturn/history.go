package main

import (
	"encoding/json"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

type historyCmd struct {
	Key  keyArg `arg:"" help:"The old or the new key of a rotation: AKIA..."`
	JSON bool   `help:"Print JSON Lines: one entry a line, with its hash."`
}

// line is an entry of a history with the rotation that it belongs to.
type line struct {
	Rotation rotation.ID `json:"rotation"`
	Episode  int         `json:"episode"`
	rotation.Entry
}

// Run prints what happened to a key's rotation, the newest last, and says whether the chain holds.
func (c historyCmd) Run(e *environment) error { return e.look(c.show) }

func (c historyCmd) show(v *view) error {
	key := rotation.KeyID(c.Key)
	r, found, err := v.byKey(key)
	switch {
	case err != nil:
		return err
	case !found:
		_, _, _, known, err := v.findKey(key)
		if err == nil && !known {
			err = errNoKey(key)
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("no rotation is about %s, so nothing has happened to it. keyturn why %s says what is known of it", key, key)
	}
	if err := c.print(v, r); err != nil {
		return err
	}
	if err := rotation.VerifyHistory(r.History); err != nil {
		return fmt.Errorf("this history was changed or damaged: %w. Compare it with a backup of the store", err)
	}
	return nil
}

func (c historyCmd) print(v *view, r rotation.Rotation) error {
	if c.JSON {
		enc := json.NewEncoder(v.out)
		for _, e := range r.History {
			if err := enc.Encode(line{r.ID, r.Episode, e}); err != nil {
				return err
			}
		}
		return nil
	}
	head := newTable(v.out)
	head.add(fmt.Sprintf("%s of %s in %s, rotation %d of this user: %s", r.Old.ID, r.UserName, placeOf(r.Account, r.AccountName), r.Episode, stateOf(r)))
	if err := head.flush(); err != nil {
		return err
	}
	t := newTable(v.out, "TIME", "EVENT", "BY", "STATE", "NOTE")
	for _, e := range r.History {
		state := string(e.To)
		if e.From != e.To && e.From != "" {
			state = string(e.From) + " → " + state
		}
		t.add(minute(e.At), e.Event, e.Actor.String(), state, e.Note)
	}
	if err := t.flush(); err != nil {
		return err
	}
	earlier, err := v.before(r.ID, r.Episode)
	if err != nil || len(earlier) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(v.out); err != nil {
		return err
	}
	rest := newTable(v.out, "EARLIER", "KEY", "OUTCOME", "CLOSED")
	for _, r := range earlier {
		rest.add(fmt.Sprint(r.Episode), string(r.Old.ID), string(r.Outcome), minute(r.ClosedAt))
	}
	return rest.flush()
}

// placeOf names an account for a person.
func placeOf(id rotation.AccountID, name string) string {
	if name == "" {
		return string(id)
	}
	return fmt.Sprintf("%s (%s)", id, name)
}
