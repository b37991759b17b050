// Package templates renders everything a person reads: Slack messages, modals, answers to commands, App Home and e-mails.
//
// It is pure: data and the time come in, text and blocks go out. It must not send, store, look anything up or ask for the
// time. Text that users typed or that AWS let them name (user names, tags, reasons) passes Esc before it enters mrkdwn.
package templates
