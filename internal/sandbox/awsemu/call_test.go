package awsemu

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

func TestOnCall(t *testing.T) {
	e := start(t)
	e.AddUser(member, User{Name: "alice"})
	cfg := e.in(member)
	ok(cfg.Credentials.Retrieve(ctx))(t)
	c := iam.NewFromConfig(cfg)
	var mu sync.Mutex // the hook runs with the server
	var seen []Call
	abort := func(Call) bool { return false }
	e.OnCall(func(c Call) Action {
		e.Keys(member, "alice") // the lock is not held
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, c)
		if abort(c) {
			return Abort
		}
		return Proceed
	})
	get := func() error {
		_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")})
		return err
	}
	ok(0, get())(t)
	if len(seen) != 2 || seen[0].Seq != seen[1].Seq || seen[0].Phase != Before || seen[1].Phase != After || seen[0].Account != member || seen[0].Role != "keyturn-member" || seen[0].Service != "iam" || seen[0].Operation != "GetUser" {
		t.Errorf("%+v", seen)
	}
	for _, step := range []struct {
		what  string
		abort func(Call) bool
		fault *Fault
		calls int
		keys  int
	}{
		{"before: not performed", func(c Call) bool { return c.Phase == Before }, nil, 1, 0},
		{"after: performed, no answer", func(c Call) bool { return c.Phase == After }, nil, 2, 1},
		{"a dropped answer was performed", func(Call) bool { return false }, &Fault{Operation: "CreateAccessKey", Kind: FaultDrop}, 2, 2},
	} {
		t.Run(step.what, func(t *testing.T) {
			mu.Lock()
			seen, abort = nil, step.abort
			mu.Unlock()
			if step.fault != nil {
				e.SetFault(*step.fault)
			}
			var api smithy.APIError
			if err := create(ctx, c); err == nil || errors.As(err, &api) {
				t.Errorf("got %v, want no answer", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if n := len(e.Keys(member, "alice")); n != step.keys || len(seen) != step.calls {
				t.Errorf("%d keys after %+v", n, seen)
			}
		})
	}
	e.OnCall(nil)
	ok(0, get())(t)
}

func TestCounters(t *testing.T) {
	e := start(t)
	e.user("alice")
	c := e.iam()
	for range 3 {
		ok(c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")}))(t)
	}
	_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("nobody")})
	refusedWith(t, err, "NoSuchEntity", 404)
	want := map[CallKey]int{{mgmt, "sts", "AssumeRole"}: 1, {member, "iam", "GetUser"}: 4}
	if diff := cmp.Diff(want, e.Counters()); diff != "" {
		t.Error(diff)
	}
	e.ResetCounters()
	if n := len(e.Counters()); n != 0 {
		t.Errorf("%d counters after a reset", n)
	}
}

// TestConcurrentCalls has many clients at work while somebody turns the switches. It is for the race detector, and shows that
// no user ever gets a third key.
func TestConcurrentCalls(t *testing.T) {
	e := start(t)
	const users, workers = 8, 16
	for i := range users {
		e.AddUser(member, User{Name: fmt.Sprintf("user-%d", i)})
	}
	e.container("shared")
	cfg := e.in(member)
	ok(cfg.Credentials.Retrieve(ctx))(t)
	c, sm := iam.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)
	var made atomic.Int32
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range users {
				name := fmt.Sprintf("user-%d", (i+w)%users)
				if _, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name}); err == nil {
					made.Add(1)
				}
				_, _ = c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name})
				_, _ = sm.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("shared"), ClientRequestToken: ptr(token(w*users + i)), SecretString: &name})
			}
		})
	}
	wg.Go(func() {
		for i := range 20 {
			e.SetConsistencyDelay(i % 2)
			e.SetFault(Fault{Operation: "ListAccessKeys", Kind: FaultThrottle})
			_, _, _, _ = e.Keys(member, "user-0"), e.Counters(), e.Mails(), e.Secrets(member)
			e.ClearFaults()
		}
	})
	wg.Wait()
	if made.Load() != 2*users {
		t.Errorf("%d keys made, want 2 for each of %d users", made.Load(), users)
	}
	current := 0
	info, _ := e.Secret(member, "shared")
	for _, v := range info.Versions {
		for _, l := range v.Labels {
			if l == "AWSCURRENT" {
				current++
			}
		}
	}
	if current != 1 || len(info.Versions) != 100 {
		t.Errorf("%d current ones among %d versions", current, len(info.Versions))
	}
}
