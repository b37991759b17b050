package rotator

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// vault is one secret of the cloud, with the label rules of Secrets Manager.
type vault struct {
	SecretState
	values map[string]string
	policy string // whom it names
}

func (c *cloud) vault(nameOrARN string) *vault {
	for _, v := range c.secrets {
		if v.ARN == nameOrARN || v.Name == nameOrARN {
			return v
		}
	}
	return nil
}

func (v *vault) state() SecretState {
	s := v.SecretState
	s.Tags, s.Labels = maps.Clone(v.Tags), map[string][]string{}
	for id, l := range v.Labels {
		s.Labels[id] = slices.Clone(l)
	}
	return s
}

func (c *cloud) Secret(ctx context.Context, nameOrARN string) (out SecretState, err error) {
	err = c.call(ctx, "DescribeSecret", func() error {
		if v := c.vault(nameOrARN); v != nil {
			out = v.state()
		}
		return nil
	})
	return out, err
}

func (c *cloud) PrepareSecret(ctx context.Context, spec SecretSpec) (out SecretState, err error) {
	err = c.call(ctx, "CreateSecret", func() error {
		v := c.secrets[spec.Name]
		if v == nil {
			v = &vault{SecretState: SecretState{Exists: true, Name: spec.Name, ARN: "arn:aws:secretsmanager:eu-central-1:" + string(acct) + ":secret:" + spec.Name + "-AbCdEf",
				Tags: map[string]string{}, Labels: map[string][]string{}, ReplicasInSync: true}, values: map[string]string{}}
			c.secrets[spec.Name] = v
		}
		maps.Copy(v.Tags, spec.Tags)
		v.policy = spec.UserARN
		out = v.state()
		return nil
	})
	return out, err
}

func (v *vault) move(label, version string) {
	for id, l := range v.Labels {
		v.Labels[id] = slices.DeleteFunc(l, func(x string) bool { return x == label })
	}
	if version != "" {
		v.Labels[version] = append(v.Labels[version], label)
	}
}

func (c *cloud) PutVersion(ctx context.Context, arn, token string, value Material) error {
	return c.call(ctx, "PutSecretValue", func() error {
		v := c.vault(arn)
		if v == nil || v.PendingDeletion {
			return fmt.Errorf("put: %w", ErrDefinite)
		}
		if old, ok := v.values[token]; ok {
			if old != value.Reveal() {
				return fmt.Errorf("another value under this token: %w", ErrDefinite)
			}
			return nil
		}
		first := len(v.values) == 0
		v.values[token] = value.Reveal()
		v.move(labelPending, token)
		if first {
			v.move(labelCurrent, token)
		}
		return nil
	})
}

func (c *cloud) Version(ctx context.Context, arn, version string) (out Material, err error) {
	err = c.call(ctx, "GetSecretValue", func() error {
		v := c.vault(arn)
		if v == nil {
			return ErrSecretNotFound
		}
		if v.PendingDeletion {
			return fmt.Errorf("read: %w", ErrDefinite)
		}
		text, ok := v.values[version]
		if !ok {
			return ErrSecretNotFound
		}
		out = NewMaterial(text)
		return nil
	})
	return out, err
}

func (c *cloud) Promote(ctx context.Context, arn, version, from string) error {
	return c.call(ctx, "UpdateSecretVersionStage", func() error {
		v := c.vault(arn)
		if v == nil || v.PendingDeletion {
			return fmt.Errorf("promote: %w", ErrDefinite)
		}
		now := v.current()
		if now != version && now != from {
			return fmt.Errorf("AWSCURRENT is on %s: %w", now, ErrDefinite)
		}
		v.move(labelCurrent, version)
		v.Labels[version] = slices.DeleteFunc(v.Labels[version], func(l string) bool { return l == labelPending })
		return nil
	})
}

func (c *cloud) TagSecret(ctx context.Context, arn string, tags map[string]string) error {
	return c.call(ctx, "TagResource", func() error {
		v := c.vault(arn)
		if v == nil || v.PendingDeletion {
			return fmt.Errorf("tag: %w", ErrDefinite)
		}
		maps.Copy(v.Tags, tags)
		return nil
	})
}
