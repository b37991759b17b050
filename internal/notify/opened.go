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

	circles map[string]found     // people beside the owners, by their circles
	lost    map[string]bool      // people beside the owners whom Slack does not let us write to, by their IDs
	touched map[rotation.ID]bool // what the call has saved
}

func newCall() *call {
	return &call{
		owners: map[string]owner{}, unknown: map[string]error{}, failed: map[string]error{}, listed: map[string]bool{},
		circles: map[string]found{}, lost: map[string]bool{}, touched: map[rotation.ID]bool{},
	}
}

// Opened implements scheduler.Teller: it tells people of rotations that a run opened, or of which there is news. Whoever has
// many of them, a person, a channel or a mail address, gets one digest and nothing else that calls; the next news of one of
// them comes as its notice. Whoever is told of something by somebody else just now, or changed meanwhile, is left to Wake.
func (n *Notifier) Opened(ctx context.Context, ids []rotation.ID) error {
	c := newCall()
	left, err := n.directDigests(ctx, c, ids)
	errs := []error{err}
	left, err = n.sharedDigests(ctx, c, left)
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

// directDigests sends the digests to owners, and to the others who have to hear of a rotation. It returns the rotations that
// have to be told of elsewhere, or one by one.
func (n *Notifier) directDigests(ctx context.Context, c *call, ids []rotation.ID) ([]rotation.ID, error) {
	rs, os, err := n.untold(ctx, c, ids)
	errs := []error{err}
	var left []rotation.ID
	many := bundles{}
	for _, r := range rs {
		left = append(left, r.ID)
		own := ""
		if o, ok := os[r.ID]; ok && o.reached() {
			own = o.person.SlackID
			if n.calling(r, o.direct()) {
				many.add(o.direct(), r)
			}
		}
		others, _ := n.others(ctx, c, r) // an error shows again when r is told by itself
		for _, p := range others {
			if p.id != own && n.calling(r, p) {
				many.add(p, r)
			}
		}
	}
	for _, id := range sorted(many) {
		if len(many[id].rs) < n.o.DigestFrom {
			continue
		}
		sent, err := n.digest(ctx, c, many[id])
		errs = append(errs, err)
		switch {
		case errors.Is(sent, ErrNoUser):
			c.lost[id] = true
			for _, r := range many[id].rs {
				if o := os[r.ID]; o.person.SlackID == id {
					c.owners[r.Owner] = o.lost()
				}
			}
		case sent != nil:
			errs = append(errs, sent)
			c.failed[id] = sent
		}
	}
	return left, errors.Join(errs...)
}

// inMany is said in a channel's digest.
const inMany = "These stand here because Slack does not reach their owners, or because others than these have to see them."

// sharedDigests posts the digests for channels, and mails those for whom Slack does not reach.
func (n *Notifier) sharedDigests(ctx context.Context, c *call, ids []rotation.ID) ([]rotation.ID, error) {
	rs, os, err := n.untold(ctx, c, ids)
	errs := []error{err}
	var left []rotation.ID
	channels, mails := bundles{}, bundles{}
	listed := map[string]int{}
	for _, r := range rs {
		left = append(left, r.ID)
		o, ok := os[r.ID]
		if p := n.channel(o, r); p.id != "" && (ok && n.inChannel(ctx, r, o) || !ok && urgent(r)) && n.calling(r, p) {
			p.help = inMany
			channels.add(p, r)
		}
		for _, p := range n.byMail(r, o) {
			switch {
			case !n.fresh(r, p) || p.once && known(r, p):
			case listable(r, refs(r.Messages), p):
				listed[p.id]++
			default:
				mails.add(p, r)
			}
		}
	}
	for _, id := range sorted(channels) {
		if len(channels[id].rs) < n.o.DigestFrom {
			continue
		}
		sent, err := n.digest(ctx, c, channels[id])
		errs = append(errs, err, sent)
		c.failed[id] = sent
	}
	for to, some := range listed {
		c.listed[to] = some+len(mails[to].rs) >= n.o.DigestFrom
	}
	for _, to := range sorted(mails) {
		some := len(mails[to].rs)
		if some < 2 || some+listed[to] < n.o.DigestFrom {
			continue
		}
		sent, err := n.digest(ctx, c, mails[to])
		errs = append(errs, err, sent)
		c.failed[to] = sent
	}
	return left, errors.Join(errs...)
}

// byMail are the places where r is told by mail: the owner's if Slack does not reach them, and the account's owner's if the
// decision was escalated.
func (n *Notifier) byMail(r rotation.Rotation, o owner) (ps []place) {
	if !o.reached() && o.mail != "" && n.o.Mail != nil {
		ps = append(ps, o.byMail())
	}
	if p, ok := n.accountOwner(r); ok && (len(ps) == 0 || ps[0].id != p.id) {
		ps = append(ps, p)
	}
	return ps
}

// listable reports whether the mail about the account is enough for the place: it knows nothing of r so far, and nothing
// happens to r without a decision. What goes on by itself has to be delivered first.
func listable(r rotation.Rotation, s refs, p place) bool {
	_, was := s.shown(p.id)
	return !was && !p.once && r.Policy.Mode != rotation.ModeAuto && r.Policy.OnTimeout != rotation.TimeoutApprove
}

// known reports whether a place has heard of r before.
func known(r rotation.Rotation, p place) bool {
	_, was := refs(r.Messages).shown(p.id)
	return was
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
