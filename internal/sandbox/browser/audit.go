package browser

import (
	"context"
	"slices"
)

// finding is one fault of a page.
type finding struct {
	Kind string `json:"kind"`
	At   string `json:"at"` // a selector
	Text string `json:"text"`
}

// mostFindings of one kind are reported in full.
const mostFindings = 12

// Audit checks the page as it stands, and reports every fault with its selector and figures, together with what the watchers
// have found so far: accessible names, labels, ids, headings, landmarks, language, title, the order of focus, sizes of targets,
// overflow, and the contrast of all text in both colour schemes. What is disabled is exempt from contrast and size, links in
// text and labelled checkboxes from size. Kinds of findings may be left out: a mail has no main landmark.
func (p *Tab) Audit(where string, without ...string) {
	p.t.Helper()
	p.report(where)
	ctx, cancel := p.limit()
	defer cancel()
	all, err := p.audit(ctx, false)
	if err != nil {
		p.t.Fatalf("audit %s: %v", where, err)
	}
	more, err := p.otherScheme(ctx)
	if err != nil {
		p.t.Fatalf("audit %s in the other colour scheme: %v", where, err)
	}
	known, told := map[finding]bool{}, map[string]int{}
	for _, f := range all {
		known[f] = true
	}
	for _, f := range more {
		if !known[f] {
			f.Kind += p.size.other()
			all = append(all, f)
		}
	}
	for _, f := range all {
		if slices.Contains(without, f.Kind) {
			continue
		}
		if told[f.Kind]++; told[f.Kind] <= mostFindings {
			p.t.Errorf("%s: %s: %s: %s", where, f.Kind, f.At, f.Text)
		}
	}
	for kind, n := range told {
		if n > mostFindings {
			p.t.Errorf("%s: %s: %d more", where, kind, n-mostFindings)
		}
	}
}

func (p *Tab) audit(ctx context.Context, contrastOnly bool) ([]finding, error) {
	var all []finding
	err := p.script(ctx, &all, contrastJS+auditJS, "audit", p.size.Width, contrastOnly)
	return all, err
}

// otherScheme looks at the contrast in the colour scheme that the tab does not prefer, and goes back.
func (p *Tab) otherScheme(ctx context.Context) (all []finding, err error) {
	if err := scheme(ctx, !p.size.Dark); err != nil {
		return nil, err
	}
	all, err = p.audit(ctx, true)
	if back := scheme(ctx, p.size.Dark); err == nil {
		err = back
	}
	if err == nil {
		err = p.script(ctx, nil, auditJS, "settled")
	}
	return all, err
}

// other names the colour scheme that the person does not prefer.
func (s Size) other() string {
	if s.Dark {
		return " (light)"
	}
	return " (dark)"
}
