package approval

import "github.com/keyturn/keyturn/internal/rotation"

// Target is what a policy rule matches on.
type Target struct {
	Account  rotation.AccountID
	OUPath   string // r-ab12/ou-ab12-prod/...
	UserName rotation.UserName
	UserPath string
	Tags     map[string]string
	Mode     rotation.Mode // of the policy that applies; known only where approval rules are looked up by their own match
}

// TargetOf returns what rules match on for a rotation.
func TargetOf(r rotation.Rotation) Target {
	return Target{Account: r.Account, OUPath: r.OUPath, UserName: r.UserName, UserPath: r.UserPath, Tags: r.Tags}
}

// Rules finds the policy and the approval rule that today's configuration has for a target. ok is false if no rule matches:
// then nothing is done and nobody may decide.
type Rules interface {
	For(t Target) (p rotation.Policy, rule Rule, ok bool)
}
