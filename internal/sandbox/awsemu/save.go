package awsemu

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Save returns the server's state as JSON, for Load. It holds the access keys and the values of the secrets in the clear: the
// emulated AWS has no other memory, and what it holds opens nothing but the emulated AWS. Whoever writes it to a file keeps
// others from reading that. Sessions that have expired, counters, records, hooks, faults and what else SetConsistencyDelay and
// its like changed are not saved. A server with queues, streams or a DynamoDB cannot be saved.
func (s *Server) Save() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.savable(); err != nil {
		return nil, fmt.Errorf("save the emulated AWS: %w", err)
	}
	out := saved{Version: savedVersion, Partition: s.opts.Partition, Region: s.opts.Region, Serial: s.serial, Handed: s.handed, Order: s.order}
	for _, id := range slices.Sorted(maps.Keys(s.units)) {
		out.Units = append(out.Units, savedUnit{ID: id, Parent: s.units[id].parent, Name: s.units[id].name})
	}
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		out.Accounts = append(out.Accounts, s.saveAccount(s.accounts[id]))
	}
	now := s.opts.Wall()
	for _, id := range slices.Sorted(maps.Keys(s.sessions)) {
		if x := s.sessions[id]; x.lasting || now.Before(x.expires) {
			out.Sessions = append(out.Sessions, savedSession{ID: x.id, Secret: x.secret, Token: x.token, Account: x.account, Role: x.role, Name: x.name,
				Expires: onDate(x.expires), Lasting: x.lasting})
		}
	}
	for _, m := range s.mails {
		out.Mails = append(out.Mails, savedMail{Account: m.Account, From: m.From, To: m.To, CC: m.CC, BCC: m.BCC, Subject: m.Subject,
			Text: m.Text, HTML: m.HTML, Headers: m.Headers, At: onDate(m.At)})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		return nil, fmt.Errorf("save the emulated AWS: %w", err)
	}
	return b.Bytes(), nil
}

// savable says why a server cannot be saved.
func (s *Server) savable() error {
	s.dynamo.mu.Lock()
	behind := s.dynamo.DynamoDB.URL != "" || len(s.dynamo.streams) > 0
	s.dynamo.mu.Unlock()
	if behind {
		return errors.New("tables and streams are not saved: use a server without a DynamoDB")
	}
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		if len(s.accounts[id].queues) > 0 {
			return fmt.Errorf("queues are not saved, and account %s has some: use a server without queues", id)
		}
	}
	return nil
}

func (s *Server) saveAccount(a *account) savedAccount {
	out := savedAccount{
		ID: a.ID, Name: a.Name, Email: a.Email, Parent: a.ParentID, State: a.State, Management: a.Management, Delegated: a.Delegated,
		Root: saveSlots(a.root), Identities: a.mail.ids, MailSandbox: a.mail.sandbox, MailPaused: a.mail.paused, Aliases: map[string]string{},
	}
	for _, k := range s.keys {
		if k.account == a.ID && k.user == nil && !k.root {
			out.Bootstrap = append(out.Bootstrap, *saveKey(k))
		}
	}
	slices.SortFunc(out.Bootstrap, func(x, y savedKey) int { return cmp.Or(cmp.Compare(x.Order, y.Order), strings.Compare(x.ID, y.ID)) })
	for _, name := range a.names {
		u := a.user(name)
		out.Users = append(out.Users, savedUser{Name: u.Name, Path: u.Path, ID: u.UserID, Tags: u.Tags, Groups: u.Groups, Console: u.Console,
			PolicyARNs: u.PolicyARNs, Created: onDate(u.CreatedAt), Keys: saveSlots(u.slots)})
	}
	for _, low := range slices.Sorted(maps.Keys(a.groups)) {
		out.Groups = append(out.Groups, savedGroup{Name: a.groups[low], Path: a.paths[low], Policies: a.policies[low]})
	}
	for _, name := range slices.Sorted(maps.Keys(a.roles)) {
		out.Roles = append(out.Roles, saveRole(name, a.roles[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(a.secrets)) {
		out.Secrets = append(out.Secrets, saveSecret(a.secrets[name]))
	}
	for _, id := range slices.Sorted(maps.Keys(a.kms)) {
		out.KMS = append(out.KMS, savedKMSKey(*a.kms[id]))
	}
	for alias, k := range a.aliases {
		out.Aliases[alias] = k.ID
	}
	if r := a.report; r != nil {
		out.Report = &savedReport{Made: onDate(r.made), Polls: r.polls, CSV: r.csv}
	}
	return out
}

// saveSlots keeps the positions: the credential report numbers keys by them.
func saveSlots(slots [2]*key) []*savedKey {
	if slots[0] == nil && slots[1] == nil {
		return nil
	}
	return []*savedKey{saveKey(slots[0]), saveKey(slots[1])}
}

func saveKey(k *key) *savedKey {
	if k == nil {
		return nil
	}
	return &savedKey{
		ID: k.ID, Secret: k.Secret, Inactive: k.Inactive, Created: onDate(k.Created), LastUsed: onDate(k.LastUsed), LastService: k.LastUsedService,
		LastRegion: k.LastUsedRegion, Order: k.order, Changed: onDate(k.changed), Hidden: k.hidden, Unlisted: k.unlisted,
	}
}

func saveRole(name string, ro *role) savedRole {
	out := savedRole{Name: name, ID: ro.id, ExternalID: ro.externalID, Longest: ro.longest.String(), Deny: ro.deny, Tags: ro.tags, Trust: ro.trustText}
	if ro.policies != nil {
		out.Policies = ro.written
	}
	return out
}

func saveSecret(x *secret) savedSecret {
	out := savedSecret{
		Name: x.name, ARN: x.arn, Description: x.description, KMSKeyID: x.kmsKey, Tags: x.tags, Created: onDate(x.created), Changed: onDate(x.changed),
		Accessed: onDate(x.accessed), Deleted: onDate(x.deleted), Rotation: x.rotation,
	}
	if x.window != 0 {
		out.Window = x.window.String()
	}
	for _, v := range x.versions {
		out.Versions = append(out.Versions, savedValue{ID: v.id, Value: v.value, Binary: v.binary, Labels: v.labels, Created: onDate(v.created)})
	}
	for _, r := range x.replicas {
		out.Replicas = append(out.Replicas, savedReplica(r))
	}
	if p := x.policy; p != nil {
		out.Policy = &savedPolicy{Text: p.text, Bound: map[string]savedBound{}}
		for arn, b := range p.bound {
			out.Policy.Bound[arn] = savedBound{Account: b.account, ID: b.id}
		}
		for _, st := range p.statements {
			out.Policy.Statements = append(out.Policy.Statements, savedStatement{Effect: st.Effect, Principals: st.principals, Actions: st.actions})
		}
	}
	return out
}
