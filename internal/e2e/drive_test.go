package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/sqlite"
)

// journey is one world with one user whose key is due, and the product's folder.
type journey struct {
	*world.World
	t     *testing.T
	dir   string
	old   string
	store *sqlite.Store
}

func newJourney(t *testing.T) *journey {
	t.Helper()
	return newJourneyAt(t, world.Start, (*world.World).SeedHero)
}

// newJourneyAt begins a journey at a time, in a world that seed fills.
func newJourneyAt(t *testing.T, at time.Time, seed func(*world.World)) *journey {
	t.Helper()
	w, err := world.New()
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(at.Sub(w.Clock.Now()))
	seed(w)
	j := &journey{World: w, t: t, dir: t.TempDir(), old: w.AWS.Keys(world.Prod, world.Billing)[0].ID}
	db := filepath.Join(j.dir, "keyturn.db")
	j.write("keyturn.yaml", w.Config(db))
	j.writeClock()
	if j.store, err = sqlite.Open(db); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = j.store.Close()
		_ = w.Close()
	})
	return j
}

func (j *journey) write(name, text string) {
	tmp := filepath.Join(j.dir, name+".new")
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		j.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(j.dir, name)); err != nil {
		j.t.Fatal(err)
	}
}

func (j *journey) writeClock() { j.write("clock", fmt.Sprint(j.Clock.Now().Unix())) }

// until moves the clock forward to at, never back.
func (j *journey) until(at time.Time) {
	if d := at.Sub(j.Clock.Now()); d > 0 {
		j.Clock.Advance(d + time.Second)
		j.writeClock()
	}
}

// find reads the hero's rotation from the store, beside the running product.
func (j *journey) find() (rotation.Rotation, bool) {
	r, err := j.store.RotationByKey(context.Background(), rotation.KeyID(j.old))
	if errors.Is(err, store.ErrNotFound) {
		return r, false
	}
	if err != nil && !errors.Is(err, store.ErrBusy) {
		j.t.Fatal(err)
	}
	return r, err == nil
}

// patience bounds how long the world may stand still. It is no measure of speed: only a journey that is stuck comes to it.
const patience = 90 * time.Second

// drive lets the people and the time of the story go on until the rotation is closed, or alive says that the product died.
// It looks at what is, decides what a person would do next, and does it: it does not know where the product was killed.
func (j *journey) drive(alive func() bool) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(25 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-deadline.C:
			r, _ := j.find()
			j.t.Fatalf("nothing moved any more: %s, clock %s\n%s\nlog:\n%s", brief(r), j.Clock.Now(), j.keys(), j.tail())
		case <-look.C:
		}
		if !alive() {
			return false
		}
		r, ok := j.find()
		switch {
		case !ok:
		case r.Stuck != nil:
			j.t.Fatalf("stuck: %s\nlog:\n%s", r.Stuck.Seen, j.tail())
		case r.Untold() && j.Clock.Now().Before(r.TellAfter): // a scan that died leaves telling to the tick
			j.until(r.TellAfter)
		case r.Untold() || r.Acting != nil:
		case r.State == rotation.Closed:
			return true
		case r.State == rotation.Upcoming || r.State == rotation.Awaiting:
			if m, ok := j.notice(); ok {
				j.Slack.As(world.Owner).ClickButton(m, "Approve")
			}
		default:
			j.until(r.NextAt)
		}
	}
}

// notice is the newest message to the owner with a button to approve.
func (j *journey) notice() (slackemu.Message, bool) {
	ms := j.Slack.Messages(world.Owner)
	for i := len(ms) - 1; i >= 0; i-- {
		if b := string(ms[i].RawBlocks); strings.Contains(b, `"approve"`) && strings.Contains(b, j.old) {
			return ms[i], true
		}
	}
	return slackemu.Message{}, false
}

func brief(r rotation.Rotation) string {
	_, at := r.Next()
	b, _ := json.Marshal(map[string]any{"state": r.State, "acting": r.Acting, "trouble": r.Trouble, "stuck": r.Stuck, "journal": r.Journal,
		"people": r.PeopleSeq, "told": r.ToldSeq, "next": r.NextAt, "wanted": at, "telling": r.Telling})
	return string(b)
}

func (j *journey) keys() string {
	var out []string
	for _, k := range j.AWS.Keys(world.Prod, world.Billing) {
		out = append(out, fmt.Sprintf("%s inactive=%v", k.ID, k.Inactive))
	}
	return strings.Join(out, ", ")
}

// tail is the end of the product's log.
func (j *journey) tail() string {
	b, _ := os.ReadFile(filepath.Join(j.dir, "log"))
	if len(b) > 6000 {
		b = b[len(b)-6000:]
	}
	return string(b)
}

// check holds the world against the promise: exactly one working key, its secret current and readable by its user, the old
// key gone, no third key, people told, and nothing false said.
func (j *journey) check() {
	t := j.t
	t.Helper()
	ks := j.AWS.Keys(world.Prod, world.Billing)
	if len(ks) != 1 || ks[0].Inactive || ks[0].ID == j.old {
		t.Fatalf("keys at the end: %s (old key %s)\nlog:\n%s", j.keys(), j.old, j.tail())
	}
	r, ok := j.find()
	if !ok || r.Outcome != rotation.OutcomeRotated || r.New == nil || string(r.New.ID) != ks[0].ID {
		t.Fatalf("the store says %s with %+v, IAM has %s", r.Outcome, r.New, ks[0].ID)
	}
	if err := rotation.VerifyHistory(r.History); err != nil {
		t.Fatal(err)
	}
	sec, ok := j.AWS.Secret(world.Prod, "keyturn/"+world.Prod+"/"+world.Billing)
	if !ok || sec.Deleted {
		t.Fatalf("the secret is gone: %+v", sec)
	}
	current := ""
	for _, v := range sec.Versions {
		for _, l := range v.Labels {
			switch {
			case l == "AWSCURRENT":
				current = v.Value
			}
		}
	}
	var value struct{ AccessKeyId, SecretAccessKey, UserName string }
	if err := json.Unmarshal([]byte(current), &value); err != nil || value.AccessKeyId != ks[0].ID || value.UserName != world.Billing {
		t.Fatalf("AWSCURRENT does not hold the working key %s", ks[0].ID)
	}
	if err := j.readAsUser(value.AccessKeyId, value.SecretAccessKey, sec.ARN); err != nil {
		t.Fatalf("the user cannot read its own secret with the new key: %v", err)
	}
	if n := len(j.Secrets()); n != 1 {
		t.Fatalf("%d secrets in the account, want 1", n)
	}
	if r.Untold() {
		t.Fatal("people were not told of the end")
	}
	last := ""
	for _, m := range j.Slack.Messages(world.Owner) {
		if strings.Contains(string(m.RawBlocks), j.old) {
			last += m.Text + "\n"
		}
	}
	if last == "" || !strings.Contains(strings.ToLower(last), "deleted") && !strings.Contains(strings.ToLower(last), "done") && !strings.Contains(strings.ToLower(last), "rotated") {
		t.Fatalf("the owner's messages do not say how it ended:\n%s", last)
	}
	j.searchSecrets()
}

// Secrets lists the secrets of the account.
func (j *journey) Secrets() []string {
	var out []string
	for _, s := range j.AWS.Secrets(world.Prod) {
		out = append(out, s.Name)
	}
	return out
}
