// Package rotator performs one step of one rotation on AWS: evict, issue, verify, store, promote, deactivate, delete,
// restore. It picks up after a crash, its own or another process's.
//
// Every mutation is claimed by a conditional write first, then AWS is read again, then the call is made, then the result is
// saved. It must not know Slack, mail, SQL or the AWS SDK: it declares what it needs in ports.go.
package rotator
