package dynamo

import (
	"context"
	"errors"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// condition is what has to hold for a write, and the values that it names by ":name". Attributes are named by "#name".
type condition struct {
	expr   string
	values item
}

// The conditions of most writes.
var (
	isNew   = condition{expr: "attribute_not_exists(#pk)"}
	exists  = condition{expr: "attribute_exists(#pk)"}
	isKnown = condition{"attribute_not_exists(#pk) OR #schema <= :schema", item{":schema": schema()}} // not of a newer version
)

// isNoOtherLeak holds where a request takes the place of none, or of one that reports no other leak: a leak must not be lost.
func isNoOtherLeak(q rotation.Request) condition {
	leaked := string(q.Leaked)
	if leaked == "" {
		leaked = "none" // which no key is called
	}
	return condition{"(" + isKnown.expr + ") AND (attribute_not_exists(#leaked) OR #leaked = :leaked)", item{":schema": schema(), ":leaked": text(leaked)}}
}

// names finds the attributes that expressions name.
func names(exprs ...string) map[string]string {
	out := map[string]string{}
	for _, e := range exprs {
		for i := 0; i < len(e); i++ {
			if e[i] != '#' {
				continue
			}
			j := i + 1
			for j < len(e) && e[j] >= 'a' && e[j] <= 'z' {
				j++
			}
			out[e[i:j]] = e[i+1 : j]
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// refused is a write whose condition does not hold. It carries the item as it is, if the server says it.
type refused struct{ item item }

// Error implements error.
func (*refused) Error() string { return "the condition of the write does not hold" }

// conditional makes a refused of the SDK's error.
func conditional(err error) error {
	if e, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return &refused{e.Item}
	}
	return err
}

// put writes an item on a condition.
func (s *Store) put(ctx context.Context, it item, c condition) error {
	_, err := s.replace(ctx, it, c, types.ReturnValueNone)
	return err
}

// replace is put that may return what was there before.
func (s *Store) replace(ctx context.Context, it item, c condition, want types.ReturnValue) (item, error) {
	if err := it.fits(); err != nil {
		return nil, err
	}
	out, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, Item: it, ReturnValues: want, ConditionExpression: optional(c.expr), ExpressionAttributeNames: names(c.expr),
		ExpressionAttributeValues: c.values, ReturnValuesOnConditionCheckFailure: onFailure(c),
	})
	if err != nil {
		return nil, conditional(err)
	}
	return out.Attributes, nil
}

func onFailure(c condition) types.ReturnValuesOnConditionCheckFailure {
	if c.expr == "" {
		return types.ReturnValuesOnConditionCheckFailureNone
	}
	return types.ReturnValuesOnConditionCheckFailureAllOld
}

// update changes attributes of an item on a condition, and returns the item if it is asked to.
func (s *Store) update(ctx context.Context, k key, expr string, values item, c condition, want types.ReturnValue) (item, error) {
	all := item{}
	maps.Copy(all, values)
	maps.Copy(all, c.values)
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: k.item(), UpdateExpression: &expr, ConditionExpression: optional(c.expr), ExpressionAttributeNames: names(expr, c.expr),
		ExpressionAttributeValues: all, ReturnValues: want, ReturnValuesOnConditionCheckFailure: onFailure(c),
	})
	if err != nil {
		return nil, conditional(err)
	}
	return out.Attributes, nil
}

// remove deletes an item on a condition. It is no error if there is none, unless the condition says so.
func (s *Store) remove(ctx context.Context, k key, c condition) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: &s.table, Key: k.item(), ConditionExpression: optional(c.expr), ExpressionAttributeNames: names(c.expr),
		ExpressionAttributeValues: c.values, ReturnValuesOnConditionCheckFailure: onFailure(c),
	})
	return conditional(err)
}

// get reads an item as it is. store.ErrNotFound.
func (s *Store) get(ctx context.Context, k key) (item, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: k.item(), ConsistentRead: aws.Bool(true)})
	switch {
	case err != nil:
		return nil, err
	case out.Item == nil:
		return nil, store.ErrNotFound
	}
	return out.Item, nil
}
