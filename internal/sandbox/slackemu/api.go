package slackemu

import (
	"slices"
	"strings"
)

// apiError is a refusal by the Web API: an error code, and what Slack says beside it.
type apiError struct {
	code     string
	messages []string
	needed   string
	provided string
}

func (e *apiError) Error() string { return strings.Join(append([]string{e.code}, e.messages...), "; ") }

func refusal(code string, messages ...string) *apiError {
	return &apiError{code: code, messages: messages}
}

// method is one method of the Web API.
type method struct {
	// scopes are those of which the token needs one; none means that any token will do.
	scopes []string
	// perMinute is the rate tier; 0 is not limited.
	perMinute int
	// run performs the call; it holds mu.
	run func(*Server, params) (node, *apiError)
}

// Rate tiers, in calls per minute (Slack, rate limits of the Web API).
const (
	tier2 = 20
	tier3 = 50
	tier4 = 100
)

var methods = map[string]method{
	"auth.test":             {nil, 0, (*Server).authTest},
	"team.info":             {[]string{"team:read"}, tier3, (*Server).teamInfo},
	"chat.postMessage":      {[]string{"chat:write"}, 0, (*Server).chatPostMessage}, // limited by channel
	"chat.update":           {[]string{"chat:write"}, tier3, (*Server).chatUpdate},
	"chat.delete":           {[]string{"chat:write"}, tier3, (*Server).chatDelete},
	"chat.postEphemeral":    {[]string{"chat:write"}, tier4, (*Server).chatPostEphemeral},
	"chat.getPermalink":     {nil, tier4, (*Server).chatGetPermalink},
	"conversations.open":    {[]string{"im:write"}, tier3, (*Server).conversationsOpen},
	"conversations.info":    {[]string{"channels:read"}, tier3, (*Server).conversationsInfo},
	"conversations.list":    {[]string{"channels:read"}, tier2, (*Server).conversationsList},
	"users.info":            {[]string{"users:read"}, tier4, (*Server).usersInfo},
	"users.lookupByEmail":   {[]string{"users:read.email"}, tier3, (*Server).usersLookupByEmail},
	"users.list":            {[]string{"users:read"}, tier2, (*Server).usersList},
	"usergroups.users.list": {[]string{"usergroups:read"}, tier2, (*Server).usergroupsUsersList},
	"views.open":            {nil, tier4, (*Server).viewsOpen},
	"views.push":            {nil, tier4, (*Server).viewsPush},
	"views.update":          {nil, tier4, (*Server).viewsUpdate},
	"views.publish":         {nil, tier4, (*Server).viewsPublish},
}

// perform checks token, scope and rate, and performs a call.
func (s *Server) perform(name, token string, p params) answer {
	if token == "" {
		return refuse(refusal("not_authed"))
	}
	if s.opt.Token == "" || token != s.opt.Token {
		return refuse(refusal("invalid_auth"))
	}
	m, ok := methods[name]
	if !ok {
		return refuse(refusal("unknown_method"))
	}
	if len(m.scopes) > 0 && !slices.ContainsFunc(m.scopes, s.hasScope) {
		e := refusal("missing_scope")
		e.needed, e.provided = strings.Join(m.scopes, ","), strings.Join(s.opt.Scopes, ",")
		return refuse(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if wait := s.over(name, m.perMinute, p); wait > 0 {
		s.tooMany[name]++
		return limited(wait)
	}
	n, err := m.run(s, p)
	if err != nil {
		return refuse(err)
	}
	return okay(n)
}

func (s *Server) authTest(params) (node, *apiError) {
	return node{
		"url": "https://" + s.domain() + ".slack.com/", "team": s.domain(), "team_id": s.opt.TeamID, "user": "keyturn",
		"user_id": BotUserID, "bot_id": BotID, "is_enterprise_install": false,
	}, nil
}

func (s *Server) teamInfo(params) (node, *apiError) {
	return node{"team": node{
		"id": s.opt.TeamID, "name": s.domain(), "domain": s.domain(), "email_domain": "", "icon": node{"image_default": true},
	}}, nil
}

// domain is the workspace's name, taken from its ID.
func (s *Server) domain() string { return strings.ToLower(strings.TrimLeft(s.opt.TeamID, "T0")) }
