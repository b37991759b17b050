package awsemu

import "time"

// Options is how a server is made. The zero value is useful.
type Options struct {
	Now       func() time.Time // domain clock for dates in IAM and Secrets Manager; nil: the real one
	Wall      func() time.Time // protocol clock for signatures and sessions; nil: the real one
	Partition string           // default aws
	Region    string           // default us-east-1
	DynamoDB  DynamoDB         // zero: there is none
}

// Account is a member of the organization.
type Account struct {
	ID, Name, Email string
	ParentID        string // root or organizational unit
	State           string // default ACTIVE
	Management      bool
	Delegated       bool // delegated administrator of the organization
}

// User is an IAM user. Its name keeps AWS's rules, and no two in an account differ by case alone.
type User struct {
	Name, Path, UserID string
	Tags               map[string]string
	Groups             []string
	Console            bool
	PolicyARNs         []string
	CreatedAt          time.Time
}

// Key is an access key. ID and Secret are generated where they are empty.
type Key struct {
	ID, Secret      string
	Inactive        bool
	Created         time.Time
	LastUsed        time.Time // zero: never
	LastUsedService string
	LastUsedRegion  string
}

// KMSKey is a key of KMS.
type KMSKey struct {
	ID         string
	Aliases    []string
	Tags       map[string]string
	State      string // default Enabled
	AWSManaged bool
	HMAC       bool // made to generate and verify MACs (HMAC_256), not to encrypt
}

// SecretInfo is a secret as the emulator keeps it.
type SecretInfo struct {
	ARN, Name, KMSKeyID string
	Tags                map[string]string
	Policy              string
	Deleted             bool // scheduled for deletion
	RotationEnabled     bool
	Versions            []SecretVersion // oldest first
	Replicas            []Replica
}

// Replica is a copy of a secret in another region, as DescribeSecret shows it. The emulator keeps no value there.
type Replica struct {
	Region, KMSKeyID string
	Status           string // InSync (the default), InProgress or Failed
	Message          string
}

// SecretVersion is one version of a secret.
type SecretVersion struct {
	ID     string
	Labels []string
	Value  string
}

// Mail is a mail that SES accepted.
type Mail struct {
	Account, From       string
	To, CC, BCC         []string
	Subject, Text, HTML string
	Headers             map[string]string
	At                  time.Time
}

// FaultKind is what goes wrong.
type FaultKind int

// The kinds of faults.
const (
	FaultError      FaultKind = iota // refused with Code and Status, not performed; empty: the service's own failure with 500
	FaultThrottle                    // refused as throttled, not performed
	FaultHang                        // never answered, not performed
	FaultDrop                        // performed, and the answer is lost
	FaultDropBefore                  // the connection is closed, not performed
	FaultLatency                     // performed and answered after Delay, even if the client has left
)

// Fault makes calls go wrong. Empty fields match everything.
type Fault struct {
	Service, Operation, AccountID string
	Nth                           int // the first matching call that is hit, counted from 1; 0 is 1
	Times                         int // how many; 0 is one, -1 all
	Kind                          FaultKind
	Code, Message                 string
	Status                        int
	Delay                         time.Duration
}

// CallKey is what Counters counts by.
type CallKey struct{ Account, Service, Operation string }

// Phase is when OnCall is called.
type Phase int

// The phases of a call.
const (
	Before Phase = iota
	After
)

// Action is what OnCall wants.
type Action int

// The actions.
const (
	Proceed Action = iota
	Abort          // close the connection without an answer
)

// Call is one call as OnCall sees it. Seq is the same before and after.
type Call struct {
	Seq                         int
	Account, Service, Operation string // the account is the caller's
	Phase                       Phase
	Role                        string
	User                        string // the IAM user whom the call is about, where it names one, one's key, or is signed with it
	Failed                      bool   // the answer is an error; known after the call alone
	Secret                      string // the secret that it names, as the caller wrote it: a name or an ARN
}
