package function

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

const call = `"requestContext":{"domainName":"x.lambda-url.eu-central-1.on.aws","http":{"method":"POST","path":"/slack/commands","sourceIp":"192.0.2.1"}}`

func TestRequest(t *testing.T) {
	type got struct {
		Method, Path, Query, Host, From, Body, Type, Cookie string
	}
	for _, tc := range []struct {
		name, event string
		want        got
		refused     bool
	}{
		{name: "a form, as Lambda encodes it",
			event: `{"version":"2.0","rawPath":"/slack/commands","headers":{"content-type":"application/x-www-form-urlencoded"},` + call + `,"body":"YT1iJmM9JTJG","isBase64Encoded":true}`,
			want:  got{"POST", "/slack/commands", "", "x.lambda-url.eu-central-1.on.aws", "192.0.2.1", "a=b&c=%2F", "application/x-www-form-urlencoded", ""}},
		{name: "JSON, as text",
			event: `{"version":"2.0","rawPath":"/slack/events","rawQueryString":"a=1&a=2","cookies":["x=1","y=2"],"headers":{"content-type":"application/json"},` + call + `,"body":"{\"a\":1}"}`,
			want:  got{"POST", "/slack/events", "a=1&a=2", "x.lambda-url.eu-central-1.on.aws", "192.0.2.1", `{"a":1}`, "application/json", "x=1"}},
		{name: "a path with what a URL would escape",
			event: `{"version":"2.0","rawPath":"/a b%2F?c","headers":{},` + call + `}`,
			want:  got{"POST", "/a b%2F?c", "", "x.lambda-url.eu-central-1.on.aws", "192.0.2.1", "", "", ""}},
		{name: "no base64", event: `{"version":"2.0","rawPath":"/slack/commands",` + call + `,"body":"***","isBase64Encoded":true}`, refused: true},
		{name: "payload 1.0", event: `{"version":"1.0","path":"/","httpMethod":"GET"}`, refused: true},
		{name: "another event", event: `{"Records":[]}`, refused: true},
		{name: "no path", event: `{"version":"2.0",` + call + `}`, refused: true},
		{name: "a path that looks like a host",
			event: `{"version":"2.0","rawPath":"//x/y","headers":{},` + call + `}`,
			want:  got{"POST", "//x/y", "", "x.lambda-url.eu-central-1.on.aws", "192.0.2.1", "", "", ""}},
		{name: "a path that is none", event: `{"version":"2.0","rawPath":"http://example.com/",` + call + `}`, refused: true},
		{name: "a method that is none", event: `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":"A B"}}}`, refused: true},
		{name: "no JSON", event: `x`, refused: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := request(t.Context(), []byte(tc.event))
			if (err != nil) != tc.refused {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			cookie := ""
			if all := r.Cookies(); len(all) > 0 {
				cookie = all[0].String()
			}
			if diff := cmp.Diff(tc.want, got{r.Method, r.URL.Path, r.URL.RawQuery, r.Host, r.RemoteAddr, string(body), r.Header.Get("Content-Type"), cookie}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	for _, tc := range []struct {
		name  string
		write http.HandlerFunc
		want  events.LambdaFunctionURLResponse
	}{
		{"nothing", func(http.ResponseWriter, *http.Request) {}, events.LambdaFunctionURLResponse{StatusCode: 200, Headers: map[string]string{}}},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "unauthorized", http.StatusUnauthorized) },
			events.LambdaFunctionURLResponse{StatusCode: 401, Body: "unauthorized\n", Headers: map[string]string{"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}}},
		{"JSON in two pieces", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"a":`))
			w.WriteHeader(500) // too late, as in net/http
			_, _ = w.Write([]byte(`1}`))
		}, events.LambdaFunctionURLResponse{StatusCode: 200, Body: `{"a":1}`, Headers: map[string]string{"content-type": "application/json"}}},
		{"bytes that are no text", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0, 0xff}) },
			events.LambdaFunctionURLResponse{StatusCode: 200, Body: "AP8=", IsBase64Encoded: true, Headers: map[string]string{"content-type": "application/octet-stream"}}},
		{"cookies", func(w http.ResponseWriter, _ *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		}, events.LambdaFunctionURLResponse{StatusCode: 200, Cookies: []string{"a=1", "b=2"}, Headers: map[string]string{}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := &answer{header: http.Header{}}
			tc.write(w, nil)
			if diff := cmp.Diff(tc.want, w.event()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(`{"version":"2.0","rawPath":"/slack/commands","headers":{"a":"b"},` + call + `,"body":"YT1i","isBase64Encoded":true}`)
	f.Add(`{"version":"2.0","rawPath":"//x/../y","rawQueryString":"%zz","cookies":["\u0000"],"headers":{"":"\r\n"},` + call + `}`)
	f.Fuzz(func(t *testing.T, event string) {
		r, err := request(t.Context(), []byte(event))
		if err != nil {
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/") || r.Method == "" {
			t.Errorf("%q %q", r.Method, r.URL.Path)
		}
		http.NewServeMux().ServeHTTP(&answer{header: http.Header{}}, r)
	})
}

// What a stream sends is read with care: nothing but the ID is believed, and what is no rotation is an error.
func TestChange(t *testing.T) {
	for _, tc := range []struct{ name, image, want, says string }{
		{"a rotation", `{"kind":{"S":"rotation"},"id":{"S":"111122223333/AIDA1"},"wake":{"S":"1"}}`, "111122223333/AIDA1", ""},
		{"another kind", `{"kind":{"S":"request"},"id":{"S":"111122223333/AIDA1"}}`, "", "no rotation"},
		{"no kind", `{"id":{"S":"111122223333/AIDA1"}}`, "", "no rotation"},
		{"a kind that is a number", `{"kind":{"N":"1"},"id":{"S":"111122223333/AIDA1"}}`, "", "no rotation"},
		{"no ID", `{"kind":{"S":"rotation"}}`, "", "not the ID"},
		{"an ID that is none", `{"kind":{"S":"rotation"},"id":{"S":"x"}}`, "", "not the ID"},
		{"no image", `{}`, "", "NEW_IMAGE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r events.DynamoDBStreamRecord
			if err := json.Unmarshal([]byte(`{"NewImage":`+tc.image+`}`), &r); err != nil {
				t.Fatal(err)
			}
			id, err := changedRotation(r)
			if string(id) != tc.want || (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%q, %v", id, err)
			}
		})
	}
}
