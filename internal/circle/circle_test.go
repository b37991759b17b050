package circle

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// directory is a Slack in memory.
type directory struct {
	people []approval.Person
	groups map[string][]string
	broken string // of whom Slack cannot say anything
	asked  map[string]int
}

var errOutage = errors.New("slack is down")

func (d *directory) find(who string, is func(approval.Person) bool) (approval.Person, error) {
	d.asked[who]++
	if who == d.broken {
		return approval.Person{}, errOutage
	}
	for _, p := range d.people {
		if is(p) {
			return p, nil
		}
	}
	return approval.Person{}, fmt.Errorf("%s: %w", who, ErrNoUser)
}

func (d *directory) UserByID(_ context.Context, id string) (approval.Person, error) {
	return d.find(id, func(p approval.Person) bool { return p.SlackID == id })
}

func (d *directory) UserByEmail(_ context.Context, email string) (approval.Person, error) {
	return d.find(email, func(p approval.Person) bool { return p.Email == email })
}

func (d *directory) GroupMembers(_ context.Context, id string) ([]string, error) {
	d.asked[id]++
	if id == d.broken {
		return nil, errOutage
	}
	m, ok := d.groups[id]
	if !ok {
		return nil, fmt.Errorf("%s: %w", id, ErrNoGroup)
	}
	return m, nil
}

func newDirectory() *directory {
	p := func(id, mail string) approval.Person {
		return approval.Person{SlackID: id, Email: mail, TeamID: "T1", Known: true}
	}
	return &directory{
		people: []approval.Person{p("U1", "owner@example.com"), p("U2", "account@example.com"), p("U3", ""), p("U4", ""), p("U5", "chief@example.com")},
		groups: map[string][]string{"S1": {"U1", "U3", "U4"}}, asked: map[string]int{},
	}
}

var (
	rule = approval.Rule{AnyOf: []approval.Circle{{Kind: approval.Owner}, {Kind: approval.AccountOwner}, {Kind: approval.UserGroup, ID: "S1"}},
		Escalate: []approval.Circle{{Kind: approval.Email, ID: "chief@example.com"}}, Required: 2}
	key = rotation.Rotation{Owner: "owner@example.com", AccountEmail: "account@example.com"}
)

func TestPeople(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*directory, *rotation.Rotation)
		escalated bool
		want      []string
		fails     bool
	}{
		"everybody once":           {func(*directory, *rotation.Rotation) {}, false, []string{"U1", "U2", "U3", "U4"}, false},
		"and the next circle":      {func(*directory, *rotation.Rotation) {}, true, []string{"U1", "U2", "U3", "U4", "U5"}, false},
		"the owner is nobody":      {func(_ *directory, r *rotation.Rotation) { r.Owner = "left@example.com" }, false, []string{"U2", "U1", "U3", "U4"}, false},
		"the owner is not known":   {func(_ *directory, r *rotation.Rotation) { r.Owner = "" }, false, []string{"U2", "U1", "U3", "U4"}, false},
		"Slack cannot say who":     {func(d *directory, _ *rotation.Rotation) { d.broken = "account@example.com" }, false, []string{"U1", "U3", "U4"}, true},
		"the group cannot be read": {func(d *directory, _ *rotation.Rotation) { d.broken = "S1" }, false, []string{"U1", "U2"}, true},
		"there is no such group":   {func(d *directory, _ *rotation.Rotation) { d.groups = nil }, false, []string{"U1", "U2"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, r := newDirectory(), key
			c.change(d, &r)
			circles := New(d, []string{"T1"})
			s := approval.SubjectOf(r, []string{"T1"})
			s.Groups, s.Escalated = circles.Groups(context.Background(), rule), c.escalated
			people, err := circles.People(context.Background(), rule, s)
			var got []string
			for _, p := range people {
				got = append(got, p.SlackID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || (err != nil) != c.fails {
				t.Errorf("%v: %s", err, diff)
			}
			for who, n := range d.asked {
				if n > 1 {
					t.Errorf("%s was looked up %d times", who, n)
				}
			}
		})
	}
}

func TestAble(t *testing.T) {
	for name, c := range map[string]struct {
		required  int
		change    func(*directory)
		escalated bool
		want      int
		fails     bool
	}{
		"enough":                             {2, func(*directory) {}, false, 4, false},
		"too few":                            {5, func(*directory) {}, false, 4, false},
		"with the next circle":               {5, func(*directory) {}, true, 5, false},
		"of another team":                    {2, func(d *directory) { d.people[2].TeamID, d.people[3].TeamID = "T2", "T2" }, false, 2, false},
		"enough, whoever else there is":      {2, func(d *directory) { d.broken = "account@example.com" }, false, 3, false},
		"too few, and some cannot be looked": {4, func(d *directory) { d.broken = "account@example.com" }, false, 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDirectory()
			c.change(d)
			r := rule
			r.Required = c.required
			n, err := New(d, []string{"T1"}).Able(context.Background(), r, key, c.escalated)
			if n != c.want || (err != nil) != c.fails {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
}

func TestGroups(t *testing.T) {
	d := newDirectory()
	d.broken = "S2"
	r := approval.Rule{AnyOf: []approval.Circle{{Kind: approval.UserGroup, ID: "S1"}, {Kind: approval.UserGroup, ID: "S2"}, {Kind: approval.UserGroup, ID: "S3"}}}
	got := New(d, nil).Groups(context.Background(), r)
	want := approval.Groups{"S1": {Members: []string{"U1", "U3", "U4"}}, "S2": {Problem: "Slack could not say who is a member"}, "S3": {Problem: "Slack knows no such group, or it is disabled"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := New(d, nil).Groups(context.Background(), approval.Rule{}); got != nil {
		t.Error(got)
	}
}
