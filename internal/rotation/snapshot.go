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
	Keys    []Key             `json:"keys,omitempty"`

	// Row is a digest of the user's row in the credential report when Keys was read; another row means: read again.
	Row string `json:"row,omitempty"`
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
}
