package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// digest tells of many rotations in one message, and records on each that the place knows of it. sent is why the message
// could not be sent; err is about single rotations.
func (n *Notifier) digest(ctx context.Context, c *call, rs []rotation.Rotation, p place) (sent, err error) {
	var claimed []rotation.Rotation
	var errs []error
	for _, r := range rs {
		k, ok, err := n.claim(ctx, r)
		errs = append(errs, err)
		if ok {
			claimed = append(claimed, k)
		}
	}
	if len(claimed) == 0 {
		return nil, errors.Join(errs...)
	}
	_, _, sent = n.write(ctx, p, templates.Digest(claimed, templates.View{Now: n.o.Now(), Help: p.help}))
	if sent != nil {
		sent = fmt.Errorf("tell %s of %d keys: %w", p.id, len(claimed), sent)
	} else {
		n.log.LogAttrs(ctx, slog.LevelInfo, "digest sent", slog.String("for", p.id), slog.Int("rotations", len(claimed)))
		c.digested[p.id] = map[rotation.ID]bool{}
	}
	for _, r := range claimed {
		s := refs(r.Messages)
		if sent == nil {
			c.digested[p.id][r.ID] = true
		}
		if sent == nil && !s.standing(p.id) { // what stands there is updated in its place
			s = s.only(ref(refDigest, "", p.id, r, n.o.Now())).bounded()
		}
		errs = append(errs, n.save(ctx, r, func(cur rotation.Rotation) rotation.Rotation {
			// Other places may not know yet, so this tells nothing by itself.
			now := n.o.Now()
			return cur.WithTold(cur.ToldSeq, s, now).WithTellAfter(r.TellAfter, now)
		}, s))
	}
	return sent, errors.Join(errs...)
}
