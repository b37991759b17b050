package templates

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Sample is one entry of the catalogue: exactly one of Message, Mail, Modal and Home is set.
type Sample struct {
	Name    string
	Message *Message
	Mail    *Mail
	Modal   *slack.ModalViewRequest
	Home    *slack.HomeTabViewRequest
}

// Catalogue renders everything that people read, with canned data: for `keyturn messages`, for the goldens, and for whoever
// wants to see what a change of words does.
func Catalogue() []Sample {
	var out []Sample
	message := func(name string, m Message) { out = append(out, Sample{Name: name, Message: &m}) }
	v := View{Now: sampleNow}
	for _, s := range noticeSamples() {
		message("notice: "+s.name, Notice(s.r, s.v))
	}
	for _, s := range noticeSamples() {
		switch s.name {
		case "installing", "recovering", "restored and on hold", "stuck", "closed, rotated", "awaiting, escalated because nobody decided":
			message("thread: "+s.name, Thread(s.r, s.r.History[1:], true, []string{sampleOwner.ID, "S0SECOPS01"}, s.v))
			message("thread: "+s.name+", nobody is called", Thread(s.r, s.r.History[1:], false, nil, s.v))
		}
	}
	message("renewal: one", Renewal(sampleEndings()[:1], v))
	message("renewal: two", Renewal(sampleEndings(), v))
	message("digest: five", Digest(sampleMany(5), v))
	message("digest: sixty", Digest(sampleMany(60), v))
	message("digest: sixty in a channel", Digest(sampleMany(60), View{Now: sampleNow, Shared: true, For: []string{"S0SECOPS01"}, Help: "These stand here because Slack does not reach their owners, or because others than these have to see them."}))
	message("digest: what happened to some", Digest(sampleNews(), View{Now: sampleNow.Add(10 * rotation.Day)}))
	group := View{Now: sampleNow, Who: "the owner (owner@example.com) or a member of the group S0PLATFORM", For: []string{"U0SECOPS1", "S0SECOPS01"}}
	message("notice: leaked, in the channel", Notice(oneKey().do(rotation.Leaked{Actor: sampleOther, Why: "found in a public repository"}).r, group))
	message("refusal", Refusal("you are not among those who may decide on this key", View{Now: sampleNow, Who: "the owner (owner@example.com)"}))
	message("run summary", RunSummary(sampleSummary(), v))
	dry := sampleSummary()
	dry.DryRun, dry.Failed, dry.RootKeys, dry.Skipped = true, nil, nil, nil
	message("run summary: dry run", RunSummary(dry, v))
	message("audit report", AuditReport(sampleAudit(), v))
	return append(append(out, mailSamples()...), answerCatalogue()...)
}

func mailSamples() []Sample {
	var out []Sample
	add := func(name string, m Mail, err error) {
		if err == nil {
			out = append(out, Sample{Name: name, Mail: &m})
		}
	}
	mails, err := LoadMails("")
	if err != nil {
		return nil // the tests see to it that keyturn's own templates load
	}
	v := View{Now: sampleNow, Help: "Questions go to #aws-keys."}
	m, err := mails.AccountMail(sampleAccount(), v)
	add("mail: account owner", m, err)
	m, err = mails.AccountMail(sampleAudit(), v)
	add("mail: account owner, mode audit", m, err)
	m, err = mails.AccountMail(AccountView{ID: "111122223333", At: sampleNow}, View{Now: sampleNow})
	add("mail: account owner, nothing to say", m, err)
	mine := sampleAccount()
	mine.RootKeys, mine.Failures = 0, nil
	m, err = mails.OwnerMail("owner@example.com", mine, v)
	add("mail: tagged owner", m, err)
	for _, s := range noticeSamples() {
		switch s.name {
		case "awaiting", "installing", "recovering", "stuck", "closed, rotated":
			s.v.Posted = true
			m, err = mails.NoticeMail(s.r, s.v)
			add("mail: notice, "+s.name, m, err)
		case "awaiting, escalated because nobody decided":
			s.v.Posted, s.v.Because = true, "You get this because nobody decided, and you own the account."
			m, err = mails.NoticeMail(s.r, s.v)
			add("mail: notice, "+s.name, m, err)
		}
	}
	m, err = mails.DigestMail(sampleNews(), View{Now: sampleNow.Add(10 * rotation.Day), Help: v.Help})
	add("mail: digest", m, err)
	m, err = mails.DigestMail(sampleMany(3), View{Now: sampleNow, Because: "You get this because nobody has decided so far, and you own the account."})
	add("mail: digest, for an account's owner", m, err)
	m, err = mails.RenewalMail(sampleEndings()[:1], v)
	add("mail: renewal, one", m, err)
	m, err = mails.RenewalMail(sampleEndings(), v)
	add("mail: renewal, two", m, err)
	return out
}

// Plain renders the sample for a terminal.
func (s Sample) Plain() string {
	switch {
	case s.Message != nil:
		return fmt.Sprintf("%s\n(aloud: %s)\n", Plain(*s.Message), unmark(s.Message.Text))
	case s.Mail != nil:
		return fmt.Sprintf("Subject: %s\n\n%s", s.Mail.Subject, s.Mail.Text)
	case s.Modal != nil:
		return fmt.Sprintf("== %s ==\n\n%s", s.Modal.Title.Text, PlainBlocks(s.Modal.Blocks.BlockSet))
	case s.Home != nil:
		return PlainBlocks(s.Home.Blocks.BlockSet)
	default:
		return strings.TrimSpace(s.Name) + ": nothing to show\n"
	}
}
