package world

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

func start(t *testing.T) *World {
	t.Helper()
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// in is how keyturn calls in a member account.
func (w *World) in(account string) *iam.Client {
	cfg := w.AWSConfig()
	cfg.Credentials = awssdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(w.AWSConfig()), "arn:aws:iam::"+account+":role/"+MemberRole))
	return iam.NewFromConfig(cfg)
}

func TestClock(t *testing.T) {
	c := NewClock(Start)
	c.Advance(36 * time.Hour)
	if got := c.Now(); !got.Equal(Start.Add(36*time.Hour)) || Start.Weekday() != time.Monday {
		t.Errorf("the clock shows %s", got)
	}
}

func TestTheOrganizationThatAWSShows(t *testing.T) {
	w, ctx := start(t), context.Background()
	c := organizations.NewFromConfig(w.AWSConfig())
	accounts, err := c.ListAccounts(ctx, &organizations.ListAccountsInput{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range accounts.Accounts {
		parents, err := c.ListParents(ctx, &organizations.ListParentsInput{ChildId: a.Id})
		if err != nil {
			t.Fatal(err)
		}
		got[*a.Id] = *parents.Parents[0].Id + " " + string(a.State) + " " + *a.Email
	}
	want := map[string]string{
		Management: "r-acme ACTIVE cloud@acme.example", Prod: "ou-acme-prod00001 ACTIVE prod-owner@acme.example",
		Dev: "ou-acme-dev000001 ACTIVE dev-owner@acme.example", Old: "ou-acme-attic0001 SUSPENDED old@acme.example",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, account := range []string{Management, Prod, Dev} {
		if _, err := w.in(account).GetGroup(ctx, &iam.GetGroupInput{GroupName: awssdk.String("IAMKeyRotationExemptionGroup")}); err != nil {
			t.Errorf("%s: %v", account, err)
		}
	}
	var api smithy.APIError
	if _, err := w.in(Old).ListUsers(ctx, &iam.ListUsersInput{}); !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
		t.Errorf("a suspended account lets in: %v", err)
	}
	id, err := sesv2.NewFromConfig(w.AWSConfig()).GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: awssdk.String(From)})
	if err != nil || !id.VerifiedForSendingStatus {
		t.Errorf("the sender is not verified: %v", err)
	}
	if id, secret := w.Credentials(); id == "" || secret == "" {
		t.Error("no credentials for a child process")
	}
}

// TestSeed checks that each telling user is in the situation that its name is for.
func TestSeed(t *testing.T) {
	w, ctx := start(t), context.Background()
	w.Seed()
	for name, want := range map[string]string{
		Billing: "95d active used", Unused: "140d active unused", TwoActive: "210d active used, 100d active used",
		Conflict: "120d active used, 300d inactive used", Leftover: "400d inactive unused", Exempt: "700d active used",
		NoSlack: "95d active used", Soon: "85d active used",
	} {
		var got []string
		for _, k := range w.AWS.Keys(Prod, name) {
			words := []string{fmt.Sprintf("%dd", w.Clock.Now().Sub(k.Created)/day), "active", "used"}
			if k.Inactive {
				words[1] = "inactive"
			}
			if k.LastUsed.IsZero() {
				words[2] = "unused"
			}
			got = append(got, strings.Join(words, " "))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s: %s, want %s", name, s, want)
		}
	}
	users := 0
	for _, account := range []string{Management, Prod, Dev} {
		c := w.in(account)
		if _, err := c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}); err != nil {
			t.Fatal(err)
		}
		out, err := c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(out.Content))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		users += len(rows) - 2 // columns and root user
	}
	if users != 37 {
		t.Errorf("%d users", users)
	}
	group, err := w.in(Prod).GetGroup(ctx, &iam.GetGroupInput{GroupName: awssdk.String("IAMKeyRotationExemptionGroup")})
	if err != nil || len(group.Users) != 1 || *group.Users[0].UserName != Exempt {
		t.Errorf("exempt: %+v %v", group, err)
	}
	tags, err := w.in(Prod).ListUserTags(ctx, &iam.ListUserTagsInput{UserName: awssdk.String(Billing)})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "billing@acme.example" {
		t.Errorf("owner: %+v %v", tags, err)
	}
}

func TestSeedHeroIsAlone(t *testing.T) {
	w := start(t)
	w.SeedHero()
	out, err := w.in(Prod).ListUsers(context.Background(), &iam.ListUsersInput{})
	if err != nil || len(out.Users) != 1 || *out.Users[0].Arn != "arn:aws:iam::200000000002:user/jobs/billing-export" {
		t.Errorf("%+v %v", out, err)
	}
}

func TestConfigNamesThisWorld(t *testing.T) {
	w := start(t)
	lines := strings.Split(w.Config("/tmp/a b.db"), "\n")
	for _, want := range []string{"organization: {member_role: keyturn-member}", "  api_url: " + w.Slack.APIURL(), "email: {from: security@acme.example}", `store: {sqlite: "/tmp/a b.db"}`} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
}
