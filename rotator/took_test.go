package rotator

import (
	"context"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestWhatKeyturnDidIsNotNotedAsDoneByHand: the call was performed and its answer lost, in every way in which an answer
// can be lost, and whatever a person or a failed look does before it is found out.
func TestWhatKeyturnDidIsNotNotedAsDoneByHand(t *testing.T) {
	type change struct {
		from  rotation.State
		call  string
		event string
	}
	changes := map[string]change{
		"deactivate": {rotation.Installing, "UpdateAccessKey:Inactive", "deactivated"},
		"delete":     {rotation.Recovering, "DeleteAccessKey", "deleted"},
		"evict":      {rotation.Approved, "UpdateAccessKey:Inactive", "deactivated"},
	}
	ways := map[string]func(*life, string){
		"the connection broke": func(l *life, call string) { l.once(call, true, answer(errFault)); l.wake() },
		"the process died":     func(l *life, call string) { l.once(call, true, func() error { panic(errCrash) }); l.wake() },
		"the process was stopped": func(l *life, call string) {
			ctx, stop := context.WithCancel(context.Background())
			l.once(call, true, func() error { stop(); return ctx.Err() })
			_ = l.wakeErr(ctx)
		},
		"the save failed": func(l *life, call string) {
			l.once(call, true, func() error {
				n := l.store.saves
				l.store.around = func(at int, _ bool) error {
					if at == n+1 {
						return errFault
					}
					return nil
				}
				return nil
			})
			l.wake()
		},
		"the connection broke, and somebody retried": func(l *life, call string) {
			l.once(call, true, answer(errFault))
			l.wake()
			l.do(rotation.Retry{Actor: owner})
		},
		"the process died, and the next one was stopped before it looked": func(l *life, call string) {
			l.once(call, true, func() error { panic(errCrash) })
			l.wake()
			l.pass(0)
			ctx, stop := context.WithCancel(context.Background())
			l.once("GetUser", false, func() error { stop(); return nil })
			_ = l.wakeErr(ctx)
		},
		"the connection broke, and a next try failed before it looked": func(l *life, call string) {
			l.once(call, true, answer(errFault))
			l.wake()
			l.once("GetUser", false, answer(errDenied))
			l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
			l.wake()
		},
	}
	for what, c := range changes {
		for how, lose := range ways {
			t.Run(what+"/"+how, func(t *testing.T) {
				t.Parallel()
				l := to(t, c.from)
				if what == "evict" {
					l = begun(t, situations["an idle active key in the way"])
				}
				l.pass(max(l.get().NextAt.Sub(l.Now()), 0))
				lose(l, c.call)
				l.until(c.event, func(r rotation.Rotation) bool {
					return r.History[len(r.History)-1].Event == c.event || r.State == rotation.Closed
				})
				l.mustHappen(c.event, found)
				for _, e := range []string{"observed_deactivated", "gone"} {
					if _, ok := l.happened(e); ok {
						t.Fatalf("noted as %s\n%s", e, l.tail())
					}
				}
				l.until("closed", state(rotation.Closed))
				l.healthy()
			})
		}
	}
}

// TestWhatAPersonDidIsNotNotedAsKeyturns: the call was refused, or never made, and then somebody did it by hand.
func TestWhatAPersonDidIsNotNotedAsKeyturns(t *testing.T) {
	each(t, map[string]func(*life){
		"keyturn's call was refused": func(l *life) { l.once("UpdateAccessKey:Inactive", false, answer(errDenied)); l.wake() },
		"a read failed":              func(l *life) { l.once("GetUser", false, answer(errFault)); l.wake() },
		"keyturn was stopped before": func(l *life) {
			ctx, stop := context.WithCancel(context.Background())
			l.once("GetAccessKeyLastUsed", false, func() error { stop(); return nil })
			_ = l.wakeErr(ctx)
		},
		"the gate refused": func(l *life) { l.use(oldKey, "s3"); l.wake() },
		"a scan found out about a lost answer, and somebody activated the key": func(l *life) {
			l.once("UpdateAccessKey:Inactive", true, answer(errFault))
			l.wake()
			l.do(rotation.ObservedDeactivated{Key: oldKey})
			l.byHand(oldKey, rotation.Active)
			l.do(rotation.ObservedReactivated{Key: oldKey}, rotation.Release{Actor: owner})
		},
		"a lost answer was found out, and the key restored since": func(l *life) {
			l.once("UpdateAccessKey:Inactive", true, answer(errFault))
			l.until("recovering", state(rotation.Recovering))
			l.do(rotation.Restore{Actor: owner})
			l.wake()
			l.do(rotation.Release{Actor: owner})
		},
	}, func(t *testing.T, before func(*life)) {
		l := to(t, rotation.Installing)
		l.pass(l.get().DeactivateAt.Sub(l.Now()))
		before(l)
		l.byHand(oldKey, rotation.Inactive)
		l.until("recovering", state(rotation.Recovering))
		if r := l.get(); !r.Old.ByHand {
			t.Fatalf("noted as keyturn's\n%s", l.tail())
		}
		l.until("closed", state(rotation.Closed))
		l.healthy()
	})
}

// TestAKeyThatWasDeletedByHandIsNotNotedAsKeyturns.
func TestAKeyThatWasDeletedByHandIsNotNotedAsKeyturns(t *testing.T) {
	l := to(t, rotation.Recovering)
	l.pass(l.get().DeleteAt.Sub(l.Now()))
	l.once("DeleteAccessKey", false, answer(errDenied))
	l.wake()
	l.removeByHand(oldKey)
	l.until("closed", state(rotation.Closed))
	if _, ok := l.happened("deleted"); ok {
		t.Fatalf("noted as keyturn's\n%s", l.tail())
	}
	if missed, _ := l.happened("gone"); l.Now().Sub(missed.At) > time.Hour {
		t.Fatal("not noted as gone")
	}
}
