// Package awsemu is an emulated AWS for tests and the demo: one loopback server that speaks the real wire protocols of IAM,
// STS, Organizations, Secrets Manager, KMS and SES v2 to the unmodified SDK and the AWS CLI, and that refuses what AWS
// refuses. It knows only the operations that keyturn calls, and no production code imports it.
package awsemu
