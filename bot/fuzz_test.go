package bot

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

func FuzzParse(f *testing.F) {
	for _, s := range Specs() {
		f.Add(s.Example)
		f.Add(s.Usage)
		f.Add("help " + s.Name)
	}
	for _, s := range []string{"", " ", `"`, "<", "<a|", "<|>", "<<>>", "help <!channel>", "snooze AKIAOLDOLDOLDOLD0001 9999999d", "exempt a@b until 9999-12-31 x", "\xff\xfe", "approve AKIA\u0000", strings.Repeat("a ", 9000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := Parse("/keys", "/keys", text)
		if p.Ignore || (p.Command == nil) == (p.Result == nil) {
			t.Fatalf("%q is %+v", text, p)
		}
		if p.Result != nil {
			said := textOf(p.Result.Blocks)
			if p.Result.Text == "" || len(p.Result.Blocks) == 0 || !utf8.ValidString(said) || strings.Contains(said, "<!") || strings.Contains(said, "<@") {
				t.Fatalf("%q is answered %q", text, said)
			}
			mustFit(t, p.Result.Blocks)
			return
		}
		c := *p.Command
		s, ok := specOf(c.Name)
		if !ok {
			t.Fatalf("%q is a command without a spec: %+v", text, c)
		}
		for _, k := range []rotation.KeyID{c.Key, c.Pick} {
			if got, err := rotation.ParseKeyID(string(k)); k != "" && (err != nil || got != k) {
				t.Errorf("%q names the key %q", text, k)
			}
		}
		if strings.HasPrefix(s.Usage, s.Name+" KEY") && c.Key == "" || strings.Contains(s.Usage, " reason") && !strings.Contains(s.Usage, "[reason]") && c.Reason == "" {
			t.Errorf("%q lacks something: %+v", text, c)
		}
		if n := utf8.RuneCountInString(c.Reason); n > templates.MostWhy || !utf8.ValidString(c.Reason) || strings.ContainsFunc(c.Reason, unicode.IsControl) {
			t.Errorf("%q has the reason %q", text, c.Reason)
		}
		if c.For < 0 || c.Page < 1 || c.Page > 10_000 {
			t.Errorf("%q: %+v", text, c)
		}
		if s.Decides && c.Key == "" && c.User == "" {
			t.Errorf("%q decides about nothing: %+v", text, c)
		}
	})
}

func FuzzButtonValue(f *testing.F) {
	r := opened(rotation.Awaiting)
	for _, s := range []string{value(r), templates.PageValue("mine", "", 1), templates.PageValue("due", "30d", 2), templates.PageValue("history", string(oldKey), 3), "", "{}", "null", `{"i":"page/mine","e":1,"p":"x"}`, "reject " + value(r), "break-glass " + value(r), `{"i":"111122223333/AIDAYOUNG","e":0}`, "page " + templates.PageValue("mine", "", 2)} {
		f.Add(s, "approve:1")
		f.Add(s, "more")
		f.Add(s, "renew")
	}
	f.Fuzz(func(t *testing.T, s, id string) {
		if v, err := templates.ParseValue(s); err == nil {
			again, err := templates.ParseValue(v.Encode())
			if err != nil || again != v {
				t.Errorf("%q reads %+v, then %+v: %v", s, v, again, err)
			}
		}
		if c, err := parseCursor(s); err == nil {
			again, err := parseCursor(c.encode())
			if err != nil || again != c || c.Page < 1 {
				t.Errorf("%q reads %+v, then %+v: %v", s, c, again, err)
			}
			prev, next := c.around(c.Page, c.Page+1)
			for _, v := range []string{prev, next} {
				if _, err := parseCursor(v); v != "" && err != nil {
					t.Errorf("the button %q is not read", v)
				}
			}
		}
		e := newBench(t)
		before := e.kept(r)
		e.press(click{user: owner, action: id, value: s})
		e.press(click{user: guest, action: id, value: s})
		e.press(click{user: owner, action: id, value: s, menu: true})
		if what := changed(before, e.store.get(t, r.ID)); what != "" {
			v, err := templates.ParseValue(s)
			if action, _, _ := strings.Cut(id, ":"); err != nil || v.ID != r.ID || action == "approve" && v.Digest != r.Digest() {
				t.Errorf("%s with %q did %s", id, s, what)
			}
		}
		e.mustBeDecided(map[rotation.ID]rotation.Rotation{r.ID: before})
	})
}

// mustBeDecided checks that everything that was changed was decided by somebody who may, and that no answer panicked.
func (e *bench) mustBeDecided(before map[rotation.ID]rotation.Rotation) {
	e.t.Helper()
	for id, was := range before {
		r := e.store.get(e.t, id)
		for _, h := range r.History[len(was.History):] {
			if h.Event == (rotation.Denied{}).Name() {
				if h.From != h.To || slices.Contains(may, h.Actor.ID) {
					e.t.Errorf("refused: %+v", h)
				}
			} else if !slices.Contains(may, h.Actor.ID) {
				e.t.Errorf("decided by somebody who may not: %+v", h)
			}
		}
		if len(r.History) == len(was.History) && r.Version != was.Version {
			e.t.Errorf("%s was saved without a word", id)
		}
		mustVerify(e.t, r)
	}
	for _, x := range e.store.exemptions {
		if !slices.Contains(may, x.By.ID) || x.Why == "" || x.Until.Before(start) {
			e.t.Errorf("exempted: %+v", x)
		}
	}
	for _, q := range e.store.requests {
		if !slices.Contains(may, q.By.ID) {
			e.t.Errorf("requested: %+v", q)
		}
	}
	for name, entries := range e.store.chains {
		if err := rotation.VerifyHistory(entries); err != nil {
			e.t.Errorf("chain %s: %v", name, err)
		}
	}
	for _, s := range e.slack.heard() {
		if s.View != nil && (len(s.View.Blocks.BlockSet) > 100 || len(s.View.PrivateMetadata) > 3000 || len(s.Text) > 13_000) {
			e.t.Errorf("a window with %d blocks and %d bytes of text", len(s.View.Blocks.BlockSet), len(s.Text))
		}
	}
	for _, l := range e.log.lines() {
		if strings.Contains(l, "panicked") {
			e.t.Error(l)
		}
	}
}

// everyState stores one rotation in each state, each of another user, and returns them.
func (e *bench) everyState() map[rotation.ID]rotation.Rotation {
	e.kept(opened(rotation.Awaiting))
	out := map[rotation.ID]rotation.Rotation{}
	for i, r := range []rotation.Rotation{
		at(rotation.Awaiting), at(rotation.Upcoming), at(rotation.Approved), at(rotation.Evicting), at(rotation.Installing), at(rotation.Recovering), at(rotation.Closed),
		with(at(rotation.Approved), stuck), with(at(rotation.Installing), gated), with(at(rotation.Installing), held), with(at(rotation.Awaiting), twoInUse), with(at(rotation.Recovering), claimed(rotation.OpDelete)),
	} {
		if i > 0 {
			r.UserID = rotation.UserID(rune('A' + i))
			r.ID = rotation.MakeID(account, r.UserID)
			r.Old.ID = rotation.KeyID("AKIASTATESTATESTATE" + string(rune('A'+i)))
		}
		out[r.ID] = e.store.put(r)
	}
	return out
}

// exempted exempts a user who has no rotation.
func (e *bench) exempted() {
	e.store.exemptions[rotation.MakeID(account, "AIDAYOUNG")] = rotation.Exemption{Account: account, UserID: "AIDAYOUNG", UserName: "young",
		By: everybody()[1].Actor(), Why: "vendor", From: start.Add(-days(1)), Until: start.Add(days(9)), Used: rotation.Spent{Count: 1, Total: days(10)}}
}

func FuzzInteraction(f *testing.F) {
	raw := func(body string) string {
		form, err := url.ParseQuery(body)
		if err != nil {
			panic(err)
		}
		return form.Get("payload")
	}
	for _, d := range deeds() {
		for _, user := range []string{owner, guest, nobody} {
			w := d.form
			w.user, w.action, w.value = user, d.action, d.value()
			f.Add(raw(w.body()))
			f.Add(raw(click{user: user, action: d.action, value: d.value().Encode()}.body()))
			f.Add(raw(click{user: user, action: d.action, value: d.value().Encode(), menu: true, ephemeral: true}.body()))
			f.Add(raw(click{user: user, action: d.action, value: d.value().Encode(), modal: true}.body()))
		}
	}
	young := templates.Value{ID: rotation.MakeID(account, "AIDAYOUNG")}
	alone := at(rotation.Awaiting)
	for _, user := range []string{accountOwner, guest} {
		f.Add(raw(shortcut(user, "look:\n"+string(oldKey))))
		f.Add(raw(shortcut(user, "nothing")))
		f.Add(raw(leakForm(user, string(oldKey), "on GitHub", "channel C0GENERAL, message 1700000000.000100")))
		f.Add(raw(leakForm(user, string(youngKey), "on GitHub", "<!channel>")))
		f.Add(raw(leakForm(user, "AKIA", "", "")))
		f.Add(raw(click{user: user, action: "renew", value: young.Encode()}.body()))
		f.Add(raw(filledIn{user: user, action: "renew", value: young, why: "still the vendor", until: "2026-09-01"}.body()))
		f.Add(raw(filledIn{user: user, action: "renew", value: young, why: "x", until: "9999-12-31"}.body()))
		f.Add(raw(click{user: user, action: "break-glass", value: value(alone), ephemeral: true}.body()))
		f.Add(raw(filledIn{user: user, action: "break-glass", value: templates.ValueOf(alone), why: "nobody else is here"}.body()))
	}
	f.Add(`{"type":"message_action","callback_id":"report_leaked","user":{"id":"U0OWNER1"},"message":null}`)
	f.Add(`{"type":"message_action","callback_id":"report_leaked","user":{"id":"U0OWNER1"},"channel":{"id":"<!here>"},"message_ts":"x","message":{"text":["AKIAOLDOLDOLDOLD0001"]}}`)
	f.Add(`{"type":"view_submission","user":{"id":"U0OWNER1"},"view":{"callback_id":"leaked","state":{"values":{"key":{"key":null}}}}}`)
	f.Add("null")
	f.Add(`{"type":"block_actions","user":{"id":"U0OWNER1"},"actions":[{"block_id":"b","action_id":"page:next","value":"{\"i\":\"page/due\",\"e\":1}"},null,{}]}`)
	f.Add(`{"type":"view_submission","user":{"id":"U0OWNER1"},"view":{"callback_id":"reject","private_metadata":"{}","state":null}}`)
	f.Add(`{"type":"block_actions","user":{"id":"U0OWNER1"},"state":{"values":{"a":{"b":null}}},"view":{"type":"modal"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		e := newBench(t)
		e.rules.rule.BreakGlass = e.rules.rule.AnyOf
		before := e.everyState()
		e.exempted()
		w := e.send("/slack/interactions", url.Values{"payload": {body}}.Encode())
		if w.Code != 200 && w.Code != 400 && w.Code != 413 {
			t.Errorf("status %d", w.Code)
		}
		e.mustBeDecided(before)
	})
}

func FuzzCommandForm(f *testing.F) {
	for _, d := range deeds() {
		for _, user := range []string{owner, guest, nobody} {
			f.Add(commandForm(user, d.action+" "+string(d.from.Old.ID)+" "+d.command))
		}
	}
	for _, text := range append(readings, "rotate young@payments x", "exempt young@payments until 2026-09-01 x", "exempt billing-export@payments 2026-09-01 x",
		"unexempt young@payments x", "leaked "+string(oldKey)+" x", "leaked "+string(youngKey)+" x", "break-glass "+string(oldKey)+" x", "break-glass "+string(oldKey)+" "+string(twoKey)+" x") {
		f.Add(commandForm(named, text))
		f.Add(commandForm(outsider, text))
	}
	f.Add("command=%2Fkeys&user_id=U0OWNER1&text=mine&text=approve+AKIAOLDOLDOLDOLD0001&user_id=U0GUEST1")
	f.Add("ssl_check=1")
	f.Add("%")
	f.Fuzz(func(t *testing.T, body string) {
		e := newBench(t)
		e.rules.rule.BreakGlass = e.rules.rule.AnyOf
		before := e.everyState()
		e.exempted()
		w := e.send("/slack/commands", body)
		if w.Code != 200 && w.Code != 400 && w.Code != 413 {
			t.Errorf("status %d", w.Code)
		}
		e.mustBeDecided(before)
	})
}
