package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// digestFrom is how many notices at once become one digest.
const digestFrom = 3

// call is one call of Tell or Opened: what it found out about owners and places holds until it ends.
type call struct {
	owners  map[string]owner // by what the rotations call them
	unknown map[string]error // owners whom Slack could not look up
	failed  map[string]error // places that need not be tried again; the error was reported
	listed  map[string]bool  // addresses that get no mail for each rotation, because the mail about the account lists them

	digested map[string]map[rotation.ID]bool // what each place was told in a digest just now
}

func newCall() *call {
	return &call{owners: map[string]owner{}, unknown: map[string]error{}, failed: map[string]error{}, listed: map[string]bool{}, digested: map[string]map[rotation.ID]bool{}}
}

// Opened implements scheduler.Teller: it tells people of rotations that a run opened or changed. A person, or a channel, with
// many of them gets one digest and no notices; the next news of one of them comes as its notice. Whoever is told of
// something by somebody else just now, or changed meanwhile, is left to Wake.
func (n *Notifier) Opened(ctx context.Context, ids []rotation.ID) error {
	c := newCall()
	var errs []error
	left, err := n.ownersDigests(ctx, c, ids)
	errs = append(errs, err)
	left, err = n.channelDigest(ctx, c, left)
	errs = append(errs, err)
	for _, id := range left {
		errs = append(errs, n.one(ctx, c, id))
	}
	return distinct(errs)
}

// distinct joins errors and leaves repetitions out: one outage is one error, however many rotations it met.
func distinct(errs []error) error {
	seen := map[string]bool{}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || seen[err.Error()] {
			return true
		}
		seen[err.Error()] = true
		return false
	})...)
}

// untold reads those of ids of which somebody has to be told, and the owner of each. What cannot be read is an error and
// stays for Wake.
func (n *Notifier) untold(ctx context.Context, c *call, ids []rotation.ID) (rs []rotation.Rotation, os map[rotation.ID]owner, err error) {
	var errs []error
	os = map[rotation.ID]owner{}
	for _, id := range ids {
		r, err := n.o.Store.GetRotation(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read rotation %s to tell people: %w", id, err))
			continue
		}
		if !r.Untold() {
			continue
		}
		rs = append(rs, r)
		if o, err := n.ownerOf(ctx, c, r); err == nil { // an error shows again when r is told by itself
			os[id] = o
		}
	}
	return rs, os, errors.Join(errs...)
}

// ownersDigests sends the digests to owners. It returns the rotations that have to be told of elsewhere, or one by one.
func (n *Notifier) ownersDigests(ctx context.Context, c *call, ids []rotation.ID) ([]rotation.ID, error) {
	rs, os, err := n.untold(ctx, c, ids)
	errs := []error{err}
	var left []rotation.ID
	many := map[string][]rotation.Rotation{}
	for _, r := range rs {
		left = append(left, r.ID)
		if o, ok := os[r.ID]; ok && o.reached() && n.calling(r, o.direct()) {
			many[o.person.SlackID] = append(many[o.person.SlackID], r)
		}
	}
	for _, id := range sorted(many) {
		if len(many[id]) < n.o.DigestFrom {
			continue
		}
		p := os[many[id][0].ID].direct()
		sent, err := n.digest(ctx, c, many[id], p)
		errs = append(errs, err)
		switch {
		case errors.Is(sent, ErrNoUser):
			for _, r := range many[id] {
				c.owners[r.Owner] = os[r.ID].lost()
			}
		case sent != nil:
			errs = append(errs, sent)
			c.failed[p.id] = sent
		}
	}
	return left, errors.Join(errs...)
}

// channelDigest posts the digest for the channel, of those that belong there.
func (n *Notifier) channelDigest(ctx context.Context, c *call, ids []rotation.ID) ([]rotation.ID, error) {
	rs, os, err := n.untold(ctx, c, ids)
	var left []rotation.ID
	many := map[string][]rotation.Rotation{}
	mails := map[string][]rotation.Rotation{}
	for _, r := range rs {
		left = append(left, r.ID)
		o, ok := os[r.ID]
		if ok && n.inChannel(ctx, r, o) && n.calling(r, n.channel(o, r)) {
			many[n.o.Channel(r)] = append(many[n.o.Channel(r)], r)
		}
		if ok && !o.reached() && o.mail != "" && n.fresh(r, o.byMail()) {
			mails[o.mail] = append(mails[o.mail], r)
		}
	}
	errs := []error{err}
	for _, id := range sorted(many) {
		if len(many[id]) < n.o.DigestFrom {
			continue
		}
		p := place{kind: channel, id: id, help: "These stand here because Slack does not reach their owners, or because others than these have to see them."}
		sent, err := n.digest(ctx, c, many[id], p)
		errs = append(errs, err, sent)
		c.failed[p.id] = sent
	}
	for _, to := range sorted(mails) {
		if len(mails[to]) >= n.o.DigestFrom {
			c.listed[to] = true
		}
	}
	return left, errors.Join(errs...)
}

// calling reports whether a place needs a new message for r, or has one and there is news for its reader.
func (n *Notifier) calling(r rotation.Rotation, p place) bool {
	s := refs(r.Messages)
	seq, _ := s.shown(p.id)
	return n.fresh(r, p) || s.standing(p.id) && news(r, seq, p.reader)
}

// fresh reports whether a place needs a new message for r.
func (n *Notifier) fresh(r rotation.Rotation, p place) bool {
	s := refs(r.Messages)
	seq, was := s.shown(p.id)
	return !s.standing(p.id) && !(was && seq >= r.PeopleSeq) && !n.quiet(r, s, p)
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	var out []K
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
