package slackemu

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
)

// FuzzParams: whatever arrives as a call's arguments is read or refused, and what is handed on as JSON is JSON.
func FuzzParams(f *testing.F) {
	f.Add("channel=C0KEYS&text=x", "application/x-www-form-urlencoded", []byte("blocks=%5B%5D&users=U1,U2"))
	f.Add("", "application/json; charset=utf-8", []byte(`{"channel":"C0KEYS","blocks":[{"type":"divider"}],"limit":1e3,"reply_broadcast":true}`))
	f.Add("limit=-1", "application/json", []byte(`{"user":null,"view":{"blocks":[]}}`))
	f.Add("", "multipart/form-data", []byte("x"))
	f.Fuzz(func(t *testing.T, query, kind string, body []byte) {
		r := httptest.NewRequest("POST", "/api/x", nil)
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", kind)
		p, err := parseParams(r, body)
		if err != nil {
			return
		}
		p.names()
		for k, v := range p {
			p.get(k)
			if n := p.number(k, 7); n <= 0 {
				t.Errorf("%s is the number %d", k, n)
			}
			if _, text := v.(string); !text && v != nil && !json.Valid(p.raw(k)) {
				t.Errorf("%s is handed on as %q", k, p.raw(k))
			}
		}
	})
}
