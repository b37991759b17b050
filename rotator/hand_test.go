package rotator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// tb is what a life needs of *testing.T and of *rapid.T.
type tb interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// hook is something that happens at one call to AWS, once, or at every such call.
type hook struct {
	call  string
	after bool
	every bool
	do    func() error
}

// once lets do happen before or after the next call of a name. Its error is the answer.
func (l *life) once(call string, after bool, do func() error) { l.hook(hook{call, after, false, do}) }

// always lets do happen before every call of a name.
func (l *life) always(call string, do func() error) { l.hook(hook{call, false, true, do}) }

func (l *life) hook(h hook) {
	l.mu.Lock()
	l.hooks = append(l.hooks, &h)
	l.mu.Unlock()
	l.aws.around = func(_ int, name string, after bool) error {
		l.mu.Lock()
		var do func() error
		for i, h := range l.hooks {
			if h.call == name && h.after == after {
				do = h.do
				if !h.every {
					l.hooks = slices.Delete(l.hooks, i, i+1)
				}
				break
			}
		}
		l.mu.Unlock()
		if do == nil {
			return nil
		}
		return do()
	}
}

func (l *life) unhook() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hooks = nil
}

// answer is a hook that does nothing but answer.
func answer(err error) func() error { return func() error { return err } }

// clocks moves both clocks by their own time.
func (l *life) clocks(domain, real time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now, l.real = l.now.Add(domain), l.real.Add(real)
}

// count is how often AWS was called by names that begin so.
func (l *life) count(call string) (n int) {
	for _, c := range l.aws.calls {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

// changes is how often keys or the secret's container were changed, or that was tried.
func (l *life) changes() (n int) {
	for _, c := range []string{"CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "PutSecretValue", "UpdateSecretVersionStage", "CreateSecret"} {
		n += l.count(c)
	}
	return n
}

func (l *life) key1(id rotation.KeyID) *rotation.Key {
	l.t.Helper()
	u, i := l.aws.find(id)
	if u == nil {
		l.t.Fatalf("key %s is not there\n%s", id, l.tail())
	}
	return &u.Keys[i]
}

// status is a key's status; "" if there is no such key.
func (l *life) status(id rotation.KeyID) rotation.KeyStatus {
	u, i := l.aws.find(id)
	if u == nil {
		return ""
	}
	return u.Keys[i].Status
}

// use is somebody using a key just now.
func (l *life) use(id rotation.KeyID, service string) {
	l.key1(id).LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: l.Now(), Service: service, Region: "eu-west-1"}
}

// byHand switches a key in the console.
func (l *life) byHand(id rotation.KeyID, status rotation.KeyStatus) {
	if k := l.key1(id); k.Status != status {
		k.Status = status
		l.aws.off[id] = l.Now()
	}
}

// removeByHand deletes a key in the console.
func (l *life) removeByHand(id rotation.KeyID) {
	if u, i := l.aws.find(id); u != nil {
		u.Keys = slices.Delete(u.Keys, i, i+1)
	}
}

// foreignKey is one that somebody makes in the console.
const foreignKey = rotation.KeyID("AKIAFOREIGNFOREIGN01")

func (l *life) makeByHand() {
	l.aws.foreign[foreignKey] = true
	u := l.aws.users[userName]
	u.Keys = append(u.Keys, rotation.Key{ID: foreignKey, Status: rotation.Active, Created: l.Now(), LastUse: rotation.LastUse{Kind: rotation.UseNever}})
}

func (l *life) vault() *vault {
	l.t.Helper()
	v := l.aws.secrets["keyturn/"+string(acct)+"/"+string(userName)]
	if v == nil {
		l.t.Fatal("there is no secret")
	}
	return v
}

// tail is how the story went lately.
func (l *life) tail() string {
	h := l.get().History
	var out strings.Builder
	for _, e := range h[max(0, len(h)-15):] {
		fmt.Fprintf(&out, "%s %s %s→%s %.200s\n", e.At.Format(time.DateTime), e.Event, e.From, e.To, e.Note)
	}
	return out.String()
}

// refused applies an event that must be refused.
func (l *life) refused(e rotation.Event, code rotation.Code) {
	l.t.Helper()
	if _, err := rotation.Apply(l.get(), e, l.Now()); rotation.Refused(err) != code {
		l.t.Fatalf("%s: %v, want %s", e.Name(), err, code)
	}
}

// happened is the last line of the history for an event.
func (l *life) happened(event string) (rotation.Entry, bool) {
	h := l.get().History
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Event == event {
			return h[i], true
		}
	}
	return rotation.Entry{}, false
}

func (l *life) mustHappen(event, note string) {
	l.t.Helper()
	if e, ok := l.happened(event); !ok || !strings.Contains(e.Note, note) {
		l.t.Fatalf("no %s with %q in the history, but %+v\n%s", event, note, e, l.tail())
	}
}

// untilStuck lets time pass until a person is asked, and checks what is said.
func (l *life) untilStuck(seen string) rotation.Rotation {
	l.t.Helper()
	for range 60 {
		l.wake()
		r := l.get()
		if r.Stuck != nil {
			if !strings.Contains(r.Stuck.Seen, seen) {
				l.t.Fatalf("stuck with %q, want %q", r.Stuck.Seen, seen)
			}
			if r.Untold() || r.Acting != nil {
				l.t.Fatalf("stuck, untold %t, acting %v", r.Untold(), r.Acting)
			}
			return r
		}
		if r.State == rotation.Closed {
			l.t.Fatalf("closed (%s) instead of stuck", r.Outcome)
		}
		l.pass(max(r.NextAt.Sub(l.Now()), 0))
	}
	l.t.Fatalf("never stuck\n%s", l.tail())
	return rotation.Rotation{}
}

// retry is a person who put things right, and the rest of the life.
func (l *life) retry() {
	l.t.Helper()
	l.do(rotation.Retry{Actor: owner})
	l.until("closed", state(rotation.Closed))
	l.healthy()
}

// to is a life that came to a state in the ordinary way. Issuing is a life whose new key AWS does not accept yet.
func to(t tb, s rotation.State) *life {
	t.Helper()
	l := newLife(t)
	if s == rotation.Evicting {
		l.aws.users[userName].Keys = situations["an idle active key in the way"](l)
	}
	l.open()
	if s == rotation.Awaiting {
		l.wake()
		return l
	}
	l.approve()
	switch s {
	case rotation.Approved:
	case rotation.Issuing:
		l.aws.lagVerify = verifyTries
		l.wake()
	case rotation.Evicting:
		l.wake()
	default:
		l.until(string(s), state(s))
	}
	if r := l.get(); r.State != s {
		t.Fatalf("came to %s, not to %s\n%s", r.State, s, l.tail())
	}
	return l
}

// wakeErr lets the rotator work under ctx and returns what it says.
func (l *life) wakeErr(ctx context.Context) error { return l.rot.Wake(ctx, l.id) }

var errDenied = errors.Join(errors.New("AccessDenied: not authorized to perform this"), ErrDefinite)

// each runs a test for every named case in parallel.
func each[C any](t *testing.T, cases map[string]C, run func(*testing.T, C)) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, c)
		})
	}
}
