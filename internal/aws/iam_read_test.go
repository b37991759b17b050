package aws

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
)

func TestUserAndKeys(t *testing.T) {
	w := start(t, awsemu.Options{})
	id1, _ := w.AddKey(prod, string(user), awsemu.Key{Created: day0.AddDate(0, 0, -100)})
	id2, _ := w.AddKey(prod, string(user), awsemu.Key{Created: day0.AddDate(0, 0, -10), Inactive: true})
	i := w.iam(t)
	u, err := i.User(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	if u.ID == "" || u.Account != prod || u.Path != "/jobs/" || u.Tags["owner"] != "billing@acme.example" || u.Keys != nil {
		t.Errorf("user %+v", u)
	}
	keys, err := i.Keys(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	want := []rotation.Key{
		{ID: rotation.KeyID(id1), Status: rotation.Active, Created: day0.AddDate(0, 0, -100)},
		{ID: rotation.KeyID(id2), Status: rotation.Inactive, Created: day0.AddDate(0, 0, -10)},
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Error(diff)
	}
}

func TestNoSuchUser(t *testing.T) {
	w := start(t, awsemu.Options{})
	for name, err := range map[string]error{
		"User":    second(w.iam(t).User(t.Context(), "nobody")),
		"Keys":    second(w.iam(t).Keys(t.Context(), "nobody")),
		"InGroup": second(w.account(t).InGroup(t.Context(), "nobody", "g")),
	} {
		if !errors.Is(err, scheduler.ErrNoSuchUser) || !errors.Is(err, rotator.ErrNoSuchUser) || errors.Is(err, rotator.ErrNoSuchKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Pattern's fault 2: an error while reading last use counts as "never used".
func TestLastUse(t *testing.T) {
	w := start(t, awsemu.Options{})
	used := awsemu.Key{Created: day0.AddDate(0, 0, -100), LastUsed: day0.Add(-time.Hour), LastUsedService: "s3", LastUsedRegion: region}
	id, _ := w.AddKey(prod, string(user), used)
	never, _ := w.AddKey(prod, string(user), awsemu.Key{})
	i := w.iam(t)
	use, owner, err := i.LastUse(t.Context(), rotation.KeyID(id))
	want := rotation.LastUse{Kind: rotation.UseSeen, At: day0.Add(-time.Hour), Service: "s3", Region: region}
	if diff := cmp.Diff(want, use); diff != "" || owner != user || err != nil {
		t.Error(diff, owner, err)
	}
	use, _, err = i.LastUse(t.Context(), rotation.KeyID(never))
	if use != (rotation.LastUse{Kind: rotation.UseNever}) || err != nil {
		t.Error(use, err)
	}
	w.RenameUser(prod, string(user), "renamed")
	if _, owner, _ = i.LastUse(t.Context(), rotation.KeyID(id)); owner != "renamed" {
		t.Errorf("owner %q", owner)
	}
	use, _, err = i.LastUse(t.Context(), "AKIANOBODYHASTHISKEY")
	if !errors.Is(err, rotator.ErrNoSuchKey) || !errors.Is(err, scheduler.ErrNoSuchKey) || use.Kind != rotation.UseUnknown {
		t.Error(use, err)
	}
	for _, f := range []awsemu.Fault{
		{Kind: awsemu.FaultThrottle}, {Kind: awsemu.FaultError, Code: "AccessDenied", Status: 403}, {Kind: awsemu.FaultDrop}, {Kind: awsemu.FaultDropBefore},
	} {
		f.Operation, f.Times = "GetAccessKeyLastUsed", -1
		w.ClearFaults()
		w.SetFault(f)
		use, _, err := i.LastUse(t.Context(), rotation.KeyID(never))
		if err == nil || use.Kind != rotation.UseUnknown || errors.Is(err, rotator.ErrNoSuchKey) {
			t.Errorf("fault %d: %v, error %v", f.Kind, use, err)
		}
	}
}

// An answer that does not say "never used" is not taken for it.
func TestLastUseUnknown(t *testing.T) {
	for name, inner := range map[string]string{
		"nothing":                   "",
		"no date, a service":        "<AccessKeyLastUsed><ServiceName>s3</ServiceName><Region>eu-central-1</Region></AccessKeyLastUsed>",
		"no date and no service":    "<AccessKeyLastUsed></AccessKeyLastUsed>",
		"an owner and nothing else": "<UserName>billing-export</UserName>",
	} {
		t.Run(name, func(t *testing.T) {
			m := fixed(t, 200, "text/xml", "<GetAccessKeyLastUsedResponse><GetAccessKeyLastUsedResult>"+inner+"</GetAccessKeyLastUsedResult></GetAccessKeyLastUsedResponse>")
			use, _, err := m.LastUse(t.Context(), "AKIAFIXED")
			if err != nil || use.Kind != rotation.UseUnknown {
				t.Errorf("%v, error %v", use, err)
			}
		})
	}
}

// Pattern's faults 1 and 3: only the first 100 users are seen; a failed read of the exemption group empties it.
func TestGroupMembers(t *testing.T) {
	w := start(t, awsemu.Options{})
	for i := range 250 {
		w.AddUser(prod, awsemu.User{Name: fmt.Sprintf("u-%03d", i), Groups: []string{"exempt"}})
	}
	w.AddGroup(prod, "empty")
	i := w.iam(t)
	got, err := i.GroupMembers(t.Context(), "exempt")
	if err != nil || len(got) != 250 || got[249] != "u-249" {
		t.Errorf("%d members, error %v", len(got), err)
	}
	for _, group := range []string{"empty", "nowhere"} {
		if got, err := i.GroupMembers(t.Context(), group); err != nil || len(got) != 0 {
			t.Errorf("%s: %d members, error %v", group, len(got), err)
		}
	}
	for _, f := range []awsemu.Fault{
		{Kind: awsemu.FaultThrottle}, {Kind: awsemu.FaultError, Code: "AccessDenied", Status: 403}, {Kind: awsemu.FaultDrop},
		{Kind: awsemu.FaultError, Code: "NoSuchEntity", Status: 404, Nth: 3}, // gone between two pages: not known to be empty
	} {
		f.Operation, f.Times = "GetGroup", -1
		w.ClearFaults()
		w.SetFault(f)
		if got, err := i.GroupMembers(t.Context(), "exempt"); err == nil {
			t.Errorf("fault %+v: %d members and no error", f, len(got))
		} else if !strings.Contains(err.Error(), "group exempt in "+prod) {
			t.Errorf("error %v", err)
		}
	}
}

// Answers larger than a buffer come whole, without a second try: see whole.
func TestLargeAnswers(t *testing.T) {
	w := start(t, awsemu.Options{})
	for i := range 100 {
		w.AddUser(prod, awsemu.User{Name: fmt.Sprintf("u-%03d", i), Groups: []string{"exempt"}})
	}
	i := w.iam(t)
	for range 40 {
		if got, err := i.GroupMembers(t.Context(), "exempt"); err != nil || len(got) != 100 {
			t.Fatalf("%d members, error %v", len(got), err)
		}
	}
	if n := w.calls("iam", "GetGroup"); n != 40 {
		t.Errorf("%d calls for 40 answers", n)
	}
}

func TestInGroup(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.AddUser(prod, awsemu.User{Name: "agent", Groups: []string{"a", "Exempt"}})
	a := w.account(t)
	for name, want := range map[rotation.UserName]bool{"agent": true, user: false} {
		if got, err := a.InGroup(t.Context(), name, "exempt"); err != nil || got != want {
			t.Errorf("%s: %v, error %v", name, got, err)
		}
	}
	w.SetFault(awsemu.Fault{Operation: "ListGroupsForUser", Kind: awsemu.FaultThrottle, Times: -1})
	if in, err := a.InGroup(t.Context(), "agent", "exempt"); err == nil {
		t.Errorf("in %v and no error", in)
	}
}

func TestReadsAreRetriedAndEnd(t *testing.T) {
	w := start(t, awsemu.Options{})
	i := w.iam(t)
	w.SetFault(awsemu.Fault{Operation: "GetUser", Kind: awsemu.FaultThrottle, Times: 2})
	if _, err := i.User(t.Context(), user); err != nil {
		t.Errorf("two refusals: %v", err)
	}
	slow, err := w.client(impatient).IAM(t.Context(), scheduler.Account{ID: prod})
	if err != nil {
		t.Fatal(err)
	}
	w.SetFault(awsemu.Fault{Operation: "GetUser", Kind: awsemu.FaultHang, Times: 1})
	if _, err := slow.User(t.Context(), user); err != nil {
		t.Errorf("a connection that hung: %v", err)
	}
}

// TestFindUser finds a user by its ID on any page, after a rename too, and says when there is none.
func TestFindUser(t *testing.T) {
	w := start(t, awsemu.Options{})
	for i := range 1050 {
		w.AddUser(prod, awsemu.User{Name: fmt.Sprintf("u-%04d", i), UserID: fmt.Sprintf("AIDA%017d", i)})
	}
	w.RenameUser(prod, "u-1049", "zz-renamed")
	i := w.iam(t)
	if name, err := i.FindUser(t.Context(), "AIDA00000000000001049"); err != nil || name != "zz-renamed" {
		t.Errorf("%q, %v", name, err)
	}
	if _, err := i.FindUser(t.Context(), "AIDANOBODY"); !errors.Is(err, scheduler.ErrNoSuchUser) || !errors.Is(err, rotator.ErrNoSuchUser) {
		t.Errorf("a user who is not there: %v", err)
	}
	w.SetRoleDeny(prod, memberRole, "iam:ListUsers")
	if _, err := i.FindUser(t.Context(), "AIDANOBODY"); err == nil || errors.Is(err, scheduler.ErrNoSuchUser) {
		t.Errorf("a refused listing says that the user is gone: %v", err)
	}
}
