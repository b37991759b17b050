package slackapi

import (
	"context"

	"github.com/slack-go/slack"
)

// calls is Slack as keyturn calls it: exactly these methods. The library's client stays out of the Client, because one that is
// reachable through an interface is linked with all its methods (reflection of templates may call any exported method).
type calls struct {
	AuthTestContext            func(context.Context) (*slack.AuthTestResponse, error)
	PostMessageContext         func(context.Context, string, ...slack.MsgOption) (string, string, error)
	UpdateMessageContext       func(context.Context, string, string, ...slack.MsgOption) (string, string, string, error)
	PostEphemeralContext       func(context.Context, string, string, ...slack.MsgOption) (string, error)
	OpenConversationContext    func(context.Context, *slack.OpenConversationParameters) (*slack.Channel, bool, bool, error)
	GetUserInfoContext         func(context.Context, string, ...slack.GetUserInfoOption) (*slack.User, error)
	GetUserByEmailContext      func(context.Context, string) (*slack.User, error)
	GetUserGroupMembersContext func(context.Context, string, ...slack.GetUserGroupMembersOption) ([]string, error)
	OpenViewContext            func(context.Context, string, slack.ModalViewRequest) (*slack.ViewResponse, error)
	UpdateViewContext          func(context.Context, slack.ModalViewRequest, string, string, string) (*slack.ViewResponse, error)
	PublishViewContext         func(context.Context, slack.PublishViewContextRequest) (*slack.ViewResponse, error)
}

func callsOf(c *slack.Client) calls {
	return calls{
		AuthTestContext: c.AuthTestContext, PostMessageContext: c.PostMessageContext, UpdateMessageContext: c.UpdateMessageContext,
		PostEphemeralContext: c.PostEphemeralContext, OpenConversationContext: c.OpenConversationContext,
		GetUserInfoContext: c.GetUserInfoContext, GetUserByEmailContext: c.GetUserByEmailContext,
		GetUserGroupMembersContext: c.GetUserGroupMembersContext, OpenViewContext: c.OpenViewContext, UpdateViewContext: c.UpdateViewContext,
		PublishViewContext: c.PublishViewContext,
	}
}
