package templates

import (
	"fmt"

	"github.com/slack-go/slack"
)

// HomeView is what a person's App Home shows.
type HomeView struct {
	Waiting []Row // what waits for this person
	More    int   // how many more wait
	Mine    []Row // this person's other keys
	MoreOf  int   // how many more there are
	Refused string
}

// Home shows what waits for a person, and the person's keys.
func Home(h HomeView) slack.HomeTabViewRequest {
	v := slack.HomeTabViewRequest{Type: slack.VTHomeTab, CallbackID: "home"}
	add := func(b ...slack.Block) { v.Blocks.BlockSet = append(v.Blocks.BlockSet, b...) }
	add(header("Access keys"))
	if h.Refused != "" {
		add(section(answerSentence(h.Refused)))
		return v
	}
	add(section("*Waiting for you*"))
	homeRows(add, h.Waiting, h.More, "Nothing waits for you.")
	add(slack.NewDividerBlock(), section("*Your keys*"))
	homeRows(add, h.Mine, h.MoreOf, "No other key belongs to you, as far as keyturn knows. Owners come from the owner tag of the IAM user, else from the account's e-mail address.")
	add(slack.NewDividerBlock(), contextLine("`/keys help` lists what you can ask and decide."))
	return v
}

func homeRows(add func(...slack.Block), rows []Row, more int, none string) {
	if len(rows) == 0 {
		add(section(none))
	}
	for _, r := range rows {
		add(r.block())
	}
	if more > 0 {
		add(contextLine(fmt.Sprintf("and %d more: `/keys mine` lists them", more)))
	}
}
