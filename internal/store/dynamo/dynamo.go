// Package dynamo keeps keyturn's state in one DynamoDB table that any number of processes use at once. It owns the table's
// keys, its indexes and how large records are cut; what a record looks like is package record's. It must not know what a
// rotation's state means, nor who reads the table's stream. It uses no transaction and never scans.
package dynamo

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/keyturn/keyturn/internal/pause"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Options say which table a store uses.
type Options struct {
	Client *dynamodb.Client
	Table  string

	// Now is the protocol clock: the stamp of Touch, the end of runs and the age of leftovers. Nil is the real one.
	Now func() time.Time

	// Feed says whether the consumer of the table's stream should look at a rotation as it is saved. Nil is never.
	Feed func(rotation.Rotation) bool
}

// Store is a table. It is safe for concurrent use, and so is the table by several stores.
type Store struct {
	client calls
	table  string
	now    func() time.Time
	feed   func(rotation.Rotation) bool
	token  func() string
	pause  func(context.Context, time.Duration) error
	known  *cache
}

// New returns a store. It asks nothing of the table: see Check.
func New(o Options) *Store {
	s := &Store{client: callsOf(o.Client), table: o.Table, now: o.Now, feed: o.Feed, token: rand.Text, pause: pause.For, known: newCache()}
	if s.now == nil {
		s.now = time.Now
	}
	if s.feed == nil {
		s.feed = func(rotation.Rotation) bool { return false }
	}
	return s
}

// Close ends the use of the table. There is nothing to end.
func (s *Store) Close() error { return nil }
