package templates

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Ending is an exemption that ends soon.
type Ending struct {
	Exemption rotation.Exemption
	Account   string // its name
}

func (e Ending) where() string {
	return account(rotation.Rotation{Account: e.Exemption.Account, AccountName: e.Account})
}

// Renewal asks one person whether exemptions that end soon are to be renewed.
func Renewal(all []Ending, v View) Message {
	lead := "*An exemption ends soon.* Without a renewal keyturn looks at the user's keys again, and asks for a rotation where one is due."
	say := fmt.Sprintf("The exemption of %s ends on %s. Renew it, or let it end.", whom(all[:min(len(all), 1)]), until(all, v))
	title := "⏰ Exemption ends soon"
	if len(all) != 1 {
		title = fmt.Sprintf("⏰ %d exemptions end soon", len(all))
		lead = fmt.Sprintf("*%d exemptions end soon.* Without a renewal keyturn looks at the users' keys again, and asks for a rotation where one is due.", len(all))
		say = fmt.Sprintf("%d exemptions end soon. Renew them, or let them end.", len(all))
	}
	blocks := []slack.Block{header(title), section(lead)}
	shown := 0
	for _, e := range all {
		x := e.Exemption
		b := row(fmt.Sprintf("*%s* in %s\nexempt until *%s*, by %s%s", code(x.UserName), esc(e.where(), 200), v.when(x.Until), v.by(x.By), because(x.Why)),
			button(ActRenew, "Renew…", Value{ID: rotation.MakeID(x.Account, x.UserID)}.Encode()))
		if len(blocks) >= mostBlocks-2 || size(blocks)+size([]slack.Block{b}) > mostMessage-1000 {
			break
		}
		blocks = append(blocks, b)
		shown++
	}
	if left := len(all) - shown; left > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*And %d more.*", left)))
	}
	foot := "To let one end, do nothing. `/keys unexempt USER@ACCOUNT reason` ends it now. As of " + v.when(v.Now) + "."
	if v.Help != "" {
		foot = esc(v.Help, 200) + " " + foot
	}
	return Message{Text: say, Blocks: append(blocks, contextLine(foot))}
}

func whom(all []Ending) string {
	for _, e := range all {
		return fmt.Sprintf("IAM user %s in account %s", clip(string(e.Exemption.UserName), 64), e.where())
	}
	return "an IAM user"
}

func until(all []Ending, v View) string {
	for _, e := range all {
		return v.day(e.Exemption.Until)
	}
	return v.day(time.Time{})
}

// MailRenewal is what the template renewal sees.
type MailRenewal struct {
	Rows []MailRenewalRow
	More int
	Help string
	At   string
}

// MailRenewalRow is one exemption.
type MailRenewalRow struct{ User, Account, Until, By, Why string }

// RenewalMail asks somebody whom Slack does not reach.
func (m *Mails) RenewalMail(all []Ending, v View) (Mail, error) {
	d := MailRenewal{Help: line(v.Help, 200), At: v.stamp(v.Now)}
	for _, e := range all[:min(len(all), 100)] {
		x := e.Exemption
		d.Rows = append(d.Rows, MailRenewalRow{User: line(string(x.UserName), 64), Account: e.where(), Until: v.stamp(x.Until), By: line(v.name(x.By), 80), Why: line(x.Why, 300)})
	}
	d.More = len(all) - len(d.Rows)
	return m.render(mailRenewal, d)
}
