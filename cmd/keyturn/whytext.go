package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// print writes the explanation for a person: what is known, what holds, who may do what.
func (x explained) print(out io.Writer, now time.Time) error {
	t := newTable(out)
	line := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" {
			t.add(name, text)
		}
	}
	line("Key", "%s of %s in %s", x.Key, x.User, placeOf(x.Account, x.AccountName))
	line("", "%s old, last use %s%s", ageOf(x.Created, now), useOf(x.LastUse), x.seen())
	line("Owner", "%s", x.Owner)
	x.printRotation(line, now)
	if x.Exempt != "" {
		line("Exempt", "%s", x.Exempt)
	}
	if !x.Covered {
		line("Rule", "none covers this key today, so keyturn does nothing with it and nobody may decide")
		return t.flush()
	}
	x.printPolicy(line)
	for _, r := range x.Rights {
		x.printRight(line, r)
	}
	for i, a := range x.Approvals {
		line(once("Approved", i), "by %s on %s", a.Actor, minute(a.At))
	}
	for i, s := range x.NotLooked {
		line(once("Not asked", i), "Slack: %s", s)
	}
	return t.flush()
}

// once is a name for the first of several lines.
func once(name string, i int) string {
	if i > 0 {
		return ""
	}
	return name
}

func (x explained) seen() string {
	switch x.Status {
	case rotation.Active:
		return ", active"
	case rotation.Inactive:
		return ", inactive"
	default:
		return "; the last scan has not seen it"
	}
}

func (x explained) printRotation(line func(name, format string, args ...any), now time.Time) {
	if x.State == "" {
		say := "no rotation is about it"
		if x.Covered && x.Status == rotation.Active && !x.Created.IsZero() {
			when := "; it is due on "
			at := x.Created.Add(x.Policy.RotateAfter)
			if !at.After(now) {
				when = "; it is past its age since "
			}
			say += when + date(at)
		}
		line("Rotation", "%s", say)
		return
	}
	line("Rotation", "%s, %s, since %s", x.Kind, x.standing, minute(x.Since))
	if !x.Reopen.IsZero() {
		line("", "it may come back from %s on", date(x.Reopen))
	}
	line("Why", "%s", x.reason)
	for i, a := range x.WaysOut {
		line(once("Way out", i), "%s", a.Sentence())
	}
	if x.Next != rotation.StepNone {
		line("Next", "%s, not before %s", strings.ReplaceAll(string(x.Next), "_", " "), minute(x.NextAt))
	}
	switch {
	case x.Open.IsZero():
	case x.Open.After(now):
		line("Calendar", "lets a key be deactivated from %s on: %s", minute(x.Open), x.Closed)
	default:
		line("Calendar", "lets a key be deactivated right now")
	}
	for i, s := range x.Gate {
		line(once("Gate", i), "%s", s)
	}
}

func (x explained) printPolicy(line func(name, format string, args ...any)) {
	d := rotation.FormatDuration
	p := x.Policy
	line("Rule", "%s, mode %s", p.Rule, p.Mode)
	if p.Mode == rotation.ModeAudit {
		line("", "keyturn only reports on this key: it asks nobody and changes nothing")
		return
	}
	line("", "due after %s, people are warned %s before", d(p.RotateAfter), d(p.WarnBefore))
	line("", "old key: deactivated %s after the new one was issued if idle for %s, deleted %s later", d(p.InstallGrace), d(p.QuietPeriod), d(p.RecoveryGrace))
	if p.Mode == rotation.ModeAuto {
		line("", "keyturn goes on by itself %s after people were told", d(p.Notice))
	}
	next := "the owner of the account is told"
	if x.Escalates {
		next = "the next circle may decide too"
	}
	if p.EscalateAfter > 0 {
		line("", "unanswered for %s: %s", d(p.EscalateAfter), next)
	}
	if p.AnswerWithin > 0 {
		then := map[rotation.Timeout]string{rotation.TimeoutApprove: "it counts as approved", rotation.TimeoutExpire: "it is closed, and comes back later"}[p.OnTimeout]
		if then == "" {
			then = next
		}
		line("", "undecided for %s: %s", d(p.AnswerWithin), then)
	}
	var needs []string
	if x.Reasons {
		needs = append(needs, "an approval needs a reason")
	}
	if !x.Self {
		needs = append(needs, "whoever asked for a rotation may not approve it")
	}
	line("Approvals", "%s", strings.Join(append([]string{x.Rule}, needs...), "; "))
}

func (x explained) printRight(line func(name, format string, args ...any), r right) {
	people := "1 person"
	if r.Required > 1 {
		people = fmt.Sprintf("%d different people", r.Required)
	}
	name := map[string]string{toApprove: "May approve", toApproveLater: "Unanswered", toReport: "Leak", toBreakGlass: "Break glass"}[r.Right]
	switch may := map[string]string{toApprove: "", toApproveLater: "once nobody answered: ", toReport: "may report it: ", toBreakGlass: "may approve alone: "}[r.Right]; {
	case r.Required < 1 || len(r.Circles) == 0:
		line(name, "%snobody, because the rule names nobody", may)
	default:
		line(name, "%s%s; it takes %s", may, r.Who, people)
	}
	if r.Answer == "" {
		return
	}
	line("", map[answer]string{no: "%s may not: %s", unknown: "whether %s may is not known: %s", ifMember: "%s may: %s"}[r.Answer], x.Person, r.Why)
	if r.Required >= 1 && len(r.Circles) > 0 {
		printChecks(line, r.Checks, 1)
	}
}

func printChecks(line func(name, format string, args ...any), checks []check, depth int) {
	for _, c := range checks {
		mark := map[answer]string{yes: "yes", no: "no ", unknown: "?  "}[c.Answer]
		line("", "%s%s  %s: %s", strings.Repeat("    ", depth), mark, c.What, c.Detail)
		printChecks(line, c.Checks, depth+1)
	}
}

// standing says where a rotation stands, and what of it waits for whom.
func standing(r rotation.Rotation, now time.Time) string {
	s := stateOf(r)
	if e := r.Escalation; e != nil && r.Open() {
		s += fmt.Sprintf("; since %s the next circle may decide too: %s", date(e.At), e.Why)
	}
	if h := r.Held; h != nil {
		s += fmt.Sprintf(" until %s by %s: %s", date(h.Until), h.By, h.Why)
	}
	if k := r.Stuck; k != nil {
		s += "; " + k.Seen
	}
	if p := r.Postponed; p != nil && p.Until.After(now) {
		s += fmt.Sprintf("; put off until %s: %s", minute(p.Until), p.Why)
	}
	return s
}
