package page

import (
	"html/template"
	"net/url"
	"strconv"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// place is what one browser looks at. All of it is in the address, so that a reload and a second browser see the same.
type place struct{ q url.Values }

// The parts of a place, as they are called in the address.
const (
	pAs       = "as"       // the ID of the person whose screen it is
	pIn       = "in"       // a channel, or one of the two below
	pThread   = "thread"   // the message whose thread is open
	pOlder    = "older"    // how many more screens of messages are shown
	pSide     = "side"     // which pane stands beside Slack
	pAccount  = "account"  //
	pUser     = "user"     //
	pMail     = "mail"     // its number, from 1
	pRotation = "rotation" //
	pPage     = "page"     // of the list beside Slack, from 1
	pFind     = "find"     // narrows that list
	pTour     = "tour"     // "off" where it was left
)

// Conversations that are no channels.
const (
	inDM   = "dm"
	inHome = "home"
)

// The panes beside Slack.
const (
	sideAccounts = "accounts"
	sideInbox    = "inbox"
	sideTimeline = "timeline"
	sideLog      = "log"
)

var (
	knownParts = []string{pAs, pIn, pThread, pOlder, pSide, pAccount, pUser, pMail, pRotation, pPage, pFind, pTour}
	usual      = map[string]string{pAs: world.Owner, pIn: inDM, pSide: sideAccounts, pAccount: world.Prod, pPage: "1", pOlder: "0"}
	listParts  = []string{pAccount, pUser, pMail, pRotation, pPage, pFind} // of the pane beside Slack
)

// mostPart bounds what one part of an address may hold, in bytes.
const mostPart = 200

// placeOf reads a place out of the query of an address. What is unknown or too long is left out.
func placeOf(q url.Values) place {
	out := url.Values{}
	for _, k := range knownParts {
		if v := q.Get(k); v != "" && len(v) <= mostPart && v != usual[k] {
			out.Set(k, v)
		}
	}
	return place{out}
}

// placeAt reads a place out of an address of the page, as forms send it.
func placeAt(address string) place {
	u, err := url.Parse(address)
	if err != nil {
		return placeOf(nil)
	}
	return placeOf(u.Query())
}

// Get returns a part, or what is usual.
func (p place) Get(part string) string {
	if v := p.q.Get(part); v != "" {
		return v
	}
	return usual[part]
}

func (p place) number(part string, otherwise int) int {
	if n, err := strconv.Atoi(p.Get(part)); err == nil && n >= 0 && n < 1e6 {
		return n
	}
	return otherwise
}

// With returns the place with parts changed: name, value, name, value.
func (p place) With(pairs ...string) place {
	out := url.Values{}
	for k, v := range p.q {
		out[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return placeOf(out)
}

// Side returns the place with another pane beside Slack.
func (p place) Side(side string, pairs ...string) place {
	out := p.With(pSide, side)
	for _, k := range listParts {
		out.q.Del(k)
	}
	return out.With(pairs...)
}

// Conversation returns the place with another conversation open.
func (p place) Conversation(in string) place { return p.With(pIn, in, pThread, "", pOlder, "") }

// URL is the address of the place.
func (p place) URL() template.URL {
	if len(p.q) == 0 {
		return "/"
	}
	return template.URL("/?" + p.q.Encode()) //nolint:gosec // encoded, and on this page
}

// Str is the address as a form carries it.
func (p place) Str() string { return string(p.URL()) }

// field is a part of a place as a form carries it.
type field struct{ Name, Value string }

// fields are the parts that a search of the list beside Slack keeps.
func (p place) fields() []field {
	var out []field
	for _, k := range knownParts {
		if v := p.q.Get(k); v != "" && k != pFind && k != pPage && k != pUser && k != pRotation && k != pMail {
			out = append(out, field{k, v})
		}
	}
	return out
}
