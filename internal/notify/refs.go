package notify

import (
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Channels of references to what is not a message that could be updated.
const (
	refMail   = "mail"          // a mail was sent
	refDigest = "digest"        // it was a row of a digest, whose button shows the rotation as it is
	refListed = rotation.Listed // no mail of its own: the mail about the account lists it
)

// mostRefs bounds how many references a rotation keeps: a place that is forgotten would be told anew. There are at most
// mostAsked places of others, and each may have a digest beside its message.
const mostRefs = 2*mostAsked + 10

// refs are the references of one rotation: where it is shown, and what was shown there.
type refs []rotation.MessageRef

// live reports whether a reference is to a message that is updated in place.
func live(m rotation.MessageRef) bool { return m.TS != "" }

// shown returns the newest people_seq that the place has shown in any way; ok is false if it never showed r.
func (s refs) shown(id string) (seq int64, ok bool) {
	for _, m := range s {
		if m.For == id {
			seq, ok = max(seq, m.Seq), true
		}
	}
	return seq, ok
}

// standing reports whether a message stands in the place.
func (s refs) standing(id string) bool {
	return slices.ContainsFunc(s, func(m rotation.MessageRef) bool { return m.For == id && live(m) })
}

// only returns s with m as the one reference of its place.
func (s refs) only(m rotation.MessageRef) refs {
	return append(slices.DeleteFunc(slices.Clone(s), func(k rotation.MessageRef) bool { return k.For == m.For }), m)
}

// beside returns s with m, which is no message, as a further reference of its place. Another such one gives way.
func (s refs) beside(m rotation.MessageRef) refs {
	return append(slices.DeleteFunc(slices.Clone(s), func(k rotation.MessageRef) bool { return k.For == m.For && !live(k) }), m)
}

// notYet has everything in a place count as showing no more than seq, so that it is brought up to date again.
func (s refs) notYet(id string, seq int64) {
	for i := range s {
		if s[i].For == id {
			s[i].Seq = min(s[i].Seq, seq)
		}
	}
}

// bounded returns the newest references.
func (s refs) bounded() refs {
	if len(s) <= mostRefs {
		return s
	}
	s = slices.Clone(s)
	slices.SortStableFunc(s, func(a, b rotation.MessageRef) int { return a.At.Compare(b.At) })
	return s[len(s)-mostRefs:]
}

func ref(in, ts, id string, r rotation.Rotation, at time.Time) rotation.MessageRef {
	return rotation.MessageRef{Channel: in, TS: ts, For: id, Seq: r.PeopleSeq, At: at}
}
