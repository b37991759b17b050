package templates

import "github.com/keyturn/keyturn/internal/rotation"

// MailDigest is what the template digest sees: many keys, and its reader gets no message in Slack about them.
type MailDigest struct {
	Rows    []MailDigestRow
	Count   int // of all keys
	Waiting int // of those that wait for a decision now
	Leaked  bool
	More    int // how many there are beyond the rows
	Says    string
	Because string // why they get it; empty: Slack does not reach the owner
	Help    string // whom to ask; may be empty
	At      string
}

// MailDigestRow is one key of a digest.
type MailDigestRow struct {
	Account string
	MailRow
}

// DigestMail is one mail instead of many notices.
func (m *Mails) DigestMail(items []rotation.Rotation, v View) (Mail, error) {
	items = ranked(items)
	d := MailDigest{Count: len(items), Because: line(v.Because, 200), Help: line(v.Help, 200), At: v.stamp(v.Now)}
	d.Waiting, _, d.Says = attention(items)
	for _, r := range items {
		d.Leaked = d.Leaked || phaseOf(r) == isLeaked || leaking(r)
	}
	for _, r := range items[:min(len(items), mostRows)] {
		d.Rows = append(d.Rows, MailDigestRow{Account: account(r), MailRow: mailRow(r, v, v.Now)})
	}
	d.More = len(items) - len(d.Rows)
	return m.render(mailDigest, d)
}
