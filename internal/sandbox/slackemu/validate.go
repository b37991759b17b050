package slackemu

import (
	"encoding/json"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// surface is where blocks are shown.
type surface string

const (
	surfaceMessage surface = "message"
	surfaceModal   surface = "modal"
	surfaceHome    surface = "home"
)

// Limits of Block Kit, in characters unless said otherwise (Slack, Block Kit reference).
const (
	mostMessageBlocks = 50
	mostViewBlocks    = 100
	mostBlockText     = 13_200 // of a whole message; not documented, seen in practice
	mostID            = 255
	mostSection       = 3000
	mostFields        = 10
	mostField         = 2000
	mostHeader        = 150
	mostActions       = 25
	mostContext       = 10
	mostMarkdown      = 12_000
	mostLabel         = 2000
	mostAlt           = 2000
	mostURL           = 3000
)

// check collects what is wrong with blocks.
type check struct {
	where    surface
	fresh    func() int // numbers for missing IDs
	wrong    []string
	ids      map[string]bool
	tables   int
	markdown int
	focused  bool // an element takes the cursor
}

// report notes an error the way Slack words it.
func (c *check) report(pointer, format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf("[ERROR] "+format+" [json-pointer:"+pointer+"]", args...))
}

// setBlocks validates blocks for a message, fills in missing IDs and keeps them.
func (k *content) setBlocks(raw json.RawMessage, fresh func() int) *apiError {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var blocks []any
	if err := blockjson.Decode(raw, &blocks); err != nil {
		return refusal("invalid_blocks_format")
	}
	c := &check{where: surfaceMessage, fresh: fresh}
	c.blocks(blocks, "/blocks")
	if len(c.wrong) > 0 {
		return refusal("invalid_blocks", c.wrong...)
	}
	if textIn(blocks) > mostBlockText {
		return refusal("msg_too_long")
	}
	if len(blocks) == 0 {
		return nil
	}
	k.raw = encode(blocks)
	if err := json.Unmarshal(k.raw, &k.blocks); err != nil {
		k.blocks = slack.Blocks{}
		return refusal("invalid_blocks", "[ERROR] "+err.Error())
	}
	return nil
}

// blocks validates a list of blocks and fills in missing IDs.
func (c *check) blocks(blocks []any, at string) {
	most := mostViewBlocks
	if c.where == surfaceMessage {
		most = mostMessageBlocks
	}
	if len(blocks) > most {
		c.report(at, "no more than %d items allowed", most)
	}
	c.ids = map[string]bool{}
	for i, b := range blocks {
		here := fmt.Sprintf("%s/%d", at, i)
		n, ok := b.(node)
		if !ok {
			c.report(here, "must be an object")
			continue
		}
		c.blockID(n, here)
		c.block(n, here)
		c.actionIDs(n, here)
	}
	if c.tables > 1 {
		c.report(at, "only_one_table_allowed")
	}
	if c.markdown > mostMarkdown {
		c.report(at, "markdown text must be less than %d characters", mostMarkdown+1)
	}
}

func (c *check) blockID(n node, here string) {
	id := blockjson.Str(n, "block_id")
	if id == "" {
		n["block_id"] = fmt.Sprintf("b%d", c.fresh())
		return
	}
	if chars(id) > mostID {
		c.report(here+"/block_id", "must be less than %d characters", mostID+1)
	}
	if c.ids[id] {
		c.report(here+"/block_id", "block_id %s already exists", id)
	}
	c.ids[id] = true
}

// actionIDs refuses duplicates within a block and fills in what is missing.
func (c *check) actionIDs(block node, here string) {
	seen := map[string]bool{}
	for _, e := range interactive(block) {
		id := blockjson.Str(e, "action_id")
		switch {
		case id == "":
			e["action_id"] = fmt.Sprintf("a%d", c.fresh())
		case chars(id) > mostID:
			c.report(here+"/elements/action_id", "must be less than %d characters", mostID+1)
		case seen[id]:
			c.report(here+"/elements/action_id", "action_id %s already exists", id)
		}
		seen[id] = true
	}
}

// interactive returns the elements of a block that a person can use.
func interactive(block node) []node {
	var out []node
	switch blockjson.Str(block, "type") {
	case "actions":
		out = blockjson.Nodes(block, "elements")
	case "section":
		if a := blockjson.Sub(block, "accessory"); a != nil && blockjson.Str(a, "type") != "image" {
			out = []node{a}
		}
	case "input":
		if e := blockjson.Sub(block, "element"); e != nil {
			out = []node{e}
		}
	case "data_table":
		for _, row := range blockjson.List(block, "rows") {
			cells, _ := row.([]any)
			for _, cell := range blockjson.Objects(cells) {
				if e := blockjson.Sub(cell, "element"); e != nil {
					out = append(out, e)
				}
			}
		}
	}
	return out
}

// textIn counts the characters that blocks show.
func textIn(v any) int {
	switch t := v.(type) {
	case []any:
		sum := 0
		for _, e := range t {
			sum += textIn(e)
		}
		return sum
	case node:
		sum := 0
		for k, e := range t {
			if s, ok := e.(string); ok && k == "text" {
				sum += chars(s)
				continue
			}
			sum += textIn(e)
		}
		return sum
	default:
		return 0
	}
}
