package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Check asks whether the table is as Schema says: its keys, its indexes and its stream. The error names everything that is
// missing, and how to mend it.
func (s *Store) Check(ctx context.Context) error {
	what := "check table " + s.table
	out, err := s.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &s.table})
	if err != nil {
		return s.typed(ctx, what, err)
	}
	if err := errors.Join(faults(out.Table, Schema(s.table))...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

const deploy = "Deploy the stack's template again"

func faults(have *types.TableDescription, want *dynamodb.CreateTableInput) (out []error) {
	add := func(format string, args ...any) { out = append(out, fmt.Errorf(format, args...)) }
	if have == nil {
		return []error{errors.New("the answer describes no table")}
	}
	if st := have.TableStatus; st != types.TableStatusActive && st != types.TableStatusUpdating {
		add("it is %s, not ACTIVE: wait until it is made, or restore it", st)
	}
	if got, need := keysText(have.KeySchema, have.AttributeDefinitions), keysText(want.KeySchema, want.AttributeDefinitions); got != need {
		add("its keys are %s, not %s: it is another program's table. Name another one by store.dynamodb", got, need)
	}
	for _, w := range want.GlobalSecondaryIndexes {
		name := aws.ToString(w.IndexName)
		i := slices.IndexFunc(have.GlobalSecondaryIndexes, func(x types.GlobalSecondaryIndexDescription) bool { return aws.ToString(x.IndexName) == name })
		if i < 0 {
			add("the index %s is missing, so lists and the tick find nothing. %s", name, deploy)
			continue
		}
		h := have.GlobalSecondaryIndexes[i]
		if got, need := keysText(h.KeySchema, have.AttributeDefinitions), keysText(w.KeySchema, want.AttributeDefinitions); got != need {
			add("the keys of index %s are %s, not %s. Delete the index, then: %s", name, got, need, deploy)
		}
		if h.IndexStatus != types.IndexStatusActive && h.IndexStatus != types.IndexStatusUpdating {
			add("the index %s is %s, not ACTIVE: wait until it is filled", name, h.IndexStatus)
		}
	}
	st := have.StreamSpecification
	switch {
	case st == nil || !aws.ToBool(st.StreamEnabled):
		add("its stream is off, so no click and no request wakes anything. %s, or turn the stream on with view type NEW_IMAGE", deploy)
	case st.StreamViewType != types.StreamViewTypeNewImage && st.StreamViewType != types.StreamViewTypeNewAndOldImages:
		add("its stream carries %s, not NEW_IMAGE, so its records wake nothing. Turn the stream off, then: %s", st.StreamViewType, deploy)
	}
	return out
}

// keysText writes keys with their types, "pk (S), sk (S)".
func keysText(keys []types.KeySchemaElement, defs []types.AttributeDefinition) string {
	var out []string
	for _, kind := range []types.KeyType{types.KeyTypeHash, types.KeyTypeRange} {
		for _, k := range keys {
			if k.KeyType != kind {
				continue
			}
			typ := types.ScalarAttributeType("?")
			for _, d := range defs {
				if aws.ToString(d.AttributeName) == aws.ToString(k.AttributeName) {
					typ = d.AttributeType
				}
			}
			out = append(out, fmt.Sprintf("%s (%s)", aws.ToString(k.AttributeName), typ))
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}
