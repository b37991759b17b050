package notify

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
)

func TestTellOutageIsNoAbsence(t *testing.T) {
	w := newWorld(t)
	down := true
	w.fail = func(method, _ string) error {
		if down && method == "UserByEmail" {
			return errOutage
		}
		return nil
	}
	l := w.due(t, annMail)
	if err := l.tells(); !errors.Is(err, errOutage) {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(where{}, w.where()); diff != "" {
		t.Fatalf("an outage made the owner unreachable: %s", diff)
	}
	l.does(rotation.GotStuck{Seen: "two of them"})
	if err := l.tells(); !errors.Is(err, errOutage) {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(where{Channel: 1}, w.where()); diff != "" {
		t.Fatalf("what is urgent waited for the lookup: %s", diff)
	}
	down = false
	l.told()
	if diff := cmp.Diff(where{Direct: 1, Channel: 1}, w.where()); diff != "" {
		t.Fatal(diff)
	}
}

// What was told is not told again when another place failed; what failed is.
func TestTellRetryDoublesNothing(t *testing.T) {
	for _, broken := range []string{ann, keys, "Update " + ann, "Update " + keys} {
		t.Run(broken, func(t *testing.T) {
			w := newWorld(t)
			l := w.due(t, annMail).approve(annActor).issues()
			l.deactivates(l.r.Old.ID).told()
			l.restores(benActor)
			w.fail = func(method, about string) error {
				if method == "Post" && about == broken || method+" "+about == broken {
					return errOutage
				}
				return nil
			}
			for range 3 {
				if err := l.tells(); !errors.Is(err, errOutage) {
					t.Fatalf("got %v", err)
				}
			}
			w.fail = nil
			l.told()
			for _, place := range []string{ann, keys} {
				if n, m := len(notices(w.in(place))), lines(w.in(place)); n != 1 || m != 1 {
					t.Errorf("%s: %d notices and %d lines, want one each", place, n, m)
				}
			}
		})
	}
}

func TestTellRetryMailsOnce(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, "nobody@example.com")
	w.fail = func(method, about string) error { return errOutageIf(method == "Post") }
	for range 2 {
		if err := l.tells(); !errors.Is(err, errOutage) {
			t.Fatalf("got %v", err)
		}
	}
	w.fail = nil
	w.mail.fail["nobody@example.com"] = errOutage
	l.reminds()
	if err := l.tells(); !errors.Is(err, errOutage) {
		t.Fatalf("got %v", err)
	}
	delete(w.mail.fail, "nobody@example.com")
	l.told()
	if diff := cmp.Diff(where{Channel: 1, Mails: 2}, w.where()); diff != "" {
		t.Error(diff)
	}
}

func errOutageIf(b bool) error {
	if b {
		return errOutage
	}
	return nil
}

func TestTellPostsAnewWhatIsGone(t *testing.T) {
	t.Run("deleted by somebody", func(t *testing.T) {
		w := newWorld(t)
		l := w.due(t, annMail).told()
		w.remove(ann)
		l.approve(annActor).told()
		if n := len(notices(w.in(ann))); n != 1 || len(l.r.Messages) != 1 {
			t.Fatalf("%d notices, recorded %+v", n, l.r.Messages)
		}
	})
	t.Run("and posting fails at first", func(t *testing.T) {
		w := newWorld(t)
		l := w.due(t, annMail).told()
		w.remove(ann)
		l.does(rotation.Reject{Actor: benActor})
		w.fail = func(method, _ string) error { return errOutageIf(method == "Post") }
		if err := l.tells(); !errors.Is(err, errOutage) {
			t.Fatalf("got %v", err)
		}
		w.fail = nil
		l.told()
		if n := len(notices(w.in(ann))); n != 1 {
			t.Fatalf("%d notices", n)
		}
	})
	t.Run("the direct message is closed for good", func(t *testing.T) {
		w := newWorld(t)
		l := w.due(t, annMail).told()
		w.fail = func(method, about string) error {
			if about == ann && (method == "Update" || method == "OpenDM") {
				return fmt.Errorf("user_disabled: %w", ErrNoUser)
			}
			return nil
		}
		l.reminds().told()
		if diff := cmp.Diff(where{Direct: 1, Channel: 1, Mails: 1}, w.where()); diff != "" {
			t.Fatal(diff)
		}
	})
	t.Run("the channel is closed to us", func(t *testing.T) {
		w := newWorld(t)
		l := w.due(t, annMail).does(rotation.GotStuck{Seen: "two"}).told()
		w.fail = func(method, about string) error {
			if about == keys {
				return fmt.Errorf("not_in_channel: %w", ErrNoChannel)
			}
			return nil
		}
		l.reminds()
		if err := l.tells(); !errors.Is(err, ErrNoChannel) {
			t.Fatalf("got %v", err)
		}
		if lines(w.in(ann)) != 1 {
			t.Error("the owner was not told")
		}
		w.fail = nil
		l.told()
		if n := len(notices(w.in(keys))); n != 1 || lines(w.in(keys)) != 1 || lines(w.in(ann)) != 1 {
			t.Errorf("%d notices in the channel", n)
		}
	})
}

// The message of a former owner, and that of a former channel, show no stale button, and say nothing more by themselves.
func TestTellFormerPlaces(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, annMail).told()
	l.r.Owner = "ben@example.com"
	l.reminds().told()
	if len(notices(w.in(ben))) != 1 || lines(w.in(ann)) != 0 || w.in(ann)[0].edits != 1 {
		t.Fatalf("ann: %+v, ben: %+v", w.in(ann), w.in(ben))
	}
	w.remove(ann)
	l.approve(benActor).told()
	if len(l.r.Messages) != 1 || l.r.Messages[0].For != ben {
		t.Errorf("recorded %+v", l.r.Messages)
	}
}

func TestTellNobody(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.DefaultChannel, o.Mail = "", nil })
	l := w.due(t, "nobody@example.com")
	if err := l.tells(); !errors.Is(err, ErrNoChannel) {
		t.Fatalf("nobody heard of it, and Tell says %v", err)
	}
	if l.r.ToldSeq != 0 {
		t.Error("it counts as told")
	}
}

func TestTellKeepsWithinItsClaim(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, annMail)
	now := w.clock.Now()
	claimed, err := l.r.WithTelling("late", now, now.Add(time.Minute), now)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.pass(2 * time.Minute)
	if _, err := w.notify.Tell(context.Background(), claimed); !errors.Is(err, errLease) {
		t.Fatalf("got %v", err)
	}
	if len(w.msgs) != 0 {
		t.Error("something was posted without a claim")
	}
}

func TestTellBoundsWhatItRecords(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, annMail)
	for i := range 2 * mostRefs {
		l.r.Messages = append(l.r.Messages, rotation.MessageRef{Channel: "C0OLD", TS: fmt.Sprint(i), For: fmt.Sprintf("C0OLD%d", i), Seq: 1, At: w.clock.Now().Add(-time.Hour)})
	}
	l.told()
	if len(l.r.Messages) != mostRefs || !refs(l.r.Messages).standing(ann) {
		t.Errorf("recorded %+v", l.r.Messages)
	}
}
