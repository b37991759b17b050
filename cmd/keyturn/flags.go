package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
)

// ouFlag is an organizational unit as rotation.InOU takes it.
type ouFlag string

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *ouFlag) UnmarshalText(b []byte) error {
	s := strings.Trim(string(b), "/")
	bad := func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '/' }
	if s == "" || strings.ContainsFunc(s, bad) {
		return fmt.Errorf("%q is no organizational unit: write its ID, like ou-ab12-11111111, or its path, like r-ab12/ou-ab12-11111111", b)
	}
	*f = ouFlag(s)
	return nil
}

// stateFlag is a state of a rotation.
type stateFlag rotation.State

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *stateFlag) UnmarshalText(b []byte) error {
	s := rotation.State(strings.ToLower(string(b)))
	if s == "stuck" {
		return errors.New("stuck is no state but a filter of its own: --stuck")
	}
	if !slices.Contains(rotation.States, s) {
		return fmt.Errorf("there is no state %q: the states are %s", b, words(rotation.States))
	}
	*f = stateFlag(s)
	return nil
}

// durationFlag is a duration as the configuration writes them: 90d, 10d12h.
type durationFlag time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *durationFlag) UnmarshalText(b []byte) error {
	d, err := rotation.ParseDuration(string(b))
	*f = durationFlag(d)
	return err
}

// ageFlag is the age from which on a key counts. The form of the slash command (>90d) is understood too.
type ageFlag time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *ageFlag) UnmarshalText(b []byte) error {
	if strings.HasPrefix(string(b), "<") {
		return errors.New("keys are narrowed to old ones, not to young ones: --age 90d")
	}
	d, err := rotation.ParseDuration(strings.TrimLeft(string(b), ">="))
	if err == nil && d <= 0 {
		err = errors.New("every key is older than that: write it like --age 90d")
	}
	*f = ageFlag(d)
	return err
}

// kindFlag is a kind of rotation.
type kindFlag rotation.Kind

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *kindFlag) UnmarshalText(b []byte) error {
	k := rotation.Kind(strings.ToLower(string(b)))
	if k != rotation.Rotate && k != rotation.Retire {
		return fmt.Errorf("%q is no kind: write rotate or retire", b)
	}
	*f = kindFlag(k)
	return nil
}

// sinceFlag is the period of a report.
type sinceFlag time.Duration

// longestReport is how far back a report goes: for so long the points of the burn-down are kept.
const longestReport = report.MostPoints * rotation.Day

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *sinceFlag) UnmarshalText(b []byte) error {
	d, err := rotation.ParseDuration(string(b))
	if err == nil && (d < rotation.Day || d > longestReport) {
		err = fmt.Errorf("a report is about 1d to %s; %s is not", rotation.FormatDuration(longestReport), b)
	}
	*f = sinceFlag(d)
	return err
}

// emailFlag is the e-mail address of a person, in lower case.
type emailFlag string

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *emailFlag) UnmarshalText(b []byte) error {
	c, err := approval.ParseCircle("email:" + strings.TrimSpace(string(b)))
	if err != nil {
		return fmt.Errorf("%q is no e-mail address, like owner@example.com", b)
	}
	*f = emailFlag(c.ID)
	return nil
}

// slackFlag is the ID of a Slack user.
type slackFlag string

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *slackFlag) UnmarshalText(b []byte) error {
	c, err := approval.ParseCircle("user:" + strings.TrimSpace(string(b)))
	if err != nil || strings.Trim(c.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return fmt.Errorf("%q is no Slack user ID, like U0123456789. The profile of a person in Slack has it", b)
	}
	*f = slackFlag(c.ID)
	return nil
}

// keyArg is the ID of an access key.
type keyArg rotation.KeyID

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *keyArg) UnmarshalText(b []byte) error {
	id, err := rotation.ParseKeyID(string(b))
	*k = keyArg(id)
	return err
}

func words[T ~string](all []T) string {
	var out []string
	for _, s := range all {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ")
}

// ownerOf is a person as records have it: addresses in lower case, Slack user IDs as they are.
func ownerOf(s string) string {
	if strings.Contains(s, "@") {
		return strings.ToLower(s)
	}
	return s
}
