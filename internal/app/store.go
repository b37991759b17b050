package app

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store/dynamo"
)

var _ Store = (*dynamo.Store)(nil)

// openStore opens the store that the configuration names.
func (a *App) openStore(o Options) error {
	switch cfg := a.Config.Store; {
	case cfg.DynamoDB != "":
		table, err := tableName(cfg.DynamoDB)
		if err != nil {
			return err
		}
		a.table = dynamo.New(dynamo.Options{Client: dynamodb.NewFromConfig(a.Accounts.Config()), Table: table, Now: o.Real, Feed: feed(o)})
		a.Store = a.table
	case o.Function != "":
		return NeedsTable(a.Config, o.Function)
	default:
		db, err := openSQLite(cfg.SQLite)
		if err != nil {
			return err
		}
		a.Store = db
	}
	if o.WrapStore != nil {
		a.Store = o.WrapStore(a.Store)
	}
	if o.Meter != nil {
		a.Store = meter(a.Store, o.Meter, o.Now)
	}
	return nil
}

// NeedsTable says what is wrong with the store of a function's configuration.
func NeedsTable(c config.Config, f Function) error {
	if c.Store.DynamoDB == "" {
		return fmt.Errorf("the function %s keeps its state in a table, and the configuration names a file: set store.dynamodb instead of store.sqlite", f)
	}
	_, err := tableName(c.Store.DynamoDB)
	return err
}

// feed says which saved rotations the rotator's function should look at now: those with a step or a word to people whose
// time has come. What the rotator saves itself wakes nobody: it goes on until nothing is left, and what comes later is the
// tick's.
func feed(o Options) func(rotation.Rotation) bool {
	if o.Function == Rotator {
		return nil
	}
	return func(r rotation.Rotation) bool { return !r.NextAt.IsZero() && !r.NextAt.After(o.Now()) }
}

// tableName resolves env:NAME.
func tableName(ref string) (string, error) {
	name, ok := strings.CutPrefix(ref, "env:")
	if !ok {
		return ref, nil
	}
	if v := os.Getenv(name); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("store.dynamodb: the environment variable %s is not set. The stack sets it for its functions; elsewhere set it to the name of the table", name)
}

// tellWait is how long the tick leaves it to a run to tell people: accounts that are scanned one by one take longer.
func tellWait(f Function) time.Duration {
	if f == "" {
		return 0
	}
	return 3 * time.Hour
}

// errOneProcess is why serve does not take a table.
var errOneProcess = errors.New("serve is everything in one process and keeps its state in a file: set store.sqlite. store.dynamodb is for the three functions that infra/ deploys")
