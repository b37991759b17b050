// Package bot is Slack's front door: it verifies what comes in, parses it, decides who may do it, applies it to the stored
// rotation, saves and answers, all within the three seconds that Slack allows.
//
// It touches no AWS. What a person asks of AWS (restore, retry, deactivate anyway) is saved as an intent, and Wake nudges
// whoever carries it out. It must not know SQL, the Slack client or the clock on the wall: it declares what it needs in
// ports.go. What a person reads comes from package templates.
package bot
