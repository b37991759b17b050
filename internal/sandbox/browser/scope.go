package browser

import "strings"

// Scope is a part of the page: the one visible element that a CSS selector means at the time of each action.
type Scope struct {
	tab      *Tab
	selector string
}

// Within returns the part of the page within the one visible element that a CSS selector means.
func (p *Tab) Within(selector string) *Scope { return &Scope{p, selector} }

func (p *Tab) all() *Scope { return &Scope{p, ""} }

// Click clicks the one visible and enabled button, link, summary, checkbox or tab whose accessible name is exactly name. It
// waits until there is one that stands still and is not covered, and it is an error if there are several. What the click makes the
// page ask for is answered when Click returns.
func (p *Tab) Click(name string) { p.t.Helper(); p.all().Click(name) }

// Click clicks as Tab.Click does, within the scope.
func (s *Scope) Click(name string) {
	s.tab.t.Helper()
	if err := s.tab.click(s.selector, name, 1); err != nil {
		s.tab.t.Fatalf("click %q: %v", name, err)
	}
}

// Burst clicks like Click n times, as fast as the mouse can. Clicks that meet something of another name are swallowed.
func (p *Tab) Burst(name string, n int) {
	p.t.Helper()
	if err := p.click("", name, n); err != nil {
		p.t.Fatalf("click %q %d times: %v", name, n, err)
	}
}

// Fill types a text, key by key, over what the one visible and enabled field holds whose accessible name is exactly label. It
// waits until there is one. Fields for dates, times, colours and ranges get their value at once.
func (p *Tab) Fill(label, text string) { p.t.Helper(); p.all().Fill(label, text) }

// Fill fills as Tab.Fill does, within the scope.
func (s *Scope) Fill(label, text string) {
	s.tab.t.Helper()
	if err := s.tab.fill(s.selector, label, text); err != nil {
		s.tab.t.Fatalf("fill %q: %v", label, err)
	}
}

// Select chooses the option that reads option from the list whose accessible name is exactly label. It waits until there is one,
// and then as Click does.
func (p *Tab) Select(label, option string) { p.t.Helper(); p.all().Select(label, option) }

// Select selects as Tab.Select does, within the scope.
func (s *Scope) Select(label, option string) {
	s.tab.t.Helper()
	if err := s.tab.choose(s.selector, label, option); err != nil {
		s.tab.t.Fatalf("select %q: %v", label, err)
	}
}

// See waits until the page shows a text. Blanks and line ends count as one blank; what CSS writes in capitals reads so.
func (p *Tab) See(text string) { p.t.Helper(); p.all().See(text) }

// See waits as Tab.See does, within the scope.
func (s *Scope) See(text string) {
	s.tab.t.Helper()
	ctx, cancel := s.tab.limit()
	defer cancel()
	if _, err := s.tab.ask(ctx, "see", s.selector, squeeze(text)); err != nil {
		s.tab.t.Fatalf("see %q: %v", text, err)
	}
}

// Not checks that the page does not show a text now.
func (p *Tab) Not(text string) { p.t.Helper(); p.all().Not(text) }

// Not checks as Tab.Not does, within the scope. What is not there shows nothing.
func (s *Scope) Not(text string) {
	s.tab.t.Helper()
	ctx, cancel := s.tab.limit()
	defer cancel()
	var a answer
	err := s.tab.script(ctx, &a, actJS, "shows", s.selector, squeeze(text))
	if err == nil && a.Why == "" {
		s.tab.t.Fatalf("%q is to be seen", text)
	}
	if err != nil {
		s.tab.t.Fatalf("not see %q: %v", text, err)
	}
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }
