package page

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
)

// mostRows is how many entries a page of a list has.
const mostRows = 20

// policyAge is the age by which a bar is full, and above which it is too old: the policy's rotate_after.
const policyAge = 90

type unit struct {
	Name, ID string
	Units    []unit
	Accounts []link
}

type keyRow struct {
	ID, Status, Age, LastUse string
	Active                   bool
	Bar                      int // of 100
	Level                    string
	Works                    *stage.Workload
}

type userRow struct {
	Name, Note string
	URL        template.URL
	Keys       []keyRow
}

type accountsPane struct {
	At       string
	Tree     unit
	Account  awsemu.Account
	Users    []userRow
	Pages    pages
	Find     string
	Fields   []field
	User     *userRow
	Path     string
	Tags     []string
	Groups   []string
	Back     template.URL
	Secrets  []secretRow
	Said     string
	Failing  []string
	Employed bool
	KMS      []string
}

// pages is where a list goes on.
type pages struct {
	Page, Of, Total int
	Prev, Next      template.URL
}

// paged cuts a list of n entries into pages, and returns which entries to show.
func (at place) paged(n int) (from, to int, out pages) {
	out = pages{Page: max(1, at.number(pPage, 1)), Of: max(1, (n+mostRows-1)/mostRows), Total: n}
	out.Page = min(out.Page, out.Of)
	if out.Page > 1 {
		out.Prev = at.With(pPage, fmt.Sprint(out.Page-1)).URL()
	}
	if out.Page < out.Of {
		out.Next = at.With(pPage, fmt.Sprint(out.Page+1)).URL()
	}
	from = (out.Page - 1) * mostRows
	return from, min(n, from+mostRows), out
}

func (p *Server) accountsPane(at place) accountsPane {
	out := accountsPane{At: at.Str(), Find: at.Get(pFind), Fields: at.fields(), Said: p.stage.Note(noteUse)}
	accounts := p.stage.AWS.Accounts()
	for _, a := range accounts {
		if a.ID == at.Get(pAccount) || out.Account.ID == "" {
			out.Account = a
		}
	}
	units := p.stage.AWS.Units()
	for _, u := range units {
		if u.Parent == "" {
			out.Tree = p.tree(u, units, accounts, at)
		}
	}
	for _, w := range p.stage.Failing() {
		out.Failing = append(out.Failing, fmt.Sprintf("The workload of %s fails since %s: %s (key %s).", w.User, w.FailedAt.Format("Mon 2 Jan, 15:04"), w.Failed, w.Key))
	}
	var found []awsemu.User
	users := p.stage.AWS.Users(out.Account.ID)
	for _, u := range users {
		if u.Name == at.Get(pUser) {
			p.userOf(&out, u, at)
		}
		if strings.Contains(strings.ToLower(u.Name), strings.ToLower(out.Find)) {
			found = append(found, u)
		}
	}
	if out.User != nil {
		return out
	}
	from, to, pg := at.paged(len(found))
	out.Pages = pg
	for _, u := range found[from:to] {
		out.Users = append(out.Users, p.userRow(out.Account.ID, u, at))
	}
	out.Secrets = p.secrets(out.Account.ID, func(s awsemu.SecretInfo) bool {
		return !slices.ContainsFunc(users, func(u awsemu.User) bool { return holds(s, u) })
	})
	for _, k := range p.stage.AWS.KMSKeys(out.Account.ID) {
		out.KMS = append(out.KMS, strings.TrimSpace(k.ID+" "+strings.Join(k.Aliases, " ")))
	}
	return out
}

// tree is the organization from a unit down.
func (p *Server) tree(u awsemu.Unit, units []awsemu.Unit, accounts []awsemu.Account, at place) unit {
	out := unit{Name: u.Name, ID: u.ID}
	for _, a := range accounts {
		if a.ParentID != u.ID {
			continue
		}
		note := a.ID
		if a.Management {
			note += ", management"
		}
		if a.State != "ACTIVE" && a.State != "" {
			note += ", " + strings.ToLower(a.State)
		}
		out.Accounts = append(out.Accounts, link{a.Name, note, at.Side(sideAccounts, pAccount, a.ID).URL(), at.Get(pAccount) == a.ID})
	}
	for _, below := range units {
		if below.Parent == u.ID {
			out.Units = append(out.Units, p.tree(below, units, accounts, at))
		}
	}
	return out
}

func (p *Server) userRow(account string, u awsemu.User, at place) userRow {
	row := userRow{Name: u.Name, URL: at.Side(sideAccounts, pAccount, account, pUser, u.Name).URL()}
	works := p.stage.Workloads(account, u.Name)
	for _, k := range p.stage.AWS.Keys(account, u.Name) {
		row.Keys = append(row.Keys, p.keyRow(k, works))
	}
	return row
}

func (p *Server) keyRow(k awsemu.Key, works []stage.Workload) keyRow {
	now := p.stage.Clock.Now()
	days := int(now.Sub(k.Created) / (24 * time.Hour))
	row := keyRow{
		ID: k.ID, Status: "Active", Active: !k.Inactive, Age: plural(days, "day"), LastUse: "never used",
		Bar: min(100, int(math.Round(float64(days)/policyAge*100))), Level: "ok",
	}
	switch {
	case days >= policyAge:
		row.Level = "old"
	case days >= policyAge-7:
		row.Level = "soon"
	}
	if k.Inactive {
		row.Status = "Inactive"
	}
	if !k.LastUsed.IsZero() {
		row.LastUse = fmt.Sprintf("last used %s: %s in %s", ago(now.Sub(k.LastUsed)), k.LastUsedService, k.LastUsedRegion)
	}
	for _, w := range works {
		if w.Key == k.ID {
			row.Works = &w
		}
	}
	return row
}

func (p *Server) userOf(out *accountsPane, u awsemu.User, at place) {
	row := p.userRow(out.Account.ID, u, at)
	out.User, out.Path, out.Groups = &row, u.Path, u.Groups
	out.Employed = len(p.stage.Workloads(out.Account.ID, u.Name)) > 0
	out.Back = at.Side(sideAccounts, pAccount, out.Account.ID).URL()
	out.Tags = pairs(u.Tags)
	out.Secrets = p.secrets(out.Account.ID, func(s awsemu.SecretInfo) bool { return holds(s, u) })
}
