package config

import "go.yaml.in/yaml/v3"

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
	Notice        duration      `yaml:"notice"`
	RemindAfter   duration      `yaml:"remind_after"`
	RemindMost    duration      `yaml:"remind_most"`
	EscalateAfter duration      `yaml:"escalate_after"`
	AnswerWithin  duration      `yaml:"answer_within"`
	OnTimeout     text          `yaml:"on_timeout"`
	Exempt        *rawBudget    `yaml:"exempt"`
	Calendar      text          `yaml:"calendar"`
	Approvers     *rawApprovers `yaml:"approvers"`
	Leaked        *rawPeople    `yaml:"leaked"`
	BreakGlass    *rawPeople    `yaml:"break_glass"`
	line          int
}

// UnmarshalYAML keeps the line on which the rule begins. It goes through an alias, so it checks its keys itself.
func (r *rawRule) UnmarshalYAML(n *yaml.Node) error {
	type plain rawRule
	if err := known(n, "a policy rule", "match", "mode", "rotate_after", "warn_before", "install_grace", "recovery_grace",
		"quiet_period", "unused", "reopen_after", "gate_tries", "snooze", "hold", "extend", "exempt", "notice", "remind_after",
		"remind_most", "escalate_after", "answer_within", "on_timeout", "calendar", "approvers", "leaked", "break_glass"); err != nil {
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
	Mode     text            `yaml:"mode"`
}

// UnmarshalYAML checks the keys.
func (m *rawMatch) UnmarshalYAML(n *yaml.Node) error {
	type plain rawMatch
	if err := known(n, "match", "account", "accounts", "ou", "user", "path", "tags", "mode"); err != nil {
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
	EscalateTo    []text `yaml:"escalate_to"`
}

// UnmarshalYAML checks the keys.
func (a *rawApprovers) UnmarshalYAML(n *yaml.Node) error {
	type plain rawApprovers
	if err := known(n, "approvers", "any_of", "required", "self_approval", "justification", "escalate_to"); err != nil {
		return err
	}
	return n.Decode((*plain)(a))
}

// rawPeople names the people of a right.
type rawPeople struct {
	AnyOf []text `yaml:"any_of"`
}

// UnmarshalYAML checks the keys.
func (p *rawPeople) UnmarshalYAML(n *yaml.Node) error {
	type plain rawPeople
	if err := known(n, "it", "any_of"); err != nil {
		return err
	}
	return n.Decode((*plain)(p))
}

// rawApproval says who decides where a policy rule does not.
type rawApproval struct {
	Match      *rawMatch     `yaml:"match"`
	Approvers  *rawApprovers `yaml:"approvers"`
	Leaked     *rawPeople    `yaml:"leaked"`
	BreakGlass *rawPeople    `yaml:"break_glass"`
	line       int
}

// UnmarshalYAML checks the keys and keeps the line.
func (a *rawApproval) UnmarshalYAML(n *yaml.Node) error {
	type plain rawApproval
	if err := known(n, "an approval rule", "match", "approvers", "leaked", "break_glass"); err != nil {
		return err
	}
	if err := n.Decode((*plain)(a)); err != nil {
		return err
	}
	a.line = n.Line
	return nil
}
