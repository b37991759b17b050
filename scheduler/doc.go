// Package scheduler finds aging keys: it inventories the organization, scans one account at a time, plans, opens or
// refreshes rotations, and reports the run. Its tick finds everything whose time has come and wakes it.
//
// It reads AWS and never mutates it, and it must not know Slack, mail, SQL or the AWS SDK: it declares what it needs in
// ports.go.
package scheduler
