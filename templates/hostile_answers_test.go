package templates

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// hostileAnswers renders every answer, window and App Home with text in all places that people may write.
func hostileAnswers(t *testing.T, text string, all []rotation.Rotation, look func(string, Message)) {
	t.Helper()
	now := sampleNow
	evil := rotation.Actor{ID: text, Name: text, Email: text, Via: rotation.ViaSlack}
	snap := rotation.Snapshot{Account: rotation.AccountID(text), Name: text, Email: text, OUPath: text, Error: text, RootKeys: 1}
	user := rotation.User{Name: rotation.UserName(text), Keys: []rotation.Key{{ID: sampleOld, LastUse: rotation.LastUse{Kind: rotation.UseSeen, Service: text, Region: text}}}}
	no := approval.Verdict{Why: text, Who: text, Tree: approval.Node{Children: []approval.Node{{What: text, Detail: text, Children: []approval.Node{{What: text, Detail: text}}}}}}
	policy := rotation.DefaultPolicy()
	policy.Rule, policy.Mode = text, rotation.Mode(text)
	exemption := rotation.Exemption{Account: snap.Account, UserName: user.Name, By: evil, Why: text, Until: now}

	var rows []Row
	seen := map[string]bool{}
	for _, r := range all { // an answer tells less apart than a notice does
		if key := fmt.Sprint(phaseOf(r), r.State, r.Kind); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		rows = append(rows, RowOf(r, now))
		for _, act := range allActions {
			look("answer to "+act, AnswerDone(act, r))
		}
		look("answer refused", AnswerRefused(r, no))
		look("answer not now", AnswerNotNow(r, text))
		look("answer stale", AnswerStale(r))
		look("answer earlier", AnswerEarlier(r))
		look("answer open already", AnswerOpenAlready(r))
		look("answer still", AnswerExemptedStill(exemption, r, text))
		look("answer why", AnswerWhy(Why{Rotation: r, Covered: true, Policy: policy, Verdict: no}, now))
		h := History{Rotation: r, Entries: r.History[max(0, len(r.History)-8):], Broken: text, Earlier: []rotation.Rotation{r, r, r}, Page: 1, Pages: 2, Next: PageValue("history", "", 2)}
		look("answer history", AnswerHistory(h))
		for what, m := range map[string]slack.ModalViewRequest{
			"snooze": ModalSnooze(r, ValueOf(r)), "hold": ModalHold(r, ValueOf(r)), "extend": ModalExtend(r, ValueOf(r)), "reject": ModalReject(r, ValueOf(r), now),
			"exempt": ModalExempt(r, ValueOf(r), now), "approve": ModalApprove(r, ValueOf(r)), "anyway": ModalAnyway(r, ValueOf(r)), "history": ModalHistory(h),
		} {
			checkModal(t, m)
			clean(t, Message{Blocks: m.Blocks.BlockSet})
			if t.Failed() {
				t.Fatalf("in the window %s", what)
			}
		}
	}
	for i := 0; i < len(rows); i += 10 {
		page := rows[i:min(i+10, len(rows))]
		look("answer list", AnswerList(List{Title: text, Note: text, Rows: page, Page: 1, Pages: 2, Total: 11, Next: PageValue("mine", "", 2)}))
		home := Home(HomeView{Waiting: page[:len(page)/2], Mine: page[len(page)/2:], More: 1, MoreOf: 1})
		clean(t, Message{Blocks: home.Blocks.BlockSet})
		for _, p := range problems(home.Blocks.BlockSet) {
			t.Error(p)
		}
		look("answer account", AnswerAccount(AccountStatus{Snapshot: snap, Exemptions: []rotation.Exemption{exemption, exemption}, List: List{Title: text, Rows: page[:1]}}, now))
		look("answer user", AnswerUser(UserStatus{Snapshot: snap, User: user, Rotation: &all[i], Exemption: &exemption, Rows: []Row{RowOfKey(snap, user, user.Keys[0], now, now)}}, now))
	}
	o := Overview{Accounts: 1, Oldest: now, Open: map[rotation.State]int{rotation.State(text): 1, rotation.Awaiting: 1}}
	for range 30 {
		o.Unscanned, o.RootKeys = append(o.Unscanned, snap), append(o.RootKeys, snap)
	}
	look("answer overview", AnswerOverview(o, now))
	look("answer list, empty", AnswerList(List{Title: text, Empty: text}))
	look("answer sentence", AnswerSentence(text))
	look("answer stranger", AnswerStranger(text))
	look("answer usage", AnswerUsage("/keys", text, HelpLine{Usage: "snooze", Example: "snooze"}))
	look("answer requested", AnswerRequested(snap, user))
	look("answer requested before", AnswerRequestedBefore(snap, user, rotation.Request{By: evil, Why: text, At: now}))
	look("answer exempted", AnswerExempted(snap, exemption, true))
	look("answer refused user", AnswerRefusedUser(snap, user, no))
	home := Home(HomeView{Refused: text})
	clean(t, Message{Blocks: home.Blocks.BlockSet})
}

// checkModal fails unless Slack would open the window.
func checkModal(t testing.TB, m slack.ModalViewRequest) {
	t.Helper()
	for _, o := range []*slack.TextBlockObject{m.Title, m.Submit, m.Close} {
		if o != nil && (o.Text == "" || utf8.RuneCountInString(o.Text) > 24 || o.Type != slack.PlainTextType) {
			t.Errorf("a title or button of a window: %+v", o)
		}
	}
	if n := len(m.Blocks.BlockSet); n == 0 || n > 100 || len(m.PrivateMetadata) > 3000 || m.Title == nil {
		t.Errorf("a window with %d blocks and %d characters of metadata", n, len(m.PrivateMetadata))
	}
	for _, p := range problems(m.Blocks.BlockSet) {
		t.Error(p)
	}
}

// An answer that is as long as it gets is cut where nothing is cut in two.
func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		n        int
		want     string
	}{
		{"short enough", "a *b* `c`", 20, "a *b* `c`"},
		{"plain", "abcdefghij", 8, "abcde…"},
		{"an escape", "abc&amp;defghij", 9, "abc…"},
		{"a date", "at <!date^1^{date}|then> it", 20, "at …"},
		{"bold", "*abcdefghij*", 10, "*abcdef…*"},
		{"code", "`abcdefghij`", 10, "`abcdef…`"},
		{"code in bold", "*a `bcdefgh` i*", 10, "*a `bcd…`*"},
		{"a star in code", "`a*bcdefghij`", 10, "`a*bcde…`"},
		{"bold on an earlier line", "*ab*\ncdefghijkl", 12, "*ab*\ncdef…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fit(tt.in, tt.n); got != tt.want {
				t.Errorf("fit(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
			} else if n := utf8.RuneCountInString(got); n > tt.n {
				t.Errorf("%d characters, the most is %d", n, tt.n)
			}
		})
	}
}

// Rendering is pure: it changes nothing that it is given, and the same data give the same message whenever it is asked.
func TestRenderingIsPure(t *testing.T) {
	for _, s := range noticeSamples() {
		before := blocksJSON(t, s.r)
		first := blocksJSON(t, Notice(s.r, s.v).Blocks)
		if again := blocksJSON(t, Notice(s.r.Clone(), s.v).Blocks); again != first {
			t.Errorf("%s: rendered twice, it differs", s.name)
		}
		if after := blocksJSON(t, s.r); after != before {
			t.Errorf("%s: rendering changed the rotation", s.name)
		}
	}
}
