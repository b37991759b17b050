package awsemu

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

func TestUsersComeInPages(t *testing.T) {
	for name, tc := range map[string]struct {
		limit int
		in    iam.ListUsersInput
		want  []int
	}{
		"default 100":    {in: iam.ListUsersInput{}, want: []int{100, 100, 50}},
		"asked for more": {in: iam.ListUsersInput{MaxItems: ptr(int32(1000))}, want: []int{250}},
		"asked for less": {in: iam.ListUsersInput{MaxItems: ptr(int32(120))}, want: []int{120, 120, 10}},
		"short pages":    {limit: 99, in: iam.ListUsersInput{}, want: []int{99, 99, 52}},
		"by path":        {in: iam.ListUsersInput{PathPrefix: ptr("/jobs/")}, want: []int{50}},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t)
			for i := range 250 {
				e.AddUser(member, User{Name: fmt.Sprintf("user-%03d", i), Path: map[bool]string{true: "/jobs/night/", false: "/"}[i%5 == 0]})
			}
			e.SetPageLimit(tc.limit)
			var got []int
			seen := map[string]bool{}
			for p := iam.NewListUsersPaginator(e.iam(), &tc.in); p.HasMorePages(); {
				out := ok(p.NextPage(ctx))(t)
				got = append(got, len(out.Users))
				for _, u := range out.Users {
					seen[*u.UserName] = true
				}
			}
			total := 0
			for _, n := range tc.want {
				total += n
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || len(seen) != total {
				t.Errorf("pages (-want +got):\n%s%d users, want %d", diff, len(seen), total)
			}
		})
	}
}

func TestPagesAreStableWhenUsersComeAndGo(t *testing.T) {
	e := start(t)
	for i := range 6 {
		e.AddUser(member, User{Name: fmt.Sprintf("user-%d", i)})
	}
	first := ok(e.iam().ListUsers(ctx, &iam.ListUsersInput{MaxItems: ptr(int32(3))}))(t)
	e.RemoveUser(member, "user-2") // the last one of the page
	e.AddUser(member, User{Name: "user-00"})
	second := ok(e.iam().ListUsers(ctx, &iam.ListUsersInput{Marker: first.Marker}))(t)
	var got []string
	for _, u := range second.Users {
		got = append(got, *u.UserName)
	}
	if diff := cmp.Diff([]string{"user-3", "user-4", "user-5"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUser(t *testing.T) {
	e := start(t)
	created := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	e.AddUser(member, User{
		Name: "Billing,Export", Path: "/jobs/", UserID: "AIDAAAAAAAAAAAAAAAAAA", Tags: map[string]string{"owner": "a@b.example", "<&>": "\"'"}, CreatedAt: created,
		Groups: []string{"Exempt"}, Console: true, PolicyARNs: []string{"arn:aws:iam::aws:policy/service/ReadOnly"},
	})
	e.AddUser(member, User{Name: "plain"})
	c := e.iam()
	u := ok(c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("billing,EXPORT")}))(t).User // names are not told apart by case
	want := &types.User{
		UserName: ptr("Billing,Export"), Path: ptr("/jobs/"), UserId: ptr("AIDAAAAAAAAAAAAAAAAAA"), CreateDate: &created,
		Arn: ptr("arn:aws:iam::200000000002:user/jobs/Billing,Export"), Tags: []types.Tag{{Key: ptr("<&>"), Value: ptr("\"'")}, {Key: ptr("owner"), Value: ptr("a@b.example")}},
	}
	if diff := cmp.Diff(want, u, cmp.AllowUnexported(types.User{}, types.Tag{}), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
		t.Error(diff)
	}
	tags := ok(c.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: ptr("Billing,Export"), MaxItems: ptr(int32(1))}))(t)
	if !tags.IsTruncated || len(tags.Tags) != 1 {
		t.Errorf("tags: %+v", tags)
	}
	if got := ok(c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: ptr("Billing,Export")}))(t).Groups; len(got) != 1 || *got[0].GroupName != "Exempt" {
		t.Errorf("groups: %+v", got)
	}
	if got := ok(c.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: ptr("Billing,Export")}))(t).AttachedPolicies; len(got) != 1 || *got[0].PolicyName != "ReadOnly" {
		t.Errorf("policies: %+v", got)
	}
	if got := ok(c.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: ptr("Billing,Export")}))(t).LoginProfile; *got.UserName != "Billing,Export" {
		t.Errorf("login profile: %+v", got)
	}
	_, err := c.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: ptr("plain")})
	refusedWith(t, err, "NoSuchEntity", 404)
}

func TestRenamedUserKeepsIDAndKeys(t *testing.T) {
	e := start(t)
	id, _ := e.user("alice")
	c := e.iam()
	before := ok(c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("alice")}))(t).User
	e.RenameUser(member, "alice", "Alice2")
	after := ok(c.GetUser(ctx, &iam.GetUserInput{UserName: ptr("Alice2")}))(t).User
	used := ok(c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id}))(t)
	if *before.UserId != *after.UserId || *used.UserName != "Alice2" {
		t.Errorf("%s is %s, key of %s", *before.UserId, *after.UserId, *used.UserName)
	}
	_, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: ptr("alice")})
	refusedWith(t, err, "NoSuchEntity", 404)
}

func TestGroup(t *testing.T) {
	e := start(t)
	e.AddGroup(member, "Empty")
	for i := range 5 {
		e.AddUser(member, User{Name: fmt.Sprintf("user-%d", i), Groups: []string{"Exempt"}})
	}
	e.SetUserGroups(member, "user-4")
	c := e.iam()
	var got []string
	for p := iam.NewGetGroupPaginator(c, &iam.GetGroupInput{GroupName: ptr("exempt"), MaxItems: ptr(int32(3))}); p.HasMorePages(); {
		out := ok(p.NextPage(ctx))(t)
		for _, u := range out.Users {
			got = append(got, *u.UserName)
		}
		if *out.Group.GroupName != "Exempt" || *out.Group.Arn != "arn:aws:iam::200000000002:group/Exempt" {
			t.Errorf("group: %+v", out.Group)
		}
	}
	if diff := cmp.Diff([]string{"user-0", "user-1", "user-2", "user-3"}, got); diff != "" {
		t.Error(diff)
	}
	if out := ok(c.GetGroup(ctx, &iam.GetGroupInput{GroupName: ptr("Empty")}))(t); len(out.Users) != 0 {
		t.Errorf("members of an empty group: %+v", out.Users)
	}
	_, err := c.GetGroup(ctx, &iam.GetGroupInput{GroupName: ptr("nothing")})
	refusedWith(t, err, "NoSuchEntity", 404)
}

func TestKeysOfAUser(t *testing.T) {
	e := start(t)
	old, _ := e.user("alice")
	c, in := e.iam(), &iam.CreateAccessKeyInput{UserName: ptr("alice")}
	list := func() (got []string) {
		for _, k := range ok(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: ptr("alice")}))(t).AccessKeyMetadata {
			got = append(got, *k.AccessKeyId+" "+string(k.Status)+" "+k.CreateDate.Format(time.DateOnly))
		}
		return got
	}
	update := func(id string, status types.StatusType) error {
		_, err := c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: ptr("alice"), AccessKeyId: &id, Status: status})
		return err
	}
	made := ok(c.CreateAccessKey(ctx, in))(t).AccessKey
	_, err := c.CreateAccessKey(ctx, in)
	refusedWith(t, err, "LimitExceeded", 409)
	for range 2 { // again is no error
		ok(0, update(old, types.StatusTypeInactive))(t)
	}
	if diff := cmp.Diff([]string{old + " Inactive 2026-02-21", *made.AccessKeyId + " Active 2026-06-01"}, list()); diff != "" {
		t.Error(diff)
	}
	_, err = c.CreateAccessKey(ctx, in) // an inactive key fills its slot
	refusedWith(t, err, "LimitExceeded", 409)
	ok(0, update(old, types.StatusTypeActive))(t)
	del := &iam.DeleteAccessKeyInput{UserName: ptr("alice"), AccessKeyId: &old}
	ok(c.DeleteAccessKey(ctx, del))(t) // an active key can be deleted
	_, err = c.DeleteAccessKey(ctx, del)
	refusedWith(t, err, "NoSuchEntity", 404)
	refusedWith(t, update(old, types.StatusTypeActive), "NoSuchEntity", 404)
	refusedWith(t, update(*made.AccessKeyId, "active"), "ValidationError", 400)
	e.user("bob")
	_, err = c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: ptr("bob"), AccessKeyId: made.AccessKeyId})
	refusedWith(t, err, "NoSuchEntity", 404)
	e.RemoveUser(member, "alice")
	_, err = c.CreateAccessKey(ctx, in)
	refusedWith(t, err, "NoSuchEntity", 404)
	if e.Use(*made.AccessKeyId, "s3", region) == nil {
		t.Error("the key of a removed user works")
	}
}

func TestNamesThatIAMRefuses(t *testing.T) {
	e := start(t)
	c := e.iam()
	for _, name := range []string{"", "a b", "a/b", "ü", "a\nb", string(make([]byte, 129))} {
		_, err := c.GetUser(ctx, &iam.GetUserInput{UserName: &name})
		refusedWith(t, err, "ValidationError", 400)
	}
	_, err := c.GetUser(ctx, &iam.GetUserInput{}) // a role is no user
	refusedWith(t, err, "ValidationError", 400)
	_, err = c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: ptr("AKIA-short")})
	refusedWith(t, err, "ValidationError", 400)
	for _, n := range []int32{0, -1, 1001} {
		_, err = c.ListUsers(ctx, &iam.ListUsersInput{MaxItems: &n})
		refusedWith(t, err, "ValidationError", 400)
	}
	_, err = c.ListUsers(ctx, &iam.ListUsersInput{Marker: ptr("guessed")})
	refusedWith(t, err, "ValidationError", 400)
}

func TestLastUsed(t *testing.T) {
	e := start(t)
	id, _ := e.user("alice")
	e.AddUser(other, User{Name: "stranger"})
	foreign, _ := e.AddKey(other, "stranger", Key{})
	c := e.iam()
	read := func() string {
		out := ok(c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id}))(t).AccessKeyLastUsed
		at := "never"
		if out.LastUsedDate != nil {
			at = out.LastUsedDate.Format("15:04")
		}
		return at + " " + *out.ServiceName + " " + *out.Region
	}
	for _, step := range []struct {
		after         time.Duration
		service, want string
	}{
		{0, "", "never N/A N/A"},
		{0, "s3", "08:00 s3 eu-central-1"},
		{10 * time.Minute, "s3", "08:00 s3 eu-central-1"}, // the first of several within 15 minutes
		{0, "sqs", "08:10 sqs eu-central-1"},              // only the latest service
		{20 * time.Minute, "sqs", "08:30 sqs eu-central-1"},
	} {
		e.clock.advance(step.after)
		if step.service != "" {
			ok(0, e.Use(id, step.service, region))(t)
		}
		if got := read(); got != step.want {
			t.Errorf("got %q, want %q", got, step.want)
		}
	}
	ok(0, e.UseAt(id, "s3", region, e.clock.Now().Add(-day)))(t)
	if got := read(); got != "08:30 sqs eu-central-1" {
		t.Errorf("an older use replaced a later one: %s", got)
	}
	_, err := c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &foreign})
	refusedWith(t, err, "AccessDenied", 403)
	gone := &iam.GetAccessKeyLastUsedInput{AccessKeyId: ptr("AKIAGONE000000000000")}
	_, err = c.GetAccessKeyLastUsed(ctx, gone)
	refusedWith(t, err, "NoSuchEntity", 404)
	e.SetMissingKeyDenied(true)
	_, err = c.GetAccessKeyLastUsed(ctx, gone)
	refusedWith(t, err, "AccessDenied", 403)
	e.SetKeyStatus(member, id, false)
	if read() != "08:30 sqs eu-central-1" || e.Use(id, "s3", region) == nil {
		t.Error("an inactive key keeps its last use, and cannot be used")
	}
}

func TestANewKeyIsSeenLate(t *testing.T) {
	e := start(t)
	e.user("alice")
	c := e.iam()
	e.SetConsistencyDelay(2)
	k := ok(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: ptr("alice")}))(t).AccessKey
	e.SetConsistencyDelay(0) // for keys to come
	var listed, accepted []bool
	for range 4 {
		out := ok(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: ptr("alice")}))(t)
		listed = append(listed, len(out.AccessKeyMetadata) == 2)
		_, err := e.whoIs(*k.AccessKeyId, *k.SecretAccessKey)
		accepted = append(accepted, err == nil)
		if err != nil {
			refusedWith(t, err, "InvalidClientTokenId", 403)
		}
	}
	want := []bool{false, false, true, true}
	if !cmp.Equal(want, listed) || !cmp.Equal(want, accepted) {
		t.Errorf("listed %v, accepted %v, want both %v", listed, accepted, want)
	}
}

func TestADelayOfAKeyThatIsRemovedEndsWithIt(t *testing.T) {
	e := start(t)
	e.AddUser(member, User{Name: "alice"})
	e.SetConsistencyDelay(5)
	c := e.iam()
	k := ok(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: ptr("alice")}))(t).AccessKey
	e.RemoveKey(member, *k.AccessKeyId)
	if got := ok(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: ptr("alice")}))(t); len(got.AccessKeyMetadata) != 0 {
		t.Errorf("keys: %+v", got.AccessKeyMetadata)
	}
}
