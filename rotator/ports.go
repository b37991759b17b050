package rotator

import (
	"context"
	"errors"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Errors by which AWS tells the rotator what kind of failure it met. Others are failures of unknown effect: the call may
// have been performed.
var (
	// ErrDefinite: AWS refused the call, so it was not performed (denied, limit exceeded, invalid).
	ErrDefinite = errors.New("refused by AWS")
	// ErrLimit: the user has as many keys as AWS allows. It wraps ErrDefinite.
	ErrLimit = errors.New("the user has as many keys as AWS allows")
	// ErrUnreachable: the account's role cannot be assumed, so nothing is known of the account.
	ErrUnreachable = errors.New("the account cannot be reached")
	// ErrNoSuchUser: the user is not there (any more).
	ErrNoSuchUser = errors.New("there is no such user")
	// ErrNoSuchKey: the key is not there (any more).
	ErrNoSuchKey = errors.New("there is no such key")
	// ErrNotAccepted: AWS does not know the key (yet), or it is inactive.
	ErrNotAccepted = errors.New("AWS does not accept the key")
	// ErrSecretNotFound: there is no such secret or version.
	ErrSecretNotFound = errors.New("there is no such secret")
)

// Material is a key's secret. It has no exported field and prints as a placeholder, so that it cannot slip into a log, an
// error or a message. It is kept behind a pointer, because fmt cannot ask a Material in an unexported field how to print.
type Material struct{ secret *string }

// NewMaterial wraps a secret access key.
func NewMaterial(secret string) Material { return Material{&secret} }

// Reveal returns the secret access key. Only the serialization of the stored value and the signer of the verification use it.
func (m Material) Reveal() string {
	if m.secret == nil {
		return ""
	}
	return *m.secret
}

// String implements fmt.Stringer and shows nothing.
func (m Material) String() string { return "[secret]" }

// GoString implements fmt.GoStringer and shows nothing.
func (m Material) GoString() string { return "[secret]" }

// MarshalJSON shows nothing.
func (m Material) MarshalJSON() ([]byte, error) { return []byte(`"[secret]"`), nil }

// MarshalText shows nothing.
func (m Material) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

// Created is the answer of CreateAccessKey.
type Created struct {
	ID      rotation.KeyID
	User    rotation.UserName
	Created time.Time
	Status  rotation.KeyStatus
	Secret  Material
}

// SecretState is what DescribeSecret and the resource policy say. The zero value is: there is none.
type SecretState struct {
	Exists          bool
	ARN             string
	Name            string
	Tags            map[string]string
	RotationEnabled bool // AWS's own rotation
	PendingDeletion bool
	KMSKeyID        string
	Labels          map[string][]string // version ID → staging labels
	ReplicasInSync  bool                // true where there are none
}

// SecretSpec is the container that a new key needs.
type SecretSpec struct {
	Name        string
	Description string
	KMSKeyID    string // empty: the account's AWS-managed key
	Tags        map[string]string
	UserARN     string // the resource policy lets this user read it
}

// Account is access to one account with keyturn's member role, for one region. Implementations are safe for concurrent use
// and retry what is safe to retry; CreateKey is never retried.
type Account interface {
	// User returns the user as it is now, by name. ErrNoSuchUser.
	User(ctx context.Context, name rotation.UserName) (rotation.User, error)
	// FindUser returns the present name of a user by its ID: it may have been renamed. ErrNoSuchUser. A key's last use does
	// not tell: AWS answers AccessDenied for a key that is not there.
	FindUser(ctx context.Context, id rotation.UserID) (rotation.UserName, error)
	// Keys lists the user's keys, without last use. ErrNoSuchUser.
	Keys(ctx context.Context, name rotation.UserName) ([]rotation.Key, error)
	// LastUse reads a key's last use and the name of the user who owns it now. ErrNoSuchKey.
	LastUse(ctx context.Context, key rotation.KeyID) (rotation.LastUse, rotation.UserName, error)
	// InGroup reports whether the user is a member of an IAM group. ErrNoSuchUser.
	InGroup(ctx context.Context, name rotation.UserName, group string) (bool, error)
	// CreateKey creates a key, with the SDK's retries off. ErrDefinite, ErrLimit.
	CreateKey(ctx context.Context, name rotation.UserName) (Created, error)
	// SetKeyStatus activates or deactivates a key. It is idempotent. ErrNoSuchKey.
	SetKeyStatus(ctx context.Context, name rotation.UserName, key rotation.KeyID, status rotation.KeyStatus) error
	// DeleteKey deletes a key. ErrNoSuchKey.
	DeleteKey(ctx context.Context, name rotation.UserName, key rotation.KeyID) error
	// Verify signs GetCallerIdentity with the key and returns the ARN and the unique ID that answered. ErrNotAccepted.
	Verify(ctx context.Context, key rotation.KeyID, secret Material) (arn string, id rotation.UserID, err error)

	// Secret describes a secret by name or ARN. One that is not there is a state with Exists false and no error.
	Secret(ctx context.Context, nameOrARN string) (SecretState, error)
	// PrepareSecret creates the container if it is missing and brings KMS key, tags and resource policy up to the spec.
	PrepareSecret(ctx context.Context, spec SecretSpec) (SecretState, error)
	// PutVersion stores value as version token with the label AWSPENDING. The same token and value again is no change.
	PutVersion(ctx context.Context, arn, token string, value Material) error
	// Version reads a version's value. ErrSecretNotFound.
	Version(ctx context.Context, arn, version string) (Material, error)
	// Promote makes version AWSCURRENT, taking the label from version from ("" if there was none), and takes AWSPENDING off.
	Promote(ctx context.Context, arn, version, from string) error
	// TagSecret adds tags to a secret.
	TagSecret(ctx context.Context, arn string, tags map[string]string) error
}

// AWS opens accounts. Nothing is cached that could outlive a change of the role.
type AWS interface {
	Account(ctx context.Context, id rotation.AccountID) (Account, error) // ErrUnreachable
}

// Store is what the rotator reads and writes.
type Store interface {
	GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error)
	SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error)
	GetExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (rotation.Exemption, error)
}

// Teller tells people what a rotation's state means for them. It returns the messages that now show it; those that were
// posted before a failure are returned beside the error.
type Teller interface {
	Tell(ctx context.Context, r rotation.Rotation) ([]rotation.MessageRef, error)
}
