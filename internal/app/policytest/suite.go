package policytest

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/keyturn/keyturn/internal/app/config"
)

// Suite is a file of cases. Only Parse makes one.
type Suite struct {
	People map[string]Person `yaml:"people"`
	Keys   map[string]Key    `yaml:"keys"`
	Cases  []Case            `yaml:"cases"`
}

// Person is somebody, as Slack would know them.
type Person struct {
	Slack   string   `yaml:"slack"` // Slack user ID
	Email   string   `yaml:"email"`
	Team    string   `yaml:"team"`   // left out: the first of slack.teams
	Groups  []string `yaml:"groups"` // IDs of the Slack user groups that they are in
	Guest   bool     `yaml:"guest"`
	Bot     bool     `yaml:"bot"`
	Deleted bool     `yaml:"deleted"`
	Outside bool     `yaml:"outside"` // of another workspace
	Unknown bool     `yaml:"unknown"` // Slack could not say who they are

	line int
}

// Key is a key and whose it is.
type Key struct {
	Account      string            `yaml:"account"`
	OU           string            `yaml:"ou"` // path from the root: r-ab12/ou-ab12-3cd4ef56
	User         string            `yaml:"user"`
	Path         string            `yaml:"path"` // left out: /
	Tags         map[string]string `yaml:"tags"`
	AccountEmail string            `yaml:"account_email"`
	Age          string            `yaml:"age"`       // since it was created, like 95d
	LastUsed     string            `yaml:"last_used"` // how long ago, like 3d, or never; left out: nobody knows

	line int
}

// Case is one question and the answer that is expected.
type Case struct {
	Name          string   `yaml:"name"`
	Key           string   `yaml:"key"`
	Person        string   `yaml:"person"`
	Does          Act      `yaml:"does"`           // left out: approve
	RequestedBy   string   `yaml:"requested_by"`   // who asked for the rotation; left out: nobody did
	ApprovedBy    []string `yaml:"approved_by"`    // who approved before, in this order
	Escalated     bool     `yaml:"escalated"`      // nobody answered in time
	UnknownGroups []string `yaml:"unknown_groups"` // user groups that Slack does not know any more
	At            string   `yaml:"at"`             // RFC 3339: when a step would be due
	Expect        Expect   `yaml:"expect"`

	line int
}

// Act is what a person wants to do.
type Act string

// The acts. Everything else that a person can do about a key (reject, snooze, hold, extend, exempt) asks what ActDecide asks.
const (
	ActApprove Act = "approve"
	ActDecide  Act = "decide"
	ActLeaked  Act = "report_leak"
	ActGlass   Act = "break_glass"
)

var acts = []string{string(ActApprove), string(ActDecide), string(ActLeaked), string(ActGlass)}

// counts reports whether the act is an approval, which counts together with those given before.
func (a Act) counts() bool { return a == ActApprove || a == ActGlass }

// Expect is what is expected. What is left out is not compared.
type Expect struct {
	Allowed     *bool  `yaml:"allowed"`
	Says        string `yaml:"says"`         // part of the sentence why, or why not
	Enough      *bool  `yaml:"enough"`       // with this approval, and those before, the key is turned over
	Takes       *int   `yaml:"takes"`        // distinct people that an approval takes
	NeedsReason *bool  `yaml:"needs_reason"` // an approval needs one

	Policy    string `yaml:"policy"` // policy[0]: the rule of the policy that covers the key
	Rule      string `yaml:"rule"`   // policy[0] or approvals[0]: the rule that says who decides
	Mode      string `yaml:"mode"`   // none, if no rule covers the key
	Plan      Plan   `yaml:"plan"`   // what a scan makes of a key of that age
	OnTimeout string `yaml:"on_timeout"`
	Channel   string `yaml:"channel"`

	DeactivateAt string `yaml:"deactivate_at"` // RFC 3339: when a key that is due at Case.At is really deactivated or deleted
	IssueAt      string `yaml:"issue_at"`      // the same for a new key, which only freezes put off
	Because      string `yaml:"because"`       // part of why not before

	Periods map[string]time.Duration `yaml:"-"` // by their names in the policy, like rotate_after

	said int // how many things are expected
}

// Plan is what a scan makes of a key.
type Plan string

// The plans.
const (
	PlanRotate  Plan = "rotate"
	PlanRetire  Plan = "retire"
	PlanWarn    Plan = "warn" // its date is near, and people are told
	PlanNothing Plan = "nothing"
)

var plans = []string{string(PlanRotate), string(PlanRetire), string(PlanWarn), string(PlanNothing)}

// UnmarshalYAML refuses keys that are none, and what has no value.
func (s *Suite) UnmarshalYAML(n *yaml.Node) error {
	type plain Suite
	return also(strict(n, "a file of cases", (*plain)(s)), config.Empty(n))
}

// UnmarshalYAML refuses keys that are none and keeps the line.
func (p *Person) UnmarshalYAML(n *yaml.Node) error {
	type plain Person
	p.line = n.Line
	return strict(n, "a person", (*plain)(p))
}

// UnmarshalYAML refuses keys that are none and keeps the line.
func (k *Key) UnmarshalYAML(n *yaml.Node) error {
	type plain Key
	k.line = n.Line
	return strict(n, "a key", (*plain)(k))
}

// UnmarshalYAML refuses keys that are none and keeps the line.
func (c *Case) UnmarshalYAML(n *yaml.Node) error {
	type plain Case
	c.line, c.Does = n.Line, ActApprove
	return strict(n, "a case", (*plain)(c))
}

// UnmarshalYAML refuses keys that are none, and takes the periods of the policy by the names that they have there.
func (e *Expect) UnmarshalYAML(n *yaml.Node) error {
	type plain Expect
	rest, errs := e.takePeriods(n)
	return also(strict(rest, "expect", (*plain)(e), periodNames...), errs)
}
