package dynamo

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/store"
)

const (
	mostBatch = 100 // keys of one BatchGetItem
	mostTries = 8   // of a batch of which nothing came
	firstWait = 25 * time.Millisecond
)

// batch reads items as they are, as many of the keys as there are. fields is a projection, "" is everything.
func (s *Store) batch(ctx context.Context, keys []key, fields string) (map[key]item, error) {
	out := map[key]item{}
	for some := range slices.Chunk(keys, mostBatch) {
		if err := s.batchOf(ctx, some, fields, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// batchOf reads what one call may ask for. DynamoDB answers with a part of it where the answer would be too large or the
// table is throttled: the first goes on at once, the second after a pause.
func (s *Store) batchOf(ctx context.Context, keys []key, fields string, out map[key]item) error {
	want := types.KeysAndAttributes{ConsistentRead: aws.Bool(true), ProjectionExpression: optional(fields), ExpressionAttributeNames: names(fields)}
	for _, k := range keys {
		want.Keys = append(want.Keys, k.item())
	}
	wait := firstWait
	for try := 1; ; {
		got, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{s.table: want}})
		if err != nil {
			return err
		}
		for _, it := range got.Responses[s.table] {
			out[item(it).key()] = it
		}
		rest := got.UnprocessedKeys[s.table].Keys
		switch {
		case len(rest) == 0:
			return nil
		case len(rest) < len(want.Keys):
			try, wait = 1, firstWait
		case try == mostTries:
			return store.ErrBusy
		default:
			if err := s.pause(ctx, wait); err != nil {
				return err
			}
			try, wait = try+1, min(2*wait, time.Second)
		}
		want.Keys = rest
	}
}
