package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/dynalite"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/sqlite"
)

var update = flag.Bool("update", false, "rewrite golden files")

var start = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

func clock() time.Time { return start }

const day = rotation.Day

// What the stores of the tests have.
const (
	payments = rotation.AccountID("111122223333")
	tools    = rotation.AccountID("444455556666")
	waiting  = "AKIAWAITWAITWAIT0001" // its rotation waits, with one of two approvals
	stuck    = "AKIASTUCKSTUCKST0002"
	soon     = "AKIASOONSOONSOON0003" // no rotation is about it
	first    = "AKIAFIRSTFIRSTFI0004" // of a rotation that was rejected
	second   = "AKIASECONDSECOND0005" // of the same user, asked for by a person
	left     = "AKIALEFTLEFTLEFT0006" // exempt
	audited  = "AKIAAUDITAUDITAU0007"
	rejected = "AKIAREJECTREJECT0008"
)

const text = `organization: {member_role: keyturn-member}
policy:
  - match: {user: "report-*"}
    mode: audit
  - match: {ou: "r-ab12/ou-prod"}
    approvers: {any_of: [owner, account_owner, "group:S0SECOPS"], required: 2, self_approval: false, justification: true, escalate_to: [user:U0CHIEF]}
    leaked: {any_of: ["group:S0SECOPS"]}
    break_glass: {any_of: [user:U0CHIEF]}
    calendar: berlin
  - approvers: {any_of: [owner, user:U0NAMED1]}
calendars:
  berlin: {zone: Europe/Berlin, days: [tue, wed, thu], hours: "09:00-16:00"}
slack: {token: env:SLACK_BOT_TOKEN, signing_secret: env:SLACK_SIGNING_SECRET, default_channel: C0KEYS, teams: [T0ACME]}
email: {from: security@example.com}
owner_tag: owner
store: {%s}
`

// writer is what the tests put into a store.
type writer interface {
	reader
	SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error)
	SaveSnapshot(ctx context.Context, s rotation.Snapshot) error
	SaveExemption(ctx context.Context, before, e rotation.Exemption) error
	SetState(ctx context.Context, key, value string) error
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keyOf(id string, age time.Duration, u rotation.LastUse) rotation.Key {
	return rotation.Key{ID: rotation.KeyID(id), Status: rotation.Active, Created: start.Add(-age), LastUse: u}
}

func used(ago time.Duration) rotation.LastUse {
	return rotation.LastUse{Kind: rotation.UseSeen, At: start.Add(-ago), Service: "s3", Region: "eu-central-1"}
}

func snapshots() []rotation.Snapshot {
	never := rotation.LastUse{Kind: rotation.UseNever}
	user := func(id, name, owner string, keys ...rotation.Key) rotation.User {
		u := rotation.User{ID: rotation.UserID(id), Name: rotation.UserName(name), Keys: keys}
		if owner != "" {
			u.Tags = map[string]string{"owner": owner}
		}
		return u
	}
	return []rotation.Snapshot{
		{Account: payments, Name: "payments", Email: "account@example.com", OUPath: "r-ab12/ou-prod", Taken: start.Add(-2 * time.Hour), Tried: start.Add(-2 * time.Hour), RootKeys: 1, Users: []rotation.User{
			user("AIDA1", "billing-export", "owner@example.com", keyOf(waiting, 100*day, used(day))),
			user("AIDA2", "nightly", "", keyOf(stuck, 95*day, used(3*day))),
			user("AIDA3", "github-deploy", "owner@example.com", keyOf(soon, 80*day, never)),
			user("AIDA7", "old-batch", "owner@example.com", keyOf(rejected, 120*day, used(9*day))),
			user("AIDA6", "report-reader", "", keyOf(audited, 200*day, rotation.LastUse{})),
		}},
		{Account: tools, Name: "tools", Email: "tools@example.com", OUPath: "r-ab12/ou-dev", Taken: start.Add(-3 * day), Tried: start.Add(-2 * time.Hour), Error: "assume role: AccessDenied", Users: []rotation.User{
			user("AIDA4", "ci", "U0OWNER1", keyOf(first, 130*day, used(2*day)), keyOf(second, 20*day, used(time.Hour))),
			user("AIDA5", "vendor", "ann\x1b[31m@example.com", keyOf(left, 300*day, used(day))),
		}},
	}
}

// fill puts into a store what the tests look at.
func fill(t testing.TB, s writer, rules approval.Rules) {
	t.Helper()
	ctx := t.Context()
	all := snapshots()
	for _, in := range all {
		must(t, s.SaveSnapshot(ctx, in))
	}
	open := func(in rotation.Snapshot, u rotation.User, key string, last *rotation.Rotation, by rotation.Actor, at time.Time, events ...rotation.Event) rotation.Rotation {
		t.Helper()
		u.Account = in.Account
		p, _, _ := rules.For(targetOf(in, u))
		owner := u.Tags["owner"]
		if owner == "" {
			owner = in.Email
		}
		k, _ := rotation.Find(u.Keys, rotation.KeyID(key))
		q := rotation.Proposal{Reason: rotation.ExpiredActiveKey, Act: rotation.ActOpen, Kind: rotation.Rotate, State: rotation.Awaiting, Old: k.ID, At: k.Created.Add(p.RotateAfter)}
		if by != rotation.System {
			q.Reason, q.At = rotation.ForcedRotation, at
		}
		r, err := rotation.Open(rotation.Subject{User: u, AccountName: in.Name, AccountEmail: in.Email, OUPath: in.OUPath, Owner: owner, OwnerTagged: true, Policy: p}, q, last, by, "", at)
		must(t, err)
		for i, e := range events {
			if a, ok := e.(rotation.Approve); ok {
				a.Digest = r.Digest()
				e = a
			}
			r, err = rotation.Apply(r, e, at.Add(time.Duration(i+1)*time.Hour))
			must(t, err)
		}
		r, err = s.SaveRotation(ctx, r)
		must(t, err)
		return r
	}
	ann := rotation.Actor{ID: "U0ANN", Name: "Ann", Email: "ann@example.com", Via: rotation.ViaSlack}
	ben := rotation.Actor{ID: "U0BEN", Name: "Ben", Email: "ben@example.com", Via: rotation.ViaSlack}
	open(all[0], all[0].Users[0], waiting, nil, ann, start.Add(-10*day),
		rotation.Approve{Actor: ben, Required: 2, Why: "known"}, rotation.Snooze{Actor: ben, For: day, Why: "release\nday"})
	open(all[0], all[0].Users[1], stuck, nil, rotation.System, start.Add(-5*day),
		rotation.HoldOn{Actor: ann, For: 10 * day, Why: "incident under way"})
	open(all[0], all[0].Users[3], rejected, nil, rotation.System, start.Add(-6*day), rotation.Reject{Actor: ben, Why: "it is replaced by a role"})
	r := open(all[1], all[1].Users[0], first, nil, rotation.System, start.Add(-40*day), rotation.Reject{Actor: ben, Why: "it is replaced by a role"})
	open(all[1], all[1].Users[0], second, &r, ben, start.Add(-day))
	must(t, s.SaveExemption(ctx, rotation.Exemption{}, rotation.Exemption{Account: tools, UserID: "AIDA5", UserName: "vendor", By: ann, Why: "the vendor cannot change it earlier", From: start.Add(-day), Until: start.Add(20 * day)}))
	state := ""
	for i, over := range []int{9, 7, 4} {
		var err error
		state, err = report.AddPoint(state, report.Point{Day: date(start.Add(time.Duration(i-3) * 10 * day)), Active: 12, OverAge: over, Open: 3})
		must(t, err)
	}
	must(t, s.SetState(ctx, report.StateKey, state))
}

// cfgOf writes a configuration file with a store, and sets the environment for it.
func cfgOf(t *testing.T, storage string) string {
	t.Helper()
	for k, v := range map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00", "AWS_SECRET_ACCESS_KEY": "not-one", "SLACK_BOT_TOKEN": "token", "SLACK_SIGNING_SECRET": "signing",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(k, v)
	}
	path := filepath.Join(t.TempDir(), "keyturn.yaml")
	must(t, os.WriteFile(path, fmt.Appendf(nil, text, storage), 0o600))
	return path
}

// inSQLite returns the configuration of a store in a file that another process has open, as serve would.
func inSQLite(t *testing.T) string {
	t.Helper()
	db := filepath.Join(t.TempDir(), "keyturn.db")
	path := cfgOf(t, fmt.Sprintf("sqlite: %q", db))
	s, err := sqlite.Open(db)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	cfg, err := app.Load(path)
	must(t, err)
	fill(t, s, cfg)
	return path
}

// inTable returns the configuration of a store in a table.
func inTable(t *testing.T) string {
	t.Helper()
	server, err := dynalite.Start(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	must(t, server.Table(t.Context(), dynamo.Schema("keyturn")))
	path := cfgOf(t, "dynamodb: keyturn")
	t.Setenv("AWS_ENDPOINT_URL", server.URL())
	cfg, err := app.Load(path)
	must(t, err)
	fill(t, dynamo.New(dynamo.Options{Client: server.Client(), Table: "keyturn", Now: clock}), cfg)
	return path
}

// says runs a command line and returns what it writes and its exit status.
func says(t *testing.T, path string, args ...string) (out, errOut string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	status = runAt(t.Context(), append([]string{"--config", path, "--log", "off"}, args...), &o, &e, clock)
	return o.String(), e.String(), status
}

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), -update rewrites it:\n%s", name, diff)
	}
}

// sorted is a table whose rows stand in the order of their text: each store has an order of its own.
func sorted(text string) string {
	head, rows, _ := strings.Cut(text, "\n")
	lines := strings.Split(strings.TrimSuffix(rows, "\n"), "\n")
	slices.Sort(lines)
	return head + "\n" + strings.Join(lines, "\n") + "\n"
}

// viewOf is a view on a store in memory, for what a real store does not do when it is asked.
func viewOf(t *testing.T, s reader) (*view, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	cfg, err := config.Parse("keyturn.yaml", fmt.Appendf(nil, text, "sqlite: keyturn.db"))
	must(t, err)
	var out, errOut bytes.Buffer
	return &view{environment: &environment{ctx: t.Context(), out: &out, err: &errOut, now: clock}, store: s, rules: cfg, teams: cfg.Slack.Teams, ownerTag: cfg.OwnerTag}, &out, &errOut
}

// shelf is a store in memory that gives what it is told to.
type shelf struct {
	reader
	pages [][]rotation.Rotation
	err   error // of the second page
}

func (s *shelf) ListRotations(_ context.Context, _ store.Filter, p store.Page) ([]rotation.Rotation, string, error) {
	n := 0
	if p.After != "" {
		if _, err := fmt.Sscan(p.After, &n); err != nil {
			return nil, "", err
		}
	}
	next := ""
	if n+1 < len(s.pages) {
		next = fmt.Sprint(n + 1)
	}
	if n == 1 {
		return s.pages[n], next, s.err
	}
	return s.pages[n], next, nil
}

// tampered is a store in which somebody changed a line of history.
type tampered struct{ writer }

func (s tampered) RotationByKey(ctx context.Context, key rotation.KeyID) (rotation.Rotation, error) {
	r, err := s.writer.RotationByKey(ctx, key)
	if err == nil {
		r.History[1].Note = "it was never known"
	}
	return r, err
}
