package bot

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/templates"
)

func TestClicksInSlack(t *testing.T) {
	t.Parallel()
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			s := newStage(t)
			before := s.kept(d.from)
			m := s.post(before)
			// first those who may not: no window opens, each gets one answer, nothing happens
			for _, user := range []string{other, guest, outsider, former, robot, nobody} {
				if text := s.perform(user, m, d); !strings.Contains(text, "ecide") && !strings.Contains(text, "deactivated") {
					t.Errorf("%s is told %q", user, text)
				}
			}
			got := s.store.get(t, before.ID)
			is(t, changed(before, got), "")
			is(t, len(refusals(got)), 6)

			text := s.perform(owner, m, d)
			got = s.store.get(t, before.ID)
			is(t, changed(before, got), d.event)
			want := templates.AnswerDone(d.action, got)
			if text != want.Text && text != textOf(want.Blocks) {
				t.Errorf("the answer is %q, want %q", text, want.Text)
			}
			d.check(t, got)

			// everybody else who may, on the same stale screen: one answer each, and no second effect
			for _, user := range []string{named, accountOwner} {
				if text := s.perform(user, m, d); text == "" {
					t.Errorf("%s is told nothing", user)
				}
			}
			if d.action != "extend" {
				is(t, s.store.get(t, before.ID).PeopleSeq, got.PeopleSeq)
			}
		})
	}
}

func TestCommandsInSlack(t *testing.T) {
	for _, d := range deeds() {
		t.Run(d.name, func(t *testing.T) {
			s := newStage(t)
			s.kept(d.from)
			text := strings.TrimSpace(d.action + " " + string(oldKey) + " " + d.command)
			if d.command == "-" {
				text = "exempt billing-export@payments until 2026-09-01 vendor"
			}
			for _, user := range []string{guest, nobody, owner} {
				r := s.fine(s.emu.As(user).Command(text))
				if r.Ephemeral == nil || r.Ephemeral.Text == "" || !r.Ephemeral.Ephemeral {
					t.Fatalf("%s is told %+v", user, r.Ephemeral)
				}
			}
			is(t, changed(d.from, s.store.get(t, d.from.ID)), d.event)
		})
	}
	s := newStage(t)
	s.kept(opened(rotation.Awaiting))
	for _, text := range append(readings, "", "help", "help snooze", "nonsense", "leaked x", "rotate young@payments", strings.Repeat("é", 4000)) {
		for _, user := range []string{owner, guest, nobody} {
			if r := s.fine(s.emu.As(user).CommandIn(channel, text)); r.Ephemeral == nil || r.Ephemeral.Text == "" {
				t.Errorf("/keys %s: nothing is shown", text)
			}
		}
	}
}

// Every list is walked to its end with Slack's own limits: the emulator refuses what does not fit.
func TestWalkingListsInSlack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	snap := s.many(250)
	s.store.mu.Lock()
	for id, r := range s.store.rotations { // long names and long troubles
		r.AccountName = strings.Repeat("long & <name> ", 4)
		r.Stuck = &rotation.Stuck{Seen: strings.Repeat("AccessDenied: <is> & was not allowed. ", 60), From: r.State, At: start}
		s.store.rotations[id] = r
	}
	s.store.mu.Unlock()
	p := s.emu.As(owner)
	for _, text := range []string{"mine", "due", "status " + snap.Name} {
		m := s.fine(p.Command(text)).Ephemeral
		pages := 1
		for {
			before := len(s.whispers(owner))
			res := p.ClickButton(*m, "Next")
			if res.Status == 0 { // there is no such button
				break
			}
			s.fine(res)
			all := s.whispers(owner)
			if len(all) > before { // the answer to a command is not kept by the emulator: the next page is a message of its own
				m = &all[len(all)-1]
			} else {
				m = find(t, all, m.TS)
			}
			if pages++; !strings.Contains(s.emu.Render(*m), fmt.Sprintf("Page %d of 25", pages)) {
				t.Fatalf("%s: page %d reads:\n%s", text, pages, s.emu.Render(*m))
			}
		}
		is(t, pages, 25)
	}
	for _, l := range s.log.lines() {
		if strings.Contains(l, "not delivered") {
			t.Error(l)
		}
	}
}

func find(t *testing.T, all []slackemu.Message, ts string) *slackemu.Message {
	t.Helper()
	for i := range all {
		if all[i].TS == ts {
			return &all[i]
		}
	}
	t.Fatalf("no message %s", ts)
	return nil
}

func TestHomeInSlack(t *testing.T) {
	s := newStage(t)
	s.many(60)
	p := s.emu.As(owner)
	first, again := p.OpenHomeRetry()
	s.fine(first)
	s.fine(again)
	home := p.Home()
	if home == nil {
		t.Fatal("no Home")
	}
	s.fine(p.ClickViewButton("Show all 60"))
	wants(t, textOf(p.Home().Blocks.BlockSet), "Page 1 of 3")
	s.fine(p.ClickViewButton("Next"))
	wants(t, textOf(p.Home().Blocks.BlockSet), "Page 2 of 3")
	s.fine(p.ClickViewButton("Everything"))
	s.fine(p.ClickViewButton("Show")) // from the Home a window opens, and the decision is made in it
	if p.Modal() == nil {
		t.Fatal("no window")
	}
	s.fine(p.ClickViewButton("Approve"))
	r := s.store.get(t, "111122223333/AIDAMANY0000")
	is(t, r.State, rotation.Approved)
	is(t, textOf(p.Modal().Blocks.BlockSet), textOf(templates.AnswerDone("approve", r).Blocks))
	for _, user := range []string{guest, other} {
		s.fine(s.emu.As(user).OpenHome())
		if s.emu.As(user).Home() == nil {
			t.Errorf("%s has no Home", user)
		}
	}
	s.fine(s.emu.As(former).OpenHome())
	s.fine(s.emu.As(nobody).OpenHome())
}

func TestReviewInSlack(t *testing.T) {
	s := newStage(t)
	r := s.kept(opened(rotation.Awaiting))
	p := s.emu.As(owner)
	list := s.fine(p.Command("mine")).Ephemeral
	s.fine(p.ClickButton(*list, "Show"))
	notice := s.whispers(owner)[0]
	s.fine(p.ClickButton(notice, "Snooze"))
	s.fine(p.Submit(map[string]any{"for": "2d"}))
	is(t, s.store.get(t, r.ID).SnoozedUntil, start.Add(days(2)))
	if n := len(p.Modal().Blocks.BlockSet); n == 0 {
		t.Error("the window does not say what was done")
	}
	s.fine(p.ClickButton(notice, "Approve")) // the ephemeral notice is replaced by the answer
	all := s.whispers(owner)
	is(t, len(all), 1)
	is(t, all[0].Text, templates.AnswerDone("approve", s.store.get(t, r.ID)).Text)
}

func TestStaleScreenInSlack(t *testing.T) {
	s := newStage(t)
	r := s.kept(opened(rotation.Awaiting))
	m := s.post(r)
	now := s.store.put(replanned(r))
	p := s.emu.As(owner)
	s.fine(p.ClickButton(m, "Approve"))
	is(t, s.lastWhisper(owner, 1), templates.AnswerStale(now).Text)
	is(t, s.store.get(t, r.ID).Version, now.Version)
	fresh := s.emu.Messages(channel)[0]
	is(t, fresh.Edits, 1)
	s.fine(p.ClickButton(fresh, "Approve"))
	is(t, s.store.get(t, r.ID).State, rotation.Approved)
}

func TestForgedInSlack(t *testing.T) {
	s := newStage(t)
	r := s.kept(opened(rotation.Awaiting))
	m := s.post(r)
	s.fine(s.emu.As(guest).ClickButton(m, "Approve"))
	path, header, body := s.emu.LastRequest()
	before := s.store.get(t, r.ID)
	s.log.lines()
	forged := []byte(strings.Replace(string(body), guest, owner, -1))
	if res := s.emu.SendRaw(path, header, forged); res.Status != 401 {
		t.Errorf("somebody else's name: status %d", res.Status)
	}
	replay := header.Clone()
	replay.Set("X-Slack-Request-Timestamp", stamp(time.Now().Add(time.Minute)))
	if res := s.emu.SendRaw(path, replay, body); res.Status != 401 {
		t.Errorf("replayed later: status %d", res.Status)
	}
	if res := s.emu.SendRaw(path, nil, body); res.Status != 401 {
		t.Errorf("unsigned: status %d", res.Status)
	}
	old := s.emu.SignedHeader("application/x-www-form-urlencoded", forged, time.Now().Add(-6*time.Minute))
	if res := s.emu.SendRaw(path, old, forged); res.Status != 401 {
		t.Errorf("old: status %d", res.Status)
	}
	if res := s.emu.SendRaw(path, header, []byte(strings.Repeat("x", MostBody+1))); res.Status != 413 {
		t.Errorf("too large: status %d", res.Status)
	}
	is(t, len(s.log.lines()), 5)
	is(t, s.store.get(t, r.ID).Version, before.Version)
	if res := s.emu.VerifyURL("abc"); res.Status != 200 || string(res.Body) != "abc" {
		t.Errorf("url_verification: %+v", res)
	}
	if res := s.emu.SendRaw("/slack/events", nil, []byte(`{"type":"url_verification","challenge":"abc"}`)); res.Status != 401 {
		t.Errorf("unsigned url_verification: status %d", res.Status)
	}
}

func TestSlackFailsInSlack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := s.kept(opened(rotation.Awaiting))
	m := s.post(r)
	p := s.emu.As(owner)
	s.emu.SetFault(slackemu.Fault{Method: "users.info", Times: -1, Kind: slackemu.FaultStatus})
	s.fine(p.ClickButton(m, "Approve"))
	wants(t, s.lastWhisper(owner, 1), "Slack could not say who you are")
	s.emu.ClearFaults()
	s.emu.SetFault(slackemu.Fault{Method: "views.open", Kind: slackemu.FaultError, Code: "expired_trigger_id"})
	s.fine(p.ClickButton(m, "Snooze"))
	wants(t, s.lastWhisper(owner, 2), "click again")
	s.bot.Wait()
	s.bot.lookup = 100 * time.Millisecond
	s.emu.SetFault(slackemu.Fault{Method: "users.info", Times: -1, Kind: slackemu.FaultHang})
	q := s.emu.As(named)
	s.fine(q.ClickButton(m, "Approve")) // the emulator waits for three seconds, no longer
	is(t, changed(r, s.store.get(t, r.ID)), "")
}

// One round over real HTTP: fifty people, one outcome, one answer each.
func TestFiftyPeopleInSlack(t *testing.T) {
	s := newStage(t)
	people := s.crowd(50)
	for _, id := range people {
		s.emu.AddUser(slackemu.User{ID: id, Name: id, RealName: "Person " + id, Email: strings.ToLower(id) + "@acme.example"})
	}
	r := s.kept(opened(rotation.Awaiting))
	m := s.post(r)
	var all sync.WaitGroup
	begin := make(chan struct{})
	for _, id := range people {
		all.Go(func() {
			<-begin
			if res := s.emu.As(id).ClickButton(m, "Approve"); res.Err != nil {
				t.Errorf("%s: %v after %s", id, res.Err, res.Took)
			}
		})
	}
	close(begin)
	all.Wait()
	s.bot.Wait()
	got := s.store.get(t, r.ID)
	is(t, len(got.Approvals), 1)
	is(t, s.store.saves, 1)
	won := 0
	for _, id := range people {
		text := s.lastWhisper(id, 1)
		if text == templates.AnswerDone("approve", got).Text {
			won++
		} else {
			wants(t, text, "Already approved just now by "+got.Approvals[0].Actor.Name)
		}
	}
	is(t, won, 1)
	is(t, s.emu.Counters()["users.info"], 50)
}

// What is said in ephemeral form is text as well: a client that shows no blocks reads the same.
func TestAnswersHaveText(t *testing.T) {
	s := newStage(t)
	s.kept(opened(rotation.Awaiting))
	r := s.fine(s.emu.As(owner).Command("approve AKIAUNKNOWNUNKNOWN99"))
	if len(r.Ephemeral.Blocks.BlockSet) == 0 || r.Ephemeral.Text != r.Ephemeral.Blocks.BlockSet[0].(*slack.SectionBlock).Text.Text {
		t.Errorf("%+v", r.Ephemeral)
	}
}
