package blockjson

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReading: what is missing or of another kind is the zero value, and never a panic.
func TestReading(t *testing.T) {
	var n Node
	if err := Decode([]byte(`{"type":"x","on":true,"n":12345678901234567890,"o":{"type":"plain_text","text":"t"},"l":[{"a":1},2,"s",{"b":2}],
		"options":[{"value":"1"}],"option_groups":[{"options":[{"value":"2"}]},3]}`), &n); err != nil {
		t.Fatal(err)
	}
	if Str(n, "type") != "x" || Str(n, "on") != "" || Str(n, "none") != "" || !IsSet(n, "on") || IsSet(n, "type") {
		t.Errorf("texts and booleans of %v", n)
	}
	if n["n"] != json.Number("12345678901234567890") {
		t.Errorf("a number became %v", n["n"])
	}
	if Text(n["o"]) != "t" || Text("bare") != "bare" || Text(3) != "" || Sub(n, "l") != nil || Sub(nil, "x") != nil {
		t.Error("text objects")
	}
	if got := len(Nodes(n, "l")); got != 2 || len(List(n, "o")) != 0 || len(Objects(nil)) != 0 {
		t.Errorf("%d objects", got)
	}
	if diff := cmp.Diff([]Node{{"value": "1"}, {"value": "2"}}, Options(n)); diff != "" {
		t.Error(diff)
	}
	if ValueKey("datepicker") != "selected_date" || ValueKey("button") != "" {
		t.Error("value keys")
	}
}
