package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Row is one key in a list. Make it with RowOf or RowOfKey.
type Row struct {
	head  string
	stand string
	value string // of the Review button; empty: none
}

// RowOf is the row of a rotation, with a button that shows its notice while it is open.
func RowOf(r rotation.Rotation, now time.Time) Row {
	row := Row{
		head:  fmt.Sprintf("%s, %s, %s", answerWhose(r), answerAge(r.Old.Created, now), answerUse(r.Old.LastUse, now)),
		stand: answerStands(r, now),
	}
	if r.Open() {
		row.value = ValueOf(r).Encode()
	}
	return row
}

// RowOfKey is the row of a key that no rotation is about. dueAt is zero where no policy covers it.
func RowOfKey(s rotation.Snapshot, u rotation.User, k rotation.Key, dueAt, now time.Time) Row {
	row := Row{head: fmt.Sprintf("%s of *%s* in %s, %s, %s", answerKey(k.ID), answerName(u.Name), answerWhere(s.Account, s.Name),
		answerAge(k.Created, now), answerUse(k.LastUse, now))}
	switch {
	case k.Status == rotation.Inactive:
		row.stand = "Inactive."
	case u.Exempt:
		row.stand = "Left alone: the user is in the exemption group."
	case dueAt.IsZero():
		row.stand = "No policy covers it, so keyturn leaves it alone."
	case !dueAt.After(now):
		row.stand = "Too old since " + answerMoment(dueAt) + "; the next scan asks about it."
	default:
		row.stand = "Due on " + answerMoment(dueAt) + "."
	}
	return row
}

func (r Row) text() string { return r.head + "\n" + r.stand }

func (r Row) block() slack.Block {
	if r.value == "" {
		return section(r.text())
	}
	return row(r.text(), button(ActReview, "Show", r.value))
}

// List is one page of a list.
type List struct {
	Title string // plain text
	Note  string // plain text under the title; may be empty
	Empty string // what is said when there is nothing
	Rows  []Row  // of this page
	Page  int    // from 1
	Pages int
	Total int
	Prev  string // values of the buttons; empty: no button
	Next  string
}

// AnswerList shows one page of a list.
func AnswerList(l List) Message {
	if len(l.Rows) == 0 {
		return spoken("*"+Esc(l.Title)+"*", Esc(l.Empty))
	}
	head := fmt.Sprintf("*%s* (%d)", Esc(l.Title), l.Total)
	if l.Note != "" {
		head += "\n" + Esc(strings.TrimSpace(l.Note))
	}
	text, blocks := []string{head}, []slack.Block{section(head)}
	for _, r := range l.Rows {
		text, blocks = append(text, "• "+r.text()), append(blocks, r.block())
	}
	if l.Pages > 1 {
		at := fmt.Sprintf("Page %d of %d", l.Page, l.Pages)
		text, blocks = append(text, at), append(blocks, contextLine(at))
	}
	if pager := answerPager(l.Prev, l.Next); pager != nil {
		blocks = append(blocks, pager)
	}
	return Message{Text: aloudAll(text), Blocks: shrunk(blocks)}
}

// answerPager is the buttons to the neighbouring pages, or nil.
func answerPager(prev, next string) slack.Block {
	var bs []slack.BlockElement
	if prev != "" {
		bs = append(bs, button(ActPage+":prev", "Previous", prev))
	}
	if next != "" {
		bs = append(bs, button(ActPage+":next", "Next", next))
	}
	if bs == nil {
		return nil
	}
	return answerButtons(bs...)
}

// PageValue is what a button to another page carries. It has the form of a Value, so that one parser reads every button:
// no account is called "page".
func PageValue(list, arg string, page int) string {
	return Value{ID: rotation.MakeID("page", rotation.UserID(list)), Episode: page, Pick: rotation.KeyID(arg)}.Encode()
}

// ParsePage reads what PageValue wrote.
func ParsePage(s string) (list, arg string, page int, err error) {
	v, err := ParseValue(s)
	if err != nil {
		return "", "", 0, err
	}
	account, which := v.ID.Split()
	if account != "page" || v.Episode < 1 || v.Episode > 10_000 {
		return "", "", 0, errValue
	}
	return string(which), string(v.Pick), v.Episode, nil
}
