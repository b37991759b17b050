// Package aws is the only place that speaks to AWS: adapters over aws-sdk-go-v2 for the interfaces of scheduler, rotator,
// notify and doctor, split by service.
//
// It owns the sessions of the roles in the accounts, paging, retries, time limits, and the mapping of AWS's error codes to
// the callers' sentinel errors. It must not know rotations' states, policies, Slack or a store, and it decides nothing: what
// it cannot read is an error or unknown, never a harmless default. A key's secret appears in no error and no log line.
package aws
