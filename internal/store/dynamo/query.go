package dynamo

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// query is a query of the table, or of an index.
type query struct {
	index  string // "" is the table, read as it is; an index lags behind it
	pk     string
	expr   string // on the sort key #sk, "" is all of the partition
	values item
	limit  int    // 0 is none
	fields string // a projection, "" is everything
	newest bool   // the last by the sort key first
}

// page runs a query once, from after the key that the page before returned as its last.
func (s *Store) page(ctx context.Context, q query, start item) (items []item, last item, err error) {
	pk, sk := attrPK, attrSK
	in := &dynamodb.QueryInput{TableName: &s.table, ExclusiveStartKey: start, ExpressionAttributeValues: item{":pk": text(q.pk)}}
	if q.index == "" {
		in.ConsistentRead = aws.Bool(true)
	} else {
		in.IndexName, pk, sk = &q.index, q.index+attrPK, q.index+attrSK
	}
	in.ExpressionAttributeNames = map[string]string{"#pk": pk}
	expr := "#pk = :pk"
	if q.expr != "" {
		expr += " AND " + q.expr
		in.ExpressionAttributeNames["#sk"] = sk
	}
	in.KeyConditionExpression = &expr
	maps.Copy(in.ExpressionAttributeValues, q.values)
	if q.limit > 0 {
		in.Limit = aws.Int32(int32(q.limit))
	}
	if q.newest {
		in.ScanIndexForward = aws.Bool(false)
	}
	if q.fields != "" {
		in.ProjectionExpression = &q.fields
		maps.Copy(in.ExpressionAttributeNames, names(q.fields))
	}
	out, err := s.client.Query(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	for _, it := range out.Items {
		items = append(items, it)
	}
	return items, out.LastEvaluatedKey, nil
}

// all runs a query to its end.
func (s *Store) all(ctx context.Context, q query) (items []item, err error) {
	var start item
	for {
		some, last, err := s.page(ctx, q, start)
		if err != nil {
			return nil, err
		}
		items = append(items, some...)
		if len(last) == 0 {
			return items, nil
		}
		start = last
	}
}
