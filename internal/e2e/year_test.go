package e2e

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/scheduler"
)

// yearDays is how long it is. Of how many users it is KEYTURN_YEAR_USERS says: make test has some, make year has 1,000.
const yearDays = 365

func yearUsers(t *testing.T) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("KEYTURN_YEAR_USERS"), "100"))
	if err != nil || n < 100 {
		t.Fatalf("KEYTURN_YEAR_USERS is no number of 100 users and more: %v", err)
	}
	return n
}

// year is the world over a year: users of 40 owners, whose keys are of every age when it begins.
type year struct {
	*stage
	t        *testing.T
	users    []string
	took     map[string]string            // by user: the key that its workload uses
	used     map[string]time.Time         // by key: when it was used last
	off      map[string]bool              // keys seen inactive
	wantsOld map[rotation.KeyID]int       // restored: so many days somebody uses the old key
	issued   map[rotation.KeyID]time.Time // by new key: since when it can be installed
	said     int
	most     int // messages to one owner on one day
}

// yearPolicy is everything that a security team asks for, together.
func yearPolicy(text string) string {
	i := strings.Index(text, "policy:")
	j := strings.Index(text, "owner_tag:")
	return text[:i] + `policy:
  - match: {path: /auto/}
    mode: auto
    notice: 7d
    calendar: office
    approvers: {any_of: [owner, "group:S0SECOPS"]}
  - match: {path: /gold/}
    calendar: office
    approvers: {any_of: ["group:S0SECOPS"], required: 2, justification: true}
  - match: {path: /patient/}
    answer_within: 25d
    on_timeout: approve
    calendar: office
    approvers: {any_of: [owner], escalate_to: ["group:S0SECOPS"]}
  - match: {path: /strict/}
    answer_within: 25d
    on_timeout: expire
    approvers: {any_of: [owner], escalate_to: ["group:S0SECOPS"]}
  - approvers: {any_of: [owner, account_owner], escalate_to: ["group:S0SECOPS"]}
    leaked: {any_of: ["group:S0SECOPS"]}
calendars:
  office: {zone: Europe/Berlin, days: [mon, tue, wed, thu, fri], hours: "09:00-16:00", last_day_until: "12:00"}
freezes:
  - {from: 2026-12-18, until: 2027-01-04, why: end of the year, zone: Europe/Berlin}
` + text[j:]
}

// TestYear lets users live for a year: their owners answer at once, late, never, twice and wrongly, Slack and IAM fail
// for days. Nobody's key is taken while it is in use, nobody is left without one, and in the end every key is within its
// policy, or it is said why not.
func TestYear(t *testing.T) {
	if raced {
		t.Skip("make test runs the year without the race detector, for its time")
	}
	w, err := world.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	// Pauses that others make move the protocol's clock: no claim runs out meanwhile.
	s := &stage{World: w, tb: t, db: filepath.Join(t.TempDir(), "keyturn.db"), logs: &syncBuffer{most: 1 << 20}, hands: &world.Hands{}, lease: 30 * rotation.Day}
	s.start(yearPolicy)
	y := &year{stage: s, t: t, took: map[string]string{}, used: map[string]time.Time{}, off: map[string]bool{},
		wantsOld: map[rotation.KeyID]int{}, issued: map[rotation.KeyID]time.Time{}}
	y.populate()
	for day := range yearDays {
		y.day(day)
		if t.Failed() {
			t.Fatalf("on day %d\n%s", day, tailOf(s.logs.String()))
		}
	}
	y.reckon()
}

func (y *year) populate() {
	n := yearUsers(y.t)
	morning(y.stage, n/2, 0) // the owners; these keys are new
	now := y.Clock.Now()
	paths := []string{"/", "/", "/", "/auto/", "/gold/", "/patient/", "/strict/", "/"}
	for i := range n {
		name := fmt.Sprintf("service-%03d", i)
		if i >= n/2 {
			name = fmt.Sprintf("job-%03d", i)
			account := []string{world.Prod, world.Dev}[i%2]
			y.AWS.AddUser(account, awsemu.User{Name: name, Path: paths[i%len(paths)], Tags: map[string]string{"owner": fmt.Sprintf("owner-%02d@acme.example", i%morningOwners)}, CreatedAt: now.AddDate(-2, 0, 0)})
			k := awsemu.Key{Created: now.AddDate(0, 0, -(hash(name, 9) % 140))}
			if i%50 != 0 { // the others were never used
				k.LastUsed, k.LastUsedService, k.LastUsedRegion = now.Add(-time.Hour), "s3", world.Region
			}
			y.AWS.AddKey(account, name, k)
		}
		y.users = append(y.users, name)
	}
}

func (y *year) account(name string) string {
	var i int
	if _, err := fmt.Sscanf(name, "job-%d", &i); err == nil {
		return []string{world.Prod, world.Dev}[i%2]
	}
	return world.Prod
}

// day is one day: workloads work, the scan and the ticks run, people read and answer.
func (y *year) day(n int) {
	slackDown := n%90 >= 40 && n%90 < 42
	iamDown := n%70 == 35
	if slackDown {
		y.Slack.SetFault(slackemu.Fault{Times: -1, Kind: slackemu.FaultStatus})
	}
	if iamDown {
		y.AWS.SetFault(awsemu.Fault{Service: "iam", AccountID: world.Dev, Times: -1, Kind: awsemu.FaultError, Code: "ServiceFailure", Status: 500})
	}
	y.work()
	before := y.active()
	if _, err := y.app.Scan(context.Background(), scheduler.RunOptions{}); err != nil && !slackDown && !iamDown {
		y.t.Errorf("scan: %v", err)
	}
	y.app.Drain()
	y.check(before)
	heard := map[string]int{}
	for i := range morningOwners {
		heard[morningOwner(i)] = y.heard(morningOwner(i))
	}
	for range 4 {
		before := y.active()
		y.Clock.Advance(6 * time.Hour)
		if _, err := y.app.Scheduler.Tick(context.Background()); err != nil && !slackDown && !iamDown {
			y.t.Errorf("tick: %v", err)
		}
		y.app.Drain()
		y.check(before)
	}
	for i := range morningOwners {
		y.most = max(y.most, y.heard(morningOwner(i))-heard[morningOwner(i)])
	}
	if !slackDown {
		y.eachOpen(y.answer)
		y.app.Drain()
	}
	if n == 100 || n == 200 { // a key turns up where it should not
		y.leak(n)
	}
	y.Slack.ClearFaults()
	y.AWS.ClearFaults()
}

func (y *year) eachOpen(do func(rotation.Rotation)) {
	page := store.Page{Limit: store.MaxPage}
	var all []rotation.Rotation
	for {
		rs, next, err := y.app.Store.ListRotations(context.Background(), store.Filter{OpenOnly: true}, page)
		if err != nil {
			y.t.Fatal(err)
		}
		all = append(all, rs...)
		if next == "" {
			break
		}
		page.After = next
	}
	for _, r := range all {
		do(r)
	}
}

// work lets every workload use the key that it has; new ones are taken up after some days.
func (y *year) work() {
	now := y.Clock.Now()
	ready := map[string]bool{} // new keys that are installed by now
	y.eachOpen(func(r rotation.Rotation) {
		if r.New == nil || r.State != rotation.Installing && r.State != rotation.Recovering {
			return
		}
		if y.issued[r.New.ID].IsZero() {
			y.issued[r.New.ID] = now
		}
		ready[string(r.New.ID)] = now.Sub(y.issued[r.New.ID]) >= time.Duration(y.installs(r))*rotation.Day
		if y.wantsOld[r.Old.ID] > 1 && r.Old.InactiveSince.IsZero() {
			y.wantsOld[r.Old.ID]--
			y.use(string(r.Old.ID))
		}
	})
	for i, name := range y.users {
		if i >= len(y.users)/2 && i%50 == 0 {
			continue // nobody uses these
		}
		ks := y.AWS.Keys(y.account(name), name)
		has := func(id string) bool {
			return slices.ContainsFunc(ks, func(k awsemu.Key) bool { return k.ID == id && !k.Inactive })
		}
		for _, k := range ks {
			if !k.Inactive && (y.took[name] == "" || !has(y.took[name]) || ready[k.ID]) {
				y.took[name] = k.ID
			}
		}
		if y.took[name] != "" {
			y.use(y.took[name])
		}
	}
}

func (y *year) use(key string) {
	if y.AWS.Use(key, "s3", world.Region) == nil {
		y.used[key] = y.Clock.Now()
	}
}

func (y *year) active() map[string]int {
	out := map[string]int{}
	for _, name := range y.users {
		for _, k := range y.AWS.Keys(y.account(name), name) {
			if !k.Inactive {
				out[name]++
			}
		}
	}
	return out
}

// check holds what keyturn did since before against the promise.
func (y *year) check(before map[string]int) {
	y.t.Helper()
	for _, name := range y.users {
		ks, active := y.AWS.Keys(y.account(name), name), 0
		for _, k := range ks {
			if !k.Inactive {
				active++
				y.off[k.ID] = false
				continue
			}
			if y.off[k.ID] {
				continue
			}
			y.off[k.ID] = true
			if at, was := y.used[k.ID]; was && y.Clock.Now().Sub(at) < 18*time.Hour && !y.says(k.ID, func(r rotation.Rotation) bool { return overruled(r) || r.Leaked != nil }) {
				y.t.Errorf("key %s of %s was cut off, %s after its last use", k.ID, name, y.Clock.Now().Sub(at))
			}
		}
		if before[name] > 0 && active == 0 && !y.says(ks[0].ID, func(r rotation.Rotation) bool { return r.Kind == rotation.Retire && r.LastActive || r.Leaked != nil }) {
			y.t.Errorf("%s has no active key any more, and nobody agreed to that", name)
		}
	}
}

func (y *year) says(key string, ok func(rotation.Rotation) bool) bool {
	r, err := y.app.Store.RotationByKey(context.Background(), rotation.KeyID(key))
	return err == nil && ok(r)
}

// leak reports the key of a rotation that waits for nothing but its time.
func (y *year) leak(n int) {
	done := false
	y.eachOpen(func(r rotation.Rotation) {
		if !done && r.State == rotation.Installing && r.Stuck == nil && r.Account == world.Prod && hash(string(r.UserName), n)%3 == 0 {
			y.types(world.OnCall, "leaked "+string(r.Old.ID)+" in a log")
			done = true
		}
	})
	if !done {
		y.t.Errorf("nothing to leak on day %d", n)
	}
	y.app.Drain()
}

// reckon holds every key against its policy, when the year is over.
func (y *year) reckon() {
	now := y.Clock.Now()
	open := map[rotation.KeyID]rotation.Rotation{}
	why := map[string]int{}
	y.eachOpen(func(r rotation.Rotation) {
		open[r.Old.ID] = r
		if r.New != nil { // who does not let the old key go has an aging new one
			open[r.New.ID] = r
		}
	})
	for _, name := range y.users {
		for _, k := range y.AWS.Keys(y.account(name), name) {
			id, age := rotation.KeyID(k.ID), now.Sub(k.Created)
			r, is := open[id]
			switch {
			case k.Inactive && !is:
				why["inactive, and no rotation knows why"]++
				y.t.Errorf("key %s of %s is inactive, and no rotation is open about it", id, name)
			case k.Inactive:
				why["deactivated, to be deleted"]++
			case age <= 90*rotation.Day:
				why["within 90 days"]++
			case is:
				why[explained(r)]++
			default:
				last, err := y.app.Store.RotationByKey(context.Background(), id)
				if err != nil || last.Open() || last.Outcome != rotation.OutcomeRejected && last.Outcome != rotation.OutcomeExpired || now.Sub(last.Since) > last.Policy.ReopenAfter+2*rotation.Day {
					y.t.Errorf("key %s of %s is %d days old, and nothing explains it: %s %s since %s (%v)", id, name, int(age/rotation.Day), last.State, last.Outcome, last.Since, err)
				}
				why["past 90 days: "+string(last.Outcome)+", comes back"]++
			}
			if is && y.temper(r) == prompt && !strings.HasPrefix(r.UserPath, "/gold/") && age > 180*rotation.Day && r.Stuck == nil && !r.Escalated {
				y.t.Errorf("the owner of %s answers at once, and key %s is %d days old: %s", name, id, age/rotation.Day, r.State)
			}
		}
	}
	y.noSecretsIn()
	events := map[string]int{}
	page := store.Page{Limit: store.MaxPage}
	outcomes := map[rotation.Outcome]int{}
	for {
		rs, next, err := y.app.Store.ListRotations(context.Background(), store.Filter{}, page)
		if err != nil {
			y.t.Fatal(err)
		}
		for _, r := range rs {
			before, err := y.app.Store.ListEpisodes(context.Background(), r.ID)
			if err != nil {
				y.t.Fatal(err)
			}
			for _, e := range append(before, r) {
				if !e.Open() {
					outcomes[e.Outcome]++
				}
				if err := rotation.VerifyHistory(e.History); err != nil {
					y.t.Errorf("history of %s: %v", e.ID, err)
				}
				for _, h := range e.History {
					events[h.Event]++
				}
			}
		}
		if next == "" {
			break
		}
		page.After = next
	}
	y.t.Logf("%d commands; outcomes %v; what happened %v; keys in the end %v; at most %d messages to one owner in a day", y.said, outcomes, events, why, y.most)
	for _, e := range []string{"approve", "snooze", "reject", "remind", "escalate", "issued", "deactivated", "deleted", "restored", "leaked", "notice_passed", "time_is_up", "gate_refused", "postpone", "hold"} {
		if events[e] == 0 {
			y.t.Errorf("nothing was ever %q: the year proves too little", e)
		}
	}
}

// explained says why a key that is past its age is still there.
func explained(r rotation.Rotation) string {
	switch {
	case r.Stuck != nil:
		return "past 90 days: stuck, somebody is asked"
	case r.Escalated:
		return "past 90 days: in use, somebody is asked"
	case r.Held != nil:
		return "past 90 days: on hold"
	}
	return "past 90 days: " + string(r.State)
}

func (y *year) noSecretsIn() {
	text := y.logs.String()
	for _, secret := range y.AWS.SecretStrings() {
		if strings.Contains(text, secret) {
			y.t.Error("secret material in the log")
		}
	}
}
