package rotation

import "time"

// Creating says that CreateAccessKey is about to be called under the journal.
type Creating struct{ Token string }

// Name implements Event.
func (Creating) Name() string { return "creating" }

// By implements Event.
func (Creating) By() Actor      { return System }
func (e Creating) note() string { return "" }

func (e Creating) apply(r *Rotation, now time.Time) error {
	j, err := r.journal(e.Token)
	if err != nil {
		return err
	}
	if j.NewKey != "" || j.LostKey != "" {
		return refuse(NotNow, "this attempt has made key %s%s already", j.NewKey, j.LostKey)
	}
	j.Creates++
	j.LastLease = latest(j.LastLease, r.Acting.LeaseUntil)
	return nil
}

// NotCreated says that the create was definitely refused, so that a key that appears is somebody else's. The attempt ends;
// the next one begins with a fresh token.
type NotCreated struct {
	Token string
	Error string
}

// Name implements Event.
func (NotCreated) Name() string { return "not_created" }

// By implements Event.
func (NotCreated) By() Actor      { return System }
func (e NotCreated) note() string { return e.Error }

func (e NotCreated) apply(r *Rotation, now time.Time) error {
	j, err := r.journal(e.Token)
	if err != nil {
		return err
	}
	if j.NewKey != "" || j.Creates != 1 {
		return refuse(NotNow, "an earlier create of this attempt may have succeeded")
	}
	r.Journal = nil
	return nil
}

// KeyCreated saves the ID of the new key as soon as the create answered.
type KeyCreated struct {
	Token   string
	Key     KeyID
	Created time.Time // as IAM says
}

// Name implements Event.
func (KeyCreated) Name() string { return "key_created" }

// By implements Event.
func (KeyCreated) By() Actor      { return System }
func (e KeyCreated) note() string { return string(e.Key) }

func (e KeyCreated) apply(r *Rotation, now time.Time) error {
	j, err := r.journal(e.Token)
	if err != nil {
		return err
	}
	if e.Key == "" || e.Key == r.Old.ID || j.NewKey != "" && j.NewKey != e.Key {
		return refuse(Invalid, "key %s cannot be the new key of this attempt", e.Key)
	}
	j.NewKey, j.NewCreated = e.Key, e.Created
	return nil
}

// Stored says that the new key's value is in the secret's version.
type Stored struct{ Token string }

// Name implements Event.
func (Stored) Name() string { return "stored" }

// By implements Event.
func (Stored) By() Actor      { return System }
func (e Stored) note() string { return "" }

func (e Stored) apply(r *Rotation, now time.Time) error {
	j, err := r.journal(e.Token)
	if err != nil {
		return err
	}
	if j.NewKey == "" {
		return refuse(NotNow, "there is no new key to store yet")
	}
	j.Stored = true
	return nil
}

// Verified says that the new key answered as its user at At (domain clock).
type Verified struct {
	Token string
	At    time.Time
}

// Name implements Event.
func (Verified) Name() string { return "verified" }

// By implements Event.
func (Verified) By() Actor      { return System }
func (e Verified) note() string { return "" }

func (e Verified) apply(r *Rotation, now time.Time) error {
	j, err := r.journal(e.Token)
	if err != nil {
		return err
	}
	if !j.Stored {
		return refuse(NotNow, "the new key is not stored yet")
	}
	j.VerifiedAt = e.At
	return nil
}

// KeyLost says that the secret of a key which this attempt made is lost, and that the key was deactivated; or, with Gone,
// that somebody else deleted the key.
type KeyLost struct {
	Token string
	Key   KeyID
	Gone  bool
}

// Name implements Event.
func (KeyLost) Name() string { return "key_lost" }

// By implements Event.
func (KeyLost) By() Actor { return System }
func (e KeyLost) note() string {
	if e.Gone {
		return string(e.Key) + " was deleted by somebody before it was ready"
	}
	return string(e.Key) + " was created, but its secret was lost; deactivated"
}

func (e KeyLost) apply(r *Rotation, now time.Time) error {
	j, err := r.journal(e.Token)
	if err != nil {
		return err
	}
	if e.Key == "" || e.Key == r.Old.ID || j.Stored && !e.Gone || j.NewKey != "" && j.NewKey != e.Key {
		return refuse(Invalid, "key %s is not a lost key of this attempt", e.Key)
	}
	j.LostKey, j.LostAt = e.Key, now
	r.Acting = nil
	r.Trouble = &Trouble{Op: OpIssue, Attempts: r.attempts(OpIssue), Error: "the secret of a new key was lost; the key is removed first", RetryAt: now.Add(LostWait)}
	return nil
}

// LostWait is how long a deactivated key whose secret was lost must stay unused before it is deleted.
const LostWait = 15 * time.Minute

// LostRemoved says that the lost key was deleted. The next attempt begins with a fresh token.
type LostRemoved struct{ Token string }

// Name implements Event.
func (LostRemoved) Name() string { return "lost_removed" }

// By implements Event.
func (LostRemoved) By() Actor      { return System }
func (e LostRemoved) note() string { return "" }

func (e LostRemoved) apply(r *Rotation, now time.Time) error {
	j, err := r.journal(e.Token)
	if err != nil {
		return err
	}
	if j.LostKey == "" || now.Before(j.LostAt.Add(LostWait)) {
		return refuse(NotNow, "there is no lost key to remove now")
	}
	r.Journal = &Journal{Lost: j.Lost + 1, SecretARN: j.SecretARN, SecretName: j.SecretName, LastLease: j.LastLease}
	return nil
}

// Issued says that the new key is stored, verified and AWSCURRENT.
type Issued struct{ Token string }

// Name implements Event.
func (Issued) Name() string { return "issued" }

// By implements Event.
func (Issued) By() Actor      { return System }
func (e Issued) note() string { return "" }

func (e Issued) apply(r *Rotation, now time.Time) error {
	j, err := r.journal(e.Token)
	if err != nil {
		return err
	}
	if j.NewKey == "" || !j.Stored || j.VerifiedAt.IsZero() || j.LostKey != "" {
		return refuse(NotNow, "the new key is not stored and verified yet")
	}
	r.New = &NewKey{
		ID: j.NewKey, Created: j.NewCreated, SecretARN: j.SecretARN, SecretName: j.SecretName,
		VersionID: j.Token, VerifiedAt: j.VerifiedAt,
	}
	r.Journal = nil
	r.done()
	r.State, r.DeactivateAt = Installing, now.Add(r.Policy.InstallGrace)
	if !r.Old.InactiveSince.IsZero() {
		r.State, r.DeleteAt = Recovering, r.Old.InactiveSince.Add(r.Policy.RecoveryGrace)
	}
	r.tell()
	return nil
}

// journal returns the journal of the running attempt for the holder of the claim.
func (r *Rotation) journal(token string) (*Journal, error) {
	if err := r.in("go on issuing", Issuing); err != nil {
		return nil, err
	}
	if err := r.holder(token, OpIssue); err != nil {
		return nil, err
	}
	if r.Journal == nil || r.Journal.Token == "" {
		return nil, refuse(NotNow, "no attempt to issue a key has begun")
	}
	return r.Journal, nil
}

func (r *Rotation) attempts(op Op) int {
	if r.Trouble == nil || r.Trouble.Op != op {
		return 0
	}
	return r.Trouble.Attempts
}
