package rotator

// The tags of a secret that keyturn made. They let a store that was lost be told apart from keys that nobody rotated.
const (
	TagManaged  = "keyturn:managed"  // "true": without it keyturn touches no secret
	TagRotation = "keyturn:rotation" // the rotation's ID
	TagUserID   = "keyturn:user-id"  // IAM's UserId of the user whose key it holds
	TagOldKey   = "keyturn:old-key"  // the key that is being replaced
	TagNewKey   = "keyturn:new-key"  // the key that the current version holds
)
