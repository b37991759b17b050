package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

const (
	acct  rotation.AccountID = "111122223333"
	day                      = rotation.Day
	group                    = "IAMKeyRotationExemptionGroup"
)

var start = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// world is an organization, a store and people, all in memory. Every call on a port goes through call, which counts and
// lets a test make one fail.
type world struct {
	mu       sync.Mutex
	now      time.Time
	accounts map[rotation.AccountID]*account
	store    *memory
	rules    rules

	calls map[string]int
	total int
	fail  func(n int, port, what string) error // n counts from 1
	waits []time.Duration

	opened   [][]rotation.ID
	reports  []AccountReport
	done     []Summary
	renewals []Renewal
	woken    []rotation.ID
	wake     func(rotation.ID) error
}

type account struct {
	Account
	users       []*user
	group       []string
	rootActive  int
	pairs       map[rotation.UserID]Pair
	unreachable bool
	hidden      map[string]bool // names that the report misses
}

type user struct {
	id      string
	name    string
	path    string
	created time.Time
	console bool
	admin   []string
	tags    map[string]string
	keys    []*key
}

type key struct {
	id      string
	created time.Time
	off     bool
	use     rotation.LastUse
}

func newWorld() *world {
	w := &world{now: start, accounts: map[rotation.AccountID]*account{}, calls: map[string]int{}, rules: rules{{policy: rotation.DefaultPolicy(), rule: anybody}}}
	w.store = &memory{w: w, rotations: map[rotation.ID]rotation.Rotation{}, snapshots: map[rotation.AccountID]rotation.Snapshot{}, requests: map[string]rotation.Request{}}
	w.add(acct)
	return w
}

var anybody = approval.Rule{AnyOf: []approval.Circle{{Kind: approval.Owner}}, Required: 1}

func (w *world) add(id rotation.AccountID) *account {
	a := &account{Account: Account{ID: id, Name: "acme-" + string(id), Email: "Root-" + string(id) + "@Acme.example", OUPath: "r-acme/ou-prod", State: "ACTIVE"},
		pairs: map[rotation.UserID]Pair{}, hidden: map[string]bool{}}
	w.accounts[id] = a
	return a
}

// user adds a user with keys of these ages in days, in daily use.
func (a *account) user(name string, ages ...int) *user {
	u := &user{id: "AIDA" + strings.ToUpper(name) + string(a.ID[:4]), name: name, path: "/", created: start.Add(-1000 * day)}
	for i, age := range ages {
		u.keys = append(u.keys, &key{id: fmt.Sprintf("AKIA%s%s%d", strings.ToUpper(name), a.ID, i), created: start.Add(-time.Duration(age) * day), use: used(start.Add(-time.Hour))})
	}
	a.users = append(a.users, u)
	return u
}

func used(at time.Time) rotation.LastUse {
	return rotation.LastUse{Kind: rotation.UseSeen, At: at, Service: "s3", Region: "eu-central-1"}
}

var never = rotation.LastUse{Kind: rotation.UseNever}

func (u *user) rid(a rotation.AccountID) rotation.ID {
	return rotation.MakeID(a, rotation.UserID(u.id))
}
func (k *key) kid() rotation.KeyID { return rotation.KeyID(k.id) }

type ruleOf struct {
	match  func(approval.Target) bool // nil: everything
	policy rotation.Policy
	rule   approval.Rule
}

type rules []ruleOf

func (rs rules) For(t approval.Target) (rotation.Policy, approval.Rule, bool) {
	for _, r := range rs {
		if r.match == nil || r.match(t) {
			return r.policy, r.rule, true
		}
	}
	return rotation.Policy{}, approval.Rule{}, false
}

func (w *world) options() Options {
	return Options{
		Organization: w, Accounts: w, Store: w.store, Rules: w.rules, Teller: w, Waker: w, ExemptGroup: group, OwnerTag: "owner",
		Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }, Real: func() time.Time { return start },
		Wait: func(ctx context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.waits = append(w.waits, d)
			return ctx.Err()
		},
		Log: slog.New(slog.DiscardHandler),
	}
}

// run runs the scheduler once and fails the test if the run as a whole fails.
func (w *world) run(t testing.TB, o RunOptions) Summary {
	t.Helper()
	w.calls = map[string]int{}
	sum, err := New(w.options()).Run(context.Background(), o)
	if err != nil {
		t.Fatalf("run: %v", err)
	}
	w.check(t)
	return sum
}

// check holds after every run: histories are sound, and nothing open is forgotten.
func (w *world) check(t testing.TB) {
	t.Helper()
	for _, r := range w.store.rotations {
		if err := rotation.VerifyHistory(r.History); err != nil {
			t.Fatal(err)
		}
		if r.Open() && r.NextAt.IsZero() {
			t.Fatalf("rotation %s is open and nothing looks at it again", r.ID)
		}
	}
}

func (w *world) later(d time.Duration) { w.now = w.now.Add(d) }

func (w *world) call(port, what string) error {
	w.mu.Lock()
	w.total++
	n := w.total
	w.calls[port]++
	w.calls[port+" "+what]++
	fail := w.fail
	w.mu.Unlock()
	if fail != nil {
		return fail(n, port, what)
	}
	return nil
}

// rotation returns the rotation of a user.
func (w *world) rotation(t testing.TB, a rotation.AccountID, u *user) rotation.Rotation {
	t.Helper()
	r, ok := w.store.rotations[u.rid(a)]
	if !ok {
		t.Fatalf("%s has no rotation", u.name)
	}
	return r
}

func (w *world) has(a rotation.AccountID, u *user) bool {
	_, ok := w.store.rotations[u.rid(a)]
	return ok
}

// change applies an event to a stored rotation, as bot or rotator would.
func (w *world) change(t testing.TB, u *user, e rotation.Event) rotation.Rotation {
	t.Helper()
	r, err := rotation.Apply(w.rotation(t, acct, u), e, w.now)
	if err != nil {
		t.Fatalf("%s: %v", e.Name(), err)
	}
	r.Version++
	w.store.rotations[r.ID] = r
	return r
}

// Organization

func (w *world) Accounts(_ context.Context, ous []string) ([]Account, error) {
	if err := w.call("org", "Accounts"); err != nil {
		return nil, err
	}
	var out []Account
	for _, a := range w.accounts {
		in := len(ous) == 0
		for _, ou := range ous {
			in = in || strings.Contains(a.OUPath, ou)
		}
		if in {
			out = append(out, a.Account)
		}
	}
	return out, nil
}

// AccountReader

func (w *world) IAM(_ context.Context, a Account) (IAM, error) {
	if err := w.call("aws", "AssumeRole"); err != nil {
		return nil, err
	}
	if w.accounts[a.ID].unreachable {
		return nil, fmt.Errorf("assume role in %s: %w", a.ID, ErrUnreachable)
	}
	return iam{w, w.accounts[a.ID]}, nil
}

func (w *world) Secrets(_ context.Context, a Account) (Secrets, error) {
	return iam{w, w.accounts[a.ID]}, nil
}

type iam struct {
	w *world
	a *account
}

func (i iam) Report(context.Context) ([]ReportRow, error) {
	if err := errors.Join(i.w.call("aws", "GenerateCredentialReport"), i.w.call("aws", "GetCredentialReport")); err != nil {
		return nil, err
	}
	rows := []ReportRow{{User: root, Active: i.a.rootActive, Keys: i.a.rootActive, Sum: "root"}}
	for _, u := range i.a.users {
		if i.a.hidden[u.name] {
			continue
		}
		row := ReportRow{User: rotation.UserName(u.name), ARN: u.arn(i.a.ID), Created: u.created, Console: u.console, Keys: len(u.keys)}
		sum := []string{u.created.String(), strconv.FormatBool(u.console)}
		for _, k := range u.keys {
			if !k.off {
				row.Active++
			}
			sum = append(sum, k.created.String(), strconv.FormatBool(k.off), strconv.FormatBool(k.use.Kind == rotation.UseSeen))
		}
		row.Sum = strings.Join(sum, "|")
		rows = append(rows, row)
	}
	return rows, nil
}

func (u *user) arn(a rotation.AccountID) string {
	return fmt.Sprintf("arn:aws:iam::%s:user%s%s", a, u.path, u.name)
}

func (i iam) GroupMembers(_ context.Context, g string) ([]rotation.UserName, error) {
	if err := i.w.call("aws", "GetGroup"); err != nil {
		return nil, err
	}
	if g != group {
		return nil, nil
	}
	var out []rotation.UserName
	for _, n := range i.a.group {
		out = append(out, rotation.UserName(n))
	}
	return out, nil
}

func (i iam) find(name rotation.UserName) (*user, error) {
	for _, u := range i.a.users {
		if u.name == string(name) {
			return u, nil
		}
	}
	return nil, fmt.Errorf("get %s: %w", name, ErrNoSuchUser)
}

func (i iam) User(_ context.Context, name rotation.UserName) (rotation.User, error) {
	if err := i.w.call("aws", "GetUser"); err != nil {
		return rotation.User{}, err
	}
	u, err := i.find(name)
	if err != nil {
		return rotation.User{}, err
	}
	return rotation.User{ID: rotation.UserID(u.id), Name: name, Path: u.path, ARN: u.arn(i.a.ID), Tags: maps.Clone(u.tags)}, nil
}

func (i iam) FindUser(_ context.Context, id rotation.UserID) (rotation.UserName, error) {
	if err := i.w.call("aws", "ListUsers"); err != nil {
		return "", err
	}
	for _, u := range i.a.users {
		if u.id == string(id) {
			return rotation.UserName(u.name), nil
		}
	}
	return "", fmt.Errorf("look for %s: %w", id, ErrNoSuchUser)
}

func (i iam) Keys(_ context.Context, name rotation.UserName) ([]rotation.Key, error) {
	if err := i.w.call("aws", "ListAccessKeys"); err != nil {
		return nil, err
	}
	u, err := i.find(name)
	if err != nil {
		return nil, err
	}
	var out []rotation.Key
	for _, k := range u.keys {
		s := rotation.Active
		if k.off {
			s = rotation.Inactive
		}
		out = append(out, rotation.Key{ID: k.kid(), Status: s, Created: k.created})
	}
	return out, nil
}

func (i iam) LastUse(_ context.Context, id rotation.KeyID) (rotation.LastUse, rotation.UserName, error) {
	if err := i.w.call("aws", "GetAccessKeyLastUsed"); err != nil {
		return rotation.LastUse{}, "", err
	}
	for _, u := range i.a.users {
		for _, k := range u.keys {
			if k.kid() == id {
				return k.use, rotation.UserName(u.name), nil
			}
		}
	}
	return rotation.LastUse{}, "", fmt.Errorf("last use of %s: %w", id, ErrNoSuchKey)
}

func (i iam) AdminPolicies(_ context.Context, name rotation.UserName) (rotation.AdminPolicies, error) {
	if err := i.w.call("aws", "AdminPolicies"); err != nil {
		return rotation.AdminPolicies{}, err
	}
	u, err := i.find(name)
	if err != nil {
		return rotation.AdminPolicies{}, err
	}
	return rotation.AdminPolicies{Names: u.admin}, nil
}

func (i iam) Pairs(context.Context) (map[rotation.UserID]Pair, error) {
	if err := i.w.call("aws", "ListSecrets"); err != nil {
		return nil, err
	}
	return i.a.pairs, nil
}

var (
	_ Organization  = (*world)(nil)
	_ AccountReader = (*world)(nil)
	_ Teller        = (*world)(nil)
	_ Waker         = (*world)(nil)
	_ Store         = (*memory)(nil)
	_ IAM           = iam{}
	_ Secrets       = iam{}
)
