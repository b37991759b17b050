package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/scheduler"
	"github.com/keyturn/keyturn/templates"
)

// Renewals implements scheduler.Teller: each owner is asked once about all their exemptions that end soon, in Slack, or by
// mail where Slack does not reach them, or else the channel is.
func (n *Notifier) Renewals(ctx context.Context, all []scheduler.Renewal) (told []scheduler.Renewal, err error) {
	byOwner := map[string][]scheduler.Renewal{}
	for _, r := range all {
		byOwner[r.Owner] = append(byOwner[r.Owner], r)
	}
	var errs []error
	for _, who := range sorted(byOwner) {
		if err := n.renewal(ctx, who, byOwner[who]); err != nil {
			errs = append(errs, fmt.Errorf("ask %q about exemptions that end soon: %w", who, err))
			continue
		}
		told = append(told, byOwner[who]...)
	}
	return told, errors.Join(errs...)
}

func (n *Notifier) renewal(ctx context.Context, who string, all []scheduler.Renewal) error {
	var ending []templates.Ending
	for _, r := range all {
		ending = append(ending, templates.Ending{Exemption: r.Exemption, Account: r.AccountName})
	}
	v := templates.View{Now: n.o.Now()}
	o, err := n.find(ctx, who)
	if err != nil {
		return err
	}
	if o.reached() {
		_, _, err := n.write(ctx, o.direct(), templates.Renewal(ending, v))
		if !errors.Is(err, ErrNoUser) {
			return err
		}
		o = o.lost()
	}
	v.Help = o.why
	if o.mail != "" && n.o.Mail != nil {
		m, err := n.o.Templates.RenewalMail(ending, v)
		if err != nil {
			return err
		}
		return n.o.Mail.Send(ctx, o.mail, m)
	}
	return n.inDefault(ctx, templates.Renewal(ending, v), "exemptions that end soon")
}
