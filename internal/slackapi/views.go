package slackapi

import (
	"context"

	"github.com/slack-go/slack"
)

// OpenView opens a modal for a click or command. ErrExpiredTrigger if that was more than three seconds ago.
func (c *Client) OpenView(ctx context.Context, triggerID string, v slack.ModalViewRequest) error {
	return c.call(ctx, "views.open", "", once, func(ctx context.Context) error {
		_, err := c.api.OpenViewContext(ctx, triggerID, v)
		return err
	})
}

// UpdateView replaces an open modal. ErrGone if it was closed.
func (c *Client) UpdateView(ctx context.Context, viewID string, v slack.ModalViewRequest) error {
	return c.call(ctx, "views.update", "", repeatable, func(ctx context.Context) error {
		_, err := c.api.UpdateViewContext(ctx, v, "", "", viewID)
		return err
	})
}

// PublishHome shows a person's App Home.
func (c *Client) PublishHome(ctx context.Context, userID string, v slack.HomeTabViewRequest) error {
	return c.call(ctx, "views.publish", "", repeatable, func(ctx context.Context) error {
		_, err := c.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: userID, View: v})
		return err
	})
}
