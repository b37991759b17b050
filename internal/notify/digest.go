package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// bundle is what one place has to be told of at once.
type bundle struct {
	place
	rs []rotation.Rotation
}

// bundles are the bundles of many places.
type bundles map[string]bundle

func (b bundles) add(p place, r rotation.Rotation) {
	k, ok := b[p.id]
	if !ok {
		k.place = p
		k.call = nil
	}
	for _, id := range p.call {
		if !slices.Contains(k.call, id) {
			k.call = append(k.call, id)
		}
	}
	if k.because != p.because { // several reasons: none of them holds for all
		k.because = ""
	}
	k.rs = append(k.rs, r)
	b[p.id] = k
}

// digest tells of many rotations in one message or mail, and records on each that the place knows of it. sent is why it
// could not be sent; err is about single rotations.
func (n *Notifier) digest(ctx context.Context, c *call, b bundle) (sent, err error) {
	var claimed []rotation.Rotation
	var errs []error
	for _, r := range b.rs {
		if c.touched[r.ID] { // another digest has saved it meanwhile
			if r, err = n.o.Store.GetRotation(ctx, r.ID); err != nil {
				errs = append(errs, fmt.Errorf("read rotation %s again to tell people: %w", r.ID, err))
				continue
			}
		}
		k, ok, err := n.claim(ctx, r)
		errs = append(errs, err)
		if ok {
			claimed = append(claimed, k)
			c.touched[r.ID] = true
		}
	}
	if len(claimed) == 0 {
		return nil, errors.Join(errs...)
	}
	if sent = n.sendDigest(ctx, b.place, claimed); sent != nil {
		sent = fmt.Errorf("tell %s of %d keys: %w", b.id, len(claimed), sent)
	} else {
		n.log.LogAttrs(ctx, slog.LevelInfo, "digest sent", slog.String("for", b.id), slog.Int("rotations", len(claimed)))
	}
	for _, r := range claimed {
		s := refs(r.Messages)
		if sent == nil {
			s = s.digested(b.place, r, n).bounded()
		}
		errs = append(errs, n.save(ctx, r, func(cur rotation.Rotation) rotation.Rotation {
			// Other places may not know yet, so this tells nothing by itself.
			now := n.o.Now()
			return cur.WithTold(cur.ToldSeq, s, now).WithTellAfter(r.TellAfter, now)
		}, s))
	}
	return sent, errors.Join(errs...)
}

// digested is s after the place was told of r in a digest. What stands there is updated in its place later, and calls nobody
// again.
func (s refs) digested(p place, r rotation.Rotation, n *Notifier) refs {
	switch {
	case p.kind == byMail:
		return s.only(ref(refMail, "", p.id, r, n.o.Now()))
	case s.standing(p.id):
		return s.beside(ref(refDigest, "", p.id, r, n.o.Now()))
	default:
		return s.only(ref(refDigest, "", p.id, r, n.o.Now()))
	}
}

func (n *Notifier) sendDigest(ctx context.Context, p place, rs []rotation.Rotation) error {
	v := templates.View{Now: n.o.Now(), Help: p.help, For: p.call, Because: p.because, Shared: p.kind == channel}
	if p.kind != byMail {
		_, _, err := n.write(ctx, p, templates.Digest(rs, v))
		return err
	}
	m, err := n.o.Templates.DigestMail(rs, v)
	if err != nil {
		return err
	}
	return n.o.Mail.Send(ctx, p.id, m)
}
