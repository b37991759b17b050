package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

var errTest = errors.New("internal detail")

var keyID = regexp.MustCompile(`AKIAMANY\d{12}`)

// Each page is reached by the buttons of the one before, each entry is on one page, and the way back is the same.
func TestPaging(t *testing.T) {
	t.Parallel()
	for text, pages := range map[string]int{"mine": 25, "due": 25, "due 30d": 25, "status payments": 25, "status me": 25} {
		t.Run(text, func(t *testing.T) {
			e := newBench(t)
			e.many(250)
			blocks := e.says(owner, text).Blocks.BlockSet
			seen := map[string]bool{}
			var back []string
			for n := 1; ; n++ {
				mustFit(t, blocks)
				on := keyID.FindAllString(textOf(blocks), -1)
				if len(on) == 0 || len(on) > listPage {
					t.Fatalf("page %d has %d keys", n, len(on))
				}
				for _, k := range on {
					if seen[k] {
						t.Errorf("%s stands twice", k)
					}
					seen[k] = true
				}
				buttons := buttonsOf(blocks)
				if (buttons["page:prev"] == nil) != (n == 1) {
					t.Errorf("page %d: %v", n, slices.Collect(maps.Keys(buttons)))
				}
				wants(t, textOf(blocks), fmt.Sprintf("Page %d of %d", n, pages))
				if p := buttons["page:prev"]; p != nil {
					back = append(back, p.Value)
				}
				next := buttons["page:next"]
				if next == nil {
					break
				}
				got := only(t, e.press(click{user: owner, action: "page:next", value: next.Value, ephemeral: true}), "Respond, replacing")
				blocks = got.Blocks
			}
			is(t, len(seen), 250)
			for i, v := range slices.Backward(back) {
				got := only(t, e.press(click{user: owner, action: "page:prev", value: v, ephemeral: true}), "Respond, replacing")
				wants(t, textOf(got.Blocks), fmt.Sprintf("Page %d of %d", i+1, pages))
			}
		})
	}
}

func TestPagesOfAShrunkenList(t *testing.T) {
	e := newBench(t)
	e.many(12)
	got := only(t, e.press(click{user: owner, action: "page:next", value: templates.PageValue("mine", "", 9_999), ephemeral: true}), "Respond, replacing")
	wants(t, textOf(got.Blocks), "Page 2 of 2")
	// in a channel, the list is not put in the place of a message that others see
	only(t, e.press(click{user: owner, action: "page:next", value: templates.PageValue("mine", "", 2)}), "Respond")
	only(t, e.press(click{user: owner, action: "page:next", value: templates.PageValue("mine", "", 2), modal: true}), "UpdateView")
}

func TestHistoryPages(t *testing.T) {
	e := newBench(t)
	r := opened(rotation.Awaiting)
	for i := range 40 {
		var err error
		if r, err = rotation.Apply(r, rotation.Denied{Actor: everybody()[4].Actor(), What: "approve", Why: fmt.Sprintf("no %d", i)}, start.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	r = e.kept(r)
	seen := map[string]bool{}
	note := regexp.MustCompile(`no \d+`)
	blocks := only(t, e.press(click{user: owner, action: "history", value: value(r)}), "OpenView").View.Blocks.BlockSet
	for {
		mustFit(t, blocks)
		for _, n := range note.FindAllString(textOf(blocks), -1) {
			seen[n] = true
		}
		next := buttonsOf(blocks)["page:next"]
		if next == nil {
			break
		}
		blocks = only(t, e.press(click{user: owner, action: "page:next", value: next.Value, modal: true}), "UpdateView").View.Blocks.BlockSet
	}
	is(t, len(seen), 40)
}

// mustFit checks the limits of a message: 50 blocks, and about 13,200 characters in all.
func mustFit(t *testing.T, blocks []slack.Block) {
	t.Helper()
	b, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) > 50 || len(textOf(blocks)) > 13_000 || len(b) > 60_000 {
		t.Errorf("%d blocks with %d bytes of text", len(blocks), len(textOf(blocks)))
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct{ n, page, from, to, at int }{{0, 1, 0, 0, 1}, {0, 5, 0, 0, 1}, {10, 1, 0, 10, 1}, {11, 2, 10, 11, 2}, {11, 3, 10, 11, 2}, {11, -1, 0, 10, 1}} {
		from, to, at := cut(c.n, 10, c.page)
		is(t, [3]int{from, to, at}, [3]int{c.from, c.to, c.at})
	}
}
