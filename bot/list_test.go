package bot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// several keeps four rotations that differ in everything a filter knows.
func (e *bench) several() {
	s := account1()
	e.store.snapshots[s.Account] = s
	research := rotation.Snapshot{Account: "444455556666", Name: "research lab", Email: "lab@acme.example", OUPath: "r-acme/ou-lab", Taken: start,
		Users: []rotation.User{{ID: "AIDALATER", Name: "later", Keys: []rotation.Key{{ID: "AKIALATERLATERLATER6", Status: rotation.Active, Created: start.Add(-days(80))}}}}}
	e.store.snapshots[research.Account] = research
	for i, change := range []func(*rotation.Rotation){
		func(r *rotation.Rotation) {},
		func(r *rotation.Rotation) {
			r.Account, r.AccountName, r.OUPath, r.Owner = "444455556666", "research lab", "r-acme/ou-lab", "Ann@Acme.example"
		},
		func(r *rotation.Rotation) { r.Kind, r.Old.Created = rotation.Retire, start.Add(-days(400)) },
		func(r *rotation.Rotation) {
			r.State, r.Stuck = rotation.Installing, &rotation.Stuck{Seen: "two new keys"}
		},
	} {
		r := opened(rotation.Awaiting)
		change(&r)
		r.UserID, r.UserName = rotation.UserID(fmt.Sprintf("AIDAFOUND%d", i)), rotation.UserName(fmt.Sprintf("found%d", i))
		r.ID, r.Old.ID = rotation.MakeID(r.Account, r.UserID), rotation.KeyID(fmt.Sprintf("AKIAFOUNDFOUNDFOUN0%d", i))
		e.store.put(r)
	}
}

func TestFilteredLists(t *testing.T) {
	for _, c := range []struct {
		text, title string
		has         []int // which of the four
	}{
		{"list", "*Open rotations* (4)", []int{0, 1, 2, 3}},
		{"list account:payments", "*Open rotations, account:payments* (3)", []int{0, 2, 3}},
		{"list account:111122223333", "account:111122223333", []int{0, 2, 3}},
		{`list account:"Research Lab"`, `account:"Research Lab"`, []int{1}},
		{"list ou:ou-lab", "ou:ou-lab", []int{1}},
		{"list ou:r-acme", "ou:r-acme", []int{0, 1, 2, 3}},
		{"list ou:r-acme/ou-prod", "ou:r-acme/ou-prod", []int{0, 2, 3}},
		{"list ou:acme", "No rotation is like that", nil},
		{"list owner:ann@acme.example", "owner:ann@acme.example", []int{1}},
		{"list state:installing,upcoming", "state:upcoming,installing", []int{3}},
		{"list age:>300d", "age:&gt;300d", []int{2}},
		{"list kind:retire", "kind:retire", []int{2}},
		{"list stuck", "stuck", []int{3}},
		{"list state:closed", "No rotation is like that", nil},
		{"status stuck", "*Open rotations, stuck* (1)", []int{3}},
		{"list account:nowhere", `knows no account "nowhere"`, nil},
		{"mine kind:retire", "*Your keys, kind:retire* (1)", []int{2}},
		{"mine account:444455556666", "None of your keys is like that", nil},
		{"due owner:ann@acme.example", "*Keys that are due, owner:ann@acme.example* (1)", []int{1}},
		{"due 30d account:444455556666", "(2)", []int{1}},
		{"due age:>300d", "(1)", []int{2}},
	} {
		t.Run(c.text, func(t *testing.T) {
			e := newBench(t)
			e.several()
			got := textOf(e.says(owner, c.text).Blocks.BlockSet)
			wants(t, got, c.title)
			for i := range 4 {
				want := false
				for _, h := range c.has {
					want = want || h == i
				}
				if strings.Contains(got, fmt.Sprintf("AKIAFOUNDFOUNDFOUN0%d", i)) != want {
					t.Errorf("of %d: %t is not so in\n%s", i, want, got)
				}
			}
		})
	}
}

// The buttons to other pages keep the filter.
func TestFilteredPages(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"list account:111122223333 state:awaiting,upcoming", "mine account:111122223333", "due 30d age:>1d"} {
		t.Run(text, func(t *testing.T) {
			e := newBench(t)
			e.many(60)
			blocks := e.says(owner, text).Blocks.BlockSet
			seen := map[string]bool{}
			for range 10 {
				for _, k := range keyID.FindAllString(textOf(blocks), -1) {
					seen[k] = true
				}
				_, filter, _ := strings.Cut(text, ":")
				wants(t, textOf(blocks), strings.ReplaceAll(strings.Fields(filter)[0], ">", "&gt;"))
				next := buttonsOf(blocks)["page:next"]
				if next == nil {
					break
				}
				blocks = only(t, e.press(click{user: owner, action: "page:next", value: next.Value, ephemeral: true}), "Respond, replacing").Blocks
			}
			if len(seen) < 30 {
				t.Errorf("%d keys on all pages", len(seen))
			}
		})
	}
}

func TestButtonsWithForeignFilters(t *testing.T) {
	e := newBench(t)
	e.several()
	for _, arg := range []string{"x", "s9", "apayments\tapayments", "o<!channel>"} {
		for _, list := range []string{"list", "mine", "due"} {
			if list == "due" {
				arg = "30d " + arg
			}
			got := only(t, e.press(click{user: owner, action: "page:next", value: templates.PageValue(list, arg, 1), ephemeral: true}), "Respond")
			if strings.Contains(got.Text, "AKIA") {
				t.Errorf("%s %q: %s", list, arg, got.Text)
			}
		}
	}
	got := only(t, e.press(click{user: owner, action: "page:next", value: templates.PageValue("list", "anowhere", 1), ephemeral: true}), "Respond, replacing")
	wants(t, got.Text, "knows no account")
}

func TestReference(t *testing.T) {
	got := Reference("/keys")
	for _, s := range Specs() {
		for _, part := range []string{s.Usage, s.Does, s.Example} {
			if !strings.Contains(strings.ReplaceAll(got, `\|`, "|"), part) {
				t.Errorf("%q of %s is not in the reference", part, s.Name)
			}
		}
	}
	for _, line := range strings.Split(got, "\n") {
		if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 4 {
			t.Errorf("a row of other than three cells: %s", line)
		}
	}
}
