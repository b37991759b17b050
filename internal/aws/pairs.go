package aws

import (
	"context"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
)

// finder finds what keyturn left in an account.
type finder struct {
	account rotation.AccountID
	secrets secretCalls
}

var _ scheduler.Secrets = (*finder)(nil)

// Secrets implements scheduler.AccountReader.
func (c *Client) Secrets(ctx context.Context, account scheduler.Account) (scheduler.Secrets, error) {
	cfg, err := c.account(ctx, account.ID, c.opts.ScanRole)
	if err != nil {
		return nil, err
	}
	return &finder{account.ID, newSecrets(cfg)}, nil
}

// Pairs implements scheduler.Secrets. Secrets that are scheduled for deletion count too: what their tags say is still true.
// Of several secrets of one user, which a rename leaves behind, one that is not to be deleted counts, and the latest.
func (f *finder) Pairs(ctx context.Context) (map[rotation.UserID]scheduler.Pair, error) {
	best := map[rotation.UserID]types.SecretListEntry{}
	pages := secretsmanager.NewListSecretsPaginator(f.secrets.ListSecrets, &secretsmanager.ListSecretsInput{
		Filters:                []types.Filter{{Key: types.FilterNameStringTypeTagKey, Values: []string{rotator.TagManaged}}},
		IncludePlannedDeletion: awssdk.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, failed("list keyturn's secrets in "+string(f.account), err)
		}
		for _, s := range page.SecretList {
			tags := tagMap(s.Tags)
			user := rotation.UserID(tags[rotator.TagUserID])
			// The filter is a prefix match over the tags' keys.
			if tags[rotator.TagManaged] != managed || user == "" {
				continue
			}
			if have, ok := best[user]; !ok || preferred(s, have) {
				best[user] = s
			}
		}
	}
	out := make(map[rotation.UserID]scheduler.Pair, len(best))
	for user, s := range best {
		tags := tagMap(s.Tags)
		out[user] = scheduler.Pair{
			SecretARN: awssdk.ToString(s.ARN), Rotation: rotation.ID(tags[rotator.TagRotation]),
			Old: rotation.KeyID(tags[rotator.TagOldKey]), New: rotation.KeyID(tags[rotator.TagNewKey]),
		}
	}
	return out, nil
}

// preferred reports whether a says more about its user than b.
func preferred(a, b types.SecretListEntry) bool {
	if da, db := a.DeletedDate != nil, b.DeletedDate != nil; da != db {
		return db
	}
	if ta, tb := touched(a), touched(b); !ta.Equal(tb) {
		return ta.After(tb)
	}
	return awssdk.ToString(a.ARN) < awssdk.ToString(b.ARN)
}

func touched(s types.SecretListEntry) time.Time {
	if s.LastChangedDate != nil {
		return *s.LastChangedDate
	}
	return awssdk.ToTime(s.CreatedDate)
}
