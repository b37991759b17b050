package page

import (
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/rotator"
)

// secretRow is a secret as a person sees it: what it is, and never its value.
type secretRow struct {
	Name, KMSKey, Policy string
	Deleted              bool
	Tags                 []string
	Versions             []secretVersion // the latest first
}

type secretVersion struct{ ID, Labels string }

// holds says whether a secret is a user's: by keyturn's tag, or by its name where it has none.
func holds(s awsemu.SecretInfo, u awsemu.User) bool {
	if id := s.Tags[rotator.TagUserID]; id != "" {
		return id == u.UserID
	}
	return s.Name == u.Name || strings.HasSuffix(s.Name, "/"+u.Name)
}

// secrets lists those secrets of an account that are wanted.
func (p *Server) secrets(account string, wanted func(awsemu.SecretInfo) bool) (out []secretRow) {
	kms := p.stage.AWS.KMSKeys(account)
	for _, s := range p.stage.AWS.Secrets(account) {
		if !wanted(s) {
			continue
		}
		row := secretRow{Name: s.Name, KMSKey: kmsName(s.KMSKeyID, kms), Policy: indented(s.Policy), Deleted: s.Deleted, Tags: pairs(s.Tags)}
		for _, v := range slices.Backward(s.Versions) {
			labels := strings.Join(v.Labels, ", ")
			if labels == "" {
				labels = "no label"
			}
			row.Versions = append(row.Versions, secretVersion{v.ID, labels})
		}
		out = append(out, row)
	}
	return out
}

// kmsName is how a secret names its KMS key, with the aliases of that key.
func kmsName(id string, keys []awsemu.KMSKey) string {
	if id == "" {
		return "aws/secretsmanager"
	}
	for _, k := range keys {
		if id == k.ID || strings.HasSuffix(id, "key/"+k.ID) {
			return strings.TrimSpace(id + " " + strings.Join(k.Aliases, " "))
		}
	}
	return id
}
