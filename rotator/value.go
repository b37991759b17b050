package rotator

import (
	"encoding/json"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// stored is the secret's value: the JSON that users of the pattern read already. Its fields keep their order, so that the
// same key always gives the same bytes.
type stored struct {
	AccessKeyID     rotation.KeyID     `json:"AccessKeyId"`
	SecretAccessKey string             `json:"SecretAccessKey"`
	UserName        rotation.UserName  `json:"UserName"`
	Status          rotation.KeyStatus `json:"Status"`
	CreateDate      string             `json:"CreateDate"`
}

// value serializes a new key for Secrets Manager.
func value(c Created) Material {
	b, err := json.Marshal(stored{c.ID, c.Secret.Reveal(), c.User, rotation.Active, c.Created.UTC().Format(time.RFC3339)})
	if err != nil {
		return Material{} // strings always serialize
	}
	return NewMaterial(string(b))
}

// readValue reads what value wrote. ok is false for anything else.
func readValue(m Material) (rotation.KeyID, Material, bool) {
	var v stored
	if json.Unmarshal([]byte(m.Reveal()), &v) != nil || v.AccessKeyID == "" || v.SecretAccessKey == "" {
		return "", Material{}, false
	}
	return v.AccessKeyID, NewMaterial(v.SecretAccessKey), true
}
