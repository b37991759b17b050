package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// update redraws every message that stands in a place and shows something older. Messages that are gone are forgotten.
// former: it is a place where nobody needs to be told any more, and one that cannot be reached is forgotten too.
func (t *telling) update(ctx context.Context, p place, former bool) error {
	var failed error
	var kept refs
	m := templates.Notice(t.r, t.n.view(t.r, p))
	for _, k := range t.refs {
		if k.For != p.id || !live(k) || k.Seq >= t.r.PeopleSeq {
			kept = append(kept, k)
			continue
		}
		err := t.n.o.Slack.Update(ctx, k.Channel, k.TS, m.Text, m.Blocks)
		switch {
		case err == nil:
			kept = append(kept, ref(k.Channel, k.TS, k.For, t.r, t.n.o.Now()))
		case errors.Is(err, ErrGone), (former || p.kind == direct) && (errors.Is(err, ErrNoChannel) || errors.Is(err, ErrNoUser)):
			t.note(ctx, "message gone", p)
		default:
			failed = err
			kept = append(kept, k)
		}
	}
	t.refs = kept
	return failed
}

// follow writes what happened into the thread of an updated message. News call their reader: by a mention in a direct
// message, by showing the reply in the channel too elsewhere. Where the reply cannot be posted, the message counts as one that
// shows what it showed before, so that both are tried again.
func (t *telling) follow(ctx context.Context, p place, before int64) error {
	happened, calls := since(t.r, before), news(t.r, before, p.reader)
	if len(happened) == 0 && !calls {
		return nil
	}
	var whom []string
	if calls && p.kind == direct {
		whom = []string{p.id}
	} else if calls {
		whom = p.call
	}
	i := slices.IndexFunc(t.refs, func(m rotation.MessageRef) bool { return m.For == p.id && live(m) })
	m := templates.Thread(t.r, happened, calls, whom, t.n.view(t.r, p))
	_, _, err := t.n.o.Slack.PostIn(ctx, t.refs[i].Channel, t.refs[i].TS, m.Text, m.Blocks, calls && p.kind == channel)
	if errors.Is(err, ErrGone) { // somebody took the message away meanwhile
		t.refs = slices.DeleteFunc(t.refs, func(m rotation.MessageRef) bool { return m.For == p.id && live(m) })
		err = t.post(ctx, p)
	}
	if err != nil {
		t.refs.notYet(p.id, before)
		return err
	}
	return nil
}

// post writes the notice as a new message.
func (t *telling) post(ctx context.Context, p place) error {
	m := templates.Notice(t.r, t.n.view(t.r, p))
	in, ts, err := t.n.write(ctx, p, m)
	if err != nil {
		return err
	}
	t.refs = t.refs.only(ref(in, ts, p.id, t.r, t.n.o.Now()))
	t.note(ctx, "notice posted", p)
	return nil
}

func (t *telling) note(ctx context.Context, what string, p place) {
	t.n.log.LogAttrs(ctx, slog.LevelInfo, what, slog.String("rotation", string(t.r.ID)), slog.String("account", string(t.r.Account)),
		slog.String("for", p.id), slog.Int64("seq", t.r.PeopleSeq))
}

// write posts a message in a place.
func (n *Notifier) write(ctx context.Context, p place, m templates.Message) (in, ts string, err error) {
	to := p.id
	if p.kind == direct {
		if to, err = n.o.Slack.OpenDM(ctx, p.id); err != nil {
			return "", "", err
		}
	}
	return n.o.Slack.Post(ctx, to, m.Text, m.Blocks)
}

// send mails the notice if there is something that its reader must know or do.
func (t *telling) send(ctx context.Context, p place) error {
	before, was := t.refs.shown(p.id)
	if was && before >= t.r.PeopleSeq {
		return nil
	}
	quiet := t.n.quiet(t.r, t.refs, p) || was && p.once
	if !was && quiet {
		return nil
	}
	as := refMail
	switch {
	case quiet:
	case t.c.listed[p.id] && listable(t.r, t.refs, p):
		as = refListed
	default:
		v := t.n.view(t.r, p)
		at, ok := t.refs.shown(t.n.o.Channel(t.r))
		v.Posted = ok && at >= t.r.PeopleSeq
		m, err := t.n.o.Templates.NoticeMail(t.r, v)
		if err != nil {
			return err
		}
		if err := t.n.o.Mail.Send(ctx, p.id, m); err != nil {
			return err
		}
		t.note(ctx, "notice mailed", p)
	}
	t.refs = t.refs.only(ref(as, "", p.id, t.r, t.n.o.Now()))
	return nil
}

// elsewhere updates messages in places where nobody needs to be told any more (a former owner, a former channel, a channel
// in which the urgent is over), so that no button there is out of date.
func (t *telling) elsewhere(ctx context.Context, done map[string]bool) {
	for _, k := range slices.Clone(t.refs) {
		if done[k.For] || !live(k) {
			continue
		}
		done[k.For] = true
		if err := t.update(ctx, place{id: k.For}, true); err != nil {
			t.errs = append(t.errs, err)
		}
	}
}
