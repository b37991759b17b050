package awsemu

import (
	"errors"
	"time"
)

// savedVersion is of the form below. Raise it when the form changes: another version is refused, not converted.
const savedVersion = 1

// saved is a server's state as Save writes it.
type saved struct {
	Version   int            `json:"version"`
	Partition string         `json:"partition"`
	Region    string         `json:"region"`
	Serial    int            `json:"serial"`
	Handed    []string       `json:"handed,omitempty"`
	Units     []savedUnit    `json:"units,omitempty"`
	Order     []string       `json:"order,omitempty"` // IDs of the accounts that are in the organization
	Accounts  []savedAccount `json:"accounts,omitempty"`
	Sessions  []savedSession `json:"sessions,omitempty"`
	Mails     []savedMail    `json:"mails,omitempty"`
}

type savedUnit struct {
	ID     string `json:"id"`
	Parent string `json:"parent,omitempty"`
	Name   string `json:"name,omitempty"`
}

type savedAccount struct {
	ID          string            `json:"id"`
	Name        string            `json:"name,omitempty"`
	Email       string            `json:"email,omitempty"`
	Parent      string            `json:"parent,omitempty"`
	State       string            `json:"state"`
	Management  bool              `json:"management,omitempty"`
	Delegated   bool              `json:"delegated,omitempty"`
	Root        []*savedKey       `json:"root,omitempty"`      // both slots, or none
	Bootstrap   []savedKey        `json:"bootstrap,omitempty"` // keys of the bootstrap principal
	Users       []savedUser       `json:"users,omitempty"`
	Groups      []savedGroup      `json:"groups,omitempty"`
	Roles       []savedRole       `json:"roles,omitempty"`
	Secrets     []savedSecret     `json:"secrets,omitempty"`
	KMS         []savedKMSKey     `json:"kms,omitempty"`
	Aliases     map[string]string `json:"aliases,omitempty"` // IDs of keys
	Report      *savedReport      `json:"report,omitempty"`
	Identities  map[string]bool   `json:"identities,omitempty"`
	MailSandbox bool              `json:"mail_sandbox,omitempty"`
	MailPaused  bool              `json:"mail_paused,omitempty"`
}

type savedUser struct {
	Name       string            `json:"name"`
	Path       string            `json:"path"`
	ID         string            `json:"id"`
	Tags       map[string]string `json:"tags,omitempty"`
	Groups     []string          `json:"groups,omitempty"`
	Console    bool              `json:"console,omitempty"`
	PolicyARNs []string          `json:"policies,omitempty"`
	Created    date              `json:"created"`
	Keys       []*savedKey       `json:"keys,omitempty"` // both slots, or none
}

type savedKey struct {
	ID          string `json:"id"`
	Secret      string `json:"secret"`
	Inactive    bool   `json:"inactive,omitempty"`
	Created     date   `json:"created"`
	LastUsed    date   `json:"last_used,omitzero"`
	LastService string `json:"last_service,omitempty"`
	LastRegion  string `json:"last_region,omitempty"`
	Order       int    `json:"order"`
	Changed     date   `json:"changed"`
	Hidden      int    `json:"hidden,omitempty"`
	Unlisted    int    `json:"unlisted,omitempty"`
}

type savedGroup struct {
	Name     string   `json:"name"`
	Path     string   `json:"path,omitempty"`
	Policies []string `json:"policies,omitempty"`
}

type savedRole struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"`
	ExternalID string            `json:"external_id,omitempty"`
	Longest    string            `json:"longest"`
	Deny       []string          `json:"deny,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	Trust      string            `json:"trust,omitempty"`
	Policies   map[string]string `json:"policies"` // null is everything, {} is nothing
}

type savedSession struct {
	ID      string `json:"id"`
	Secret  string `json:"secret"`
	Token   string `json:"token"`
	Account string `json:"account"`
	Role    string `json:"role"`
	Name    string `json:"name"`
	Expires date   `json:"expires,omitzero"`
	Lasting bool   `json:"lasting,omitempty"`
}

type savedReport struct {
	Made  date   `json:"made"`
	Polls int    `json:"polls,omitempty"`
	CSV   string `json:"csv"`
}

type savedMail struct {
	Account string            `json:"account"`
	From    string            `json:"from"`
	To      []string          `json:"to,omitempty"`
	CC      []string          `json:"cc,omitempty"`
	BCC     []string          `json:"bcc,omitempty"`
	Subject string            `json:"subject"`
	Text    string            `json:"text,omitempty"`
	HTML    string            `json:"html,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	At      date              `json:"at"`
}

// date is a time as it is saved: in UTC, with all its digits.
type date struct{ time.Time }

func onDate(t time.Time) date { return date{t.UTC()} }

// UnmarshalJSON takes what MarshalJSON of the time itself gives back in UTC.
func (d *date) UnmarshalJSON(b []byte) error {
	if err := d.Time.UnmarshalJSON(b); err != nil {
		return err
	}
	d.Time = d.UTC()
	if y := d.Year(); y < 0 || y > 9999 {
		return errors.New("a date is beyond the years that can be saved")
	}
	return nil
}
