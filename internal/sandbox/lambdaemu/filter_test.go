package lambdaemu

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// rotationFilter is the pattern of the rotator's mapping.
const rotationFilter = `{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"kind":{"S":["rotation"]},"wake":{"S":["1"]}}}}`

func TestFilter(t *testing.T) {
	const record = `{"eventName":"MODIFY","dynamodb":{"Keys":{"pk":{"S":"a"}},"NewImage":{"kind":{"S":"rotation"},"wake":{"S":"1"},
		"version":{"N":"12"},"gone":{"NULL":true},"empty":{"S":""},"tags":{"SS":["red","green"]},"list":{"L":[{"S":"x"},{"N":"7"}]},
		"none":{"L":[]}},"SequenceNumber":"111","SizeBytes":26,"ApproximateCreationDateTime":1678831218.0},"note":null,"flag":false,
		"things":[{"color":"red","size":1},{"color":"blue","size":2}]}`
	for name, tc := range map[string]struct {
		pattern string
		want    bool
	}{
		"rotator's":               {rotationFilter, true},
		"rotator's, other kind":   {strings.Replace(rotationFilter, `"rotation"`, `"request"`, 1), false},
		"rotator's, other event":  {strings.Replace(rotationFilter, `"MODIFY"`, `"REMOVE"`, 1), false},
		"equals":                  {`{"eventName":["MODIFY"]}`, true},
		"equals, case":            {`{"eventName":["modify"]}`, false},
		"and":                     {`{"eventName":["MODIFY"],"dynamodb":{"SequenceNumber":["112"]}}`, false},
		"or":                      {`{"dynamodb":{"SequenceNumber":["112","111"]}}`, true},
		"string is no number":     {`{"dynamodb":{"SequenceNumber":[111]}}`, false},
		"number":                  {`{"dynamodb":{"SizeBytes":[26]}}`, true},
		"number, other form":      {`{"dynamodb":{"SizeBytes":[26.0]}}`, false},
		"bool":                    {`{"flag":[false]}`, true},
		"bool, other":             {`{"flag":[true]}`, false},
		"null":                    {`{"note":[null]}`, true},
		"null is not absent":      {`{"nothing":[null]}`, false},
		"null is not false":       {`{"flag":[null]}`, false},
		"empty":                   {`{"dynamodb":{"NewImage":{"empty":{"S":[""]}}}}`, true},
		"array":                   {`{"dynamodb":{"NewImage":{"tags":{"SS":["blue","green"]}}}}`, true},
		"array, no element":       {`{"dynamodb":{"NewImage":{"tags":{"SS":["blue"]}}}}`, false},
		"array of objects":        {`{"dynamodb":{"NewImage":{"list":{"L":{"N":["7"]}}}}}`, true},
		"one element has it all":  {`{"things":{"color":["red"],"size":[1]}}`, true},
		"two elements share it":   {`{"things":{"color":["red"],"size":[2]}}`, false},
		"prefix":                  {`{"dynamodb":{"NewImage":{"kind":{"S":[{"prefix":"rot"}]}}}}`, true},
		"prefix, other":           {`{"dynamodb":{"NewImage":{"kind":{"S":[{"prefix":"otation"}]}}}}`, false},
		"prefix of a number":      {`{"dynamodb":{"SizeBytes":[{"prefix":"2"}]}}`, false},
		"suffix":                  {`{"dynamodb":{"NewImage":{"kind":{"S":[{"suffix":"tion"}]}}}}`, true},
		"equals-ignore-case":      {`{"eventName":[{"equals-ignore-case":"modify"}]}`, true},
		"exists":                  {`{"dynamodb":{"NewImage":{"wake":{"S":[{"exists":true}]}}}}`, true},
		"exists, null":            {`{"note":[{"exists":true}]}`, true},
		"exists, absent":          {`{"dynamodb":{"NewImage":{"sleep":{"S":[{"exists":true}]}}}}`, false},
		"exists, not a leaf":      {`{"dynamodb":{"NewImage":{"wake":[{"exists":true}]}}}`, false},
		"exists not":              {`{"dynamodb":{"NewImage":{"sleep":{"S":[{"exists":false}]}}}}`, true},
		"exists not, present":     {`{"dynamodb":{"NewImage":{"wake":{"S":[{"exists":false}]}}}}`, false},
		"exists not, no parent":   {`{"dynamodb":{"OldImage":{"wake":{"S":[{"exists":false}]}}}}`, true},
		"exists not, not a leaf":  {`{"dynamodb":{"NewImage":{"wake":[{"exists":false}]}}}`, true},
		"exists not, empty array": {`{"dynamodb":{"NewImage":{"none":{"L":[{"exists":false}]}}}}`, true},
		"exists not, below empty": {`{"dynamodb":{"NewImage":{"none":{"L":{"S":[{"exists":false}]}}}}}`, true},
		"anything-but":            {`{"eventName":[{"anything-but":"REMOVE"}]}`, true},
		"anything-but, it":        {`{"eventName":[{"anything-but":["REMOVE","MODIFY"]}]}`, false},
		"anything-but, number":    {`{"dynamodb":{"SizeBytes":[{"anything-but":[25,27]}]}}`, true},
		"anything-but, absent":    {`{"dynamodb":{"OldImage":{"wake":{"S":[{"anything-but":"1"}]}}}}`, false},
		"anything-but a prefix":   {`{"eventName":[{"anything-but":{"prefix":"MOD"}}]}`, false},
		"anything-but a suffix":   {`{"eventName":[{"anything-but":{"suffix":"MOD"}}]}`, true},
		"numeric":                 {`{"dynamodb":{"SizeBytes":[{"numeric":[">",20,"<=",26]}]}}`, true},
		"numeric, outside":        {`{"dynamodb":{"SizeBytes":[{"numeric":[">=",20,"<",26]}]}}`, false},
		"numeric, equal":          {`{"dynamodb":{"SizeBytes":[{"numeric":["=",2.6e1]}]}}`, true},
		"numeric of DynamoDB's N": {`{"dynamodb":{"NewImage":{"version":{"N":[{"numeric":["=",12]}]}}}}`, false},
		"N as a string":           {`{"dynamodb":{"NewImage":{"version":{"N":["12"]}}}}`, true},
		"below a scalar":          {`{"eventName":{"S":["MODIFY"]}}`, false},
		"$or":                     {`{"eventName":["MODIFY"],"$or":[{"flag":[true]},{"dynamodb":{"SizeBytes":[26]}}]}`, true},
		"$or, none":               {`{"eventName":["MODIFY"],"$or":[{"flag":[true]},{"dynamodb":{"SizeBytes":[27]}}]}`, false},
		"$or below":               {`{"dynamodb":{"$or":[{"SizeBytes":[1]},{"SequenceNumber":["111"]}]}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := parseFilter(tc.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.matches([]byte(record)); got != tc.want {
				t.Errorf("%s: %v", tc.pattern, got)
			}
		})
	}
	if f := must(parseFilter(`{"a":[{"exists":false}]}`)); f.matches([]byte("not JSON")) || f.matches(nil) {
		t.Error("what is not JSON passes")
	}
}

func TestFilterRefused(t *testing.T) {
	for _, pattern := range []string{
		``, `{`, `[]`, `"a"`, `{} {}`, `{}`, `{"a":{}}`, `{"a":[]}`, `{"a":"b"}`, `{"a":1}`, `{"a":null}`, `{"a":[["b"]]}`,
		`{"a":[{}]}`, `{"a":[{"exists":true,"prefix":"x"}]}`, `{"a":[{"exists":"true"}]}`, `{"a":[{"prefix":1}]}`,
		`{"a":[{"prefix":""}]}`, `{"a":[{"wildcard":"*"}]}`, `{"a":[{"cidr":"10.0.0.0/8"}]}`, `{"a":[{"S":["b"]}]}`,
		`{"a":[{"anything-but":[]}]}`, `{"a":[{"anything-but":["x",1]}]}`, `{"a":[{"anything-but":null}]}`,
		`{"a":[{"anything-but":{"exists":true}}]}`, `{"a":[{"numeric":[]}]}`, `{"a":[{"numeric":["=","1"]}]}`,
		`{"a":[{"numeric":["!",1]}]}`, `{"a":[{"numeric":["<",1,">",0]}]}`, `{"a":[{"numeric":[">",1,"<"]}]}`,
		`{"a":[{"numeric":["=",6e9]}]}`, `{"a":[{"numeric":"=1"}]}`, `{"$or":[{"prefix":"a"},{"b":["c"]}]}`, `{"$or":[{"a":[1]}]}`,
		`{"a":["` + strings.Repeat("x", 4096) + `"]}`,
	} {
		if f, err := parseFilter(pattern); err == nil {
			t.Errorf("%.100s is taken as %+v", pattern, f)
		}
	}
}

// TestFilterFinds makes a pattern of some leaves of a random record: it matches, and no longer when one of them is changed.
func TestFilterFinds(t *testing.T) {
	var object func(depth int) *rapid.Generator[map[string]any]
	scalar := rapid.OneOf(rapid.String().AsAny(), rapid.Int().AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil))
	object = func(depth int) *rapid.Generator[map[string]any] {
		value := scalar
		if depth > 0 {
			value = rapid.OneOf(scalar, rapid.Map(object(depth-1), func(m map[string]any) any { return m }))
		}
		return rapid.MapOfN(rapid.StringMatching(`[a-zA-Z]{1,4}`), value, 1, 4)
	}
	rapid.Check(t, func(t *rapid.T) {
		record := object(3).Draw(t, "record")
		taken := 0
		var pattern func(v any) any
		pattern = func(v any) any {
			fields, ok := v.(map[string]any)
			if !ok {
				taken++
				return []any{v}
			}
			p := map[string]any{}
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				if len(p) == 0 || rapid.Bool().Draw(t, "take "+name) {
					p[name] = pattern(fields[name])
				}
			}
			return p
		}
		p := pattern(record)
		raw := must(json.Marshal(p))
		f, err := parseFilter(string(raw))
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if !f.matches(must(json.Marshal(record))) {
			t.Fatalf("%s misses its own record", raw)
		}
		change := rapid.IntRange(0, taken-1).Draw(t, "change")
		var changed func(p any) any
		changed = func(p any) any {
			if _, leaf := p.([]any); leaf {
				if change--; change == -1 {
					return "no longer what it was: " + fmt.Sprint(p)
				}
				return p.([]any)[0]
			}
			out := map[string]any{}
			for _, name := range slices.Sorted(maps.Keys(p.(map[string]any))) {
				out[name] = changed(p.(map[string]any)[name])
			}
			return out
		}
		if other := must(json.Marshal(changed(p))); f.matches(other) {
			t.Fatalf("%s matches %s", raw, other)
		}
	})
}

// FuzzFilter takes any pattern and any record. It must never panic, and the order of names must not matter.
func FuzzFilter(f *testing.F) {
	f.Add(rotationFilter, `{"eventName":"INSERT","dynamodb":{"NewImage":{"kind":{"S":"rotation"},"wake":{"S":"1"}}}}`)
	f.Add(`{"a":[{"numeric":[">",0,"<=",5]},null,{"exists":false},{"anything-but":{"prefix":"x"}}]}`, `{"a":[1,[2,{"b":3}],null]}`)
	f.Add(`{"$or":[{"a":["b"]},{"c":[1e2]}],"d":{"e":[true]}}`, `{"c":100,"d":[{"e":true},{"e":[]}]}`)
	f.Fuzz(func(t *testing.T, pattern, record string) {
		p, err := parseFilter(pattern)
		if err != nil {
			return
		}
		got := p.matches([]byte(record))
		v, err := decode([]byte(record))
		if err != nil {
			if got {
				t.Fatalf("%q is no JSON and passes", record)
			}
			return
		}
		if p.match(v) != got {
			t.Fatal("the same record got two answers")
		}
		again, err := parseFilter(pattern)
		if err != nil || again.matches([]byte(" "+record+"\n")) != got {
			t.Fatalf("the same pattern got two answers: %v", err)
		}
	})
}
