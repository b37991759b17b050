// Package rotation is the pure core of keyturn: what the life of a rotation is.
//
// It owns the words (key, policy, rotation, snapshot), the planning of what a user's keys need (Plan), the state machine
// (Apply), the question what is to be done next (Next), the gate in front of deactivation and deletion (MayDeactivate,
// MayDelete) and the hash-chained history. It imports the standard library alone and must not know stores, AWS, Slack,
// mail or the wall clock: every function gets the time it needs as an argument and changes nothing but its result.
package rotation
