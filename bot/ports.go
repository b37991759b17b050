package bot

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/circle"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Store is what the bot reads and writes. Its errors are those of package store.
type Store interface {
	GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error)
	// GetForDecision reads what a decision that takes keys away depends on, at once: the rotation and the exemption of its
	// user, whose zero value says that there is none.
	GetForDecision(ctx context.Context, id rotation.ID) (rotation.Rotation, rotation.Exemption, error)
	// SaveRotation saves on condition that nobody else did since r was read. ErrConflict.
	SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error)
	// RotationByKey finds the rotation that names the key as old, new or evicted.
	RotationByKey(ctx context.Context, key rotation.KeyID) (rotation.Rotation, error)
	RotationsByOwner(ctx context.Context, owner string, page store.Page) ([]rotation.Rotation, string, error)
	ListRotations(ctx context.Context, f store.Filter, page store.Page) ([]rotation.Rotation, string, error)
	// ListEpisodes returns the closed rotations of a user before the present one.
	ListEpisodes(ctx context.Context, id rotation.ID) ([]rotation.Rotation, error)
	GetSnapshot(ctx context.Context, account rotation.AccountID) (rotation.Snapshot, error)
	ListSnapshots(ctx context.Context, page store.Page) ([]rotation.Snapshot, string, error)
	// SaveExemption puts an exemption in the place of the one that was read, the zero value for none. store.ErrConflict.
	SaveExemption(ctx context.Context, before, e rotation.Exemption) error
	GetExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (rotation.Exemption, error)
	ListExemptions(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Exemption, string, error)
	ListRequests(ctx context.Context, page store.Page) ([]rotation.Request, string, error)
	// SaveRequest is store.ErrConflict where a request reports another leak of the user.
	SaveRequest(ctx context.Context, q rotation.Request) error
	// GetState returns a note that is kept beside rotations, or "" if there is none.
	GetState(ctx context.Context, key string) (string, error)
	// LastEntry returns the last entry of a chain of what belongs to no rotation. ErrNotFound.
	LastEntry(ctx context.Context, chain string) (rotation.Entry, error)
	// AppendEntry appends to it on condition that nobody else did. ErrConflict.
	AppendEntry(ctx context.Context, chain string, e rotation.Entry) error
}

// Slack is what the bot asks of Slack. Implementations bound their retries by the context.
type Slack interface {
	circle.Slack
	OpenView(ctx context.Context, triggerID string, v slack.ModalViewRequest) error
	UpdateView(ctx context.Context, viewID string, v slack.ModalViewRequest) error
	PublishHome(ctx context.Context, userID string, v slack.HomeTabViewRequest) error
	Respond(ctx context.Context, responseURL, text string, blocks []slack.Block, replace bool) error
	Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error
	PostEphemeral(ctx context.Context, channel, user, text string, blocks []slack.Block) error
	OpenDM(ctx context.Context, userID string) (string, error)
	Post(ctx context.Context, channel, text string, blocks []slack.Block) (string, string, error)
}
