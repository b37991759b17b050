package config

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/keyturn/keyturn/internal/rotation"
)

// raw is the file as it is written. Scalars keep their line, so that an error can name it.
type raw struct {
	Organization rawOrganization `yaml:"organization"`
	Policy       []rawRule       `yaml:"policy"`
	OwnerTag     text            `yaml:"owner_tag"`
	Secrets      rawSecrets      `yaml:"secrets"`
	Slack        rawSlack        `yaml:"slack"`
	Email        rawEmail        `yaml:"email"`
	Store        rawStore        `yaml:"store"`
	Listen       text            `yaml:"listen"`
	ScanEvery    duration        `yaml:"scan_every"`
	TickEvery    duration        `yaml:"tick_every"`
	KMS          section         `yaml:"kms"`
}

// section is a part of the file that only a later version reads.
type section struct{ line int }

// UnmarshalYAML keeps where it stands.
func (s *section) UnmarshalYAML(n *yaml.Node) error {
	s.line = n.Line
	return nil
}

type rawOrganization struct {
	ManagementRole    text   `yaml:"management_role"`
	ManagementAccount text   `yaml:"management_account"`
	MemberRole        text   `yaml:"member_role"`
	ScanRole          text   `yaml:"scan_role"`
	ExternalID        text   `yaml:"external_id"`
	IncludeOUs        []text `yaml:"include_ous"`
	ExcludeAccounts   []text `yaml:"exclude_accounts"`
	ExemptGroup       text   `yaml:"exempt_group"`
	IncludeManagement toggle `yaml:"include_management"`
}

type rawRule struct {
	Match         *rawMatch     `yaml:"match"`
	Mode          text          `yaml:"mode"`
	RotateAfter   duration      `yaml:"rotate_after"`
	WarnBefore    duration      `yaml:"warn_before"`
	InstallGrace  duration      `yaml:"install_grace"`
	RecoveryGrace duration      `yaml:"recovery_grace"`
	QuietPeriod   duration      `yaml:"quiet_period"`
	Unused        text          `yaml:"unused"`
	ReopenAfter   duration      `yaml:"reopen_after"`
	GateTries     number        `yaml:"gate_tries"`
	Snooze        *rawBudget    `yaml:"snooze"`
	Hold          *rawBudget    `yaml:"hold"`
	Extend        *rawBudget    `yaml:"extend"`
	Approvers     *rawApprovers `yaml:"approvers"`
	line          int
}

// UnmarshalYAML keeps the line on which the rule begins. It goes through an alias, so it checks its keys itself.
func (r *rawRule) UnmarshalYAML(n *yaml.Node) error {
	type plain rawRule
	if err := known(n, "a policy rule", "match", "mode", "rotate_after", "warn_before", "install_grace", "recovery_grace",
		"quiet_period", "unused", "reopen_after", "gate_tries", "snooze", "hold", "extend", "approvers"); err != nil {
		return err
	}
	if err := n.Decode((*plain)(r)); err != nil {
		return err
	}
	r.line = n.Line
	return nil
}

type rawMatch struct {
	Account  text            `yaml:"account"`
	Accounts []text          `yaml:"accounts"`
	OU       text            `yaml:"ou"`
	User     text            `yaml:"user"`
	Path     text            `yaml:"path"`
	Tags     map[string]text `yaml:"tags"`
}

// UnmarshalYAML checks the keys.
func (m *rawMatch) UnmarshalYAML(n *yaml.Node) error {
	type plain rawMatch
	if err := known(n, "match", "account", "accounts", "ou", "user", "path", "tags"); err != nil {
		return err
	}
	return n.Decode((*plain)(m))
}

type rawBudget struct {
	Longest duration `yaml:"longest"`
	Count   number   `yaml:"count"`
	Total   duration `yaml:"total"`
}

// UnmarshalYAML checks the keys.
func (b *rawBudget) UnmarshalYAML(n *yaml.Node) error {
	type plain rawBudget
	if err := known(n, "a budget", "longest", "count", "total"); err != nil {
		return err
	}
	return n.Decode((*plain)(b))
}

type rawApprovers struct {
	AnyOf         []text `yaml:"any_of"`
	Required      number `yaml:"required"`
	SelfApproval  toggle `yaml:"self_approval"`
	Justification toggle `yaml:"justification"`
}

// UnmarshalYAML checks the keys.
func (a *rawApprovers) UnmarshalYAML(n *yaml.Node) error {
	type plain rawApprovers
	if err := known(n, "approvers", "any_of", "required", "self_approval", "justification"); err != nil {
		return err
	}
	return n.Decode((*plain)(a))
}

type rawSecrets struct {
	Location    text   `yaml:"location"`
	Name        text   `yaml:"name"`
	KMSKey      text   `yaml:"kms_key"`
	ReplicateTo []text `yaml:"replicate_to"`
}

type rawSlack struct {
	Token          text   `yaml:"token"`
	SigningSecret  text   `yaml:"signing_secret"`
	AppToken       text   `yaml:"app_token"`
	SocketMode     toggle `yaml:"socket_mode"`
	DefaultChannel text   `yaml:"default_channel"`
	Teams          []text `yaml:"teams"`
	APIURL         text   `yaml:"api_url"`
}

type rawEmail struct {
	From      text   `yaml:"from"`
	Via       text   `yaml:"via"`
	Templates text   `yaml:"templates"`
	Decisions toggle `yaml:"decisions"`
}

type rawStore struct {
	SQLite   text `yaml:"sqlite"`
	DynamoDB text `yaml:"dynamodb"`
}

// scalar is a value and where it stands. Line is 0 when it was not written.
type scalar[T any] struct {
	value T
	line  int
}

func (s scalar[T]) set() bool { return s.line > 0 }

func (s scalar[T]) or(otherwise T) T {
	if s.set() {
		return s.value
	}
	return otherwise
}

type (
	text     struct{ scalar[string] }
	toggle   struct{ scalar[bool] }
	number   struct{ scalar[int] }
	duration struct {
		scalar[time.Duration]
	}
)

func plainScalar(n *yaml.Node, what string) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: here stands a list or a mapping, and %s is expected", n.Line, what)
	}
	return nil
}

// UnmarshalYAML reads a string.
func (s *text) UnmarshalYAML(n *yaml.Node) error {
	if err := plainScalar(n, "a text"); err != nil {
		return err
	}
	s.value, s.line = n.Value, n.Line
	return nil
}

// UnmarshalYAML reads true or false.
func (s *toggle) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode(&s.value); err != nil || n.Tag != "!!bool" {
		return fmt.Errorf("line %d: %q is neither true nor false", n.Line, n.Value)
	}
	s.line = n.Line
	return nil
}

// UnmarshalYAML reads a whole number.
func (s *number) UnmarshalYAML(n *yaml.Node) error {
	if err := n.Decode(&s.value); err != nil {
		return fmt.Errorf("line %d: %q is not a whole number", n.Line, n.Value)
	}
	s.line = n.Line
	return nil
}

// UnmarshalYAML reads a duration as people write it.
func (s *duration) UnmarshalYAML(n *yaml.Node) error {
	if err := plainScalar(n, "a duration"); err != nil {
		return err
	}
	d, err := rotation.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	s.value, s.line = d, n.Line
	return nil
}

// known refuses a mapping with a key that is not among names: yaml's own check does not reach below an UnmarshalYAML.
func known(n *yaml.Node, what string, names ...string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %s is a mapping with some of %s", n.Line, what, list(names))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if !contains(names, k.Value) {
			return fmt.Errorf("line %d: %s has no %q; %s", k.Line, what, k.Value, didYouMean(k.Value, names))
		}
		if seen[k.Value] {
			return fmt.Errorf("line %d: %q stands twice in %s", k.Line, k.Value, what)
		}
		seen[k.Value] = true
	}
	return nil
}
