package awsemu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// anew is what to do about a state that cannot be loaded.
const anew = "remove the folder that it is in, to begin anew"

// Load replaces the server's state by a saved one. Call it before Start. A state of another version, of another region or
// partition, and one that is damaged, is refused: then nothing changed. Options, hooks, faults and counters stay as they are.
func (s *Server) Load(data []byte) error {
	n, err := s.read(data)
	if err != nil {
		return fmt.Errorf("load the emulated AWS: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial, s.handed, s.mails, s.order = n.serial, n.handed, n.mails, n.order
	s.accounts, s.units, s.keys, s.sessions = n.accounts, n.units, n.keys, n.sessions
	return nil
}

// read makes a server that holds the state and does nothing else.
func (s *Server) read(data []byte) (*Server, error) {
	in, err := readSaved(data)
	if err != nil {
		return nil, err
	}
	if in.Partition != s.opts.Partition || in.Region != s.opts.Region {
		return nil, fmt.Errorf("the saved state is of %s in %s, and this one is of %s in %s: start it with the same region, or %s",
			in.Partition, in.Region, s.opts.Partition, s.opts.Region, anew)
	}
	n := &Server{
		opts: s.opts, serial: in.Serial, handed: in.Handed, accounts: map[string]*account{}, units: map[string]*unit{},
		keys: map[string]*key{}, sessions: map[string]*session{},
	}
	if err := n.loadAll(in); err != nil {
		return nil, fmt.Errorf("the saved state is damaged: %w: %s", err, anew)
	}
	return n, nil
}

// readSaved looks at the version first: another one has another form.
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
	err := d.Decode(&in)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return &in, nil
		}
		err = errors.New("more follows it")
	}
	return nil, fmt.Errorf("the saved state is damaged: %w: %s", err, anew)
}

func (s *Server) loadAll(in *saved) error {
	if err := s.loadUnits(in.Units); err != nil {
		return err
	}
	for i := range in.Accounts {
		if err := s.loadAccount(&in.Accounts[i]); err != nil {
			return fmt.Errorf("account %q: %w", in.Accounts[i].ID, err)
		}
	}
	s.order = in.Order // not as accounts were added: some left
	for i, id := range in.Order {
		if s.accounts[id] == nil || slices.Contains(in.Order[:i], id) {
			return fmt.Errorf("account %q is in the organization twice, or is not there", id)
		}
	}
	for _, x := range in.Sessions {
		if x.ID == "" || s.sessions[x.ID] != nil || s.accounts[x.Account] == nil || x.Role == "" {
			return fmt.Errorf("session %q is there twice, or is nobody's", x.ID)
		}
		s.sessions[x.ID] = &session{id: x.ID, secret: x.Secret, token: x.Token, account: x.Account, role: x.Role, name: x.Name, expires: x.Expires.Time, lasting: x.Lasting}
	}
	for _, m := range in.Mails {
		mail := Mail{Account: m.Account, From: m.From, To: m.To, CC: m.CC, BCC: m.BCC, Subject: m.Subject, Text: m.Text, HTML: m.HTML, Headers: m.Headers, At: m.At.Time}
		if mail.Headers == nil {
			mail.Headers = map[string]string{}
		}
		s.mails = append(s.mails, mail)
	}
	return nil
}

// loadUnits refuses units that are below themselves: whoever asks for the way to the root would never come there.
func (s *Server) loadUnits(in []savedUnit) error {
	for _, u := range in {
		if u.ID == "" || s.units[u.ID] != nil {
			return fmt.Errorf("unit %q is there twice, or has no ID", u.ID)
		}
		s.units[u.ID] = &unit{id: u.ID, parent: u.Parent, name: u.Name}
	}
	for _, u := range in {
		steps := 0
		for at := s.units[u.ID]; at != nil; at = s.units[at.parent] {
			if steps++; steps > len(in) {
				return fmt.Errorf("unit %q is below itself", u.ID)
			}
		}
	}
	return nil
}
