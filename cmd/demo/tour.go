package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

const day = 24 * time.Hour

// story prints what happens and stops at the first thing that goes otherwise than told.
type story struct {
	*stage
	ctx context.Context
	out io.Writer
	err error
	old string // the old key's ID
	new string // the new key's ID
}

// tell builds the world and tells the story.
func tell(ctx context.Context, out io.Writer) (err error) {
	began := time.Now()
	s, err := build(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\n\nThe log of keyturn:\n%s", err, strings.Join(s.Log(), "\n"))
		}
		err = errors.Join(err, s.Close())
	}()
	t := &story{stage: s, ctx: ctx, out: out}
	for _, chapter := range []func(){t.opening, t.noticed, t.snoozed, t.refused, t.approved, t.stillInUse, t.installed, t.deactivated, t.restored, t.deleted, t.mails, t.ending} {
		chapter()
		if t.err != nil {
			return t.err
		}
	}
	fmt.Fprintf(out, "\nThat was the whole life of one key, on the real program, in %.1f s.\n", time.Since(began).Seconds())
	return nil
}

func (t *story) chapter(title, text string) {
	fmt.Fprintf(t.out, "\n━━━ %s · %s\n%s\n", t.Clock.Now().Format("Mon 2 Jan 15:04"), title, text)
}

func (t *story) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// must notes an error of the story.
func (t *story) must(err error, what string) {
	if t.err == nil && err != nil {
		t.err = fmt.Errorf("%s: %w", what, err)
	}
}

// expect stops the story when something is not so.
func (t *story) expect(ok bool, format string, args ...any) {
	if t.err == nil && !ok {
		t.err = fmt.Errorf("the story went another way: "+format, args...)
	}
}

func (t *story) show(m slackemu.Message) {
	for _, l := range strings.Split(strings.TrimRight(t.Slack.Render(m), "\n"), "\n") {
		fmt.Fprintln(t.out, "   │", l)
	}
}

// owner's notice, shown and returned.
func (t *story) ownersNotice() slackemu.Message {
	m, err := t.notice(world.Owner, t.old)
	t.must(err, "read the owner's messages")
	if t.err == nil {
		t.say("\n   Slack, to Billing Owner:")
		t.show(m)
	}
	return m
}

// click presses a button of the owner's notice and lets everything that follows happen.
func (t *story) click(who, text string) slackemu.Result { return t.clickIn(world.Owner, who, text) }

// clickIn presses a button of the notice that stands in a channel, or in somebody's direct messages.
func (t *story) clickIn(place, who, text string) slackemu.Result {
	if t.err != nil {
		return slackemu.Result{}
	}
	m, err := t.notice(place, t.old)
	t.must(err, "find the notice")
	r := t.Slack.As(who).ClickButton(m, text)
	t.must(r.Err, "click "+text)
	t.app.Drain()
	return r
}

func (t *story) keys() string {
	var out []string
	for _, k := range t.AWS.Keys(world.Prod, world.Billing) {
		status := "Active"
		if k.Inactive {
			status = "Inactive"
		}
		out = append(out, k.ID+" "+status)
	}
	return strings.Join(out, ", ")
}

func (t *story) status(key string) string {
	for _, k := range t.AWS.Keys(world.Prod, world.Billing) {
		if k.ID == key && k.Inactive {
			return "Inactive"
		} else if k.ID == key {
			return "Active"
		}
	}
	return "gone"
}
