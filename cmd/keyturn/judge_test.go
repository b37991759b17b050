package main

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// TestJudgeAgainstDecide: whatever is not said of a person, a no is a no for everybody whom the words may mean, and a yes
// holds for each who is a full member.
func TestJudgeAgainstDecide(t *testing.T) {
	ids := []string{"U0ANN", "U0BEN", "U0CEM"}
	mails := []string{"ann@example.com", "ben@example.com", "cem@example.com"}
	rapid.Check(t, func(t *rapid.T) {
		pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
		anybody := append(append([]string{""}, ids...), mails...)
		s := approval.Subject{
			Owner: pick("owner", anybody...), AccountEmail: pick("account", append([]string{""}, mails...)...), Teams: []string{"T0ACME"},
			Groups: approval.Groups{"S0ONE": {Members: rapid.SliceOf(rapid.SampledFrom(ids)).Draw(t, "members")}},
		}
		if rapid.Bool().Draw(t, "asked for") {
			s.Requester = rotation.Actor{ID: pick("requester's ID", append([]string{""}, ids...)...), Email: pick("requester's address", append([]string{""}, mails...)...)}
		}
		circle := rapid.Custom(func(t *rapid.T) approval.Circle {
			return rapid.SampledFrom([]approval.Circle{
				{Kind: approval.Owner}, {Kind: approval.AccountOwner}, {Kind: approval.SlackUser, ID: ids[0]}, {Kind: approval.SlackUser, ID: ids[1]},
				{Kind: approval.Email, ID: mails[0]}, {Kind: approval.Email, ID: mails[2]}, {Kind: approval.UserGroup, ID: "S0ONE"},
			}).Draw(t, "circle")
		})
		rule := approval.Rule{AnyOf: rapid.SliceOfN(circle, 0, 3).Draw(t, "any_of"), Required: rapid.IntRange(0, 2).Draw(t, "required"), SelfApproval: rapid.Bool().Draw(t, "self")}
		person := approval.Person{Known: true, TeamID: "T0ACME", SlackID: pick("ID", ids...), Email: pick("address", append([]string{""}, mails...)...)}
		who := given{Email: person.Email, Slack: person.SlackID}
		switch pick("given", "both", "address", "ID") {
		case "address":
			who.Slack = ""
		case "ID":
			who.Email = ""
		}
		offline := s
		offline.Groups = nil
		got, may := judge(toApprove, rule, offline, who), approval.Decide(rule, s, person, nil).Allowed
		switch {
		case who.none():
			if got.Answer != "" {
				t.Fatalf("an answer about nobody: %v", got)
			}
		case got.Answer == no && may, got.Answer == ifMember && !may:
			t.Fatalf("%s, and Slack would say %t: %+v", got.Answer, may, got)
		case got.Answer == yes || got.Answer == "":
			t.Fatalf("%q, though nobody asked Slack", got.Answer)
		}
	})
}
