// Package lambdaemu runs a real executable as AWS Lambda would, on loopback: a Runtime API for each process, cold starts,
// reuse, timeouts, throttling, logs, a Function URL, event source mappings for SQS and DynamoDB streams, and schedules.
//
// It owns what happens around a handler and refuses what Lambda refuses. It knows nothing of keyturn, of the services that
// the executable calls or of what its events mean, it waits for nothing but processes, and no production code imports it.
//
// Facts come from the Lambda developer guide, from the public source of AWS's runtime interface emulator (statuses and error
// types of the Runtime API) and from AWS's event ruler (filter patterns).
package lambdaemu
