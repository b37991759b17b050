package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// owner is how somebody whom a key belongs to can be reached just now. The zero value cannot be.
type owner struct {
	person approval.Person // set if a direct message reaches them
	mail   string          // the address to write to where Slack does not reach them; may be empty
	why    string          // why Slack does not reach them, a sentence
}

func (o owner) reached() bool { return o.person.SlackID != "" }

var slackID = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)

// address returns s as a single plain e-mail address in lower case, or "".
func address(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return ""
	}
	return strings.ToLower(s)
}

// ownerOf finds out how the owner of r is reached. An error means that Slack could not say: nobody counts as unreachable
// because of an outage.
func (n *Notifier) ownerOf(ctx context.Context, c *call, r rotation.Rotation) (owner, error) {
	if o, ok := c.owners[r.Owner]; ok {
		return o, nil
	}
	if err := c.unknown[r.Owner]; err != nil {
		return owner{}, err
	}
	o, err := n.find(ctx, r.Owner)
	if err != nil {
		err = fmt.Errorf("look the owner %s up in Slack: %w", r.Owner, err)
		if ctx.Err() == nil { // otherwise it is no fault of Slack, and the next rotation has its own time
			c.unknown[r.Owner] = err
		}
		return owner{}, err
	}
	if !o.reached() {
		n.log.LogAttrs(ctx, slog.LevelInfo, "owner not reached in Slack", slog.String("rotation", string(r.ID)),
			slog.String("account", string(r.Account)), slog.String("owner", r.Owner), slog.String("why", o.why))
	}
	c.owners[r.Owner] = o
	return o, nil
}

func (n *Notifier) find(ctx context.Context, who string) (owner, error) {
	called := templates.Cut(who, 80)
	var p approval.Person
	var err error
	o := owner{mail: address(who)}
	switch {
	case who == "":
		return owner{why: "Nobody is known as the owner."}, nil
	case o.mail != "":
		p, err = n.o.Slack.UserByEmail(ctx, o.mail)
	case slackID.MatchString(who):
		p, err = n.o.Slack.UserByID(ctx, who)
	default:
		return owner{why: fmt.Sprintf("The owner, %s, is neither an e-mail address nor a Slack user ID.", called)}, nil
	}
	if errors.Is(err, ErrNoUser) {
		o.why = fmt.Sprintf("Slack does not know the owner, %s.", called)
		return o, nil
	}
	if err != nil {
		return owner{}, err
	}
	if o.mail == "" && !p.Deleted && !p.Bot {
		o.mail = address(p.Email)
	}
	if why := n.unreachable(p); why != "" {
		o.why = fmt.Sprintf(why, called)
	} else {
		o.person = p
	}
	return o, nil
}

// unreachable says why no direct message reaches a person, as a format that takes their name; "" if one does.
func (n *Notifier) unreachable(p approval.Person) string {
	switch {
	case p.SlackID == "":
		return "Slack does not know the owner, %s."
	case p.Deleted:
		return "The owner, %s, has left Slack."
	case p.Bot:
		return "The owner, %s, is a bot in Slack."
	case p.Guest:
		return "The owner, %s, is a guest in Slack."
	case p.Outside || len(n.o.Teams) > 0 && !slices.Contains(n.o.Teams, p.TeamID):
		return "The owner, %s, is of another workspace in Slack."
	default:
		return ""
	}
}

// lost is o after Slack did not let us write to them.
func (o owner) lost() owner {
	name := o.person.Name
	if name == "" {
		name = o.person.SlackID
	}
	if o.mail == "" {
		o.mail = address(o.person.Email)
	}
	return owner{mail: o.mail, why: fmt.Sprintf("Slack does not deliver messages to the owner, %s.", templates.Cut(name, 80))}
}
