package slackemu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// anew is what to do about a state that cannot be loaded.
const anew = "remove the folder that it is in, to begin anew"

// Load replaces the server's state by a saved one. Call it before Start. A state of another version or workspace, and one that
// is damaged, is refused: then nothing changed. Options, hooks, faults, counters and the traffic stay as they are.
func (s *Server) Load(data []byte) error {
	in, err := readSaved(data)
	if err == nil && in.Team != s.opt.TeamID {
		err = fmt.Errorf("the saved state is of the workspace %s, and this one is %s: start it with the same workspace, or %s", in.Team, s.opt.TeamID, anew)
	}
	if err != nil {
		return fmt.Errorf("load the emulated Slack: %w", err)
	}
	l := loading{people: newDirectory(), msgs: map[string][]*record{}, views: newViewStore(), answers: map[string]*responseURL{}, byTS: map[string]*record{}}
	if err := l.all(in); err != nil {
		return fmt.Errorf("load the emulated Slack: the saved state is damaged: %w: %s", err, anew)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial, s.lastTS, s.people, s.msgs, s.whispers, s.shown = in.Serial, in.LastTS, l.people, l.msgs, l.whispers, l.shown
	s.views, s.answers, s.triggers = l.views, l.answers, map[string]*trigger{}
	s.changed.Broadcast()
	return nil
}

// readSaved looks at the version first: another one has another form. Numbers in views stay as they were written.
func readSaved(data []byte) (*saved, error) {
	var of struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &of); err != nil {
		return nil, fmt.Errorf("the saved state is damaged: %w: %s", err, anew)
	}
	if of.Version != savedVersion {
		return nil, fmt.Errorf("the saved state has version %d, and this program reads version %d: use the program that saved it, or %s", of.Version, savedVersion, anew)
	}
	var in saved
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	err := d.Decode(&in)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return &in, nil
		}
		err = errors.New("more follows it")
	}
	return nil, fmt.Errorf("the saved state is damaged: %w: %s", err, anew)
}

// loading is a state that is put together.
type loading struct {
	people          directory
	msgs            map[string][]*record
	whispers, shown []*record
	views           viewStore
	answers         map[string]*responseURL
	byTS            map[string]*record // of all kinds: no two messages have one timestamp
}

func (l *loading) all(in *saved) error {
	if err := l.directory(in); err != nil {
		return err
	}
	said, err := l.messages(in.Messages)
	if err != nil {
		return err
	}
	for _, r := range said {
		l.msgs[r.Channel] = append(l.msgs[r.Channel], r)
	}
	if l.whispers, err = l.messages(in.Whispers); err != nil {
		return err
	}
	if l.shown, err = l.messages(in.Shown); err != nil {
		return err
	}
	for _, user := range slices.Sorted(maps.Keys(in.Modals)) {
		for _, x := range in.Modals[user] {
			v, err := l.view(user, x)
			if err != nil {
				return err
			}
			l.views.stacks[user] = append(l.views.stacks[user], v)
		}
	}
	for _, user := range slices.Sorted(maps.Keys(in.Homes)) {
		v, err := l.view(user, in.Homes[user])
		if err != nil {
			return err
		}
		l.views.homes[user] = v
	}
	for id, x := range in.Answers {
		l.answers[id] = l.answer(x)
	}
	return nil
}

func (l *loading) directory(in *saved) error {
	for _, x := range in.Users {
		if _, again := l.people.users[x.ID]; again || x.ID == "" {
			return fmt.Errorf("person %q is there twice, or has no ID", x.ID)
		}
		l.people.put(User(x))
	}
	for _, x := range in.Channels {
		if l.people.channels[x.ID] != nil || x.ID == "" {
			return fmt.Errorf("channel %q is there twice, or has no ID", x.ID)
		}
		l.people.addChannel(&channel{id: x.ID, name: x.Name, user: x.User, botIsMember: x.BotIsMember})
	}
	for _, x := range in.Groups {
		if _, again := l.people.groups[x.ID]; again || x.ID == "" {
			return fmt.Errorf("group %q is there twice, or has no ID", x.ID)
		}
		l.people.groups[x.ID] = Group(x)
	}
	return nil
}
