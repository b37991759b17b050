// Package blockkit renders Slack's Block Kit as HTML, for a local page that plays the part of the Slack client.
//
// It owns how blocks, mrkdwn, dates, buttons and inputs look, how a form of that page names them, and the style that goes
// with it. It is pure: it knows neither messages nor people nor the emulator, and must never be imported by production code.
// What is in a block is hostile: it gets into the page as text alone. No markup carries a script, a style or an event, so
// that a page with a strict content security policy can show it.
package blockkit
