package stage

import (
	"context"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

func open(t *testing.T, o Options) *Stage {
	t.Helper()
	if o.Seed == nil {
		o.Seed = (*world.World).SeedHero
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.Slack.SetAckWithin(time.Minute) // the test is about something else
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// do runs a long action to its end.
func (s *Stage) do(t *testing.T, start func() error) Job {
	t.Helper()
	if err := start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Job()
}

func (s *Stage) mustPass(t *testing.T, d time.Duration) {
	t.Helper()
	if j := s.do(t, func() error { return s.Pass("time", d) }); j.Err != nil {
		t.Fatalf("%v\n%s", j.Err, strings.Join(s.Log(), "\n"))
	}
}

// press presses a button of the hero's notice and waits for what comes of it.
func (s *Stage) press(t *testing.T, who, text string) slackemu.Result {
	t.Helper()
	ms := s.Slack.Messages(world.Owner)
	if len(ms) == 0 {
		t.Fatalf("the owner has no message\n%s", strings.Join(s.Log(), "\n"))
	}
	r := s.Slack.As(who).ClickButton(ms[0], text)
	if a, err := s.App(t.Context()); err == nil {
		a.Drain()
	}
	return r
}

func (s *Stage) hero(t *testing.T) rotation.Rotation {
	t.Helper()
	for _, u := range s.AWS.Users(world.Prod) {
		if u.Name == world.Billing {
			r, err := s.Store().GetRotation(t.Context(), rotation.MakeID(world.Prod, rotation.UserID(u.UserID)))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
	}
	t.Fatal("no hero")
	return rotation.Rotation{}
}

func events(r rotation.Rotation) string {
	var out []string
	for _, e := range r.History {
		out = append(out, e.Event)
	}
	return strings.Join(out, " ")
}

// TestLifeOfAKey: time, workloads and people bring a key to its end, and the trail says what each step called.
func TestLifeOfAKey(t *testing.T) {
	s := open(t, Options{})
	old := s.AWS.Keys(world.Prod, world.Billing)[0].ID
	if j := s.do(t, s.Scan); j.Err != nil || !strings.Contains(j.Said, "Rotations opened: 1") || j.AWS == 0 {
		t.Fatalf("scan: %+v", j)
	}
	if r := s.press(t, world.Owner, "Approve"); r.Err != nil {
		t.Fatal(r.Err)
	}
	issued := s.hero(t)
	if issued.New == nil {
		t.Fatalf("no key was issued: %s\n%s", events(issued), strings.Join(s.Log(), "\n"))
	}
	s.mustPass(t, 10*24*time.Hour)
	if r := s.hero(t); !strings.Contains(events(r), "gate_refused") || s.AWS.Keys(world.Prod, world.Billing)[0].Inactive {
		t.Fatalf("the old key of a workload was cut off: %s", events(r))
	}
	if err := s.Install(t.Context(), string(issued.New.ID)); err != nil {
		t.Fatal(err)
	}
	if r := s.press(t, world.Owner, "New key is in use"); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.mustPass(t, 48*time.Hour)
	if k, _, _, _ := s.AWS.Key(old); !k.Inactive {
		t.Fatalf("the idle key was not deactivated: %s", events(s.hero(t)))
	}
	if err := s.Use(t.Context(), old); err == nil || !strings.HasPrefix(err.Error(), "InvalidAccessKeyId: ") {
		t.Errorf("AWS took an inactive key: %v", err)
	}
	s.mustPass(t, 11*24*time.Hour)
	if r := s.hero(t); r.Outcome != rotation.OutcomeRotated {
		t.Fatalf("not deleted: %s", events(r))
	}
	if f := s.Failing(); len(f) > 0 {
		t.Errorf("a workload failed: %+v", f)
	}

	steps, _ := s.Steps(s.hero(t))
	counted := map[Operation]int{}
	for _, st := range steps {
		for _, c := range st.Calls.Counts() {
			counted[c.Operation] += c.N
		}
	}
	for _, want := range []Operation{{"iam", "CreateAccessKey"}, {"iam", "DeleteAccessKey"}, {"secretsmanager", "PutSecretValue"}} {
		if counted[want] != 1 {
			t.Errorf("%v is in the timeline %d times", want, counted[want])
		}
	}
	if n := counted[Operation{"sts", "GetCallerIdentity"}]; n == 0 {
		t.Error("the proof of the new key is not in the timeline")
	}
}

// TestKilled: the process dies after any call that changes AWS, at the worst moment, and a new one finishes what it began.
func TestKilled(t *testing.T) {
	s := open(t, Options{})
	s.do(t, s.Scan)
	s.Kill(true)
	if life, _ := s.Life(); life != Doomed {
		t.Fatalf("life: %v", life)
	}
	if r := s.Slack.As(world.Owner).ClickButton(s.Slack.Messages(world.Owner)[0], "Approve"); r.Err != nil {
		t.Fatal(r.Err)
	}
	for {
		life, after := s.Life()
		if life == Dead {
			if !strings.Contains(after, ":") {
				t.Errorf("killed after %q", after)
			}
			break
		}
		_, changed := s.Version()
		if life, _ := s.Life(); life == Dead {
			continue
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatalf("it does not die: %s", strings.Join(s.Log(), "\n"))
		}
	}
	if r := s.Slack.As(world.Owner).Command("mine"); r.Err == nil {
		t.Error("a dead process answered")
	}
	s.mustPass(t, 3*time.Hour)
	if r := s.hero(t); r.New == nil || r.Stuck != nil || len(s.AWS.Keys(world.Prod, world.Billing)) != 2 {
		t.Errorf("it did not recover: %s, stuck %v\n%s", events(r), r.Stuck, strings.Join(s.Log(), "\n"))
	}
}

// TestTrouble: with each trouble no key is lost; when it is over, everything goes on.
func TestTrouble(t *testing.T) {
	for _, trouble := range Troubles {
		t.Run(string(trouble), func(t *testing.T) {
			s := open(t, Options{})
			s.do(t, s.Scan)
			s.Switch(trouble, true)
			if !s.Switched(trouble) {
				t.Error("not on")
			}
			if r := s.press(t, world.Owner, "Approve"); r.Err != nil && trouble != SlackDown {
				t.Fatal(r.Err)
			}
			if r := s.hero(t); trouble != SlackDown && r.New != nil {
				t.Error("a key was issued nevertheless")
			}
			s.Switch(trouble, false)
			s.mustPass(t, 24*time.Hour)
			if r := s.hero(t); r.State == rotation.Awaiting {
				s.press(t, world.Owner, "Approve") // Slack could not say who clicked
			}
			if r := s.hero(t); r.New == nil || len(s.AWS.Keys(world.Prod, world.Billing)) != 2 {
				t.Errorf("it did not go on: %s\n%s", events(r), strings.Join(s.Log(), "\n"))
			}
		})
	}
}

// TestKept: a world that a folder keeps goes on where it was, and a click on a message of before works.
func TestKept(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(t.Context(), Options{Data: dir, Seed: (*world.World).SeedHero})
	if err != nil {
		t.Fatal(err)
	}
	first.do(t, first.Scan)
	first.do(t, func() error { return first.Pass("time", 5*time.Hour) })
	first.SetNote("tour", "1")
	before, text := first.Clock.Now(), first.Slack.Conversation(world.Owner)
	first.trail.called(awsemu.Call{Service: "iam", Operation: "ListAccessKeys", Account: world.Prod, User: world.Billing})
	steps, since := first.Steps(first.hero(t))
	called := first.Called()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	s := open(t, Options{Data: dir})
	if !s.Clock.Now().Equal(before) || s.Slack.Conversation(world.Owner) != text || s.Note("tour") != "1" {
		t.Errorf("another world: %s, %s", s.Clock.Now(), s.Slack.Conversation(world.Owner))
	}
	if now, later := s.Steps(s.hero(t)); !reflect.DeepEqual(now, steps) || !maps.Equal(later, since) || since.Total() == 0 || !maps.Equal(s.Called(), called) {
		t.Errorf("the calls were %v, and %v since, of %v; now %v, and %v since, of %v", steps, since, called, now, later, s.Called())
	}
	if r := s.press(t, world.Owner, "Approve"); r.Err != nil {
		t.Fatal(r.Err)
	}
	if r := s.hero(t); r.New == nil {
		t.Errorf("no key was issued: %s\n%s", events(r), strings.Join(s.Log(), "\n"))
	}
	if w := s.Workloads(world.Prod, world.Billing); len(w) != 1 {
		t.Errorf("workloads: %+v", w)
	}
}

// TestOneAtATime: a second long action is refused while one runs.
func TestOneAtATime(t *testing.T) {
	s := open(t, Options{})
	began, goOn := make(chan struct{}), make(chan struct{})
	if err := s.run("long", 1, func(context.Context) (string, error) { close(began); <-goOn; return "done", nil }); err != nil {
		t.Fatal(err)
	}
	<-began
	if err := s.Scan(); err == nil || !s.Job().Running {
		t.Errorf("a scan beside it: %v", err)
	}
	close(goOn)
	if err := s.Wait(t.Context()); err != nil || s.Job().Said != "done" {
		t.Errorf("%v %+v", err, s.Job())
	}
}

func TestUserOfSecret(t *testing.T) {
	for in, want := range map[string]string{
		"keyturn/200000000002/billing-export": "billing-export",
		"arn:aws:secretsmanager:eu-central-1:200000000002:secret:keyturn/200000000002/billing-export-AbCdEf": "billing-export",
		"": "",
	} {
		if got := userOfSecret(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// TestEndsAnyTime: a stage ends in good order in the middle of a long action, while the product is dead, and while it is doomed;
// nothing is started after that.
func TestEndsAnyTime(t *testing.T) {
	for name, until := range map[string]func(*testing.T, *Stage){
		"in an action": func(t *testing.T, s *Stage) {
			if err := s.Pass("time", 240*time.Hour); err != nil {
				t.Fatal(err)
			}
		},
		"doomed": func(_ *testing.T, s *Stage) { s.Kill(true) },
		"dead": func(_ *testing.T, s *Stage) {
			s.mu.Lock()
			s.die()
			s.mu.Unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), Options{Data: t.TempDir(), Seed: (*world.World).SeedHero})
			if err != nil {
				t.Fatal(err)
			}
			until(t, s)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := s.App(t.Context()); err == nil {
				t.Error("something is started after the end")
			}
		})
	}
}

// TestSomebodyElsesCall: only keyturn's own change kills it, and none that was refused.
func TestSomebodyElsesCall(t *testing.T) {
	s := open(t, Options{})
	s.do(t, s.Scan)
	s.Kill(true)
	cfg := s.AWSConfig()
	id, secret := s.ProdCredentials()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(id, secret, "")
	_, err := iam.NewFromConfig(cfg).UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
		UserName: awssdk.String(world.Billing), AccessKeyId: awssdk.String(s.AWS.Keys(world.Prod, world.Billing)[0].ID), Status: types.StatusTypeActive,
	})
	if life, _ := s.Life(); err != nil || life != Doomed {
		t.Errorf("somebody's own call: %v, life %v", err, life)
	}
	s.AWS.SetFault(awsemu.Fault{Service: "secretsmanager", Operation: "CreateSecret", Kind: awsemu.FaultError, Times: -1})
	s.press(t, world.Owner, "Approve")
	if life, after := s.Life(); life != Doomed {
		t.Errorf("life %v: killed after %s, which was refused", life, after)
	}
	if n := s.Called()[Operation{"secretsmanager", "CreateSecret"}]; n == 0 {
		t.Error("nothing was refused")
	}
}

// TestScansBySelf: the clock scans once a day, also if nobody ever did by hand.
func TestScansBySelf(t *testing.T) {
	s := open(t, Options{})
	s.mustPass(t, 24*time.Hour)
	if r := s.hero(t); r.Opened.IsZero() {
		t.Error("nothing was found")
	}
}
