package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
)

func (w *world) report(open ...rotation.Rotation) scheduler.AccountReport {
	return scheduler.AccountReport{
		Account: scheduler.Account{ID: "111122223333", Name: "Production", Email: prodMail, OUPath: "r-ab12/ou-prod"},
		At:      w.clock.Now(), Open: open, Users: 12, Keys: 14, OverAge: 3,
	}
}

// owned opens the n-th rotation of an account.
func (w *world) owned(t *testing.T, n int, owner string) rotation.Rotation {
	return w.opens(t, owner, user(n, w.key(n, 95, rotation.Active))).r
}

// The original wrote the owner's tag under one name and read it under another: no tagged owner was ever mailed.
func TestWrong11TaggedOwnersAreMailed(t *testing.T) {
	w := newWorld(t)
	w.people = append(w.people, approval.Person{SlackID: "U0NOMAIL", Known: true}, approval.Person{SlackID: "U0LEFT", Email: "left@example.com", Deleted: true})
	untagged := w.owned(t, 1, prodMail)
	same := w.owned(t, 2, prodMail)
	same.OwnerTagged = true
	closed := w.owned(t, 7, "cli@example.com")
	rep := w.report(untagged, same, w.owned(t, 3, "a@example.com"), w.owned(t, 4, "A@Example.com"), w.owned(t, 5, ben),
		w.owned(t, 6, "U0NOMAIL"), w.owned(t, 8, "U0NOBODY"), w.owned(t, 9, "team payments"), w.owned(t, 10, "U0LEFT"))
	rep.Closed = []rotation.Rotation{closed}
	if err := w.notify.AccountDone(context.Background(), rep); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a@example.com", "ben@example.com", "cli@example.com", prodMail}, w.mail.to()); diff != "" {
		t.Fatal(diff)
	}
	for _, l := range w.mail.sent {
		for i := 1; i <= 10; i++ {
			name := fmt.Sprintf("user-%d,", i)
			want := map[string]bool{"a@example.com": i == 3 || i == 4, "ben@example.com": i == 5, "cli@example.com": i == 7, prodMail: true}[l.to]
			if got := strings.Contains(l.Text, name); got != want {
				t.Errorf("the mail to %s has %s: %v, want %v", l.to, name, got, want)
			}
		}
	}
}

// The original mailed only after every action of the run had succeeded: one failure hid the rest.
func TestWrong12MailGoesOutWhateverFailed(t *testing.T) {
	w := newWorld(t)
	w.fail = func(method, _ string) error { return errOutageIf(method == "UserByID" || method == "Post") }
	w.mail.fail["b@example.com"] = errors.New("b: mailbox full")
	stuck := w.opens(t, "c@example.com", user(3, w.key(3, 95, rotation.Active))).does(rotation.GotStuck{Seen: "two of them"}).r
	rep := w.report(w.owned(t, 1, "a@example.com"), w.owned(t, 2, "b@example.com"), stuck, w.owned(t, 4, ben))
	rep.Failures = []string{"user-9 could not be read: AccessDenied."}
	rep.Findings = []scheduler.Finding{{User: user(9, w.key(9, 95, rotation.Active)), Policy: rotation.DefaultPolicy(), Proposal: rotation.Proposal{Old: w.key(9, 95, rotation.Active).ID, Kind: rotation.Rotate}}}
	err := w.notify.AccountDone(context.Background(), rep)
	if !errors.Is(err, errOutage) || !strings.Contains(err.Error(), "b: mailbox full") || !strings.Contains(err.Error(), "audit of account 111122223333") {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff([]string{"a@example.com", "c@example.com", prodMail}, w.mail.to()); diff != "" {
		t.Fatal(diff)
	}
	for _, l := range w.mail.sent {
		if l.to == prodMail && (!strings.Contains(l.Text, "AccessDenied") || !strings.Contains(l.Text, "wo of them")) {
			t.Errorf("the account's owner does not hear of the failures:\n%s", l.Text)
		}
	}

	t.Run("the account's own mail fails", func(t *testing.T) {
		w := newWorld(t)
		w.mail.fail[prodMail] = errOutage
		if err := w.notify.AccountDone(context.Background(), w.report(w.owned(t, 1, "a@example.com"))); !errors.Is(err, errOutage) {
			t.Fatalf("got %v", err)
		}
		if diff := cmp.Diff([]string{"a@example.com"}, w.mail.to()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("everything failed that could", func(t *testing.T) {
		w := newWorld(t)
		rep := w.report()
		rep.Failures = []string{"The account's users could not be read."}
		if err := w.notify.AccountDone(context.Background(), rep); err != nil || len(w.mail.sent) != 1 {
			t.Errorf("%d mails, %v", len(w.mail.sent), err)
		}
	})
}

func TestAccountDoneSaysNothingWithoutNeed(t *testing.T) {
	t.Run("nothing to say", func(t *testing.T) {
		w := newWorld(t)
		if err := w.notify.AccountDone(context.Background(), w.report()); err != nil || len(w.mail.sent)+len(w.msgs) != 0 {
			t.Errorf("%d mails, %d messages, %v", len(w.mail.sent), len(w.msgs), err)
		}
	})
	t.Run("no address", func(t *testing.T) {
		var log bytes.Buffer
		w := newWorld(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		rep := w.report(w.owned(t, 1, "a@example.com"))
		rep.Account.Email = ""
		if err := w.notify.AccountDone(context.Background(), rep); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a@example.com"}, w.mail.to()); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(log.String(), "no e-mail address") {
			t.Errorf("the log says %s", &log)
		}
	})
	t.Run("no mail is configured", func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.Mail = nil })
		if err := w.notify.AccountDone(context.Background(), w.report(w.owned(t, 1, "a@example.com"))); err != nil {
			t.Error(err)
		}
	})
}

func TestAccountDoneAudit(t *testing.T) {
	w := newWorld(t)
	u := user(1, w.key(1, 95, rotation.Active))
	rep := w.report()
	rep.Findings = []scheduler.Finding{{User: u, Owner: "a@example.com", Policy: rotation.DefaultPolicy(), Proposal: rotation.Proposal{Act: rotation.ActOpen, Kind: rotation.Rotate, Reason: "expired_active_key", Old: u.Keys[0].ID}}}
	if err := w.notify.AccountDone(context.Background(), rep); err != nil {
		t.Fatal(err)
	}
	if ms := w.in(keys); len(ms) != 1 || !strings.Contains(ms[0].text, "Production") {
		t.Errorf("the channel: %+v", ms)
	}
	if diff := cmp.Diff([]string{prodMail}, w.mail.to()); diff != "" {
		t.Error(diff)
	}
	if s := w.mail.sent[0].Text; !strings.Contains(s, "95 days") || !strings.Contains(s, string(u.Keys[0].ID)) {
		t.Errorf("the mail says:\n%s", s)
	}
}

func TestRunDone(t *testing.T) {
	w := newWorld(t)
	s := scheduler.Summary{Started: w.clock.Now(), Ended: w.clock.Now(), Accounts: 4, Users: 40, Keys: 50, Opened: 3,
		Failed:  []scheduler.Failed{{Account: scheduler.Account{ID: "444455556666", Name: "Dev"}, Error: "The role cannot be assumed."}},
		Skipped: []scheduler.Skipped{{Account: scheduler.Account{ID: "777788889999"}, Why: "suspended"}}}
	if err := w.notify.RunDone(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if ms := w.in(keys); len(ms) != 1 || !strings.Contains(ms[0].text, "3 rotations") {
		t.Errorf("the channel: %+v", ms)
	}
	s.DryRun = true
	if err := w.notify.RunDone(context.Background(), s); err != nil || len(w.msgs) != 1 {
		t.Errorf("a dry run told people: %v", err)
	}
	w.fail = func(string, string) error { return errOutage }
	s.DryRun = false
	if err := w.notify.RunDone(context.Background(), s); !errors.Is(err, errOutage) {
		t.Errorf("got %v", err)
	}
	if err := newWorld(t, func(o *Options) { o.DefaultChannel = "" }).notify.RunDone(context.Background(), s); err != nil {
		t.Error(err)
	}
}
