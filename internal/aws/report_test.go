package aws

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/scheduler"
)

func TestReport(t *testing.T) {
	w := start(t, awsemu.Options{})
	w.AddUser(prod, awsemu.User{Name: "a,b", Console: true, CreatedAt: day0})
	w.AddKey(prod, "a,b", awsemu.Key{})
	w.AddKey(prod, "a,b", awsemu.Key{Inactive: true})
	rows, err := w.iam(t).Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(w.waits) != 1 {
		t.Errorf("%d pauses", len(w.waits))
	}
	for i := range rows {
		if rows[i].Sum == "" {
			t.Errorf("%s has no sum", rows[i].User)
		}
		rows[i].Sum = ""
	}
	want := []scheduler.ReportRow{
		{User: "<root_account>", ARN: "arn:aws:iam::" + prod + ":root", Created: time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)},
		{User: "a,b", ARN: "arn:aws:iam::" + prod + ":user/a,b", Created: day0, Console: true, Keys: 2, Active: 1},
		{User: user, ARN: "arn:aws:iam::" + prod + ":user/jobs/billing-export", Created: day0.AddDate(-1, 0, 0)},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestReportIsMadeAgain(t *testing.T) {
	for _, code := range []string{"ReportInProgress", "ReportNotPresent", "ReportExpired"} {
		t.Run(code, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			w.SetFault(awsemu.Fault{Operation: "GetCredentialReport", Kind: awsemu.FaultError, Code: code, Status: 410})
			rows, err := w.iam(t).Report(t.Context())
			if err != nil || len(rows) != 2 || w.calls("iam", "GetCredentialReport") != 2 {
				t.Errorf("%d rows, error %v, %d reads", len(rows), err, w.calls("iam", "GetCredentialReport"))
			}
		})
	}
}

func TestReportFails(t *testing.T) {
	t.Run("never ready", func(t *testing.T) {
		w := start(t, awsemu.Options{})
		w.SetFault(awsemu.Fault{Operation: "GetCredentialReport", Kind: awsemu.FaultError, Code: "ReportInProgress", Status: 404, Times: -1})
		_, err := w.iam(t).Report(t.Context())
		if !errors.Is(err, scheduler.ErrNotReady) || len(w.waits) != reportPolls {
			t.Errorf("error %v after %d pauses", err, len(w.waits))
		}
		for _, d := range w.waits {
			if d < firstPause || d > mostPause {
				t.Errorf("a pause of %s", d)
			}
		}
	})
	for _, f := range []awsemu.Fault{
		{Operation: "GenerateCredentialReport", Code: "LimitExceeded", Status: 409},
		{Operation: "GenerateCredentialReport", Code: "AccessDenied", Status: 403},
		{Operation: "GetCredentialReport", Code: "AccessDenied", Status: 403},
	} {
		t.Run(f.Operation+" "+f.Code, func(t *testing.T) {
			w := start(t, awsemu.Options{})
			f.Kind, f.Times = awsemu.FaultError, -1
			w.SetFault(f)
			_, err := w.iam(t).Report(t.Context())
			if err == nil || errors.Is(err, scheduler.ErrNotReady) || !strings.Contains(err.Error(), f.Code) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("told to stop", func(t *testing.T) {
		w := start(t, awsemu.Options{})
		i := w.iam(t)
		ctx, cancel := context.WithCancel(t.Context())
		w.OnCall(func(c awsemu.Call) awsemu.Action {
			if c.Operation == "GenerateCredentialReport" && c.Phase == awsemu.After {
				cancel()
			}
			return awsemu.Proceed
		})
		if _, err := i.Report(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

const header = "user,arn,user_creation_time,password_enabled,mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n"

func TestParseReport(t *testing.T) {
	created := time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	one := func(keys, active int, console bool) scheduler.ReportRow {
		return scheduler.ReportRow{User: "u", ARN: "a", Created: created, Keys: keys, Active: active, Console: console}
	}
	for _, tc := range []struct {
		name, text string
		want       scheduler.ReportRow
		err        string
	}{
		{name: "no keys", text: header + "u,a,2020-02-03T04:05:06+00:00,false,true,false,N/A,N/A,false,N/A,N/A\n", want: one(0, 0, false)},
		{name: "one active", text: header + "u,a,2020-02-03T04:05:06+00:00,true,true,true,2021-01-01T00:00:00+00:00,N/A,false,N/A,N/A\n", want: one(1, 1, true)},
		{name: "an inactive one keeps its date", text: header + "u,a,2020-02-03T04:05:06Z,no_information,true,false,2021-01-01T00:00:00+00:00,N/A,true,2021-01-01T00:00:00+00:00,2022-01-01T00:00:00+00:00\n", want: one(2, 1, false)},
		{name: "an active one without a date", text: header + "u,a,2020-02-03T04:05:06Z,not_supported,true,true,no_information,N/A,false,N/A,N/A\n", want: one(1, 1, false)},
		{name: "a byte order mark", text: "\ufeff" + header + "u,a,2020-02-03T04:05:06Z,false,true,false,N/A,N/A,false,N/A,N/A\n", want: one(0, 0, false)},
		{name: "other order, more columns", text: "x,access_key_2_last_used_date,access_key_2_last_rotated,access_key_2_active,access_key_1_last_used_date,access_key_1_last_rotated,access_key_1_active,password_enabled,user_creation_time,arn,user,y\n" +
			"true,N/A,2021-01-01T00:00:00Z,false,N/A,N/A,false,true,2020-02-03T04:05:06Z,a,u,true\n", want: one(1, 0, true)},
		{name: "empty", text: "", err: "empty"},
		{name: "a missing column", text: strings.Replace(header, "access_key_2_active", "access_key_3_active", 1), err: `no column "access_key_2_active"`},
		{name: "a column twice", text: strings.Replace(header, "mfa_active", "user", 1), err: `two columns "user"`},
		{name: "a short row", text: header + "u,a,2020-02-03T04:05:06Z,false\n", err: "wrong number of fields"},
		{name: "a long row", text: header + "u,a,2020-02-03T04:05:06Z,false,true,false,N/A,N/A,false,N/A,N/A,more\n", err: "wrong number of fields"},
		{name: "no user", text: header + ",a,2020-02-03T04:05:06Z,false,true,false,N/A,N/A,false,N/A,N/A\n", err: "without a user"},
		{name: "neither true nor false", text: header + "u,a,2020-02-03T04:05:06Z,false,true,perhaps,N/A,N/A,false,N/A,N/A\n", err: "column access_key_1_active"},
		{name: "no date", text: header + "u,a,2020-02-03T04:05:06Z,false,true,false,N/A,N/A,false,yesterday,N/A\n", err: "column access_key_2_last_rotated"},
		{name: "an open quote", text: header + "\"u,a\n", err: "\""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows, err := parseReport([]byte(tc.text))
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil || len(rows) != 1 {
				t.Fatalf("%d rows, error %v", len(rows), err)
			}
			rows[0].Sum = ""
			if diff := cmp.Diff(tc.want, rows[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRowSum(t *testing.T) {
	sum := func(row string) string {
		rows, err := parseReport([]byte(header + row + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		return rows[0].Sum
	}
	base := "u,a,2020-02-03T04:05:06Z,false,true,true,2021-01-01T00:00:00Z,2026-05-01T00:00:00Z,false,N/A,N/A"
	for _, tc := range []struct {
		name, from, to string
		same           bool
	}{
		{"used again", "2026-05-01", "2026-05-02", true},
		{"multi-factor", "false,true,true", "false,false,true", true},
		{"used for the first time", "2026-05-01T00:00:00Z", "N/A", false},
		{"deactivated", "true,true,2021", "true,false,2021", false},
		{"another date", "2021-01-01", "2021-01-02", false},
		{"the user was made again", "2020-02-03", "2020-02-04", false},
		{"a password", "Z,false", "Z,true", false},
		{"moved", "u,a,", "u,b,", false},
	} {
		other := strings.Replace(base, tc.from, tc.to, 1)
		if other == base {
			t.Fatalf("%s changes nothing", tc.name)
		}
		if (sum(base) == sum(other)) != tc.same {
			t.Errorf("%s: same %v", tc.name, !tc.same)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	f.Add([]byte(header + "u,a,2020-02-03T04:05:06Z,false,true,true,2021-01-01T00:00:00Z,N/A,false,N/A,N/A\n"))
	f.Add([]byte(header + "\"a,b\",a,2020-02-03T04:05:06Z,not_supported,true,false,no_information,N/A,false,N/A,N/A\n"))
	f.Add([]byte("user\n\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := parseReport(b)
		if err != nil && rows != nil {
			t.Error("rows beside an error")
		}
		for _, r := range rows {
			if r.User == "" || r.Sum == "" || r.Active > r.Keys || r.Keys > 2 {
				t.Errorf("row %+v", r)
			}
		}
	})
}
