package awsemu

import (
	"net/http"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// buckets lists the buckets as the SDK's signer signs.
func (e *emu) buckets(c awssdk.Config) (int, string) {
	e.t.Helper()
	req := ok(http.NewRequest(http.MethodGet, e.URL()+"/?x-id=ListBuckets", nil))(e.t)
	req.Header.Set("X-Amz-Content-Sha256", digest(nil))
	ok(0, v4.NewSigner().SignHTTP(ctx, ok(c.Credentials.Retrieve(ctx))(e.t), req, digest(nil), "s3", region, time.Now()))(e.t)
	return e.do(req)
}

// TestListBuckets: a user whom a policy allows it lists the buckets, and any call that AWS knew the caller of is a use of the key.
func TestListBuckets(t *testing.T) {
	e := start(t)
	const readOnly = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
	for _, u := range []User{
		{Name: "attached", PolicyARNs: []string{readOnly}}, {Name: "grouped", Groups: []string{"readers"}},
		{Name: "none"}, {Name: "own", PolicyARNs: []string{"arn:aws:iam::200000000002:policy/AmazonS3ReadOnlyAccess"}},
	} {
		e.AddUser(member, u)
	}
	e.SetGroupPolicies(member, "readers", readOnly)
	for name, want := range map[string]string{"attached": "<Buckets></Buckets>", "grouped": "<Buckets></Buckets>",
		"none": "<Code>AccessDenied</Code><Message>User: arn:aws:iam::200000000002:user/none is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action</Message>",
		"own":  "<Code>AccessDenied</Code>"} {
		id, secret := e.AddKey(member, name, Key{})
		status, body := e.buckets(e.as(id, secret))
		if !strings.Contains(body, want) || (status == 200) != strings.HasPrefix(want, "<Buckets") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if k, _, _, _ := e.Key(id); k.LastUsedService != "s3" || k.LastUsedRegion != region {
			t.Errorf("%s: no use: %+v", name, k)
		}
		e.SetKeyStatus(member, id, false)
		if status, body = e.buckets(e.as(id, secret)); status != 403 || !strings.Contains(body, "<Code>InvalidAccessKeyId</Code>") || !strings.Contains(body, "<AWSAccessKeyId>"+id+"<") {
			t.Errorf("%s, inactive: %d %s", name, status, body)
		}
	}
}

// TestS3Refuses: what is wrong with a request is said in S3's words.
func TestS3Refuses(t *testing.T) {
	e := start(t)
	id, secret := e.Bootstrap(mgmt)
	good := raw{method: "GET", service: "s3", path: "/?x-id=ListBuckets", id: id, secret: secret}
	if status, body := e.send(good); status != 200 || !strings.Contains(body, `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`) {
		t.Fatalf("%d %s", status, body)
	}
	change := func(f func(*raw)) raw { q := good; f(&q); return q }
	set := func(name, value string) raw {
		return change(func(q *raw) { q.tamper = func(r *http.Request) { r.Header.Set(name, value) } })
	}
	for name, tc := range map[string]struct {
		q      raw
		status int
		code   string
	}{
		"wrong secret":    {change(func(q *raw) { q.secret = "x" }), 403, "SignatureDoesNotMatch"},
		"unknown key":     {change(func(q *raw) { q.id = "AKIANOBODY0000000000" }), 403, "InvalidAccessKeyId"},
		"no digest":       {set("X-Amz-Content-Sha256", ""), 400, "InvalidRequest"},
		"another digest":  {set("X-Amz-Content-Sha256", digest([]byte("x"))), 400, "XAmzContentSHA256Mismatch"},
		"unsigned later":  {set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), 403, "SignatureDoesNotMatch"},
		"another call":    {change(func(q *raw) { q.path = "/bucket/a%2Fb" }), 501, "NotImplemented"},
		"another method":  {change(func(q *raw) { q.method = "PUT" }), 501, "NotImplemented"},
		"with a body":     {change(func(q *raw) { q.method, q.body = "PUT", "{" }), 501, "NotImplemented"},
		"a path that was": {change(func(q *raw) { q.tamper = func(r *http.Request) { r.URL.Path = "/x" } }), 403, "SignatureDoesNotMatch"},
	} {
		status, body := e.send(tc.q)
		if status != tc.status || !strings.Contains(body, "<Code>"+tc.code+"</Code>") && tc.code != "" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	e.SetFault(Fault{Service: "s3", Kind: FaultThrottle, Times: 1})
	if status, body := e.send(good); status != 503 || !strings.Contains(body, "<Code>SlowDown</Code>") {
		t.Errorf("throttled: %d %s", status, body)
	}
	e.SetFault(Fault{Service: "s3", Kind: FaultError, Times: 1})
	if status, body := e.send(good); status != 500 || !strings.Contains(body, "<Code>InternalError</Code>") {
		t.Errorf("broken: %d %s", status, body)
	}
}
