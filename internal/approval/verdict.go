package approval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Person is somebody who wants to decide, as Slack knows them just now. The zero value is nobody.
type Person struct {
	SlackID string
	TeamID  string
	Name    string
	Email   string // lower case
	Known   bool   // the lookup succeeded
	Guest   bool   // single- or multi-channel guest
	Bot     bool
	Deleted bool
	Outside bool   // Slack says: a stranger of another workspace
	Zone    string // IANA name of their time zone, as Slack knows it; empty: not known
}

// Actor returns the person as the history names them.
func (p Person) Actor() rotation.Actor {
	return rotation.Actor{ID: p.SlackID, Name: p.Name, Email: p.Email, Via: rotation.ViaSlack}
}

// Subject is whose key it is.
type Subject struct {
	Owner        string // e-mail address or Slack user ID
	AccountEmail string
	Requester    rotation.Actor // who asked for the rotation; the zero value if nobody did
	Teams        []string       // Slack teams whose members may decide; empty: none
	Groups       Groups         // members of the Slack user groups that the rule names
	Escalated    bool           // nobody answered in time: the next circle may decide too
}

// Groups is what is known of Slack user groups just now, by ID. Of a group that is missing nothing is known, and nobody
// counts as its member.
type Groups map[string]Group

// Group is a Slack user group. The zero value has no members.
type Group struct {
	Members []string // Slack user IDs
	Problem string   // why its members are not known, a sentence; empty if they are
}

// SubjectOf returns the subject of a rotation. Groups are the caller's to add.
func SubjectOf(r rotation.Rotation, teams []string) Subject {
	return Subject{Owner: r.Owner, AccountEmail: r.AccountEmail, Requester: r.RequestedBy, Teams: teams, Escalated: r.Escalation != nil}
}

// Node is one line of an explained verdict.
type Node struct {
	What     string // what was asked
	OK       bool
	Detail   string // the answer, for a person
	Children []Node
}

// Verdict is whether a person may decide, and why.
type Verdict struct {
	Allowed  bool
	Why      string // one sentence: why not, or by which circle
	Required int    // how many distinct people it takes
	Who      string // who could, for a person: "the owner (a@example.com) or U1"
	Tree     Node
}

// Decide says whether person may decide on the key of subject under rule. have lists those who approved already.
func Decide(rule Rule, subject Subject, person Person, have []rotation.Approval) Verdict {
	rule = rule.At(subject.Escalated)
	v := Verdict{Required: rule.Required, Who: Who(rule, subject)}
	standing := checkStanding(person, subject.Teams)
	circles := checkCircles(rule, subject, person)
	self := checkSelf(rule, subject, person)
	count := checkCount(rule, have)
	v.Tree = Node{What: "may " + person.called() + " decide?", Children: []Node{standing, circles, self, count}}
	switch {
	case !count.OK:
		v.Why = count.Detail
	case !standing.OK:
		v.Why = standing.Detail
	case !circles.OK:
		v.Why = "You are not among those who may decide on this key."
	case !self.OK:
		v.Why = self.Detail
	default:
		v.Allowed, v.Why = true, circles.Detail
	}
	v.Tree.OK, v.Tree.Detail = v.Allowed, v.Why
	return v
}

func (p Person) called() string {
	for _, s := range []string{p.Name, p.Email, p.SlackID} {
		if s != "" {
			return s
		}
	}
	return "somebody unknown"
}

// checkStanding: is this a full, present member of a team that may decide?
func checkStanding(p Person, teams []string) Node {
	n := Node{What: "standing in Slack"}
	switch {
	case !p.Known || p.SlackID == "":
		n.Detail = "Slack could not say who you are, so nothing was decided. Try again in a minute."
	case p.Deleted:
		n.Detail = "This Slack account is deactivated."
	case p.Bot:
		n.Detail = "Bots cannot decide."
	case p.Guest:
		n.Detail = "Guests of the workspace cannot decide."
	case p.Outside || !slices.Contains(teams, p.TeamID):
		n.Detail = "Only members of the configured workspaces can decide."
	default:
		n.OK, n.Detail = true, "a full member of "+p.TeamID
	}
	return n
}

func checkCircles(rule Rule, s Subject, p Person) Node {
	n := Node{What: "one of " + circleNames(rule.AnyOf), Detail: "none of them"}
	for _, c := range rule.AnyOf {
		child := Node{What: c.String()}
		child.OK, child.Detail = c.has(s, p)
		if child.OK && !n.OK {
			n.OK, n.Detail = true, "as "+c.String()
		}
		n.Children = append(n.Children, child)
	}
	return n
}

// has reports whether the circle has the person, and says whom it is about.
func (c Circle) has(s Subject, p Person) (bool, string) {
	want := c.ID
	switch c.Kind {
	case UserGroup:
		g, known := s.Groups[c.ID]
		switch {
		case g.Problem != "":
			return false, g.Problem
		case !known:
			return false, "the members of this group are not known just now"
		case p.Known && p.SlackID != "" && slices.Contains(g.Members, p.SlackID):
			return true, "yes, a member"
		}
		return false, fmt.Sprintf("not among its %d members", len(g.Members))
	case Owner:
		want = s.Owner
	case AccountOwner:
		want = s.AccountEmail
	case SlackUser, Email:
	default:
		return false, "this version does not know such a circle"
	}
	if want == "" {
		return false, "nobody is known"
	}
	same := p.Known && (p.SlackID == want || p.Email != "" && strings.EqualFold(p.Email, want))
	if same {
		return true, "yes, " + want
	}
	return false, "no, that is " + want
}

func checkSelf(rule Rule, s Subject, p Person) Node {
	n := Node{What: "not one's own request", OK: true, Detail: "asked for by somebody else, or by nobody"}
	if s.Requester.ID == "" && s.Requester.Email == "" || !s.Requester.Same(p.Actor()) {
		return n
	}
	n.OK, n.Detail = rule.SelfApproval, "The rule lets people approve what they asked for."
	if !n.OK {
		n.Detail = "You asked for this rotation, so somebody else has to approve it."
	}
	return n
}

func checkCount(rule Rule, have []rotation.Approval) Node {
	n := Node{What: "a rule that can be met", OK: rule.Required >= 1 && len(rule.AnyOf) > 0}
	if !n.OK {
		n.Detail = "No approval rule covers this key, so nobody may decide on it. Ask whoever configures keyturn."
		return n
	}
	n.Detail = fmt.Sprintf("%d of %d approved", len(have), rule.Required)
	return n
}

// Who says who could decide.
func Who(rule Rule, s Subject) string {
	var out []string
	for _, c := range rule.AnyOf {
		switch {
		case c.Kind == Owner && s.Owner != "":
			out = append(out, "the owner ("+s.Owner+")")
		case c.Kind == AccountOwner && s.AccountEmail != "":
			out = append(out, "the account's owner ("+s.AccountEmail+")")
		case c.Kind == UserGroup && c.ID != "":
			out = append(out, "a member of the group "+c.ID)
		case c.ID != "":
			out = append(out, c.ID)
		}
	}
	if len(out) == 0 {
		return "nobody who is known"
	}
	return strings.Join(slices.Compact(out), " or ")
}

func circleNames(cs []Circle) string {
	var out []string
	for _, c := range cs {
		out = append(out, c.String())
	}
	if len(out) == 0 {
		return "nobody"
	}
	return strings.Join(out, ", ")
}

// Text renders the tree with one line a node, indented.
func (n Node) Text() string {
	var b strings.Builder
	n.write(&b, 0)
	return b.String()
}

func (n Node) write(b *strings.Builder, depth int) {
	mark := "no "
	if n.OK {
		mark = "yes"
	}
	fmt.Fprintf(b, "%s%s  %s: %s\n", strings.Repeat("  ", depth), mark, n.What, n.Detail)
	for _, c := range n.Children {
		c.write(b, depth+1)
	}
}
