package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// calls is DynamoDB as the store calls it: exactly these operations. The SDK's client stays out of the Store, because one that
// is reachable through an interface is linked with all its operations (reflection of templates may call any exported method).
type calls struct {
	BatchGetItem  call[dynamodb.BatchGetItemInput, dynamodb.BatchGetItemOutput]
	DeleteItem    call[dynamodb.DeleteItemInput, dynamodb.DeleteItemOutput]
	DescribeTable call[dynamodb.DescribeTableInput, dynamodb.DescribeTableOutput]
	GetItem       call[dynamodb.GetItemInput, dynamodb.GetItemOutput]
	PutItem       call[dynamodb.PutItemInput, dynamodb.PutItemOutput]
	Query         call[dynamodb.QueryInput, dynamodb.QueryOutput]
	UpdateItem    call[dynamodb.UpdateItemInput, dynamodb.UpdateItemOutput]
}

type call[I, O any] = func(context.Context, *I, ...func(*dynamodb.Options)) (*O, error)

func callsOf(c *dynamodb.Client) calls {
	return calls{
		BatchGetItem: c.BatchGetItem, DeleteItem: c.DeleteItem, DescribeTable: c.DescribeTable, GetItem: c.GetItem,
		PutItem: c.PutItem, Query: c.Query, UpdateItem: c.UpdateItem,
	}
}
