package awsemu

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzServeHTTP sends garbage, signed and not, through the whole server. It must never panic, never answer with its own
// failure, and always in the form that the SDK can read. State stays between the inputs, which makes more of it reachable.
func FuzzServeHTTP(f *testing.F) {
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"Item":{"a":{"S":"b"}},"Table":{"TableName":"t","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}}`)
	}))
	f.Cleanup(behind.Close)
	s := New(Options{Region: region, DynamoDB: DynamoDB{URL: behind.URL, AllowScan: true, AllowTransactions: true}})
	s.SetStream("t", "NEW_IMAGE")
	s.AddRoot("r-acme")
	s.AddAccount(Account{ID: mgmt, Management: true, ParentID: "r-acme"})
	s.AddRole(mgmt, "keyturn-member", "")
	s.AddUser(mgmt, User{Name: "alice", Tags: map[string]string{"a": "b"}, Groups: []string{"g"}})
	s.AddKey(mgmt, "alice", Key{ID: "AKIAALICE00000000000"})
	s.PutForeignSecret(mgmt, "a", "v", nil)
	s.AddKMSKey(mgmt, KMSKey{Aliases: []string{"alias/a"}})
	s.AddIdentity(mgmt, "acme.example", true)
	s.AddQueue(mgmt, Queue{Name: "q", MaxReceives: 2}).Put("x")
	s.SetConsistencyDelay(1)
	id, secret := s.Bootstrap(mgmt)

	add := func(service, target, path, body string) {
		f.Add(true, "POST", path, service, target, "", body)
	}
	for op := range iamOperations {
		add("iam", "", "/", "Version=2010-05-08&UserName=alice&AccessKeyId=AKIAALICE00000000000&Status=Inactive&GroupName=g&MaxItems=1&Marker=YWZ0ZXI6YQ&Action="+op)
	}
	add("sts", "", "/", "Version=2011-06-15&Action=AssumeRole&RoleSessionName=x1&DurationSeconds=900&RoleArn=arn:aws:iam::100000000001:role/keyturn-member")
	for service, prefix := range targets {
		for op := range operations[service] {
			add(service, prefix+"."+op, "/", `{"SecretId":"a","Name":"b","SecretString":"v","ClientRequestToken":"00000000000000000000000000000001","VersionStages":["X"],"VersionStage":"X","MoveToVersionId":"00000000000000000000000000000001",`+
				`"Tags":[{"Key":"k","Value":"v"}],"MaxResults":1,"Limit":1,"NextToken":"YWZ0ZXI6YQ","KeyId":"alias/a","ParentId":"r-acme","ChildId":"100000000001","AccountId":"100000000001","ResourcePolicy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::100000000001:user/alice\"},\"Action\":\"*\",\"Resource\":\"*\"}}",`+
				`"Filters":[{"Key":"name","Values":["!a"]}],"RecoveryWindowInDays":7,"QueueUrl":"http://x/100000000001/q","QueueName":"q","MessageBody":"x","MaxNumberOfMessages":1,"AttributeNames":["All"],"ReceiptHandle":"q/1/2","VisibilityTimeout":1,`+
				`"Entries":[{"Id":"a","MessageBody":"x","DelaySeconds":1,"ReceiptHandle":"q/1/2"}],"TableName":"t","IndexName":"i","Key":{"pk":{"S":"a"}},"RequestItems":{"t":{"Keys":[{"pk":{"S":"a"}}]}},"TransactItems":[{"Put":{"TableName":"t"}}],"KeyConditionExpression":"pk = :a"}`)
		}
	}
	add("ses", "", "/v2/email/outbound-emails", `{"FromEmailAddress":"a@acme.example","Destination":{"ToAddresses":["a@b.example"]},"Content":{"Simple":{"Subject":{"Data":"s"},"Body":{"Text":{"Data":"t"}},"Headers":[{"Name":"a","Value":"b"},1]}}}`)
	f.Add(true, "GET", "/?list-type=2", "s3", "", "", "")
	f.Add(true, "PUT", "/bucket/%2f", "s3", "", "", "x")
	f.Add(true, "GET", "/v2/email/identities/%zz", "ses", "", "", "")
	f.Add(false, "POST", "/", "", "", "AWS4-HMAC-SHA256 Credential=AKIAALICE00000000000/20260601/x/iam/aws4_request,SignedHeaders=;;,Signature=,", "x")
	f.Add(true, "POST", "/", "kms", "TrentService.DescribeKey", "", `{"KeyId":{"a":[[]]},"Limit":-1e300}`)

	f.Fuzz(func(t *testing.T, signed bool, method, path, service, target, auth, body string) {
		u, err := url.Parse("http://127.0.0.1" + path)
		if err != nil || u.Host != "127.0.0.1" {
			return
		}
		var req *http.Request
		if signed {
			if _, err := http.NewRequest(method, u.String(), nil); err != nil {
				return
			}
			q := raw{method: method, path: path, service: service, target: target, body: body, contentType: formType, id: id, secret: secret}
			req = q.request(t, "http://127.0.0.1")
		} else {
			req = &http.Request{Method: method, URL: u, Host: "127.0.0.1", Header: http.Header{"Authorization": {auth}, "X-Amz-Target": {target}, "X-Amz-Date": {service}}, Body: io.NopCloser(strings.NewReader(body))}
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		if (w.Code < 200 || w.Code >= 500) && w.Code != http.StatusNotImplemented {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if strings.HasSuffix(w.Header().Get("Content-Type"), "/xml") {
			d := xml.NewDecoder(bytes.NewReader(w.Body.Bytes()))
			for {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%v in %s", err, w.Body)
				}
			}
		} else if !json.Valid(w.Body.Bytes()) {
			t.Errorf("no JSON: %s", w.Body)
		}
	})
}

// FuzzParseAuthorization checks that what is read of a header can be relied on.
func FuzzParseAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d67")
	f.Add("AWS4-HMAC-SHA256Credential=////aws4_request,SignedHeaders=;,Signature==")
	f.Fuzz(func(t *testing.T, h string) {
		a, problem := parseAuthorization(h)
		if problem == "" && (a.id == "" || a.date == "" || a.region == "" || a.service == "" || a.signature == "" || len(a.signed) == 0) {
			t.Errorf("%q: %+v", h, a)
		}
	})
}
