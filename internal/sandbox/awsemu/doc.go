// Package awsemu is an emulated AWS for tests and the demo: one loopback server that speaks the real wire protocols of IAM,
// STS, Organizations, Secrets Manager, KMS, SES v2 and SQS to the unmodified SDK and the AWS CLI, stands before a server that
// speaks DynamoDB's, and refuses what AWS refuses. Roles can be given policies, which it evaluates, and it records what they
// were asked for. It knows only the operations that keyturn calls, and one of S3 for the programs whose keys those are. No
// production code imports it.
package awsemu
