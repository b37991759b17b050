// Package policytest tests a configuration as data: a file of cases says of a key and a person what is expected, and the
// configuration is asked the questions that the bot, the scheduler and the rotator ask it. It reads no store and asks neither
// Slack nor AWS, so it must not know them: who the people are stands in the file.
package policytest
