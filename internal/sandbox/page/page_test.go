package page

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/blockkit"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/sandbox/world"
	"github.com/keyturn/keyturn/rotator"
)

// site is a page on loopback, as a browser reaches it.
type site struct {
	*stage.Stage
	t   *testing.T
	url string
}

func newSite(t *testing.T, o stage.Options) *site {
	t.Helper()
	return siteBehind(t, o, func(_ *stage.Stage, h http.Handler) http.Handler { return h })
}

// siteBehind is a site with something between it and the browser.
func siteBehind(t *testing.T, o stage.Options, between func(*stage.Stage, http.Handler) http.Handler) *site {
	t.Helper()
	s, err := stage.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.Slack.SetAckWithin(time.Minute)
	p, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(between(s, p))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{s, t, srv.URL}
}

func (s *site) get(path string) (int, string, http.Header) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func (s *site) post(path string, form url.Values) (int, string) {
	resp, err := http.PostForm(s.url+path, form)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	return resp.StatusCode, string(b)
}

func (s *site) scan() {
	s.t.Helper()
	s.post("/act/scan", url.Values{"at": {"/"}, "after": {s.drawn()}})
	if err := s.Wait(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Job().Err; err != nil {
		s.t.Fatal(err)
	}
}

// TestTwentyClicks: what twenty clicks at once on one button do is what one click does.
func TestTwentyClicks(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	s.scan()
	m := s.Slack.Messages(world.Owner)[0]
	form := url.Values{"at": {"/"}, "channel": {m.Channel}, "ts": {m.TS}, "use": {use(t, string(m.RawBlocks), "approve")}}
	var clicks sync.WaitGroup
	for range 20 {
		clicks.Go(func() {
			if status, _ := s.post("/act/use", form); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
		})
	}
	clicks.Wait()
	a, err := s.App(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.Drain()
	if keys := s.AWS.Keys(world.Prod, world.Billing); len(keys) != 2 {
		t.Errorf("%d keys", len(keys))
	}
	created := 0
	for _, c := range s.Called().Counts() {
		if c.Name == "CreateAccessKey" {
			created += c.N
		}
	}
	if created != 1 {
		t.Errorf("%d keys were created", created)
	}
}

// TestRefusedKey: what AWS says to an inactive key is a sentence where it was used, and where its workload fails.
func TestRefusedKey(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	key := s.AWS.Keys(world.Prod, world.Billing)[0].ID
	s.AWS.SetKeyStatus(world.Prod, key, false)
	at := "/?user=" + world.Billing
	s.post("/act/key", url.Values{"at": {at}, "key": {key}, "do": {"use"}})
	_, body := s.post("/act/key", url.Values{"at": {at}, "key": {key}, "do": {"install"}})
	const says = "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records"
	for _, want := range []string{
		key + " was refused: " + says + ". S3 says the same of a key that is inactive and of one that never was.",
		": " + says + " (key " + key + ").",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestEverySecret: a secret stands with the user whose key it holds, whatever it is called, or with the account; its value nowhere.
func TestEverySecret(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	id := s.AWS.Users(world.Prod)[0].UserID
	const value = "the value of a secret"
	s.AWS.PutForeignSecret(world.Prod, "named/by/policy", value, map[string]string{rotator.TagUserID: id})
	s.AWS.PutForeignSecret(world.Prod, "somebody/"+world.Billing, value, map[string]string{rotator.TagUserID: "AIDASOMEBODYELSE00000"})
	s.AWS.PutForeignSecret(world.Prod, "database", value, nil)
	s.AWS.PutForeignSecret(world.Prod, "old/"+world.Billing, value, nil)
	for path, want := range map[string]map[string]bool{
		"/?user=" + world.Billing: {"named/by/policy": true, "old/" + world.Billing: true, "somebody/" + world.Billing: false, "database": false},
		"/":                       {"named/by/policy": false, "old/" + world.Billing: false, "somebody/" + world.Billing: true, "database": true},
	} {
		_, body, _ := s.get(path)
		for name, there := range want {
			if strings.Contains(body, "<code>"+name+"</code>") != there {
				t.Errorf("%s: secret %s is there: %v", path, name, !there)
			}
		}
		if strings.Contains(body, value) {
			t.Errorf("%s shows the value of a secret", path)
		}
	}
}

// TestOthersMessages: nobody sees, or presses, what is in somebody else's direct message.
func TestOthersMessages(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	s.scan()
	m := s.Slack.Messages(world.Owner)[0]
	if _, body, _ := s.get("/?as=" + world.Guest + "&in=" + m.Channel); strings.Contains(body, "Replace access key") {
		t.Error("the guest reads the owner's message")
	}
	at := "/?as=" + world.Guest
	_, body := s.post("/act/use", url.Values{"at": {at}, "channel": {m.Channel}, "ts": {m.TS}, "use": {use(t, string(m.RawBlocks), "approve")}})
	if !strings.Contains(body, "not there any more") {
		t.Error("the guest pressed a button in the owner's message")
	}
}

// TestStaleWindow: what another browser still shows of a window that is closed presses nothing in the next one.
func TestStaleWindow(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	s.scan()
	m := s.Slack.Messages(world.Owner)[0]
	press := url.Values{"at": {"/"}, "channel": {m.Channel}, "ts": {m.TS}, "use": {use(t, string(m.RawBlocks), "snooze")}}
	s.post("/act/use", press)
	first := s.Slack.As(world.Owner).Windows()
	if len(first) != 1 {
		t.Fatalf("%d windows", len(first))
	}
	s.post("/act/close", url.Values{"at": {"/"}, "view": {first[0].ID}})
	s.post("/act/use", press)
	if _, body := s.post("/act/submit", url.Values{"at": {"/"}, "view": {first[0].ID}}); !strings.Contains(body, "not open any more") {
		t.Error("nothing says that the window is gone")
	}
	if open := s.Slack.As(world.Owner).Windows(); len(open) != 1 || open[0].ID == first[0].ID {
		t.Errorf("the next window was touched: %v", open)
	}
}

// TestTyped: what a person types is text, also where it looks like a mark of Slack's.
func TestTyped(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	if _, body := s.post("/act/say", url.Values{"at": {"/?in=C0KEYS"}, "text": {"<!channel> <https://x.example|y> & <b>"}}); !strings.Contains(body, "&lt;!channel&gt; &lt;https://x.example|y&gt; &amp; &lt;b&gt;") {
		t.Error("it became something else")
	}
}

// use is the first button with an action in a page or in blocks, as its form sends it.
func use(t *testing.T, blocks, action string) string {
	t.Helper()
	html := string(blockkit.Blocks([]byte(blocks), blockkit.Options{ID: "x"}))
	for _, part := range strings.Split(html, `name="use" value="`)[1:] {
		value, _, _ := strings.Cut(part, `"`)
		if u, err := blockkit.ParseUse(strings.ReplaceAll(value, "&#43;", "+")); err == nil && u.Action == action {
			return value
		}
	}
	t.Fatalf("no %s in %s", action, html)
	return ""
}

// TestWhoComesFromElsewhere: neither another name of this machine nor another page reaches the world.
func TestWhoComesFromElsewhere(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	for name, edit := range map[string]func(*http.Request){
		"another name":   func(r *http.Request) { r.Host = "demo.example:80" },
		"another page":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"another origin": func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
	} {
		r, err := http.NewRequest(http.MethodPost, s.url+"/act/scan", strings.NewReader("at=/"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		edit(r)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
	}
	if s.Job().Name != "" {
		t.Error("it scanned nevertheless")
	}
	status, _, h := s.get("/")
	if csp := h.Get("Content-Security-Policy"); status != 200 || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("status %d, policy %q", status, csp)
	}
}

// TestPages: every link of the page, followed over and over, leads to a page, and secrets are on none of them.
func TestPages(t *testing.T) {
	s := newSite(t, stage.Options{})
	s.scan()
	m := s.Slack.Messages(world.Owner)[0]
	s.post("/act/use", url.Values{"at": {"/"}, "channel": {m.Channel}, "ts": {m.TS}, "use": {use(t, string(m.RawBlocks), "approve")}})
	a, err := s.App(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.Drain()
	seen, next := map[string]bool{"/": true}, []string{"/"}
	for len(next) > 0 && len(seen) < 400 {
		path := next[0]
		next = next[1:]
		status, body, _ := s.get(path)
		if status != 200 {
			t.Errorf("%s: %d", path, status)
		}
		for _, secret := range s.AWS.SecretStrings() {
			if strings.Contains(body, secret) {
				t.Fatalf("a secret is on %s", path)
			}
		}
		for _, attr := range []string{`href="`, `src="`} {
			for _, part := range strings.Split(body, attr)[1:] {
				to, _, _ := strings.Cut(part, `"`)
				to = strings.ReplaceAll(to, "&amp;", "&")
				if strings.HasPrefix(to, "/") && !seen[to] && len(seen) < 400 {
					seen[to] = true
					next = append(next, to)
				}
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d pages", len(seen))
	}
}

// TestBrokenAddresses: what nobody would click makes a page all the same.
func TestBrokenAddresses(t *testing.T) {
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	for _, q := range []string{
		"as=nobody&in=nowhere&side=nothing", "mail=99999999999999999999&side=inbox", "mail=-1&side=inbox", "page=0", "page=77&find=%00%ff",
		"rotation=x/y&side=timeline", "account=1&user=2", "thread=1.1&older=500000", "as=" + strings.Repeat("x", 5000), "%zz",
	} {
		if status, body, _ := s.get("/?" + q); status != 200 || !strings.Contains(body, "</html>") {
			t.Errorf("%s: %d", q, status)
		}
	}
	for _, path := range []string{"/mail/1", "/mail/x", "/nothing", "/catalogue/mail/99999"} {
		if status, _, _ := s.get(path); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	for _, form := range []url.Values{
		{}, {"at": {"https://evil.example/"}, "use": {"a"}}, {"at": {"//evil.example"}}, {"use": {"a/b/c"}, "channel": {"C0"}, "ts": {"1"}},
		{"text": {"/other command"}}, {"d": {"+1 year"}}, {"do": {"burn"}}, {"name": {"fire"}},
	} {
		for _, all := range acts {
			for name := range all {
				if name == "scan" || name == "kill" {
					continue
				}
				if status, body := s.post("/act/"+name, form); status != 200 || !strings.Contains(body, "</html>") {
					t.Errorf("%s %v: %d %s", name, form, status, body)
				}
			}
		}
	}
}

func FuzzPlace(f *testing.F) {
	for _, seed := range []string{"/", "/?as=U0GUEST&in=C0KEYS", "/?find=%00&page=-1", "http://x/?as=a", "/?x=%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		at := placeAt(address)
		u := at.Str()
		if !strings.HasPrefix(u, "/") || strings.HasPrefix(u, "//") {
			t.Fatalf("%q leads to %q", address, u)
		}
		if again := placeAt(u).Str(); again != u {
			t.Fatalf("%q, then %q", u, again)
		}
	})
}

// TestTourNeverStuck: a step that cannot be done any more does not hold up those after it, and each can be skipped.
func TestTourNeverStuck(t *testing.T) {
	hero := func(outcome rotation.Outcome, events ...string) seen {
		r := rotation.Rotation{Outcome: outcome}
		for _, e := range events {
			r.History = append(r.History, rotation.Entry{Event: e})
		}
		return seen{hero: &r}
	}
	for name, c := range map[string]struct {
		s           seen
		noted, want int
	}{
		"nothing":                    {seen{}, 0, 0},
		"scanned":                    {hero(""), 0, 1},
		"approved before the guest":  {hero("", "issued"), 1, 3},
		"installed before ten days":  {hero("", "issued", "confirm"), 3, 5},
		"deleted without a restore":  {hero(rotation.OutcomeRotated, "issued", "deactivated"), 3, 8},
		"rejected: nothing more now": {hero(rotation.OutcomeRejected), 2, 2},
		"never back":                 {seen{}, 6, 6},
	} {
		if got := behind(c.s, c.noted); got != c.want {
			t.Errorf("%s: %d steps done, want %d", name, got, c.want)
		}
	}
	s := newSite(t, stage.Options{Seed: (*world.World).SeedHero})
	for range len(tour) {
		s.post("/act/skip", url.Values{"at": {"/"}})
	}
	if _, body, _ := s.get("/"); !strings.Contains(body, "8 of 8 steps done") {
		t.Error("skipping does not come to the end")
	}
}
