package awsemu

import (
	"encoding/base64"
	"encoding/csv"
	"strings"
	"time"
)

// report is a credential report as it was generated: it is used again for four hours.
type report struct {
	made  time.Time
	polls int // calls that still find it in progress
	csv   string
}

const reportLife = 4 * time.Hour

// columns are the report's, in AWS's order. Readers go by name.
const columns = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
	"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated,additional_credentials_info"

// generateReport starts a report, unless there is one that is younger than four hours. It shows the account as it is at the start.
func generateReport(s *Server, r *request) (any, *failure) {
	a, now := s.accounts[r.who.account], s.opts.Now()
	if a.report == nil || now.Sub(a.report.made) >= reportLife {
		a.report = &report{made: now, polls: s.reportPolls, csv: s.csv(a)}
		return []node{leaf("State", "STARTED"), leaf("Description", "No report exists. Starting a new report generation task")}, nil
	}
	if a.report.running() {
		return []node{leaf("State", "INPROGRESS")}, nil
	}
	return []node{leaf("State", "COMPLETE")}, nil
}

func (rep *report) running() bool {
	if rep.polls > 0 {
		rep.polls--
		return true
	}
	return false
}

func getReport(s *Server, r *request) (any, *failure) {
	rep, now := s.accounts[r.who.account].report, s.opts.Now()
	switch {
	case rep == nil:
		return nil, failf(410, "ReportNotPresent", "No report exists")
	case rep.running():
		return nil, failf(404, "ReportInProgress", "Report generation is in progress")
	case now.Sub(rep.made) >= reportLife:
		return nil, failf(410, "ReportExpired", "Report has expired. Generate a new one")
	}
	return []node{leaf("Content", base64.StdEncoding.EncodeToString([]byte(rep.csv))), leaf("ReportFormat", "text/csv"), leaf("GeneratedTime", stamp(rep.made))}, nil
}

// RefreshReport makes an account forget its report, so that the next one is new whatever the clock says.
func (s *Server) RefreshReport(acct string) { s.with(acct, func(a *account) { a.report = nil }) }

func (s *Server) csv(a *account) string {
	var b strings.Builder
	b.WriteString(columns + "\n")
	w := csv.NewWriter(&b)
	row := func(first []string, slots [2]*key) {
		for _, k := range slots {
			first = append(first, slotColumns(k)...)
		}
		_ = w.Write(append(first, "false", "N/A", "false", "N/A", "N/A"))
	}
	row([]string{"<root_account>", s.arn("iam", a.ID, "root"), "2015-01-01T00:00:00+00:00", "not_supported", "no_information", "not_supported", "not_supported", "true"}, a.root)
	for _, name := range a.names {
		u := a.user(name)
		first := []string{name, s.userARN(a.ID, u), offset(u.CreatedAt), "false", "N/A", "N/A", "N/A", "false"}
		if u.Console {
			first = append(first[:3], "true", "no_information", offset(u.CreatedAt), "N/A", "false")
		}
		row(first, u.slots)
	}
	w.Flush()
	return b.String()
}

func offset(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }

// slotColumns are the five columns of a key. An inactive one keeps the date in last_rotated, against AWS's documentation and
// as AWS does; that date moves when the key's status changes.
func slotColumns(k *key) []string {
	if k == nil {
		return []string{"false", "N/A", "N/A", "N/A", "N/A"}
	}
	active, used := "true", []string{"N/A", "N/A", "N/A"}
	if k.Inactive {
		active = "false"
	}
	if !k.LastUsed.IsZero() {
		used = []string{offset(k.LastUsed), k.LastUsedRegion, k.LastUsedService}
	}
	return append([]string{active, offset(k.changed)}, used...)
}
