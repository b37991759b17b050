package awsemu

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

// report makes and reads the report as a client does. Rows are by user, columns by name.
func (e *emu) report() map[string]map[string]string {
	e.t.Helper()
	c := e.iam()
	for ok(c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}))(e.t).State != types.ReportStateTypeComplete {
	}
	out := ok(c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}))(e.t)
	lines := ok(csv.NewReader(strings.NewReader(string(out.Content))).ReadAll())(e.t)
	rows := map[string]map[string]string{}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows[row["user"]] = row
	}
	return rows
}

// slot is what a row says about a key.
func slot(row map[string]string, n string) string {
	p := "access_key_" + n + "_"
	return strings.Join([]string{row[p+"active"], row[p+"last_rotated"], row[p+"last_used_date"], row[p+"last_used_region"], row[p+"last_used_service"]}, " ")
}

func TestReportColumns(t *testing.T) {
	e := start(t)
	now := e.clock.Now()
	e.AddRootKey(member, Key{Created: now.Add(-900 * day), LastUsed: now.Add(-day), LastUsedService: "s3", LastUsedRegion: "us-east-1"})
	e.AddUser(member, User{Name: "a,b", Path: "/x,y/", CreatedAt: now.Add(-10 * day)})
	e.AddUser(member, User{Name: "console", Console: true, CreatedAt: now.Add(-10 * day)})
	e.user("two")
	e.AddKey(member, "two", Key{Created: now.Add(-2 * day), Inactive: true, LastUsed: now.Add(-time.Hour), LastUsedService: "sqs", LastUsedRegion: region})
	rows := e.report()
	const none = "false N/A N/A N/A N/A"
	for _, tc := range []struct{ user, arn, password, one, two string }{
		{"<root_account>", "arn:aws:iam::200000000002:root", "not_supported", "true 2023-12-14T08:00:00+00:00 2026-05-31T08:00:00+00:00 us-east-1 s3", none},
		{"a,b", "arn:aws:iam::200000000002:user/x,y/a,b", "false", none, none},
		{"console", "arn:aws:iam::200000000002:user/console", "true", none, none},
		{"two", "arn:aws:iam::200000000002:user/two", "false", "true 2026-02-21T08:00:00+00:00 N/A N/A N/A", "false 2026-05-30T08:00:00+00:00 2026-06-01T07:00:00+00:00 eu-central-1 sqs"},
	} {
		row := rows[tc.user]
		got := []string{row["arn"], row["password_enabled"], slot(row, "1"), slot(row, "2")}
		if diff := cmp.Diff([]string{tc.arn, tc.password, tc.one, tc.two}, got); diff != "" {
			t.Errorf("%s:\n%s", tc.user, diff)
		}
	}
	if len(rows) != 4 || rows["console"]["password_last_used"] != "no_information" || rows["a,b"]["password_last_used"] != "N/A" {
		t.Errorf("%d rows: %v", len(rows), rows)
	}
}

func TestReportSlots(t *testing.T) {
	e := start(t)
	first, _ := e.user("alice")
	e.AddKey(member, "alice", Key{Created: e.clock.Now().Add(-2 * day)})
	check := func(what, one, two string) {
		t.Helper()
		e.RefreshReport(member)
		row := e.report()["alice"]
		if slot(row, "1") != one || slot(row, "2") != two {
			t.Errorf("%s: %q and %q, want %q and %q", what, slot(row, "1"), slot(row, "2"), one, two)
		}
	}
	const none, second = "false N/A N/A N/A N/A", "true 2026-05-30T08:00:00+00:00 N/A N/A N/A"
	e.clock.advance(time.Hour)
	e.SetKeyStatus(member, first, false)
	check("the date moves with the status", "false 2026-06-01T09:00:00+00:00 N/A N/A N/A", second)
	e.RemoveKey(member, first)
	check("the second key stays in its slot", none, second)
	e.clock.advance(time.Hour)
	ok(e.iam().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: ptr("alice")}))(t)
	check("a new key takes the free slot", "true 2026-06-01T10:00:00+00:00 N/A N/A N/A", second)
	if keys := e.Keys(member, "alice"); !keys[0].Created.Before(keys[1].Created) {
		t.Errorf("not oldest first: %v", keys)
	}
}

func TestReportIsReusedForFourHours(t *testing.T) {
	e := start(t)
	c := e.iam()
	get := func() error { _, err := c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}); return err }
	refusedWith(t, get(), "ReportNotPresent", 410)
	e.report()
	id, _ := e.user("late")
	ok(0, e.Use(id, "s3", region))(t)
	e.clock.advance(4*time.Hour - time.Second)
	if _, there := e.report()["late"]; there {
		t.Error("the reused report knows a user who came after it")
	}
	e.clock.advance(time.Second)
	refusedWith(t, get(), "ReportExpired", 410)
	if _, there := e.report()["late"]; !there {
		t.Error("the new report misses a user")
	}
}

func TestReportTakesTime(t *testing.T) {
	e := start(t)
	e.SetReportDelay(2)
	c := e.iam()
	generate := func() types.ReportStateType {
		return ok(c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}))(t).State
	}
	if got := generate(); got != types.ReportStateTypeStarted {
		t.Errorf("first: %s", got)
	}
	if got := generate(); got != types.ReportStateTypeInprogress {
		t.Errorf("second: %s", got)
	}
	_, err := c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	refusedWith(t, err, "ReportInProgress", 404)
	ok(c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}))(t) // it gets ready by itself
	if got := generate(); got != types.ReportStateTypeComplete {
		t.Errorf("last: %s", got)
	}
}
