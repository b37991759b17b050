package awsemu

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// BenchmarkScan reads an account of 1,000 users among 100 such accounts the way a first scan does: the report, and every
// user's keys with the last use of one in ten.
func BenchmarkScan(b *testing.B) {
	e := start(b)
	ids := make([]string, 1000)
	for a := range 100 {
		account := fmt.Sprintf("6%011d", a)
		e.AddAccount(Account{ID: account, ParentID: "r-acme"})
		e.AddRole(account, "keyturn-member", "")
		for i := range 1000 {
			name := fmt.Sprintf("user-%04d", i)
			e.AddUser(account, User{Name: name})
			ids[i], _ = e.AddKey(account, name, Key{})
			e.PutForeignSecret(account, "keyturn/"+name, "v", nil)
		}
	}
	cfg := e.in("600000000099")
	c, sm := iam.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)
	calls := 0
	for b.Loop() {
		e.ResetCounters()
		e.RefreshReport("600000000099")
		ok(c.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{}))(b)
		ok(c.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}))(b)
		for p := secretsmanager.NewListSecretsPaginator(sm, &secretsmanager.ListSecretsInput{}); p.HasMorePages(); {
			ok(p.NextPage(ctx))(b)
		}
		for i := range 1000 {
			ok(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: ptr(fmt.Sprintf("user-%04d", i))}))(b)
			if i%10 == 0 {
				ok(c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &ids[i]}))(b)
			}
		}
		calls = 0
		for _, n := range e.Counters() {
			calls += n
		}
	}
	b.ReportMetric(float64(calls), "calls/scan")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*calls), "µs/call")
}

func BenchmarkServe(b *testing.B) {
	e := start(b)
	for i := range 1000 {
		e.AddUser(mgmt, User{Name: fmt.Sprintf("user-%04d", i)})
		e.AddKey(mgmt, fmt.Sprintf("user-%04d", i), Key{})
	}
	id, secret := e.Bootstrap(mgmt)
	q := raw{service: "iam", body: "Action=ListAccessKeys&Version=2010-05-08&UserName=user-0500", contentType: formType, id: id, secret: secret}
	req := q.request(b, e.URL())
	for b.Loop() {
		req.Body = io.NopCloser(strings.NewReader(q.body))
		w := httptest.NewRecorder()
		if e.ServeHTTP(w, req); w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
