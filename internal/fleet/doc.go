// Package fleet tests keyturn as an organization runs it: three Lambda functions from one binary on DynamoDB, under the
// policies of infra's templates, against emulators that speak the protocols of AWS and Slack. It holds tests alone.
package fleet
