package rotation

import (
	"slices"
	"time"
)

// WithTelling claims the telling of people until the lease ends (protocol clock), or refuses because somebody else is at
// it, or because nobody has to be told. It is saved before anything is sent, so that two processes do not both post.
func (r Rotation) WithTelling(token string, real, leaseUntil, now time.Time) (Rotation, error) {
	switch {
	case !r.Untold():
		return r, refuse(Already, "people know all there is to know of key %s", r.Old.ID)
	case r.Telling != nil && r.Telling.Token != token && r.Telling.LeaseUntil.After(real):
		return r, refuse(Busy, "people are being told of key %s right now", r.Old.ID)
	}
	c := r.Clone()
	c.Telling = &Telling{Token: token, LeaseUntil: leaseUntil}
	c.NextAt = c.nextAt(now)
	return c, nil
}

// WithTellAfter returns r with telling put off until at (domain clock): a scan collects what it opens into digests first,
// and the tick tells whatever a scan that died has left.
func (r Rotation) WithTellAfter(at, now time.Time) Rotation {
	c := r.Clone()
	c.TellAfter = at
	c.NextAt = c.nextAt(now)
	return c
}

// WithTold returns r after people were told what r.PeopleSeq stood for: it raises nothing and is no history.
func (r Rotation) WithTold(seq int64, messages []MessageRef, now time.Time) Rotation {
	c := r.Clone()
	c.Messages = messages
	c.ToldSeq = max(c.ToldSeq, min(seq, c.PeopleSeq))
	if c.State == Awaiting && c.NoticeAt.IsZero() && !c.Untold() && delivered(messages) {
		c.NoticeAt, c.NoticeDigest = now, c.Digest()
	}
	c.TellAfter, c.TellTries, c.Telling = time.Time{}, 0, nil
	c.NextAt = c.nextAt(now)
	return c
}

// Listed is the channel of a reference to a mail that was not sent yet: the one about the account will list the rotation.
const Listed = "listed"

// delivered reports whether Slack or mail has accepted any message.
func delivered(messages []MessageRef) bool {
	return slices.ContainsFunc(messages, func(m MessageRef) bool { return m.Channel != Listed })
}

// WithTellFailed returns r after telling failed: it is tried again after a growing pause. Messages that did go out are
// kept. Nothing about the rotation itself waits for it.
func (r Rotation) WithTellFailed(messages []MessageRef, now time.Time) Rotation {
	c := r.Clone()
	c.Messages = messages
	c.TellTries++
	c.Telling = nil
	c.TellAfter = now.Add(Backoff(c.TellTries))
	c.NextAt = c.nextAt(now)
	return c
}

// WithStale returns r after somebody told people what r.PeopleSeq stood for at seq, but had lost the claim meanwhile: the
// messages may show something older than what was told since. Everything is told once more, and messages that r does not
// know yet are taken in.
func (r Rotation) WithStale(seq int64, messages []MessageRef, now time.Time) Rotation {
	c := r.Clone()
	for _, m := range messages {
		if !slices.ContainsFunc(c.Messages, func(k MessageRef) bool { return k.Channel == m.Channel && k.TS == m.TS }) {
			m.Seq = min(m.Seq, seq)
			c.Messages = append(c.Messages, m)
		}
	}
	c.PeopleSeq++
	c.TellAfter, c.TellTries = time.Time{}, 0
	c.NextAt = c.nextAt(now)
	return c
}
