package blockkit

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/templates"
)

const reader, nobody = "U0READER", "U0NOBODY"

// emulator knows some of those whom the catalogue's samples mention.
func emulator() *slackemu.Server {
	s := slackemu.New(slackemu.Options{})
	s.AddUser(slackemu.User{ID: reader, RealName: "Reader", TZ: "Europe/Berlin"})
	s.AddUser(slackemu.User{ID: "U0SECOPS1", Name: "secops1", RealName: "Ann Example", TZ: "UTC"})
	s.AddGroup("S0SECOPS01", reader)
	return s
}

func readerOf(s *slackemu.Server, zone *time.Location) Reader {
	r := Reader{Zone: zone}
	r.User, r.Channel, r.Group = s.Names()
	return r
}

// rawOf is the JSON of a sample's blocks; nil for mails.
func rawOf(t *testing.T, s templates.Sample) json.RawMessage {
	t.Helper()
	var v any
	switch {
	case s.Message != nil:
		v = s.Message.Blocks
	case s.Modal != nil:
		v = s.Modal.Blocks
	case s.Home != nil:
		v = s.Home.Blocks
	default:
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// drawn is what the plain text draws with characters where HTML has elements: the bar of a quotation, the signs of menus, the
// bars between options, lines below headers and tables, and an empty input. marks stand directly beside words: brackets around
// buttons and inputs, and the quotes of code. Nothing else may differ but white space.
var (
	drawn = regexp.MustCompile("(?m)[▾⋯|│─]|^=+$|_{20}")
	marks = strings.NewReplacer("[", "", "]", "", "`", "")
)

func wordsOf(s string) []string {
	return strings.Fields(marks.Replace(drawn.ReplaceAllString(WithEmoji(s), " ")))
}

// unfolded splits a section, so that its fields are not laid out side by side, where their lines would be interleaved.
func unfolded(block node) []node {
	fields := blockjson.List(block, "fields")
	if len(fields) == 0 {
		return []node{block}
	}
	var out []node
	if block["text"] != nil {
		out = append(out, node{"type": "section", "text": block["text"]})
	}
	for _, f := range fields {
		out = append(out, node{"type": "section", "text": f})
	}
	if a := block["accessory"]; a != nil {
		out = append(out, node{"type": "actions", "elements": []any{a}})
	}
	return out
}

func encode(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestCatalogue compares each block of everything that keyturn sends with the emulator's plain text of it.
func TestCatalogue(t *testing.T) {
	s := emulator()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range templates.Catalogue() {
		raw := rawOf(t, sample)
		if raw == nil {
			continue
		}
		t.Run(sample.Name, func(t *testing.T) {
			var blocks []node
			if err := blockjson.Decode(raw, &blocks); err != nil {
				t.Fatal(err)
			}
			for _, as := range []struct {
				viewer string
				zone   *time.Location
			}{{reader, berlin}, {nobody, nil}} {
				o := Options{ID: "m", Reader: readerOf(s, as.zone)}
				wellFormed(t, string(Blocks(raw, o)))
				for _, b := range blocks {
					var plain strings.Builder
					for _, part := range unfolded(b) {
						plain.WriteString(s.Render(slackemu.Message{For: as.viewer, RawBlocks: encode(t, []node{part})}) + "\n")
					}
					h := Blocks(encode(t, []node{b}), o)
					if strings.Contains(string(h), "bk-error") {
						t.Errorf("a part is shown as an error: %s", h)
					}
					if strings.Contains(Visible(h), "*") {
						t.Errorf("a star stays: %s", h)
					}
					want, got := wordsOf(plain.String()), wordsOf(Visible(h))
					if blockjson.Str(b, "type") == "data_visualization" {
						drawnBars(t, want, got)
					} else if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("to %s, %s reads otherwise (-plain text +HTML):\n%s", as.viewer, blockjson.Str(b, "type"), diff)
					}
				}
			}
		})
	}
}

// drawnBars checks a chart, whose plain text has one line for each point, with bars, and whose HTML has a table with a
// column for each series: no word may be missing.
func drawnBars(t *testing.T, want, got []string) {
	t.Helper()
	for _, w := range want {
		if w = strings.Trim(w, "█"); w != "" && !slices.Contains(got, w) {
			t.Errorf("the chart lacks %q: %q", w, got)
		}
	}
}

// TestCatalogueCut finds labels that a real client may cut.
func TestCatalogueCut(t *testing.T) {
	for _, sample := range templates.Catalogue() {
		raw := rawOf(t, sample)
		if raw == nil {
			continue
		}
		if n := strings.Count(string(Blocks(raw, Options{})), `class="bk-cut"`); n > 0 {
			t.Errorf("%s: %d labels of more than %d characters", sample.Name, n, mostLabel)
		}
	}
}
