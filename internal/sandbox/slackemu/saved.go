package slackemu

import (
	"encoding/json"
	"errors"
	"time"
)

// savedVersion is of the form below. Raise it when the form changes: another version is refused, not converted.
const savedVersion = 1

// saved is a server's state as Save writes it.
type saved struct {
	Version  int                    `json:"version"`
	Team     string                 `json:"team"`
	Serial   int                    `json:"serial"`
	LastTS   int64                  `json:"last_ts"` // microseconds
	Users    []savedUser            `json:"users,omitempty"`
	Channels []savedChannel         `json:"channels,omitempty"`
	Groups   []savedGroup           `json:"groups,omitempty"`
	Messages []savedMessage         `json:"messages,omitempty"` // by channel, oldest first
	Whispers []savedMessage         `json:"whispers,omitempty"`
	Shown    []savedMessage         `json:"shown,omitempty"`
	Modals   map[string][]savedView `json:"modals,omitempty"` // by user, the visible one last
	Homes    map[string]savedView   `json:"homes,omitempty"`  // by user
	Answers  map[string]savedAnswer `json:"answers,omitempty"`
}

type savedUser struct {
	ID         string `json:"id"`
	Name       string `json:"name,omitempty"`
	RealName   string `json:"real_name,omitempty"`
	Email      string `json:"email,omitempty"`
	TeamID     string `json:"team,omitempty"`
	TZ         string `json:"tz,omitempty"`
	Guest      bool   `json:"guest,omitempty"`
	UltraGuest bool   `json:"ultra_guest,omitempty"`
	Bot        bool   `json:"bot,omitempty"`
	Deleted    bool   `json:"deleted,omitempty"`
	Stranger   bool   `json:"stranger,omitempty"`
}

type savedChannel struct {
	ID          string `json:"id"`
	Name        string `json:"name,omitempty"`
	User        string `json:"user,omitempty"` // of a direct message
	BotIsMember bool   `json:"bot_is_member,omitempty"`
}

type savedGroup struct {
	ID       string   `json:"id"`
	Handle   string   `json:"handle,omitempty"`
	Members  []string `json:"members,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
}

// savedMessage has the blocks as they came over the wire: Load reads them as the client library does.
type savedMessage struct {
	Channel   string          `json:"channel"`
	TS        string          `json:"ts"`
	ThreadTS  string          `json:"thread_ts,omitempty"`
	Text      string          `json:"text,omitempty"`
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	Edits     int             `json:"edits,omitempty"`
	Ephemeral bool            `json:"ephemeral,omitempty"`
	For       string          `json:"for,omitempty"`
	From      string          `json:"from"`
	Broadcast bool            `json:"broadcast,omitempty"`
}

type savedView struct {
	ID       string `json:"id"`
	Root     string `json:"root"`
	Previous string `json:"previous,omitempty"`
	Hash     string `json:"hash"`
	Body     node   `json:"body"`
	State    inputs `json:"state,omitempty"`
}

// savedAnswer is a response URL, by what follows /response/ in it.
type savedAnswer struct {
	User    string    `json:"user"`
	Channel string    `json:"channel"`
	Message *savedRef `json:"message,omitempty"` // what was clicked
	Issued  date      `json:"issued"`
	Uses    int       `json:"uses,omitempty"`
}

// savedRef names a message, which may be gone.
type savedRef struct {
	Channel   string `json:"channel"`
	TS        string `json:"ts"`
	Ephemeral bool   `json:"ephemeral,omitempty"`
}

// date is a time as it is saved: in UTC, with all its digits.
type date struct{ time.Time }

// UnmarshalJSON takes what MarshalJSON of the time itself gives back in UTC.
func (d *date) UnmarshalJSON(b []byte) error {
	if err := d.Time.UnmarshalJSON(b); err != nil {
		return err
	}
	d.Time = d.UTC()
	if y := d.Year(); y < 0 || y > 9999 {
		return errors.New("a date is beyond the years that can be saved")
	}
	return nil
}
