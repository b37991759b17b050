package awsemu

import (
	"bytes"
	"strings"
	"testing"
)

// small is a state that says where things are, for tests that damage it.
const small = `{"version":1,"partition":"aws","region":"eu-central-1","serial":3,
"units":[{"id":"r-acme"},{"id":"ou-a","parent":"r-acme"}],"order":["1"],
"accounts":[{"id":"1","parent":"ou-a","state":"ACTIVE","management":true,
"bootstrap":[{"id":"AKIABOOT","secret":"s","created":"2026-06-01T08:00:00Z","order":1,"changed":"2026-06-01T08:00:00Z"}],
"users":[{"name":"alice","path":"/","id":"AIDA1","created":"2026-06-01T08:00:00.000000007Z","keys":[null,{"id":"AKIAALICE","secret":"s","created":"2026-06-01T10:00:00+02:00","order":2,"changed":"2026-06-01T08:00:00Z"}]}],
"groups":[{"name":"Devs"}],
"roles":[{"name":"r","id":"AROA1","longest":"1h0m0s","trust":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{\"AWS\":\"*\"}}]}","policies":{"p":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"}}],
"secrets":[{"name":"x","arn":"arn:aws:secretsmanager:eu-central-1:1:secret:x-abcdef","created":"2026-06-01T08:00:00Z","changed":"2026-06-01T08:00:00Z","window":"720h0m0s",
"policy":{"text":"{}","bound":{"a":{"account":"1","id":"AIDA1"}},"statements":[{"effect":"Deny","principals":["AIDA1"],"actions":["*"]}]},
"versions":[{"id":"v","value":"v","labels":["AWSCURRENT"],"created":"2026-06-01T08:00:00Z"}]}],
"kms":[{"id":"k","state":"Enabled"}],"aliases":{"alias/k":"k"}}],
"sessions":[{"id":"ASIA1","secret":"s","token":"t","account":"1","role":"r","name":"n","lasting":true}],
"mails":[{"account":"1","from":"a@acme.example","subject":"s","at":"2026-06-01T08:00:00Z"}]}`

func TestStatesThatAreRefused(t *testing.T) {
	load := func(text string) (refused error, same bool) {
		s := New(Options{Region: region})
		s.AddAccount(Account{ID: member})
		s.AddUser(member, User{Name: "stays"})
		before := ok(s.Save())(t)
		err := s.Load([]byte(text))
		return err, bytes.Equal(before, ok(s.Save())(t))
	}
	if err, same := load(small); err != nil || same {
		t.Fatalf("the whole state: %v", err)
	}
	for name, c := range map[string]struct{ old, instead, says string }{
		"newer":                {`"version":1`, `"version":2`, "has version 2, and this program reads version 1"},
		"without a version":    {`"version":1,`, ``, "has version 0"},
		"no JSON":              {small, `garbage`, "damaged"},
		"empty":                {small, ``, "damaged"},
		"cut off":              {`"mails"`, ``, "damaged"},
		"more behind":          {`"s","at":"2026-06-01T08:00:00Z"}]}`, `"s","at":"2026-06-01T08:00:00Z"}]}{}`, "damaged"},
		"an unknown field":     {`"serial":3`, `"serials":3`, "unknown field"},
		"another region":       {`"region":"eu-central-1"`, `"region":"us-east-1"`, "same region"},
		"another partition":    {`"partition":"aws"`, `"partition":"aws-cn"`, "same region"},
		"a date that is none":  {`.000000007Z`, `.x`, "damaged"},
		"a date too late":      {`2026-06-01T08:00:00.000000007Z`, `9999-12-31T23:59:59-01:00`, "beyond the years"},
		"units in a circle":    {`{"id":"r-acme"}`, `{"id":"r-acme","parent":"ou-a"}`, "below itself"},
		"a unit twice":         {`{"id":"r-acme"}`, `{"id":"ou-a"}`, "twice"},
		"an account of no ID":  {`{"id":"1","parent"`, `{"id":"","parent"`, "no ID"},
		"an unknown member":    {`"order":["1"]`, `"order":["2"]`, "not there"},
		"a member twice":       {`"order":["1"]`, `"order":["1","1"]`, "twice"},
		"a session of nobody":  {`"token":"t","account":"1"`, `"token":"t","account":"2"`, "nobody's"},
		"a key twice":          {`AKIABOOT`, `AKIAALICE`, "twice"},
		"a key without secret": {`"id":"AKIABOOT","secret":"s"`, `"id":"AKIABOOT","secret":""`, "is none"},
		"a third slot":         {`"keys":[null,`, `"keys":[null,null,`, "2 slots"},
		"a user's name":        {`"name":"alice"`, `"name":"a b"`, "can be called"},
		"a nameless group":     {`"name":"Devs"`, `"name":""`, "no name"},
		"a nameless role":      {`"name":"r"`, `"name":""`, "no name"},
		"a role's length":      {`1h0m0s`, `1 hour`, "role"},
		"a role's trust":       {`sts:AssumeRole\"`, `sts:AssumeRole`, "trust policy"},
		"a role's policy":      {`\"Action\":\"*\"`, `\"Action\":7`, `policy \"p\"`},
		"a secret's ARN":       {`"arn:aws:secretsmanager:eu-central-1:1:secret:x-abcdef"`, `"arn:x"`, "is none"},
		"a secret's window":    {`720h0m0s`, `x`, "secret"},
		"a secret's policy":    {`"effect":"Deny"`, `"effect":"Maybe"`, "Maybe"},
		"a secret's version":   {`"versions":[`, `"versions":[{"id":"v","value":"w","created":"2026-06-01T08:00:00Z"},`, "twice"},
		"a KMS key of no ID":   {`{"id":"k"`, `{"id":""`, "no ID"},
		"an alias of nothing":  {`"alias/k":"k"`, `"alias/k":"l"`, "not there"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(small, c.old) != 1 {
				t.Fatalf("%q is not once in the state", c.old)
			}
			text := strings.Replace(small, c.old, c.instead, 1)
			if name == "cut off" {
				text = small[:strings.Index(small, c.old)]
			}
			err, same := load(text)
			says := strings.ReplaceAll(c.says, `\"`, `"`)
			if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "remove the folder") || !strings.HasPrefix(err.Error(), "load the emulated AWS: ") {
				t.Errorf("got %v, want %q", err, says)
			}
			if !same {
				t.Error("the refused state changed the server")
			}
		})
	}
}

// FuzzLoad loads garbage: it is refused, or it is a state that can be saved and loaded again, and that calls do not break.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(small))
	f.Add(ok(rich(f).Save())(f))
	for _, s := range []string{``, `{}`, `null`, `{"version":1}`, `{"version":1,"partition":"aws","region":"eu-central-1","accounts":[{"id":"1","state":""}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := New(Options{Region: region})
		if s.Load(data) != nil {
			return
		}
		first := ok(s.Save())(t)
		again := New(Options{Region: region})
		ok(0, again.Load(first))(t)
		if second := ok(again.Save())(t); !bytes.Equal(first, second) {
			t.Fatalf("saved\n%s\nthen\n%s", first, second)
		}
		s.mu.Lock()
		ids := make([]string, 0, len(s.accounts))
		for id, a := range s.accounts {
			ids = append(ids, id)
			s.orgPath(id)
			s.csv(a)
		}
		s.mu.Unlock()
		for _, id := range ids {
			s.Secrets(id)
			s.Secret(id, "arn:aws:secretsmanager:eu-central-1:1:secret:x-abcdef")
			s.AddKMSKey(id, KMSKey{})
			s.AddIdentity(id, "a", true)
		}
	})
}
