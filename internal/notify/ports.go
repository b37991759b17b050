package notify

import (
	"context"
	"errors"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/circle"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// Errors by which Slack tells what kind of failure it met. Any other one may be over in a minute, and is tried again.
var (
	// ErrNoUser: Slack does not know such a person, or nobody can write to them.
	ErrNoUser = circle.ErrNoUser
	// ErrNoGroup: Slack does not know such a user group, or it is disabled.
	ErrNoGroup = circle.ErrNoGroup
	// ErrNoChannel: there is no such channel, it is archived, or the app is not in it.
	ErrNoChannel = errors.New("no channel that the app can write to")
	// ErrGone: the message is not there any more, or cannot be changed.
	ErrGone = errors.New("the message is gone")
)

// Slack looks people up and writes messages. Implementations are safe for concurrent use and retry what is safe to retry.
type Slack interface {
	circle.Slack
	// OpenDM returns the channel of the direct messages with a user. ErrNoUser.
	OpenDM(ctx context.Context, userID string) (channel string, err error)
	// Post writes a message and returns where it stands. ErrNoUser, ErrNoChannel. After another error it may stand there.
	Post(ctx context.Context, channel, text string, blocks []slack.Block) (in, ts string, err error)
	// PostIn writes a reply in the thread of a message; with broadcast the channel shows it too. ErrGone if the message is not
	// there any more, ErrNoUser, ErrNoChannel. After another error it may stand there.
	PostIn(ctx context.Context, channel, threadTS, text string, blocks []slack.Block, broadcast bool) (in, ts string, err error)
	// Update replaces a message. ErrGone, ErrNoUser, ErrNoChannel.
	Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error
}

// Mailer sends a mail to one address.
type Mailer interface {
	Send(ctx context.Context, to string, m templates.Mail) error
}

// Store is what the notifier reads and writes when it tells people of what a run opened.
type Store interface {
	GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error)
	SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error)
}
