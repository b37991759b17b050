package slackemu

import (
	"bytes"
	"strings"
	"testing"
)

// small is a state that says where things are, for tests that damage it.
const small = `{"version":1,"team":"T0TEST","serial":9,"last_ts":1780300800000005,
"users":[{"id":"U0ANN","name":"ann"},{"id":"U0BEN"}],"channels":[{"id":"C0KEYS","name":"keys"},{"id":"D0ANN","user":"U0ANN"}],"groups":[{"id":"S0OPS","members":["U0ANN"]}],
"messages":[{"channel":"C0KEYS","ts":"1780300800.000001","text":"a","blocks":[{"type":"section","block_id":"b1","text":{"type":"mrkdwn","text":"a"}}],"from":"U0KEYTURN"}],
"whispers":[{"channel":"C0KEYS","ts":"1780300800.000002","text":"b","ephemeral":true,"for":"U0ANN","from":"U0KEYTURN"}],
"shown":[{"channel":"C0KEYS","ts":"1780300800.000003","text":"c","ephemeral":true,"for":"U0ANN","from":"U0KEYTURN"}],
"modals":{"U0ANN":[{"id":"V1","root":"V1","hash":"1.h1","body":{"type":"modal","blocks":[{"type":"input","block_id":"i","element":{"type":"number_input","action_id":"a","min_value":1e0}}]},"state":{"i":{"a":{"type":"number_input","value":"5"}}}}]},
"homes":{"U0BEN":{"id":"V2","root":"V2","hash":"1.h2","body":{"type":"home","blocks":[]}}},
"answers":{"T0TEST/4":{"user":"U0ANN","channel":"C0KEYS","message":{"channel":"C0KEYS","ts":"1780300800.000001"},"issued":"2999-06-01T08:00:00+02:00"}}}`

func TestStatesThatAreRefused(t *testing.T) {
	load := func(text string) (refused error, same bool) {
		s := New(Options{TeamID: testTeam})
		s.AddUser(User{ID: "U0STAYS"})
		before := must(s.Save())
		err := s.Load([]byte(text))
		return err, bytes.Equal(before, must(s.Save()))
	}
	if err, same := load(small); err != nil || same {
		t.Fatalf("the whole state: %v", err)
	}
	for name, c := range map[string]struct{ old, instead, says string }{
		"newer":               {`"version":1`, `"version":2`, "has version 2, and this program reads version 1"},
		"without a version":   {`"version":1,`, ``, "has version 0"},
		"no JSON":             {small, `garbage`, "damaged"},
		"empty":               {small, ``, "damaged"},
		"more behind":         {`+02:00"}}}`, `+02:00"}}}[]`, "damaged"},
		"cut off":             {`"homes"`, ``, "damaged"},
		"an unknown field":    {`"serial":9`, `"serials":9`, "unknown field"},
		"another workspace":   {`"team":"T0TEST"`, `"team":"T0ELSE"`, "same workspace"},
		"a person twice":      {`{"id":"U0BEN"}`, `{"id":"U0ANN"}`, "twice"},
		"a channel twice":     {`{"id":"C0KEYS"`, `{"id":"D0ANN"`, "twice"},
		"a nameless group":    {`"id":"S0OPS"`, `"id":""`, "no ID"},
		"a message twice":     {`"ts":"1780300800.000002"`, `"ts":"1780300800.000003"`, "twice"},
		"blocks of words":     {`"blocks":[{"type":"section","block_id":"b1","text":{"type":"mrkdwn","text":"a"}}]`, `"blocks":"a"`, "blocks of the message"},
		"a block of nonsense": {`"text":{"type":"mrkdwn","text":"a"}`, `"text":[7]`, "blocks of the message"},
		"a view twice":        {`{"id":"V2"`, `{"id":"V1"`, "twice"},
		"a view of nothing":   {`"body":{"type":"home","blocks":[]}`, `"body":null`, "is none"},
		"a date that is none": {`2999-06-01T08:00:00+02:00`, `soon`, "damaged"},
		"a date too late":     {`2999-06-01T08:00:00+02:00`, `9999-12-31T23:59:59-01:00`, "beyond the years"},
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
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "remove the folder") || !strings.HasPrefix(err.Error(), "load the emulated Slack: ") {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if !same {
				t.Error("the refused state changed the server")
			}
		})
	}
}

// FuzzLoad loads garbage: it is refused, or it is a state that can be saved and loaded again, and that people can look at.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(small))
	for _, s := range []string{``, `{}`, `null`, `{"version":1}`, `{"version":1,"team":"T0TEST","messages":[{"ts":"1","blocks":[null]}]}`,
		`{"version":1,"team":"T0TEST","modals":{"U":[{"id":"V","body":{"blocks":[null,{"type":"actions","elements":[{"type":"static_select","options":[1]}]}]}}]}}`} {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"version":1,"team":"T0TEST","homes":{"U":{"id":"V","body":` + everyInput + `}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := New(Options{TeamID: testTeam})
		if s.Load(data) != nil {
			return
		}
		first := must(s.Save())
		again := New(Options{TeamID: testTeam})
		if err := again.Load(first); err != nil {
			t.Fatal(err)
		}
		if second := must(again.Save()); !bytes.Equal(first, second) {
			t.Fatalf("saved\n%s\nthen\n%s", first, second)
		}
		for _, id := range append(s.people.order, ann, ben) {
			p := s.As(id)
			p.Screen()
			p.Submit(nil)
			p.ClickView("a")
		}
		for ch, all := range s.msgs {
			s.Conversation(ch)
			for _, m := range copies(all) {
				s.As(ann).Click(m, "a")
			}
		}
	})
}
