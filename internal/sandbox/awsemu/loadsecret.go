package awsemu

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// arnSuffix is what AWS adds to the name of a secret in its ARN.
const arnSuffix = len("-abcdef")

func loadSecrets(a *account, in *savedAccount) error {
	for _, x := range in.Secrets {
		if x.Name == "" || a.secrets[x.Name] != nil || !strings.HasPrefix(x.ARN, "arn:") || len(x.ARN) < len("arn:")+arnSuffix {
			return fmt.Errorf("secret %q is there twice, or is none", x.Name)
		}
		out, err := loadSecret(x)
		if err != nil {
			return fmt.Errorf("secret %q: %w", x.Name, err)
		}
		a.secrets[x.Name] = out
	}
	return nil
}

func loadSecret(in savedSecret) (x *secret, err error) {
	x = &secret{
		name: in.Name, arn: in.ARN, description: in.Description, kmsKey: in.KMSKeyID, tags: in.Tags, created: in.Created.Time, changed: in.Changed.Time,
		accessed: in.Accessed.Time, deleted: in.Deleted.Time, rotation: in.Rotation,
	}
	if x.tags == nil {
		x.tags = map[string]string{}
	}
	if in.Window != "" {
		if x.window, err = time.ParseDuration(in.Window); err != nil {
			return nil, err
		}
	}
	for _, v := range in.Versions {
		if v.ID == "" || x.version(v.ID) != nil {
			return nil, fmt.Errorf("version %q is there twice, or has no ID", v.ID)
		}
		x.versions = append(x.versions, &version{id: v.ID, value: v.Value, binary: v.Binary, labels: v.Labels, created: v.Created.Time})
	}
	for _, r := range in.Replicas {
		x.replicas = append(x.replicas, Replica(r))
	}
	if in.Policy != nil {
		x.policy, err = loadPolicy(in.Policy)
	}
	return x, err
}

func loadPolicy(in *savedPolicy) (*policy, error) {
	p := &policy{text: in.Text, bound: map[string]bound{}}
	for arn, b := range in.Bound {
		p.bound[arn] = bound{account: b.Account, id: b.ID}
	}
	for _, st := range in.Statements {
		if st.Effect != "Allow" && st.Effect != "Deny" {
			return nil, fmt.Errorf("a statement of its policy has the effect %q", st.Effect)
		}
		p.statements = append(p.statements, statement{Effect: st.Effect, principals: st.Principals, actions: st.Actions})
	}
	return p, nil
}

func loadKMS(a *account, in *savedAccount) error {
	for _, x := range in.KMS {
		if x.ID == "" || a.kms[x.ID] != nil {
			return fmt.Errorf("KMS key %q is there twice, or has no ID", x.ID)
		}
		k := KMSKey(x)
		a.kms[x.ID] = &k
	}
	for _, alias := range slices.Sorted(maps.Keys(in.Aliases)) {
		k := a.kms[in.Aliases[alias]]
		if k == nil {
			return fmt.Errorf("alias %q is of a KMS key that is not there", alias)
		}
		a.aliases[alias] = k
	}
	return nil
}
