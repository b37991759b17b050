package notify

import (
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
	"github.com/keyturn/keyturn/templates"
)

// accountView is a report as templates wants it.
func accountView(d scheduler.AccountReport) templates.AccountView {
	a := templates.AccountView{
		ID: d.Account.ID, Name: d.Account.Name, OUPath: d.Account.OUPath, At: d.At, Since: d.Since,
		Open: d.Open, Closed: d.Closed, Failures: d.Failures,
		Exempt: d.Exempt, RootKeys: d.RootKeys, Users: d.Users, Keys: d.Keys, OverAge: d.OverAge,
	}
	for _, f := range d.Findings {
		v := templates.FindingView{User: f.User.Name, Owner: f.Owner, Policy: f.Policy, Proposal: f.Proposal, Key: rotation.KeyRef{ID: f.Proposal.Old}}
		if k, ok := rotation.Find(f.User.Keys, f.Proposal.Old); ok {
			v.Key = rotation.KeyRef{ID: k.ID, Created: k.Created, LastUse: k.LastUse, InactiveSince: k.InactiveSince}
		}
		a.Findings = append(a.Findings, v)
	}
	return a
}

// summaryView is a summary as templates wants it.
func summaryView(s scheduler.Summary) templates.SummaryView {
	v := templates.SummaryView{
		Started: s.Started, Ended: s.Ended, DryRun: s.DryRun, Accounts: s.Accounts, Users: s.Users, Keys: s.Keys, OverAge: s.OverAge,
		Opened: s.Opened, Refreshed: s.Refreshed, Closed: s.Closed, Findings: s.Findings, RootKeys: s.RootKeys,
	}
	for _, k := range s.Skipped {
		v.Skipped = append(v.Skipped, templates.Place{ID: k.Account.ID, Name: k.Account.Name, Why: k.Why})
	}
	for _, k := range s.Failed {
		v.Failed = append(v.Failed, templates.Place{ID: k.Account.ID, Name: k.Account.Name, Why: k.Error})
	}
	return v
}
