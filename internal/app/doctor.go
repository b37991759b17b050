package app

import (
	"context"
	"fmt"
)

// Check is one thing that doctor looked at.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`           // what was found
	Mend string `json:"mend,omitempty"` // what to do, when it is not in order
}

// DoctorOptions says what doctor looks at beside what the configuration names.
type DoctorOptions struct {
	// All looks at every account. Otherwise a sample is enough: a StackSet deploys the same role everywhere.
	All   bool
	Queue string // URL of the queue of accounts to scan; "": there is none, or it is not known
}

// Doctor checks that everything outside is as keyturn needs it. It changes nothing. found is called for each check as soon
// as it is done, so that a person sees progress. A function looks at what it needs itself, with its own credentials.
func (a *App) Doctor(ctx context.Context, o DoctorOptions, found func(Check)) bool {
	all := true
	say := func(name string, err error, text, mend string) bool {
		c := Check{Name: name, OK: err == nil, Text: text}
		if err != nil {
			c.Text, c.Mend, all = err.Error(), mend, false
		}
		found(c)
		return err == nil
	}
	say("configuration", nil, fmt.Sprintf("%d rules", len(a.Config.Rules)), "")
	a.doctorStore(ctx, say)
	if o.Queue != "" {
		waiting, err := a.Accounts.Queue(o.Queue).Check(ctx)
		say("queue of accounts", err, fmt.Sprintf("%d messages wait", waiting), "deploy the stack again, and check KEYTURN_QUEUE_URL and the role's permission sqs:GetQueueAttributes")
	}
	a.doctorSlack(ctx, say)
	if a.function == Bot {
		return all // it touches no AWS beside its table and its secrets
	}
	a.doctorAWS(ctx, o.All, say)
	return all
}

type sayFunc func(name string, err error, text, mend string) bool

func (a *App) doctorStore(ctx context.Context, say sayFunc) {
	if a.table == nil {
		_, err := a.Store.GetState(ctx, lastScan)
		say("store", err, a.Config.Store.SQLite+" can be read and written", "check that the folder exists, is writable and has space")
		return
	}
	name, err := tableName(a.Config.Store.DynamoDB)
	if err == nil {
		err = a.table.Check(ctx)
	}
	say("store", err, "table "+name+" has its keys, indexes and stream", "deploy the stack that makes the table, and check store.dynamodb and the region")
}
