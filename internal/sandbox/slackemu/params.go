package slackemu

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// params are a call's arguments, from the query, a form or a JSON body.
type params map[string]any

func parseParams(r *http.Request, body []byte) (params, error) {
	p := params{}
	p.addForm(r.URL.Query())
	switch mediaType(r.Header.Get("Content-Type")) {
	case "application/json":
		if len(body) == 0 {
			return p, nil
		}
		var n node
		if err := blockjson.Decode(body, &n); err != nil {
			return nil, fmt.Errorf("read the JSON body: %w", err)
		}
		for k, v := range n {
			p[k] = v
		}
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, fmt.Errorf("read the form: %w", err)
		}
		p.addForm(form)
	}
	return p, nil
}

func (p params) addForm(form url.Values) {
	for k := range form {
		p[k] = form.Get(k)
	}
}

func (p params) get(key string) string {
	switch v := p[key].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}

// raw returns an argument that is JSON: an object or list of a JSON body, or text that contains JSON. nil if absent.
func (p params) raw(key string) json.RawMessage {
	switch v := p[key].(type) {
	case nil:
		return nil
	case string:
		if v == "" {
			return nil
		}
		return json.RawMessage(v)
	default:
		return encode(v)
	}
}

func (p params) number(key string, otherwise int) int {
	n, err := strconv.Atoi(p.get(key))
	if err != nil || n <= 0 {
		return otherwise
	}
	return n
}

// names are the channels and users that a call names.
func (p params) names() []string {
	var out []string
	for _, k := range []string{"channel", "user", "user_id", "users"} {
		for id := range strings.SplitSeq(p.get(k), ",") {
			if id != "" {
				out = append(out, id)
			}
		}
	}
	return out
}
