// Package template reads CloudFormation templates as far as keyturn's own go: YAML with short forms, parameters, conditions
// and the intrinsic functions that they use. It resolves them into plain values, so that a test can take a role's policies
// from the file that is deployed, and it finds mistakes that CloudFormation would only report while deploying.
//
// It deploys nothing, knows no more of AWS than how its names are put together, and must not know keyturn. What it does not
// understand is an error, never passed over.
package template
