// Package slackapi is the only place that speaks to Slack: an adapter over slack-go for the interfaces of bot and notify.
//
// It owns the token, the pace of calls that stays below Slack's limits, the bounded retries that obey Retry-After, the mapping
// of Slack's error codes to typed errors, and a short memory of people and of user groups. It must not know rotations, stores
// or what a message says. The token appears in no error and no log line.
package slackapi
