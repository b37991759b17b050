package rotation

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Entry is one line of a rotation's history. Hash covers every other field and, through Prev, all lines before it.
type Entry struct {
	Seq   int       `json:"seq"` // 1 for the first
	At    time.Time `json:"at"`
	Actor Actor     `json:"actor"`
	Event string    `json:"event"`
	From  State     `json:"from,omitempty"`
	To    State     `json:"to"`
	Note  string    `json:"note,omitempty"`
	Prev  string    `json:"prev,omitempty"`
	Hash  string    `json:"hash"`
}

// sum returns the hash of the entry. Fields are written with their length, so that no two entries read the same.
func (e Entry) sum() string {
	h := sha256.New()
	for _, s := range []string{
		fmt.Sprint(e.Seq), e.At.UTC().Format(time.RFC3339Nano),
		e.Actor.ID, e.Actor.Name, e.Actor.Email, string(e.Actor.Via),
		e.Event, string(e.From), string(e.To), e.Note, e.Prev,
	} {
		fmt.Fprintf(h, "%d:%s,", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Sound reports whether the entry is as it was written: its hash covers what it says.
func (e Entry) Sound() bool { return e.Hash != "" && e.sum() == e.Hash }

// NewEntry returns the entry that follows prev in a chain of its own, or the first one if prev is nil. Chains hold what
// belongs to no rotation.
func NewEntry(prev *Entry, at time.Time, by Actor, event, note string) Entry {
	e := Entry{Seq: 1, At: at.UTC().Round(0), Actor: by, Event: event, Note: cutNote(note)}
	if prev != nil {
		e.Seq, e.Prev = prev.Seq+1, prev.Hash
	}
	e.Hash = e.sum()
	return e
}

// mostNote bounds what one line of history keeps, in bytes: reasons are typed by people.
const mostNote = 1000

func (r *Rotation) record(event string, by Actor, from State, note string, now time.Time) {
	e := Entry{Seq: len(r.History) + 1, At: now.UTC().Round(0), Actor: by, Event: event, From: from, To: r.State, Note: cutNote(note)}
	if n := len(r.History); n > 0 {
		e.Seq, e.Prev = r.History[n-1].Seq+1, r.History[n-1].Hash
	}
	e.Hash = e.sum()
	r.History = append(r.History, e)
}

func cutNote(note string) string {
	note = strings.ToValidUTF8(note, "�")
	if len(note) > mostNote {
		note = strings.ToValidUTF8(note[:mostNote], "") + "…"
	}
	return note
}

// VerifyHistory checks the chain of a history. It finds a changed, missing or reordered line, but not a cut tail: for
// that, heads are anchored outside.
func VerifyHistory(history []Entry) error {
	prev := ""
	for i, e := range history {
		if i > 0 && e.Seq != history[i-1].Seq+1 {
			return fmt.Errorf("history line %d follows line %d: a line is missing or out of order", e.Seq, history[i-1].Seq)
		}
		if i == 0 && e.Seq == 1 && e.Prev != "" || i > 0 && e.Prev != prev {
			return fmt.Errorf("history line %d does not continue the line before it", e.Seq)
		}
		if e.sum() != e.Hash {
			return fmt.Errorf("history line %d was changed after it was written", e.Seq)
		}
		prev = e.Hash
	}
	return nil
}
