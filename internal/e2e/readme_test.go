package e2e

import (
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestReadmePermissions holds the README against what is called: with the member role nothing is called that the README does
// not list, and it lists nothing that is never called, but for what waits for a situation that this test does not make.
func TestReadmePermissions(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "### 1. AWS: the member role")
	text, _, _ = strings.Cut(text, "### 2. Slack: the app")
	member, process, _ := strings.Cut(text, "The process itself needs")
	action := regexp.MustCompile("(iam|secretsmanager|organizations|ses|sts):[A-Z][A-Za-z]+")
	listed := map[string]bool{}
	for _, a := range action.FindAllString(member[strings.Index(member, `"Sid": "Read"`):], -1) {
		listed[a] = true
	}
	own := map[string]bool{}
	for _, a := range action.FindAllString(process, -1) {
		own[a] = true
	}

	s := newStage(t)
	var mu sync.Mutex
	called := map[string]map[string]bool{"member": {}, "process": {}}
	s.AWS.OnCall(func(c awsemu.Call) awsemu.Action {
		mu.Lock()
		defer mu.Unlock()
		if c.Phase == awsemu.Before {
			switch {
			case c.Role == world.MemberRole:
				called["member"][c.Service+":"+c.Operation] = true
			case c.Account == world.Management:
				called["process"][c.Service+":"+c.Operation] = true
			}
		}
		return awsemu.Proceed
	})
	s.SeedHero()
	s.AWS.AddGroup(world.Prod, "Workers")
	s.AWS.SetUserGroups(world.Prod, world.Billing, "Workers")
	s.app.Doctor(context.Background(), app.DoctorOptions{}, func(c app.Check) {
		if !c.OK {
			t.Errorf("doctor: %s: %s", c.Name, c.Text)
		}
	})
	s.scan()
	s.AWS.RenameUser(world.Prod, world.Billing, "billing-renamed")
	old := s.AWS.Keys(world.Prod, "billing-renamed")[0].ID
	s.click(world.Owner, world.Owner, "Approve")
	s.pass(13 * day)
	s.click(world.Owner, world.Owner, "Restore")
	s.click(world.Owner, world.Owner, "Release")
	s.pass(25 * day)
	if r := s.rotationOf(old); r.State != rotation.Closed {
		t.Fatalf("the life is not over: %s", r.State)
	}
	// After a crash the stored version is read again; a KMS key that the configuration changes is set on the secret; a unit's
	// path is asked for where include_ous names one. Here nothing of it happens.
	waits := map[string]bool{"secretsmanager:GetSecretValue": true, "secretsmanager:UpdateSecret": true, "organizations:ListParents": true, "sts:AssumeRole": true}
	free := map[string]bool{"sts:GetCallerIdentity": true} // needs no permission
	for _, who := range []struct {
		name   string
		listed map[string]bool
	}{{"member", listed}, {"process", own}} {
		for _, a := range slices.Sorted(maps.Keys(called[who.name])) {
			if !who.listed[a] && !free[a] {
				t.Errorf("%s: %s is called, and the README does not list it", who.name, a)
			}
		}
		for _, a := range slices.Sorted(maps.Keys(who.listed)) {
			if !called[who.name][a] && !waits[a] {
				t.Errorf("%s: the README lists %s, and nothing calls it", who.name, a)
			}
		}
	}
}
