package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/keyturn/keyturn/internal/aws"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/scheduler"
)

func (a *App) doctorAWS(ctx context.Context, all bool, say sayFunc) {
	arn, err := a.Accounts.CallerIdentity(ctx)
	if !say("AWS credentials", err, arn, "set AWS credentials and AWS_REGION for this process") {
		return
	}
	accounts, err := a.doctorAccounts(ctx)
	mend := "use credentials of the management account or a delegated administrator, or set organization.management_role"
	if a.function == Rotator {
		mend = "let the scheduler scan once: the rotator takes the accounts from the last scan"
	}
	if !say("AWS organization", err, fmt.Sprintf("%d accounts", len(accounts)), mend) {
		return
	}
	looked := 0
	for _, acct := range sample(accounts, all) {
		looked++
		name := fmt.Sprintf("account %s (%d of %d)", acct.ID, looked, len(sample(accounts, all)))
		if why := a.leftOut(acct); why != "" {
			say(name, nil, "left out: "+why, "")
			continue
		}
		for _, w := range a.works() {
			role := a.Config.Organization.MemberRole
			if w == aws.Scanning {
				role = a.Config.Organization.ScanRole
			}
			say(name+", to "+string(w), a.Accounts.CheckAccount(ctx, acct, w), acct.Name+" can be read",
				fmt.Sprintf("create the role %s there, trusting %s, with the permissions that the README and infra/ list", role, arn))
		}
	}
	if left := len(accounts) - looked; left > 0 {
		say("other accounts", nil, fmt.Sprintf("%d accounts were not looked at: ask for all of them to see each", left), "")
	}
	say("mail", a.Accounts.CheckIdentity(ctx, a.Config.Email.From), a.Config.Email.From+" may send",
		"verify the address or its domain in SES, in this region, and leave the sandbox of SES")
}

// works are what the roles in the accounts are looked at for: a function looks at the one that it uses.
func (a *App) works() []aws.Work {
	switch {
	case a.function == Rotator:
		return []aws.Work{aws.Rotating}
	case a.function == Scheduler, a.Config.Audit():
		return []aws.Work{aws.Scanning}
	default:
		return []aws.Work{aws.Scanning, aws.Rotating}
	}
}

// mostSampled is how many accounts doctor looks at if it is not to look at all.
const mostSampled = 10

// sample picks accounts from all over the list.
func sample(all []scheduler.Account, every bool) []scheduler.Account {
	if every || len(all) <= mostSampled {
		return all
	}
	var out []scheduler.Account
	for i := range mostSampled {
		out = append(out, all[i*len(all)/mostSampled])
	}
	return out
}

// doctorAccounts lists the accounts. The rotator may not list the organization, so it takes those of the last scan.
func (a *App) doctorAccounts(ctx context.Context) ([]scheduler.Account, error) {
	if a.function != Rotator {
		return a.Accounts.Accounts(ctx, a.Config.Organization.IncludeOUs)
	}
	var out []scheduler.Account
	for page := (store.Page{Limit: 10}); ; { // each has all users of its account
		some, next, err := a.Store.ListSnapshots(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, s := range some {
			out = append(out, scheduler.Account{ID: s.Account, Name: s.Name, Email: s.Email, OUPath: s.OUPath, State: "ACTIVE"})
		}
		if next == "" {
			return out, nil
		}
		page.After = next
	}
}

// leftOut says why an account is not scanned, or "".
func (a *App) leftOut(acct scheduler.Account) string {
	switch {
	case acct.State != "ACTIVE":
		return "its state is " + acct.State
	case slices.Contains(a.Config.Organization.ExcludeAccounts, acct.ID):
		return "excluded by the configuration"
	case acct.Management && !a.Config.Organization.IncludeManagement:
		return "the management account; organization.include_management brings it in"
	default:
		return ""
	}
}
