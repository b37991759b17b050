package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// noted are the entries of a person, as "event: note".
func (e *bench) noted(user string) (out []string) {
	e.t.Helper()
	e.bot.Wait()
	e.store.mu.Lock()
	defer e.store.mu.Unlock()
	all := e.store.chains[chainOf(user, e.clock())]
	if err := rotation.VerifyHistory(all); err != nil {
		e.t.Fatal(err)
	}
	for _, x := range all {
		out = append(out, x.Event+": "+x.Note)
	}
	return out
}

// What ends in no history is in the journal: reading, refusals, what came too late, what was not understood.
func TestJournal(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	e.says(owner, "why "+string(oldKey))
	e.says(owner, "why "+string(oldKey)) // within a minute: once
	e.says(owner, "status")
	e.says(owner, "snooze")
	e.says(owner, "xyzzy AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	e.press(click{user: owner, action: "history", value: value(r)})
	e.press(click{user: owner, action: "release", value: value(r)}) // it is not on hold
	e.press(click{user: owner, action: "warp", value: value(r)})
	v := templates.ValueOf(r)
	v.Digest = "another"
	e.press(click{user: owner, action: "approve", value: v.Encode()})
	e.press(click{user: owner, action: "approve", value: value(r)}) // this one is in the history
	got := strings.Join(e.noted(owner), "\n")
	id := string(r.ID)
	want := []string{
		"read: why " + string(oldKey), "read: status", "usage: snooze", "usage: a command that was not understood", "read: history " + string(oldKey),
		"not_now: release of " + id + ": key " + string(oldKey) + " is not on hold", "unknown: a button that this version does not know", "stale: approve of " + id,
	}
	if got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if strings.Contains(fmt.Sprint(e.store.chains), "wJalr") {
		t.Error("what somebody typed is kept")
	}
	e.says(guest, "status")
	e.press(click{user: other, action: "approve", value: value(r)})
	wants(t, strings.Join(e.noted(guest), "\n"), "refused: status: Guests")
	wants(t, strings.Join(e.noted(other), "\n"), "refused: approve of "+id)
	e.says(accountOwner, "rotate young@payments leaver")
	e.says(accountOwner, "exempt young@payments until 2026-07-01 vendor")
	wants(t, strings.Join(e.noted(accountOwner), "\n"), "rotate: young@"+string(account), "exempt: young@"+string(account)+" until 2026-07-01: vendor")
}

// Clicks that decide nothing, and windows that are not taken, are in the journal too; once, and without what was typed.
func TestJournalOfClicks(t *testing.T) {
	e := newBench(t)
	r := e.kept(opened(rotation.Awaiting))
	id := string(r.ID)
	v := templates.ValueOf(r)
	e.says(owner, "status billing-export@payments")
	e.says(owner, "status wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	e.says(owner, "due 30d")
	e.says(owner, "help")
	e.press(click{user: owner, action: "snooze", value: v.Encode()})
	e.press(click{user: owner, action: "page:next", value: templates.PageValue("due", "30d", 2)})
	e.press(click{user: owner, action: "page:next", value: "x"})
	e.submit(filledIn{user: owner, action: "reject", value: v})
	e.submit(filledIn{user: owner, action: "warp", value: v, why: "secret reason"})
	e.send("/slack/interactions", shortcut(owner, "secret text "+string(oldKey)))
	e.send("/slack/interactions", strings.ReplaceAll(shortcut(owner, "x"), ShortcutLeaked, "warp"))
	e.submitRaw(leakForm(owner, "x", "secret reason", ""))
	e.submit(filledIn{user: owner, action: "reject", value: v, why: "secret reason"}) // in the history
	want := []string{
		"read: status billing-export@payments", "read: status …", "read: due 30d", "read: help", "opened: snooze of " + id, "page: due 30d 2",
		"unknown: a button that this version does not know", "usage: the window of reject", "unknown: a window that this version does not know",
		"opened: leaked", "unknown: a shortcut that this version does not know", "usage: the window of leaked",
	}
	is(t, e.noted(owner), want)
	if all := fmt.Sprint(e.store.chains); strings.Contains(all, "secret") || strings.Contains(all, "wJalr") {
		t.Error(all)
	}

	e = newBench(t)
	e.kept(opened(rotation.Awaiting))
	about := "@" + string(account)
	for _, text := range []string{
		"rotate billing-export@payments x", "rotate console-only@payments x", "rotate in-group@payments x", "rotate nobody@payments x", "rotate young@payments x", "rotate young@payments x again",
		"exempt young@payments until 2026-01-01 x", "exempt nobody@payments until 2026-07-01 x", "unexempt young@payments x", "exempt billing-export@payments until 2026-07-01 x", "approve AKIAUNKNOWNUNKNOWN9",
	} {
		e.says(accountOwner, text)
	}
	is(t, e.noted(accountOwner), []string{
		"not_now: rotate of billing-export" + about + ": a rotation is open already",
		"not_now: rotate of console-only" + about + ": as of the last scan the user has no access keys, so there is nothing to rotate",
		"not_now: rotate of in-group" + about + ": the user is in the exemption group, so keyturn leaves it alone. Take it out of the group first",
		"not_now: rotate: no such user was found", "rotate: young" + about, "not_now: rotate of young" + about + ": it was asked for already",
		"not_now: exempt of young" + about + ": an exemption ends on a day in the future", "not_now: exempt: no such user was found",
		"not_now: unexempt of young" + about + ": young in " + string(account) + " is not exempt, so there is nothing to end",
		"exempt: billing-export" + about + " until 2026-07-01", // its reason is in the history
		"not_now: approve AKIAUNKNOWNUNKNOWN9: no rotation was found",
	})
}

// A month has a chain of its own; many clicks at once are all in it.
func TestJournalOfAMonth(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	e.says(owner, "status")
	e.advance(31 * 24 * time.Hour)
	e.says(owner, "status")
	is(t, len(e.store.chains), 2)
	same := make([]string, 20)
	for i := range same {
		same[i] = owner
	}
	n := 0
	e.atOnce(same, func(string) string {
		n++
		return click{user: owner, action: fmt.Sprintf("page%d", n), value: "x"}.body()
	})
	if err := rotation.VerifyHistory(e.store.chains[chainOf(owner, e.clock())]); err != nil {
		t.Error(err)
	}
}

// What cannot be written is in the log, and changes no answer.
func TestJournalThatCannotBeWritten(t *testing.T) {
	e := newBench(t)
	e.kept(opened(rotation.Awaiting))
	e.store.fail("AppendEntry", store.ErrFull)
	wants(t, e.says(owner, "why "+string(oldKey)).Text, string(oldKey))
	if l := strings.Join(e.log.lines(), "\n"); !strings.Contains(l, "not written into the journal") {
		t.Error(l)
	}
}

func TestChainOf(t *testing.T) {
	at := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	for id, want := range map[string]string{"U0ANN": "person/U0ANN/2026-11", "": "person/unknown/2026-11", "../x#1": "person/unknown/2026-11", strings.Repeat("U", 200): "person/unknown/2026-11"} {
		if got := chainOf(id, at); got != want || store.CheckChain(got) != nil {
			t.Errorf("%q: %q", id, got)
		}
	}
}
