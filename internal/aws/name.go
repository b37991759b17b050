package aws

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

var (
	validUserName   = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]{1,64}$`) // IAM API, CreateUser
	validSecretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)
	validAccountID  = regexp.MustCompile(`^[0-9]{12}$`)
)

// SecretName fills a template with {account} and {user}. A user name may have a comma, which a secret's name may not: it
// becomes a slash, which no user name has, so no two users of an account share a secret.
//
// AWS advises against names that end in a hyphen and six characters, because a search by an ARN without its random suffix may
// take them for that suffix. Such user names are common (ci-runner), and escaping them would surprise the people who read
// their secrets by name. It is harmless here: keyturn looks secrets up by their whole name or their whole ARN.
func SecretName(template string, account rotation.AccountID, user rotation.UserName) (string, error) {
	switch {
	case !strings.Contains(template, "{user}"):
		return "", fmt.Errorf("secret name %q: it must contain {user}, or users would share a secret", template)
	case !validAccountID.MatchString(string(account)):
		return "", fmt.Errorf("secret name %q: %q is not an account ID", template, account)
	case !validUserName.MatchString(string(user)):
		return "", fmt.Errorf("secret name %q: %q is not the name of an IAM user", template, user)
	}
	name := strings.NewReplacer("{account}", string(account), "{user}", strings.ReplaceAll(string(user), ",", "/")).Replace(template)
	if !validSecretName.MatchString(name) {
		return "", fmt.Errorf("secret name %q: Secrets Manager takes at most 512 letters, digits and /_+=.@-", name)
	}
	return name, nil
}
