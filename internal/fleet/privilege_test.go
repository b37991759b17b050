package fleet

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/lambdaemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/internal/store"
)

// onBehalf is what the templates grant and no call of ours shows: AWS does it with the role, or the emulator cannot.
var onBehalf = []struct{ action, reason string }{
	{"logs:CreateLogStream", "Lambda writes the function's log with the execution role"},
	{"logs:PutLogEvents", "Lambda writes the function's log with the execution role"},
	{"dynamodb:DescribeStream", "Lambda polls the table's stream with the execution role"},
	{"dynamodb:GetRecords", "Lambda polls the table's stream with the execution role"},
	{"dynamodb:GetShardIterator", "Lambda polls the table's stream with the execution role"},
	{"dynamodb:ListStreams", "Lambda polls the table's stream with the execution role"},
	{"sqs:ReceiveMessage", "Lambda polls the queue of accounts with the execution role"},
	{"sqs:DeleteMessage", "Lambda polls the queue of accounts with the execution role"},
	{"sqs:SendMessage on keyturn-stream-failed", "Lambda writes to the on-failure destination with the execution role"},
	{"sqs:SendMessage on keyturn-schedule-failed", "Lambda writes to the on-failure destination with the execution role"},
}

// deployedRoles are the roles of the templates, and where they are.
var deployedRoles = []struct{ account, name string }{
	{central, "keyturn-bot"}, {central, "keyturn-scheduler"}, {central, "keyturn-rotator"}, {world.Management, "keyturn-list-accounts"},
	{world.Prod, "keyturn-member-read"}, {world.Prod, "keyturn-member"},
}

// TestLeastPrivilege lets keyturn do everything that it does, under the policies of the templates, and compares: nothing was
// asked for that is not granted, and nothing is granted that was never asked for. It prints the table.
func TestLeastPrivilege(t *testing.T) {
	asked := &asked{used: map[string]bool{}, lines: map[string]bool{}, granted: map[string]string{}}
	t.Run("whole organization", func(t *testing.T) {
		s := newStage(t, plan{seed: (*world.World).Seed})
		s.everything()
		asked.of(s)
		for action := range granted(s, central, "keyturn-bot") {
			if strings.HasPrefix(action, "iam:") || strings.HasPrefix(action, "sts:") || strings.HasPrefix(action, "secretsmanager:") && action != "secretsmanager:GetSecretValue" {
				t.Errorf("the bot may %s", action)
			}
		}
		for _, r := range deployedRoles {
			if granted(s, r.account, r.name)["iam:PutUserPolicy"] {
				t.Errorf("%s may write policies of users", r.name)
			}
		}
	})
	for name, keyed := range map[string]bool{"units, KMS key by ARN": true, "units, KMS key by alias": false} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, encrypted(keyed))
			s.reencrypted()
			asked.of(s)
		})
	}
	for _, line := range slices.Sorted(maps.Keys(asked.lines)) {
		t.Log(line)
	}
	for g, sid := range asked.granted {
		if f := strings.Split(g, "|"); !asked.used[g] && !excused(f[4], f[5]) {
			t.Errorf("%s, statement %s: %s on %s is granted, and nobody called it", f[1], sid, f[4], f[5])
		}
	}
}

// asked is what was asked for and what was granted, over several stages.
type asked struct {
	used, lines map[string]bool
	granted     map[string]string // to the statement's Sid
}

func (k *asked) of(s *stage) {
	for _, c := range s.AWS.Calls() {
		if strings.Contains(c.Principal, ":user/") {
			continue // a workload's own key, or the one that is verified
		}
		if !c.Allowed && !c.Free {
			s.t.Errorf("%s needs %s on %s, and was refused: %s", c.Principal, c.Action, c.Resource, c.Why)
		}
		for _, g := range c.Grants {
			k.used[grant(s, c.Account, roleOf(c.Principal), g.Sid, g.Action, g.Resource)] = true
			k.lines[fmt.Sprintf("%-22s %-42s %-88s %s", roleOf(c.Principal), c.Action, general(s, g.Resource), where(c))] = true
		}
	}
	for _, r := range deployedRoles {
		for _, p := range s.AWS.RolePolicies(r.account, r.name) {
			for _, st := range p.Statements {
				for _, action := range st.Actions {
					if strings.Contains(action, "*") {
						s.t.Errorf("%s in %s: %s has a wildcard", r.name, st.Sid, action)
					}
					for _, resource := range st.Resources {
						k.granted[grant(s, r.account, r.name, st.Sid, action, resource)] = st.Sid
					}
				}
			}
		}
	}
}

// grant names an action of a statement on one of its resources, whatever stage it is of and whatever account.
func grant(s *stage, account, role, sid, action, resource string) string {
	if strings.HasPrefix(role, "keyturn-member") {
		account = "a member"
	}
	return strings.Join([]string{account, role, "", sid, action, general(s, resource)}, "|")
}

// general takes what differs between stages and accounts out of a resource.
func general(s *stage, resource string) string {
	resource = strings.ReplaceAll(resource, s.table, "TABLE")
	for _, a := range []string{world.Prod, world.Dev, central, world.Management} {
		resource = strings.ReplaceAll(resource, a, "ACCOUNT")
	}
	return secretSuffix.ReplaceAllString(resource, "$1-XXXXXX")
}

var secretSuffix = regexp.MustCompile(`(secret:keyturn-slack-[a-z]+)-[A-Za-z0-9]{6}`)

// encrypted is the organization with customer-managed KMS keys wherever there may be one, external IDs and chosen units.
func encrypted(byARN bool) plan {
	key := func(s *stage, account string) string {
		if arn, ok := s.keys[account]; ok {
			return arn
		}
		if s.keys == nil {
			s.keys = map[string]string{}
		}
		s.keys[account] = s.AWS.AddKMSKey(account, awsemu.KMSKey{Aliases: []string{"alias/keyturn"}})
		return s.keys[account]
	}
	return plan{
		params: func(s *stage, file, account string, params map[string]string) {
			switch {
			case file != "keyturn.yaml":
				params["ExternalId"] = "a-secret-handshake"
			default:
				params["AuditMacKeyArn"] = s.AWS.AddKMSKey(central, awsemu.KMSKey{Aliases: []string{"alias/keyturn-audit"}, HMAC: true})
			}
			switch {
			case file != "member-role.yaml":
			case byARN:
				params["SecretsKmsKeyArn"] = key(s, account)
			default:
				key(s, account)
				params["SecretsKmsAlias"] = "alias/keyturn"
			}
		},
		config: func(s *stage, c string) string {
			id := "alias/keyturn"
			if byARN {
				id = key(s, world.Prod)
			}
			c = strings.Replace(c, "organization:\n", "organization:\n  external_id: a-secret-handshake\n  include_ous: [ou-acme-prod00001]\n", 1)
			return c + "secrets: {kms_key: \"" + id + "\"}\naudit: {mac_key: alias/keyturn-audit}\n"
		},
	}
}

// reencrypted issues a key into a secret that lies under another KMS key, with an answer that is lost on the way.
func (s *stage) reencrypted() {
	t := s.t
	t.Helper()
	s.scan()
	old := s.hero()
	r, ok := s.find(old)
	if !ok {
		t.Fatalf("no rotation\n%s", s.logs.tail())
	}
	s.AWS.PutForeignSecret(world.Prod, "keyturn/"+world.Prod+"/"+world.Billing, "what was there before", map[string]string{
		"keyturn:managed": "true", "keyturn:user-id": string(r.UserID), "keyturn:rotation": string(r.ID),
	})
	s.AWS.SetFault(awsemu.Fault{Operation: "PutSecretValue", Kind: awsemu.FaultDrop, Times: 8})
	s.command(s.Slack.As(world.OnCall), "/keys approve "+old)
	s.AWS.ClearFaults()
	s.goOn("issued", func() bool { r, _ := s.find(old); return r.State == rotation.Installing && !r.Untold() })
	for range 20 {
		r, _ = s.find(old)
		if r.State == rotation.Closed {
			break
		}
		s.until(r.NextAt)
	}
	if r.Outcome != rotation.OutcomeRotated {
		t.Fatalf("in the end: %s %s\n%s", r.State, r.Outcome, s.logs.tail())
	}
}

// patience bounds how long the world may stand still. It is no measure of speed: only what is stuck comes to it.
const patience = 90 * time.Second

// goOn ticks until ok: leases run on the real clock, so that what was interrupted goes on only after a while.
func (s *stage) goOn(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			s.t.Fatalf("never %s\n%s", what, s.logs.tail())
		case <-look.C:
			s.Clock.Advance(time.Minute) // pauses after a failure run on the domain clock
			s.writeClock(filepath.Dir(s.clockFile))
			s.tick()
		}
	}
}

func granted(s *stage, account, role string) map[string]bool {
	out := map[string]bool{}
	for _, p := range s.AWS.RolePolicies(account, role) {
		for _, st := range p.Statements {
			for _, a := range st.Actions {
				out[a] = true
			}
		}
	}
	return out
}

func excused(action, resource string) bool {
	return slices.ContainsFunc(onBehalf, func(x struct{ action, reason string }) bool {
		what, on, narrowed := strings.Cut(x.action, " on ")
		return what == action && (!narrowed || strings.HasSuffix(resource, on))
	})
}

func roleOf(principal string) string { return principal[strings.LastIndexByte(principal, '/')+1:] }

func where(c awsemu.CallRecord) string {
	if c.Via != "" {
		return "by " + c.Via
	}
	return map[string]string{
		"keyturn-bot": "bot function", "keyturn-scheduler": "scheduler function", "keyturn-rotator": "rotator function",
		"keyturn-list-accounts": "scheduler, in the management account", "keyturn-member-read": "scheduler, in a member account", "keyturn-member": "rotator, in a member account",
	}[roleOf(c.Principal)]
}

// everything is a life of the organization in which every call is made at least once: all kinds of rotations, people who
// restore, ask and exempt, users who are renamed, histories that grow, and doctor in every function.
func (s *stage) everything() {
	t := s.t
	t.Helper()
	s.AWS.SetGroupPath(world.Dev, "IAMKeyRotationExemptionGroup", "/exceptions/")
	s.scan()
	as := s.Slack.As(world.OnCall)
	// The request is for a user whose key is young, before anything is approved.
	s.command(as, "/keys rotate service-01@"+world.Prod+" because it is time")
	s.pump()
	s.command(as, "/keys status")
	s.command(as, "/keys due")
	s.command(s.Slack.As(world.Owner), "/keys mine")
	s.command(as, "/keys exempt service-02@"+world.Prod+" until 2026-08-01 is replaced soon")
	s.command(as, "/keys status "+world.Prod)
	s.approveAll()
	hero := s.hero()
	s.command(as, "/keys why "+hero)
	s.command(as, "/keys history "+hero)
	s.AWS.RenameUser(world.Prod, world.Billing, "billing-renamed")
	for range 40 {
		s.Clock.Advance(24 * time.Hour)
		s.writeClock(filepath.Dir(s.clockFile))
		s.tick()
		if r, ok := s.find(hero); ok && r.State == rotation.Recovering && r.RestoredAt.IsZero() && r.Restore == nil {
			s.command(as, "/keys restore "+hero+" it was needed after all")
			s.pump()
			s.command(as, "/keys release "+hero)
		}
		s.approveAll()
	}
	s.scan()
	for _, fn := range []*lambdaemu.Function{s.bot, s.scheduler, s.rotator} {
		s.doctor(fn)
	}
}

// doctor lets a function look at what it needs, and wants everything to be in order.
func (s *stage) doctor(fn *lambdaemu.Function) {
	s.t.Helper()
	all := s.examine(fn)
	for _, c := range all {
		if !c.OK {
			s.t.Errorf("%s: %s: %s; %s", fn.ARN(), c.Name, c.Text, c.Mend)
		}
	}
	if len(all) < 5 {
		s.t.Errorf("%s: %d checks", fn.ARN(), len(all))
	}
}

// examine lets a function look at what it needs.
func (s *stage) examine(fn *lambdaemu.Function) []app.Check {
	s.t.Helper()
	r, err := fn.Invoke(s.t.Context(), []byte(`{"task":"doctor","all":true}`))
	if err != nil || r.FunctionError != "" {
		s.t.Fatalf("%s: %v %s", fn.ARN(), err, r.Payload)
	}
	var out struct {
		OK     bool
		Checks []app.Check
	}
	if err := json.Unmarshal(r.Payload, &out); err != nil {
		s.t.Fatal(err)
	}
	for _, c := range out.Checks {
		if !c.OK && out.OK {
			s.t.Errorf("%s says that all is in order, but for %s", fn.ARN(), c.Name)
		}
	}
	return out.Checks
}

func (s *stage) command(p *slackemu.Person, text string) {
	s.t.Helper()
	if r := p.Command(strings.TrimPrefix(text, "/keys ")); r.Err != nil {
		s.t.Fatalf("%s: %v\n%s", text, r.Err, s.logs.tail())
	}
	s.pump()
}

// approveAll approves, or picks, whatever somebody who may decide was asked.
func (s *stage) approveAll() {
	s.t.Helper()
	rs, _, err := s.store.RotationsByAccount(s.t.Context(), world.Prod, store.Page{Limit: store.MaxPage})
	if err != nil {
		s.t.Fatal(err)
	}
	p := s.Slack.As(world.OnCall)
	for _, r := range rs {
		if r.State != rotation.Awaiting && r.State != rotation.Upcoming {
			continue
		}
		what := "/keys approve " + string(r.Old.ID)
		switch {
		case len(r.Choices) > 0:
			what += " " + string(r.Choices[0].Remove)
		case r.Evict != nil:
			what += " " + string(r.Evict.ID)
		case r.LastActive:
			if m, ok := s.notice(world.AccountOwner, string(r.Old.ID)); ok {
				if res := s.Slack.As(world.AccountOwner).ClickButton(m, "Approve removal"); res.Err != nil {
					s.t.Fatal(res.Err)
				}
				s.pump()
			}
			continue
		}
		s.command(p, what)
	}
}
