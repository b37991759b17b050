package rotation

import "time"

// User is one IAM user as a scan or a live read saw it.
type User struct {
	Account AccountID         `json:"-"` // of the snapshot it stands in
	ID      UserID            `json:"id"`
	Name    UserName          `json:"name"`
	Path    string            `json:"path,omitempty"`
	ARN     string            `json:"arn,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	Console bool              `json:"console,omitempty"`
	Exempt  bool              `json:"exempt,omitempty"` // member of the exemption group
	Admin   *AdminPolicies    `json:"admin,omitempty"`  // nil: not read
	Keys    []Key             `json:"keys,omitempty"`

	// Row is a digest of the user's row in the credential report when Keys was read; another row means: read again.
	Row string `json:"row,omitempty"`
}

// AdminPolicies are the policies of AWS that make a user an administrator, attached to the user or to its groups. It says
// nothing of inline policies and of policies of one's own. Problem is why they are not known; empty if they are.
type AdminPolicies struct {
	Names   []string `json:"names,omitempty"`
	Problem string   `json:"problem,omitempty"`
}

// Snapshot is what the last scan knew of an account. It answers status questions without asking AWS, and nothing is
// decided on it alone.
type Snapshot struct {
	Account  AccountID `json:"account"`
	Name     string    `json:"name,omitempty"`
	Email    string    `json:"email,omitempty"`
	OUPath   string    `json:"ou_path,omitempty"`
	Taken    time.Time `json:"taken"`               // when the scan succeeded last
	Tried    time.Time `json:"tried"`               // when a scan was tried last
	Error    string    `json:"error,omitempty"`     // why the last try failed; empty if it did not
	RootKeys int       `json:"root_keys,omitempty"` // active access keys of the root user: reported, never rotated
	Users    []User    `json:"users,omitempty"`
}

// Exemption leaves a user alone until its end. It is a record of its own, keyed by user, and outlives rotations.
type Exemption struct {
	Account  AccountID `json:"account"`
	UserID   UserID    `json:"user_id"`
	UserName UserName  `json:"user_name"`
	By       Actor     `json:"by"`
	Why      string    `json:"why"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`

	Used  Spent     `json:"used,omitzero"`  // of the policy's budget, this one included
	Asked time.Time `json:"asked,omitzero"` // when people were asked whether to renew it
}

// Renew returns the exemption that follows e, or the first one where e is the zero value: by whom, why, from now until a
// day. It is bounded by the policy: longest at once, how many, and all together. A refusal says what is possible.
func (e Exemption) Renew(p Policy, by Actor, why string, until, now time.Time) (Exemption, error) {
	next := e
	next.By, next.Why, next.From, next.Until, next.Asked = by, why, now, until, time.Time{}
	if !until.After(now) {
		return e, refuse(Invalid, "an exemption ends on a day in the future")
	}
	used := e.Used
	if e.Until.After(now) { // what is left of the one before is given back
		used.Total -= e.Until.Sub(now)
	}
	b := p.Exempts()
	switch left := b.Left(used.Count, max(used.Total, 0)); {
	case left <= 0:
		return e, refuse(OverBudget, "the user was exempted %d times, for %s altogether, and the policy allows no more", used.Count, FormatDuration(used.Total))
	case until.Sub(now) > left && left < p.ExemptLongest:
		return e, refuse(OverBudget, "an exemption may last until %s at most: the policy allows %s altogether", day(now.Add(left)), FormatDuration(b.Total))
	case until.Sub(now) > left:
		return e, refuse(OverBudget, "an exemption may last until %s at most", day(now.Add(left)))
	}
	next.Used = Spent{Count: used.Count + 1, Total: max(used.Total, 0) + until.Sub(now)}
	return next, nil
}

// End returns the exemption as a person ended it before its time.
func (e Exemption) End(by Actor, why string, now time.Time) (Exemption, error) {
	if !e.InForce(now) {
		return e, refuse(NotNow, "no exemption is in force")
	}
	e.Used.Total = max(e.Used.Total-e.Until.Sub(now), 0)
	e.By, e.Why, e.Until = by, why, now
	return e, nil
}

// Equal reports whether both say the same; the zero value is no exemption.
func (e Exemption) Equal(o Exemption) bool { return e.plain() == o.plain() }

func (e Exemption) plain() Exemption {
	for _, t := range []*time.Time{&e.From, &e.Until, &e.Asked} {
		*t = t.Round(0).UTC() // the same instant, however it is written
	}
	return e
}

// InForce reports whether the exemption covers now.
func (e Exemption) InForce(now time.Time) bool { return !now.Before(e.From) && now.Before(e.Until) }

// Request asks for the rotation of a user before its time (/keys rotate). The scheduler serves it and removes it.
type Request struct {
	Account  AccountID `json:"account"`
	UserID   UserID    `json:"user_id"`
	UserName UserName  `json:"user_name"`
	By       Actor     `json:"by"`
	Why      string    `json:"why"`
	At       time.Time `json:"at"`

	Leaked   KeyID  `json:"leaked,omitempty"`   // this key of the user was reported as leaked: it is cut off at once
	Evidence string `json:"evidence,omitempty"` // what was known of it then
}
