package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// many opens n rotations of an owner and puts them into the store, as a scan does.
func (w *world) many(t *testing.T, n int, owner string) []rotation.ID {
	t.Helper()
	var ids []rotation.ID
	for range n {
		i := len(w.shelf.all) + 1
		r := w.opens(t, owner, user(i, w.key(i, 95, rotation.Active))).r
		r = r.WithTellAfter(w.clock.Now().Add(time.Hour), w.clock.Now())
		if _, err := w.shelf.SaveRotation(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

func (w *world) opened(t *testing.T, ids ...rotation.ID) {
	t.Helper()
	if err := w.notify.Opened(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
}

// allTold checks that every rotation is told, and that no claim is left.
func (w *world) allTold(t *testing.T, ids []rotation.ID) {
	t.Helper()
	for _, id := range ids {
		if r := w.shelf.get(t, id); r.Untold() || r.Telling != nil || r.TellTries != 0 {
			t.Fatalf("%s: told %d of %d, %d tries, claim %v", id, r.ToldSeq, r.PeopleSeq, r.TellTries, r.Telling)
		}
	}
}

// live is the rotation of the store for more events.
func (w *world) live(t *testing.T, id rotation.ID) *life {
	return &life{t: t, w: w, r: w.shelf.get(t, id)}
}

func (l *life) saved() *life {
	l.t.Helper()
	r, err := l.w.shelf.SaveRotation(context.Background(), l.r)
	if err != nil {
		l.t.Fatal(err)
	}
	l.r = r
	return l
}

// digests counts messages with more than one row to review.
func digests(ms []message) (n int) {
	for _, m := range ms {
		if rows(m) > 1 {
			n++
		}
	}
	return n
}

func rows(m message) (n int) {
	for _, a := range m.actions {
		if a != templates.ActReview {
			return 0
		}
		n++
	}
	return n
}

func TestOpenedOneByOneAndMany(t *testing.T) {
	for _, tt := range []struct{ n, messages, digests int }{{0, 0, 0}, {1, 1, 0}, {2, 2, 0}, {3, 1, 1}, {100, 1, 1}} {
		t.Run(fmt.Sprint(tt.n), func(t *testing.T) {
			w := newWorld(t)
			ids := w.many(t, tt.n, annMail)
			w.opened(t, ids...)
			if ms := w.in(ann); len(ms) != tt.messages || digests(ms) != tt.digests {
				t.Fatalf("%d messages, %d of them digests", len(ms), digests(ms))
			}
			w.allTold(t, ids)
			w.opened(t, ids...)
			if n := len(w.in(ann)); n != tt.messages {
				t.Errorf("told again: %d messages", n)
			}
			if n := w.count("UserByEmail"); n > 2 {
				t.Errorf("the owner was looked up %d times", n)
			}
		})
	}
}

// After a digest, the next news of a rotation is its notice, which is then updated in place; the digest stays as it is.
func TestOpenedThenNews(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 5, annMail)
	w.opened(t, ids...)
	l := w.live(t, ids[0])
	l.does(rotation.Freeze{Why: "denied"}).told().does(rotation.Thaw{}).told()
	l.approve(annActor).told()
	if n := len(w.in(ann)); n != 1 {
		t.Fatalf("%d messages after what the owner did, or need not know", n)
	}
	l.issues().told()
	l.deactivates(l.r.Old.ID).told()
	ms := w.in(ann)
	if digests(ms) != 1 || ms[0].edits != 0 || len(notices(ms)) != 1 || lines(ms[1:]) != 1 {
		t.Fatalf("messages: %+v", ms)
	}
}

// Another digest comes for what has changed since the first one, and for that alone.
func TestOpenedAgain(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 6, annMail)
	w.opened(t, ids...)
	for _, id := range ids[:4] {
		w.live(t, id).reminds().saved()
	}
	w.live(t, ids[4]).does(rotation.Freeze{Why: "denied"}).saved()
	w.opened(t, ids...)
	if ms := w.in(ann); digests(ms) != 2 || len(ms) != 2 || rows(ms[1]) != 4 {
		t.Fatalf("messages: %+v", ms)
	}
	w.allTold(t, ids)
}

func TestOpenedGroups(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 4, annMail)
	ids = append(ids, w.many(t, 2, ann)...) // the same person
	ids = append(ids, w.many(t, 1, "ben@example.com")...)
	ids = append(ids, w.many(t, 5, "nobody@example.com")...)
	ids = append(ids, w.many(t, 1, "lost@example.com")...)
	w.opened(t, ids...)
	w.allTold(t, ids)
	if ms := w.in(ann); len(ms) != 1 || rows(ms[0]) != 6 {
		t.Errorf("ann: %+v", ms)
	}
	if ms := w.in(ben); len(ms) != 1 || digests(ms) != 0 {
		t.Errorf("ben: %+v", ms)
	}
	if ms := w.in(keys); len(ms) != 1 || rows(ms[0]) != 6 {
		t.Errorf("the channel: %+v", ms)
	}
	// Five mails at once would be too many: the mail about the account lists them.
	if diff := cmp.Diff([]string{"lost@example.com"}, w.mail.to()); diff != "" {
		t.Error(diff)
	}
}

// Where two have to decide, both the owner and the channel get their digest.
func TestOpenedBothPlaces(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Rules = anyRule{AnyOf: ownerRule.AnyOf, Required: 2} })
	ids := w.many(t, 7, annMail)
	w.opened(t, ids...)
	w.allTold(t, ids)
	if digests(w.in(ann)) != 1 || digests(w.in(keys)) != 1 || len(w.msgs) != 2 {
		t.Errorf("messages: %+v", w.msgs)
	}
}

// Whose messages do not arrive never keeps another one from being told, and one outage is one error.
func TestOpenedEachOnTheirOwn(t *testing.T) {
	w := newWorld(t)
	anns, bens := w.many(t, 5, annMail), w.many(t, 5, "ben@example.com")
	w.fail = func(method, about string) error { return errOutageIf(method == "Post" && about == ann) }
	err := w.notify.Opened(context.Background(), append(anns, bens...))
	if !errors.Is(err, errOutage) || strings.Count(err.Error(), "\n") != 0 {
		t.Fatalf("got %v", err)
	}
	w.allTold(t, bens)
	if digests(w.in(ben)) != 1 {
		t.Error("ben was not told")
	}
	for _, id := range anns {
		if r := w.shelf.get(t, id); !r.Untold() || r.Telling != nil || r.TellTries != 1 || !r.TellAfter.After(w.clock.Now()) {
			t.Fatalf("told %d of %d, claim %v, tries %d, again at %s", r.ToldSeq, r.PeopleSeq, r.Telling, r.TellTries, r.TellAfter)
		}
	}
	if n := w.count("Post"); n != 2 {
		t.Errorf("%d tries to post: what failed for the digest was tried again for each row", n)
	}
	w.fail = nil
	w.opened(t, anns...)
	if digests(w.in(ann)) != 1 || len(w.in(ann)) != 1 {
		t.Errorf("later: %+v", w.in(ann))
	}
}

func TestOpenedOutageOfLookups(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 20, annMail)
	w.fail = func(method, _ string) error { return errOutageIf(method == "UserByEmail") }
	if err := w.notify.Opened(context.Background(), ids); !errors.Is(err, errOutage) || strings.Count(err.Error(), "\n") != 0 {
		t.Fatalf("got %v", err)
	}
	if len(w.msgs) != 0 || w.count("UserByEmail") != 1 {
		t.Errorf("%d messages, %d lookups", len(w.msgs), w.count("UserByEmail"))
	}
}

func TestOpenedToThoseWhoGetNoMessages(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 5, annMail)
	w.fail = func(method, about string) error {
		if method == "Post" && about == ann {
			return fmt.Errorf("messages_tab_disabled: %w", ErrNoUser)
		}
		return nil
	}
	w.opened(t, ids...)
	w.allTold(t, ids)
	if digests(w.in(keys)) != 1 || len(w.msgs) != 1 {
		t.Errorf("messages: %+v", w.msgs)
	}
}

func TestOpenedLeavesOthersAlone(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 6, annMail)
	now := w.clock.Now()
	busy, err := w.shelf.get(t, ids[0]).WithTelling("another", now, now.Add(time.Minute), now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.shelf.SaveRotation(context.Background(), busy); err != nil {
		t.Fatal(err)
	}
	// Another one changes between reading and claiming.
	w.shelf.before = func(_ int, r rotation.Rotation) error {
		if r.ID == ids[1] {
			return store.ErrConflict
		}
		return nil
	}
	w.opened(t, append(ids, "111122223333/AIDAGONE")...)
	w.allTold(t, ids[2:])
	if ms := w.in(ann); len(ms) != 1 || rows(ms[0]) != 4 {
		t.Errorf("messages: %+v", ms)
	}
	if r := w.shelf.get(t, ids[0]); r.Telling == nil || r.Telling.Token != "another" || !r.Untold() {
		t.Errorf("somebody else's claim: %+v", r.Telling)
	}
}

// Somebody clicks while the digest is under way: what was shown counts as told, what came since does not.
func TestOpenedConflictWhileTelling(t *testing.T) {
	for _, n := range []int{1, 4} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			ids := w.many(t, n, annMail)
			clicked := false
			w.after = func(string) {
				if !clicked {
					clicked = true
					w.live(t, ids[0]).does(rotation.Snooze{Actor: annActor, For: rotation.Day}).saved()
				}
			}
			w.opened(t, ids...)
			r := w.shelf.get(t, ids[0])
			if n == 1 && (r.ToldSeq != 1 || !r.Untold()) || n > 1 && r.Untold() {
				t.Errorf("told %d of %d", r.ToldSeq, r.PeopleSeq)
			}
			if r.Telling != nil || len(r.Messages) != 1 || r.SnoozedUntil.IsZero() {
				t.Errorf("saved: claim %v, messages %+v, snoozed %s", r.Telling, r.Messages, r.SnoozedUntil)
			}
			w.allTold(t, ids[1:])
			if n := len(w.in(ann)); n != 1 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// The process dies between posting and saving: after the lease it is told once more, and then it is known.
func TestOpenedCrashBetweenPostAndSave(t *testing.T) {
	for _, n := range []int{1, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			ids := w.many(t, n, annMail)
			dead := errors.New("the process is dead")
			posted := false
			w.after = func(string) { posted = true }
			w.shelf.before = func(int, rotation.Rotation) error {
				if posted {
					return dead
				}
				return nil
			}
			if err := w.notify.Opened(context.Background(), ids); !errors.Is(err, dead) {
				t.Fatalf("got %v", err)
			}
			w.shelf.before = nil
			w.opened(t, ids...) // the claim of the dead still holds
			if n := len(w.in(ann)); n != 1 {
				t.Fatalf("%d messages while the claim holds", n)
			}
			w.clock.pass(lease + time.Second)
			w.opened(t, ids...)
			w.opened(t, ids...)
			w.allTold(t, ids)
			if n := len(w.in(ann)); n != 2 {
				t.Errorf("%d messages, want the lost one and its repetition", n)
			}
		})
	}
}

// Whoever took so long that another process took over says so, and everything is told once more.
func TestOpenedClaimLost(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 1, annMail)
	w.after = func(string) {
		w.after = nil
		w.clock.pass(2 * lease)
		r := w.shelf.get(t, ids[0])
		now := w.clock.Now()
		other, err := r.WithTelling("another", now, now.Add(lease), now)
		if err != nil {
			t.Error(err)
		}
		if _, err := w.shelf.SaveRotation(context.Background(), other); err != nil {
			t.Error(err)
		}
	}
	w.opened(t, ids...)
	r := w.shelf.get(t, ids[0])
	if !r.Untold() || r.Telling == nil || r.Telling.Token != "another" || len(r.Messages) != 1 {
		t.Errorf("told %d of %d, claim %v, messages %+v", r.ToldSeq, r.PeopleSeq, r.Telling, r.Messages)
	}
}

func TestOpenedNextEpisode(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 1, annMail)
	w.after = func(string) {
		w.after = nil
		l := w.live(t, ids[0])
		l.does(rotation.Reject{Actor: annActor}).saved()
		last := l.r
		next := w.opens(t, annMail, user(1, w.key(1, 95, rotation.Active))).r
		next.Version, next.Episode = last.Version, last.Episode+1
		l.r = next
		l.saved()
	}
	w.opened(t, ids...)
	if r := w.shelf.get(t, ids[0]); r.Episode != 2 || len(r.Messages) != 0 || !r.Untold() {
		t.Errorf("the next episode took over what was said of the one before: %+v", r.Messages)
	}
}

func TestOpenedStoreFails(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 4, annMail)
	full := fmt.Errorf("no space: %w", store.ErrFull)
	w.shelf.before = func(_ int, r rotation.Rotation) error {
		if r.ID == ids[0] {
			return full
		}
		return nil
	}
	if err := w.notify.Opened(context.Background(), ids); !errors.Is(err, store.ErrFull) {
		t.Fatalf("got %v", err)
	}
	w.allTold(t, ids[1:])
}

func TestDigestRowsReview(t *testing.T) {
	w := newWorld(t)
	w.opened(t, w.many(t, 4, annMail)...)
	if diff := cmp.Diff([]string{templates.ActReview, templates.ActReview, templates.ActReview, templates.ActReview}, w.in(ann)[0].actions); diff != "" {
		t.Error(diff)
	}
}
