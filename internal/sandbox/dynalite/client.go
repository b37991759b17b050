package dynalite

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Region is the one that the server's clients name.
const Region = "us-east-1"

// connections is shared by the clients of a process, as the services of the product share theirs.
var connections = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// whole reads an answer before it returns it, as the product's own HTTP client does: smithy-go v1.28.8 closes the request's
// body as soon as the answer begins, and net/http then closes the connection under an answer that is still being read.
type whole struct{}

// Do implements aws.HTTPClient.
func (whole) Do(req *http.Request) (*http.Response, error) {
	resp, err := connections.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// HTTP is the HTTP client of Client, for tests that put something before it.
func HTTP() aws.HTTPClient { return whole{} }

// Client returns a client of the server. The server takes any credentials.
func (s *Server) Client(opts ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: Region, BaseEndpoint: &s.url, HTTPClient: HTTP(),
		Credentials: credentials.NewStaticCredentialsProvider("AKIADYNALITE", "SANDBOXSECRET-dynalite", ""),
	}, opts...)
}

// Table makes a table and waits until it is there.
func (s *Server) Table(ctx context.Context, in *dynamodb.CreateTableInput) error {
	c := s.Client()
	if _, err := c.CreateTable(ctx, in); err != nil {
		return fmt.Errorf("make table %s: %w", aws.ToString(in.TableName), err)
	}
	for {
		out, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: in.TableName})
		if err != nil {
			return fmt.Errorf("describe table %s: %w", aws.ToString(in.TableName), err)
		}
		if out.Table.TableStatus == types.TableStatusActive {
			return nil
		}
	}
}
