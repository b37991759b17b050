// Package infra holds what is deployed: CloudFormation templates, the Slack app's manifest, an example configuration, the
// scripts that package and deploy, and the runbook. Its tests read all of it as AWS, a shell and a person would. It has no
// code of its own and nothing imports it.
package infra
