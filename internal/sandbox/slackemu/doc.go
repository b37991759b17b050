// Package slackemu is an emulator of Slack for tests and for the demo: a loopback HTTP server that speaks Slack's Web API
// to the unmodified client library, and that acts as Slack towards the bot with signed commands, interactions and events.
//
// It covers only what keyturn calls, and it refuses what Slack refuses: limits of Block Kit, rates, scopes, expired
// triggers, unknown people. It keeps everything in memory, knows nothing of rotations, and must never be imported by
// production code.
package slackemu
