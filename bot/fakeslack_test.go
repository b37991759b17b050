package bot

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/circle"
)

// said is one call to Slack by which somebody sees something.
type said struct {
	Method string // as the Slack interface calls it
	To     string // user, channel, trigger, view or response_url
	Text   string // fallback text, or all texts of a view
	View   *slack.ModalViewRequest
	Home   *slack.HomeTabViewRequest
	Blocks []slack.Block
}

// fakeSlack knows people and keeps what was said to them.
type fakeSlack struct {
	mu     sync.Mutex
	people map[string]approval.Person
	groups map[string][]string
	all    []said
	calls  []string
	fails  map[string]error         // by method
	hangs  map[string]bool          // a method that hangs until its context ends
	hold   map[string]chan struct{} // a method that waits until its channel is closed
}

var _ Slack = (*fakeSlack)(nil)

// looks are the methods by which nobody sees anything.
var looks = map[string]bool{"UserByID": true, "UserByEmail": true, "GroupMembers": true, "OpenDM": true}

var errNoPerson = errors.New("slack users.info: nobody (user_not_found)")

func newFakeSlack(people ...approval.Person) *fakeSlack {
	f := &fakeSlack{people: map[string]approval.Person{}, fails: map[string]error{}, hangs: map[string]bool{}}
	for _, p := range people {
		f.people[p.SlackID] = p
	}
	return f
}

func (f *fakeSlack) begin(ctx context.Context, s said) error {
	f.mu.Lock()
	hangs, err, hold := f.hangs[s.Method], f.fails[s.Method], f.hold[s.Method]
	f.calls = append(f.calls, s.Method)
	if err == nil && !hangs && !looks[s.Method] {
		f.all = append(f.all, s)
	}
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

func (f *fakeSlack) fail(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails[method] = err
}

// heard returns what was said since the last time.
func (f *fakeSlack) heard() []said {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.all
	f.all = nil
	return out
}

func (f *fakeSlack) counted() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for _, c := range f.calls {
		out[c]++
	}
	f.calls = nil
	return out
}

func (f *fakeSlack) UserByID(ctx context.Context, id string) (approval.Person, error) {
	if err := f.begin(ctx, said{Method: "UserByID", To: id}); err != nil {
		return approval.Person{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p, ok := f.people[id]
	if !ok {
		return approval.Person{}, errNoPerson
	}
	return p, nil
}

func (f *fakeSlack) UserByEmail(ctx context.Context, email string) (approval.Person, error) {
	if err := f.begin(ctx, said{Method: "UserByEmail", To: email}); err != nil {
		return approval.Person{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.people {
		if p.Email == email {
			return p, nil
		}
	}
	return approval.Person{}, circle.ErrNoUser
}

func (f *fakeSlack) GroupMembers(ctx context.Context, id string) ([]string, error) {
	if err := f.begin(ctx, said{Method: "GroupMembers", To: id}); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	members, ok := f.groups[id]
	if !ok {
		return nil, circle.ErrNoGroup
	}
	return members, nil
}

func (f *fakeSlack) OpenView(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	return f.begin(ctx, said{Method: "OpenView", To: trigger, Text: textOf(v.Blocks.BlockSet), View: &v})
}

func (f *fakeSlack) UpdateView(ctx context.Context, id string, v slack.ModalViewRequest) error {
	return f.begin(ctx, said{Method: "UpdateView", To: id, Text: textOf(v.Blocks.BlockSet), View: &v})
}

func (f *fakeSlack) PublishHome(ctx context.Context, user string, v slack.HomeTabViewRequest) error {
	return f.begin(ctx, said{Method: "PublishHome", To: user, Text: textOf(v.Blocks.BlockSet), Home: &v})
}

func (f *fakeSlack) Respond(ctx context.Context, url, text string, blocks []slack.Block, replace bool) error {
	method := "Respond"
	if replace {
		method = "Respond, replacing"
	}
	return f.begin(ctx, said{Method: method, To: url, Text: text, Blocks: blocks})
}

func (f *fakeSlack) Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error {
	return f.begin(ctx, said{Method: "Update", To: channel + "/" + ts, Text: text, Blocks: blocks})
}

func (f *fakeSlack) PostEphemeral(ctx context.Context, channel, user, text string, blocks []slack.Block) error {
	return f.begin(ctx, said{Method: "PostEphemeral", To: channel + "/" + user, Text: text, Blocks: blocks})
}

func (f *fakeSlack) OpenDM(ctx context.Context, user string) (string, error) {
	return "D" + user, f.begin(ctx, said{Method: "OpenDM", To: user})
}

func (f *fakeSlack) Post(ctx context.Context, channel, text string, blocks []slack.Block) (string, string, error) {
	return channel, "1.1", f.begin(ctx, said{Method: "Post", To: channel, Text: text, Blocks: blocks})
}

// textOf is every text of blocks, one a line.
func textOf(blocks []slack.Block) string {
	var out []string
	add := func(ts ...*slack.TextBlockObject) {
		for _, t := range ts {
			if t != nil {
				out = append(out, t.Text)
			}
		}
	}
	for _, b := range blocks {
		switch b := b.(type) {
		case *slack.SectionBlock:
			add(b.Text)
			add(b.Fields...)
		case *slack.HeaderBlock:
			add(b.Text)
		case *slack.InputBlock:
			add(b.Label, b.Hint)
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				if t, ok := e.(*slack.TextBlockObject); ok {
					add(t)
				}
			}
		}
	}
	return strings.Join(out, "\n")
}

// buttonsOf returns every button of blocks, by its action_id.
func buttonsOf(blocks []slack.Block) map[string]*slack.ButtonBlockElement {
	out := map[string]*slack.ButtonBlockElement{}
	add := func(es ...slack.BlockElement) {
		for _, e := range es {
			if b, ok := e.(*slack.ButtonBlockElement); ok {
				out[b.ActionID] = b
			}
		}
	}
	for _, b := range blocks {
		switch b := b.(type) {
		case *slack.ActionBlock:
			add(b.Elements.ElementSet...)
		case *slack.SectionBlock:
			if b.Accessory != nil && b.Accessory.ButtonElement != nil {
				add(b.Accessory.ButtonElement)
			}
		}
	}
	return out
}

// offered returns the values of the first select among blocks.
func offered(blocks []slack.Block) []string {
	var out []string
	for _, b := range blocks {
		in, ok := b.(*slack.InputBlock)
		if !ok {
			continue
		}
		if sel, ok := in.Element.(*slack.SelectBlockElement); ok {
			for _, o := range sel.Options {
				out = append(out, o.Value)
			}
		}
	}
	return out
}
