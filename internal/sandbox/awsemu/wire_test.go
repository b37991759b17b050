package awsemu

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// raw is a request as botocore writes it, signed here without the SDK.
type raw struct {
	method, path, service, target, body string
	contentType                         string
	id, secret, token                   string
	at                                  time.Time         // zero: now
	header                              map[string]string // more headers, signed
	unsigned                            []string          // headers to leave out of the signature
	tamper                              func(*http.Request)
}

// send signs and sends a request, and returns status and body.
func (e *emu) send(q raw) (int, string) {
	e.t.Helper()
	return e.do(q.request(e.t, e.URL()))
}

func (e *emu) do(req *http.Request) (int, string) {
	e.t.Helper()
	res := ok(http.DefaultClient.Do(req))(e.t)
	defer res.Body.Close()
	return res.StatusCode, strings.ReplaceAll(string(ok(io.ReadAll(res.Body))(e.t)), "&#39;", "'")
}

func (q raw) request(t testing.TB, url string) *http.Request {
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.path == "" {
		q.path = "/"
	}
	if q.at.IsZero() {
		q.at = time.Now()
	}
	q.at = q.at.UTC()
	req, err := http.NewRequest(q.method, url+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Date", q.at.Format(longDate))
	req.Header.Set("User-Agent", "aws-cli/2.9.19 Python/3.11.2 botocore/2.0.0")
	for k, v := range map[string]string{"Content-Type": q.contentType, "X-Amz-Target": q.target, "X-Amz-Security-Token": q.token} {
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	for k, v := range q.header {
		req.Header.Set(k, v)
	}
	if q.service == "s3" {
		req.Header.Set("X-Amz-Content-Sha256", digest([]byte(q.body)))
	}
	a := authorization{id: q.id, date: q.at.Format("20060102"), region: region, service: q.service, signed: []string{"host"}}
	for k := range req.Header {
		if k != "User-Agent" {
			a.signed = append(a.signed, strings.ToLower(k))
		}
	}
	a.signed = slices.DeleteFunc(a.signed, func(h string) bool { return slices.Contains(q.unsigned, h) })
	slices.Sort(a.signed)
	r := &request{http: req, auth: a, service: q.service, body: []byte(q.body)}
	req.Header.Set("Authorization", algorithm+" Credential="+a.id+"/"+a.scope()+", SignedHeaders="+strings.Join(a.signed, ";")+", Signature="+signature(q.secret, a, q.at, r.canonical(digest(r.body))))
	if q.tamper != nil {
		q.tamper(req)
	}
	return req
}

const (
	formType = "application/x-www-form-urlencoded; charset=utf-8"
	jsonType = "application/x-amz-json-1.1"
)

// TestSignatureOfAWSExample checks the signature that AWS's documentation computes step by step.
func TestSignatureOfAWSExample(t *testing.T) {
	req := httptest.NewRequest(http.MethodGet, "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", nil)
	req.Header.Set("Content-Type", formType)
	req.Header.Set("X-Amz-Date", "20150830T123600Z")
	a, problem := parseAuthorization("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
	if problem != "" {
		t.Fatal(problem)
	}
	canonical := (&request{http: req, auth: a}).canonical(digest(nil))
	if got := digest([]byte(canonical)); got != "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59" {
		t.Errorf("canonical request:\n%s", canonical)
	}
	if got := signature("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", a, time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC), canonical); got != a.signature {
		t.Errorf("signature %s, want %s", got, a.signature)
	}
	if _, err := hex.DecodeString(a.signature); err != nil {
		t.Error(err)
	}
}

func TestQueryProtocolOnTheWire(t *testing.T) {
	e := start(t)
	e.AddUser(mgmt, User{Name: "alice", UserID: "AIDAALICE000000000000", Tags: map[string]string{"owner": "a&b <c>"}, CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
	e.AddKey(mgmt, "alice", Key{ID: "AKIAALICE00000000000", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
	id, secret := e.Bootstrap(mgmt)
	const iamNS, meta = `xmlns="https://iam.amazonaws.com/doc/2010-05-08/"`, `<ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata>`
	fault := func(ns, code, message string) string {
		return `<ErrorResponse xmlns="` + ns + `"><Error><Type>Sender</Type><Code>` + code + `</Code><Message>` + message + `</Message></Error><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>`
	}
	for _, tc := range []struct {
		service, body string
		status        int
		want          string
	}{
		{"sts", "Action=GetCallerIdentity&Version=2011-06-15", 200, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::100000000001:user/bootstrap</Arn><UserId>` +
			stableID("AIDA", mgmt+"/bootstrap") + `</UserId><Account>100000000001</Account></GetCallerIdentityResult>` + meta + `</GetCallerIdentityResponse>`},
		{"iam", "Action=GetUser&Version=2010-05-08&UserName=alice", 200, `<GetUserResponse ` + iamNS + `><GetUserResult><User><Path>/</Path><UserName>alice</UserName><UserId>AIDAALICE000000000000</UserId><Arn>arn:aws:iam::100000000001:user/alice</Arn><CreateDate>2026-01-02T03:04:05Z</CreateDate>` +
			`<Tags><member><Key>owner</Key><Value>a&amp;b &lt;c&gt;</Value></member></Tags></User></GetUserResult>` + meta + `</GetUserResponse>`},
		{"iam", "Action=ListAccessKeys&Version=2010-05-08&UserName=alice", 200, `<ListAccessKeysResponse ` + iamNS + `><ListAccessKeysResult><IsTruncated>false</IsTruncated><AccessKeyMetadata><member><UserName>alice</UserName><AccessKeyId>AKIAALICE00000000000</AccessKeyId><Status>Active</Status><CreateDate>2026-01-02T03:04:05Z</CreateDate></member></AccessKeyMetadata></ListAccessKeysResult>` + meta + `</ListAccessKeysResponse>`},
		{"iam", "Action=UpdateAccessKey&Version=2010-05-08&UserName=alice&AccessKeyId=AKIAALICE00000000000&Status=Inactive", 200, `<UpdateAccessKeyResponse ` + iamNS + `>` + meta + `</UpdateAccessKeyResponse>`},
		{"iam", "Action=GetAccessKeyLastUsed&Version=2010-05-08&AccessKeyId=AKIAALICE00000000000", 200, `<GetAccessKeyLastUsedResponse ` + iamNS + `><GetAccessKeyLastUsedResult><UserName>alice</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed></GetAccessKeyLastUsedResult>` + meta + `</GetAccessKeyLastUsedResponse>`},
		{"iam", "Action=GetUser&Version=2010-05-08&UserName=nobody", 404, fault("https://iam.amazonaws.com/doc/2010-05-08/", "NoSuchEntity", "The user with name nobody cannot be found.")},
		{"iam", "Action=DeleteUser&Version=2010-05-08", 400, fault("https://iam.amazonaws.com/doc/2010-05-08/", "InvalidAction", "Could not find operation DeleteUser for version 2010-05-08")},
		{"iam", "Action=GetUser&Version=2009-01-01", 400, fault("https://iam.amazonaws.com/doc/2010-05-08/", "InvalidAction", "Could not find operation GetUser for version 2009-01-01")},
		{"sts", "Version=2011-06-15", 400, fault("https://sts.amazonaws.com/doc/2011-06-15/", "MissingAction", "The request must contain the parameter Action.")},
		{"sts", "Action=%zz", 400, fault("https://sts.amazonaws.com/doc/2011-06-15/", "MalformedQueryString", "The query string contains a syntax error.")},
	} {
		status, got := e.send(raw{service: tc.service, body: tc.body, contentType: formType, id: id, secret: secret})
		if status != tc.status || strings.TrimSpace(got) != tc.want {
			t.Errorf("%s: %d\n%s, want %d\n%s", tc.body, status, got, tc.status, tc.want)
		}
	}
	status, got := e.send(raw{method: http.MethodGet, path: "/?Version=2010-05-08&Action=GetUser&UserName=alice", service: "iam", id: id, secret: secret})
	if status != 200 || !strings.Contains(got, "AIDAALICE000000000000") {
		t.Errorf("by GET: %d %s", status, got)
	}
}

func TestJSONProtocolOnTheWire(t *testing.T) {
	e := start(t)
	id, secret := e.Bootstrap(mgmt)
	for _, tc := range []struct {
		service, target, body string
		status                int
		want                  string
	}{
		{"organizations", "AWSOrganizationsV20161128.DescribeAccount", `{"AccountId":"200000000002"}`, 200, `{"Account":{"Arn":"arn:aws:organizations::100000000001:account/o-emulated00/200000000002","Email":"member@acme.example","Id":"200000000002","JoinedMethod":"CREATED","JoinedTimestamp":1500000000,"Name":"member","State":"ACTIVE"}}`},
		{"organizations", "AWSOrganizationsV20161128.DescribeAccount", `{"AccountId":"999999999999"}`, 400, `{"Message":"You specified an account that doesn't exist.","__type":"AccountNotFoundException"}`},
		{"secretsmanager", "secretsmanager.ListSecrets", `{}`, 200, `{"SecretList":[]}`},
		{"secretsmanager", "secretsmanager.ListSecrets", ``, 200, `{"SecretList":[]}`},
		{"secretsmanager", "secretsmanager.GetSecretValue", `{"SecretId":"a"}`, 400, `{"Message":"Secrets Manager can't find the specified secret.","__type":"ResourceNotFoundException"}`},
		{"secretsmanager", "secretsmanager.GetSecretValue", `{}`, 400, `{"Message":"1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null","__type":"ValidationException"}`},
		{"secretsmanager", "secretsmanager.ListSecrets", `{"MaxResults":1.5}`, 400, `{"Message":"1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have value between 1 and 100","__type":"ValidationException"}`},
		{"secretsmanager", "secretsmanager.PutSecretValue", `[]`, 400, `{"Message":"The body is no JSON object.","__type":"SerializationException"}`},
		{"secretsmanager", "secretsmanager.Nothing", `{}`, 400, `{"__type":"UnknownOperationException"}`},
		{"secretsmanager", "TrentService.ListSecrets", `{}`, 400, `{"__type":"UnknownOperationException"}`},
		{"secretsmanager", "", `{}`, 400, `{"__type":"UnknownOperationException"}`},
		{"kms", "TrentService.DescribeKey", `{"KeyId":"alias/x"}`, 400, `{"__type":"NotFoundException","message":"Alias arn:aws:kms:eu-central-1:100000000001:alias/x is not found."}`},
	} {
		status, got := e.send(raw{service: tc.service, target: tc.target, body: tc.body, contentType: jsonType, id: id, secret: secret})
		if status != tc.status || got != tc.want {
			t.Errorf("%s %s: %d\n%s, want %d\n%s", tc.target, tc.body, status, got, tc.status, tc.want)
		}
	}
}

func TestRESTProtocolOnTheWire(t *testing.T) {
	e := start(t)
	e.AddIdentity(mgmt, "a+b@acme.example", true)
	id, secret := e.Bootstrap(mgmt)
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/v2/email/identities/a%2Bb%40acme.example", "", 200, `{"FeedbackForwardingStatus":true,"IdentityType":"EMAIL_ADDRESS","VerificationStatus":"SUCCESS","VerifiedForSendingStatus":true}`},
		{"GET", "/v2/email/identities/x", "", 404, `{"message":"Email identity x does not exist."}`},
		{"POST", "/v2/email/outbound-emails", "{", 400, `{"message":"The body is no JSON object."}`},
		{"DELETE", "/v2/email/identities/x", "", 404, `{"message":""}`},
	} {
		status, got := e.send(raw{method: tc.method, path: tc.path, service: "ses", body: tc.body, contentType: "application/json", id: id, secret: secret})
		if status != tc.status || got != tc.want {
			t.Errorf("%s %s: %d\n%s, want %d\n%s", tc.method, tc.path, status, got, tc.status, tc.want)
		}
	}
}

func TestSignaturesThatAreRefused(t *testing.T) {
	e := start(t)
	id, secret := e.Bootstrap(mgmt)
	form := raw{service: "iam", body: "Action=ListUsers&Version=2010-05-08", contentType: formType, id: id, secret: secret}
	change := func(f func(*raw)) raw { q := form; f(&q); return q }
	header := func(name, value string) raw {
		return change(func(q *raw) { q.tamper = func(r *http.Request) { r.Header.Set(name, value) } })
	}
	if status, body := e.send(form); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for name, tc := range map[string]struct {
		q       raw
		status  int
		code    string
		message string
	}{
		"unsigned":        {change(func(q *raw) { q.tamper = func(r *http.Request) { r.Header.Del("Authorization") } }), 403, "MissingAuthenticationToken", ""},
		"another scheme":  {header("Authorization", "Bearer x"), 403, "IncompleteSignature", ""},
		"no signature":    {header("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/iam/aws4_request, SignedHeaders=host"), 403, "IncompleteSignature", "'Signature'"},
		"short scope":     {header("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=x"), 403, "IncompleteSignature", "Credential"},
		"unknown service": {change(func(q *raw) { q.service = "ec2" }), 403, "SignatureDoesNotMatch", "ec2"},
		"no date":         {change(func(q *raw) { q.tamper = func(r *http.Request) { r.Header.Del("X-Amz-Date") } }), 403, "IncompleteSignature", "Date"},
		"too old":         {change(func(q *raw) { q.at = time.Now().Add(-6 * time.Minute) }), 403, "SignatureDoesNotMatch", "Signature expired"},
		"of the future":   {change(func(q *raw) { q.at = time.Now().Add(6 * time.Minute) }), 403, "SignatureDoesNotMatch", "Signature not yet current"},
		"other body": {change(func(q *raw) {
			q.tamper = func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("Action=GetUser")), 14 }
		}), 400, "InvalidAction", ""},
		"changed body": {change(func(q *raw) {
			q.tamper = func(r *http.Request) {
				r.Body = io.NopCloser(strings.NewReader("Action=ListRoles&Version=2010-05-08"))
			}
		}), 403, "SignatureDoesNotMatch", ""},
		"changed header":    {header("Content-Type", "text/plain"), 403, "SignatureDoesNotMatch", "calculated"},
		"changed path":      {change(func(q *raw) { q.tamper = func(r *http.Request) { r.URL.Path = "/x" } }), 403, "SignatureDoesNotMatch", "calculated"},
		"host not signed":   {change(func(q *raw) { q.unsigned = []string{"host"} }), 403, "SignatureDoesNotMatch", "'Host'"},
		"date not signed":   {change(func(q *raw) { q.unsigned = []string{"x-amz-date"} }), 403, "SignatureDoesNotMatch", "'X-Amz-Date'"},
		"unknown key":       {change(func(q *raw) { q.id = "AKIANOBODY0000000000" }), 403, "InvalidClientTokenId", ""},
		"wrong secret":      {change(func(q *raw) { q.secret = "x" }), 403, "SignatureDoesNotMatch", "calculated"},
		"token of no use":   {change(func(q *raw) { q.token = "x" }), 403, "InvalidClientTokenId", ""},
		"yesterday's scope": {header("Authorization", "AWS4-HMAC-SHA256 Credential="+id+"/20200101/eu-central-1/iam/aws4_request, SignedHeaders=host, Signature=x"), 403, "SignatureDoesNotMatch", "Date in Credential scope"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := e.send(tc.q)
			if status != tc.status || !strings.Contains(body, "<Code>"+tc.code+"</Code>") || !strings.Contains(body, tc.message) {
				t.Errorf("%d %s, want %d %s %s", status, body, tc.status, tc.code, tc.message)
			}
		})
	}
	status, body := e.send(raw{service: "kms", target: "TrentService.ListAliases", body: "{}", contentType: jsonType, tamper: func(r *http.Request) { r.Header.Del("Authorization") }})
	if status != 400 || body != `{"Message":"Request is missing Authentication Token","__type":"MissingAuthenticationTokenException"}` {
		t.Errorf("unsigned JSON: %d %s", status, body)
	}
	status, body = e.send(raw{method: "GET", path: "/v2/email/account", tamper: func(r *http.Request) { r.Header.Del("Authorization") }})
	if status != 403 || !strings.Contains(body, "Request is missing Authentication Token") {
		t.Errorf("unsigned REST: %d %s", status, body)
	}
}

func TestTheSessionTokenIsPartOfTheSignature(t *testing.T) {
	e := start(t)
	c := ok(e.in(member).Credentials.Retrieve(ctx))(t)
	q := raw{service: "sts", body: "Action=GetCallerIdentity&Version=2011-06-15", contentType: formType, id: c.AccessKeyID, secret: c.SecretAccessKey, token: c.SessionToken}
	if status, body := e.send(q); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	q.unsigned = []string{"x-amz-security-token"}
	if status, body := e.send(q); status != 403 || !strings.Contains(body, "'X-Amz-Security-Token' must be a 'SignedHeader'") {
		t.Errorf("%d %s", status, body)
	}
	q.unsigned, q.token = nil, ""
	if status, body := e.send(q); status != 403 || !strings.Contains(body, "InvalidClientTokenId") {
		t.Errorf("%d %s", status, body)
	}
}

// TestSkewedClock has a server whose clock is ahead: the SDK learns it from the answer's date and corrects itself.
func TestSkewedClock(t *testing.T) {
	e := startWith(t, Options{Wall: func() time.Time { return time.Now().Add(time.Hour) }})
	_, err := e.whoIs(e.Bootstrap(mgmt))
	refusedWith(t, err, "SignatureDoesNotMatch", 403)
	cfg := e.as(e.Bootstrap(mgmt))
	cfg.Retryer = nil
	if _, err := stsClient(cfg); err != nil {
		t.Errorf("the SDK did not find its way: %v", err)
	}
}

func TestLargeRequests(t *testing.T) {
	e := start(t)
	id, secret := e.Bootstrap(mgmt)
	status, body := e.send(raw{service: "secretsmanager", target: "secretsmanager.ListSecrets", body: strings.Repeat(" ", mostBody+1), contentType: jsonType, id: id, secret: secret})
	if status != http.StatusRequestEntityTooLarge || !strings.Contains(body, `"__type":"RequestEntityTooLarge"`) {
		t.Errorf("%d %s", status, body)
	}
}
