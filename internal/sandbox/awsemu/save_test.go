package awsemu

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// rich fills a server with one of everything that is saved.
func rich(t testing.TB) *emu {
	e := start(t)
	ago := func(days int) time.Time { return e.clock.Now().Add(-time.Duration(days) * day) }
	e.AddUser(member, User{Name: "alice", Path: "/jobs/", Tags: map[string]string{"owner": "<a>&b@acme.example"}, Groups: []string{"Devs"}, Console: true,
		PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}, CreatedAt: ago(400)})
	first, _ := e.AddKey(member, "alice", Key{Created: ago(300)})
	e.AddKey(member, "alice", Key{Created: ago(200), Inactive: true, LastUsed: ago(100), LastUsedService: "s3", LastUsedRegion: region})
	e.RemoveKey(member, first) // its slot stays free
	e.AddUser(member, User{Name: "bob", CreatedAt: ago(10)})
	e.AddKey(member, "bob", Key{ID: "AKIABOB0000000000000", Secret: "bob-s-own-secret"})
	e.AddRootKey(mgmt, Key{Created: ago(900)})
	e.SetGroupPolicies(member, "Devs", "arn:aws:iam::aws:policy/PowerUserAccess")
	e.SetGroupPath(member, "Devs", "/teams/")
	e.AddRole(member, "jobs/bound", "external-1")
	e.SetRoleMaxSession(member, "jobs/bound", 2*time.Hour)
	e.SetRoleTags(member, "jobs/bound", map[string]string{"team": "a"})
	e.SetRoleDeny(member, "jobs/bound", "iam:Delete*")
	ok(0, e.SetRolePolicy(member, "jobs/bound", "read", policyOf(rule("Allow", "iam:ListUsers", ""))))(t)
	ok(0, e.SetRoleTrust(member, "jobs/bound", trust(`{"AWS":"arn:aws:iam::`+member+`:user/jobs/alice"}`, "")))(t)
	e.AddRole(other, "empty", "")
	ok(0, e.SetRolePolicy(other, "empty", "gone", policyOf(rule("Allow", "iam:ListUsers", ""))))(t)
	e.RemoveRolePolicy(other, "empty", "gone")
	e.RemoveAccount(other)
	e.AddAccount(Account{ID: "400000000004", ParentID: "r-acme", State: "SUSPENDED", Delegated: true})
	ok(e.RoleCredentials(member, "keyturn-member", "fn"))(t)
	e.AddUser(member, User{Name: "carol", UserID: "AIDACAROL000000000000"})
	e.SetConsistencyDelay(2)
	ok(e.iam().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: ptr("carol")}))(t)
	e.SetConsistencyDelay(0)

	c := e.secrets()
	e.AddKMSKey(member, KMSKey{Aliases: []string{"alias/keyturn"}, Tags: map[string]string{"a": "b"}})
	e.AddKMSKey(member, KMSKey{ID: "mac", HMAC: true, State: "Disabled"})
	e.AddKMSKey(mgmt, KMSKey{AWSManaged: true, Aliases: []string{"alias/aws/secretsmanager"}})
	ok(c.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: ptr("keyturn/a"), KmsKeyId: ptr("alias/keyturn"), Description: ptr("<of> a"),
		SecretString: ptr(`{"n":1}`), ClientRequestToken: ptr(token(1))}))(t)
	ok(c.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: ptr("keyturn/a"), SecretBinary: []byte{1, 2}, ClientRequestToken: ptr(token(2))}))(t)
	ok(c.PutResourcePolicy(ctx, &secretsmanager.PutResourcePolicyInput{SecretId: ptr("keyturn/a"), ResourcePolicy: ptr(`{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + member + `:user/bob"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}]}`)}))(t)
	ok(c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("keyturn/a")}))(t)
	e.RenameUser(member, "bob", "Robert") // whom the policy still means
	e.SetReplicas(member, "keyturn/a", Replica{Region: "eu-west-1", Status: "Failed", Message: "no key"})
	e.PutForeignSecret(member, "foreign", "theirs", map[string]string{"x": "y"})
	e.SetSecretRotation(member, "foreign", true)
	e.DeleteSecret(member, "foreign")

	e.AddIdentity(mgmt, "acme.example", true)
	e.AddIdentity(mgmt, "pending@b.example", false)
	e.SetMailSandbox(member, true)
	e.SetMailPaused(other, true)
	mail := letter("security@acme.example", "a@b.example")
	mail.Destination.CcAddresses, mail.Destination.BccAddresses = []string{"c@b.example"}, []string{"d@b.example"}
	ok(e.ses().SendEmail(ctx, mail))(t)
	e.SetReportDelay(3)
	ok(e.iam().GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}))(t)
	e.clock.advance(time.Minute + 7*time.Nanosecond)
	return e
}

// reborn is a new server that loaded what e saved, running, with the same clock and credentials.
func (e *emu) reborn() *emu {
	e.t.Helper()
	data := ok(e.Save())(e.t)
	n := &emu{t: e.t, clock: &clock{now: e.clock.Now()}}
	n.Server = New(Options{Now: n.clock.Now, Region: region})
	n.AddAccount(Account{ID: "999999999999"}) // is replaced
	ok(0, n.Load(data))(e.t)
	ok(n.Start())(e.t)
	e.t.Cleanup(func() { ok(0, n.Close())(e.t) })
	c := ok(e.cfg.Credentials.Retrieve(ctx))(e.t)
	n.cfg = n.as(c.AccessKeyID, c.SecretAccessKey)
	return n
}

func TestSavedAgainIsTheSame(t *testing.T) {
	e := rich(t)
	n := e.reborn()
	before, after := ok(e.Save())(t), ok(n.Save())(t)
	if !bytes.Equal(before, after) {
		t.Errorf("another state (-saved +saved again):\n%s", cmp.Diff(string(before), string(after)))
	}
	for name, look := range map[string]func(*emu) any{
		"keys of alice":    func(e *emu) any { return e.Keys(member, "alice") },
		"secrets":          func(e *emu) any { return e.Secrets(member) },
		"mails":            func(e *emu) any { return e.Mails() },
		"secrets ever":     func(e *emu) any { return e.SecretStrings() },
		"role policies":    func(e *emu) any { return len(e.RolePolicies(member, "jobs/bound")) },
		"an empty role's":  func(e *emu) any { return e.RolePolicies(other, "empty") != nil },
		"where an account": func(e *emu) any { e.mu.Lock(); defer e.mu.Unlock(); return e.orgPath(member) },
		"the report":       func(e *emu) any { e.mu.Lock(); defer e.mu.Unlock(); return e.csv(e.accounts[member]) },
		"a left account":   func(e *emu) any { e.mu.Lock(); defer e.mu.Unlock(); return e.accounts[other].State + e.orgPath(other) },
	} {
		if diff := cmp.Diff(look(e), look(n)); diff != "" {
			t.Errorf("%s (-saved +loaded):\n%s", name, diff)
		}
	}
}

func TestALoadedServerGoesOn(t *testing.T) {
	e := rich(t)
	session := ok(e.in(member).Credentials.Retrieve(ctx))(t)
	made, secret := e.AddKey(member, "alice", Key{})
	n := e.reborn()

	who := ok(sts.NewFromConfig(n.as(made, secret)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))(t)
	if *who.Arn != "arn:aws:iam::200000000002:user/jobs/alice" {
		t.Errorf("the key is of %s", *who.Arn)
	}
	inactive := n.Keys(member, "alice")[0]
	n.mu.Lock()
	idle := n.keys[inactive.ID].Secret
	n.mu.Unlock()
	refusedWith(t, try(sts.NewFromConfig(n.as(inactive.ID, idle)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})), "InvalidClientTokenId", 403)

	cfg := n.cfg.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(session.AccessKeyID, session.SecretAccessKey, session.SessionToken)
	ok(iam.NewFromConfig(cfg).ListUsers(ctx, &iam.ListUsersInput{}))(t) // as the SDK does that kept the session

	value := ok(n.secrets().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("keyturn/a"), VersionStage: ptr("AWSPREVIOUS")}))(t)
	if *value.SecretString != `{"n":1}` || *value.VersionId != token(1) {
		t.Errorf("the value is %s of %s", *value.SecretString, *value.VersionId)
	}
	robert := secretsmanager.NewFromConfig(n.as("AKIABOB0000000000000", "bob-s-own-secret"))
	if got := ok(robert.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: ptr("keyturn/a")}))(t); !bytes.Equal(got.SecretBinary, []byte{1, 2}) {
		t.Errorf("the policy's user reads %v", got.SecretBinary)
	}
	ok(n.kms().DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: ptr("alias/keyturn")}))(t)
	ok(n.ses().SendEmail(ctx, letter("security@acme.example", "a@b.example")))(t)

	assume := func(cfg awssdk.Config) error {
		return try(sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr("arn:aws:iam::" + member + ":role/jobs/bound"), RoleSessionName: ptr("test"), DurationSeconds: ptr(int32(7200))}))
	}
	ok(0, assume(n.as(made, secret)))(t) // whom the trust policy names
	refusedWith(t, assume(n.cfg), "AccessDenied", 403)
}

func TestRandomIDsDoNotRepeat(t *testing.T) {
	e := rich(t)
	n := e.reborn()
	fresh := ok(n.iam().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: ptr("Robert")}))(t).AccessKey
	if data := string(ok(e.Save())(t)); strings.Contains(data, *fresh.AccessKeyId) || strings.Contains(data, *fresh.SecretAccessKey) {
		t.Errorf("the key %s was there before", *fresh.AccessKeyId)
	}
	ks := n.Keys(member, "Robert")
	if len(ks) != 2 || ks[1].ID != *fresh.AccessKeyId {
		t.Errorf("the new key is not the youngest: %+v", ks)
	}
	n.AddKey(member, "alice", Key{ID: "AKIAFREE000000000000"})
	n.mu.Lock()
	defer n.mu.Unlock()
	if k := n.accounts[member].user("alice").slots[0]; k == nil || k.ID != "AKIAFREE000000000000" {
		t.Errorf("the freed slot holds %+v", k)
	}
}

func TestSessionsThatAreSaved(t *testing.T) {
	e := start(t)
	lasting := ok(e.RoleCredentials(member, "keyturn-member", "fn"))(t)
	now := time.Now()
	e.opts.Wall = func() time.Time { return now }
	short := ok(e.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), RoleSessionName: ptr("short"), DurationSeconds: ptr(int32(900))}))(t)
	long := ok(e.sts().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: ptr(keyturnMember), RoleSessionName: ptr("long")}))(t)
	now = now.Add(30 * time.Minute)
	var got struct{ Sessions []struct{ ID string } }
	ok(0, json.Unmarshal(ok(e.Save())(t), &got))(t)
	var ids []string
	for _, x := range got.Sessions {
		ids = append(ids, x.ID)
	}
	want := []string{lasting.AccessKeyID, *long.Credentials.AccessKeyId}
	slices.Sort(want)
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("saved sessions, without %s:\n%s", *short.Credentials.AccessKeyId, diff)
	}
	n := e.reborn()
	cfg := n.cfg.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(lasting.AccessKeyID, lasting.SecretAccessKey, lasting.SessionToken)
	ok(iam.NewFromConfig(cfg).ListUsers(ctx, &iam.ListUsersInput{}))(t)
}

func TestWhatIsNotSaved(t *testing.T) {
	e := start(t)
	e.AddQueue(member, Queue{Name: "q"})
	if _, err := e.Save(); err == nil || !strings.Contains(err.Error(), "queues are not saved, and account 200000000002 has some") {
		t.Errorf("with a queue: %v", err)
	}
	d := New(Options{DynamoDB: DynamoDB{URL: "http://127.0.0.1:1"}})
	if _, err := d.Save(); err == nil || !strings.Contains(err.Error(), "without a DynamoDB") {
		t.Errorf("with a DynamoDB: %v", err)
	}
}

// TestNoFieldIsForgotten fails when what is saved gets another field: save it, or leave it out in Save's comment, and count anew.
func TestNoFieldIsForgotten(t *testing.T) {
	for _, c := range []struct {
		of     any
		fields int
	}{
		{account{}, 15}, {Account{}, 7}, {role{}, 9}, {user{}, 2}, {User{}, 8}, {key{}, 8}, {Key{}, 7}, {unit{}, 3}, {session{}, 8},
		{report{}, 3}, {mailAccount{}, 3}, {Mail{}, 10}, {secret{}, 14}, {version{}, 5}, {Replica{}, 4}, {policy{}, 3}, {bound{}, 2}, {KMSKey{}, 6},
	} {
		if n := reflect.TypeOf(c.of).NumField(); n != c.fields {
			t.Errorf("%T has %d fields", c.of, n)
		}
	}
}
