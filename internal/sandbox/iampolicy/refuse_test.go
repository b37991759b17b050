package iampolicy

import (
	"strings"
	"testing"
)

// TestWhatIsNotUnderstoodIsRefused names for each document what the error must speak of.
func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	statement := func(fields string) string { return `{"Version":"2012-10-17","Statement":[{` + fields + `}]}` }
	allow := func(fields string) string {
		return statement(`"Effect":"Allow","Action":"iam:GetUser","Resource":"*",` + fields)
	}
	for name, tc := range map[string]struct{ doc, speaks string }{
		"nothing":                   {``, "JSON"},
		"half":                      {`{"Statement":`, "JSON"},
		"a list":                    {`[]`, "JSON object"},
		"two documents":             {`{"Statement":[]} {}`, "more follows"},
		"no statement":              {`{"Version":"2012-10-17"}`, "no statement"},
		"empty statements":          {`{"Statement":[]}`, "no statement"},
		"a statement that is none":  {`{"Statement":[1]}`, "JSON object"},
		"unknown version":           {`{"Version":"2012-10-18","Statement":[]}`, "version"},
		"unknown element":           {`{"Version":"2012-10-17","Statements":[]}`, `"Statements"`},
		"element in another case":   {`{"version":"2012-10-17","Statement":[]}`, `"version"`},
		"an Id that is none":        {`{"Id":1,"Statement":[]}`, "Id"},
		"unknown field":             {allow(`"Conditions":{}`), "Conditions"},
		"a field twice":             {allow(`"Action":"iam:*"`), `"Action" is there twice`},
		"a key twice":               {allow(`"Condition":{"StringEquals":{"aws:region":"a","aws:Region":"b"}}`), "twice"},
		"an operator twice":         {allow(`"Condition":{"StringEquals":{"aws:region":"a"},"StringEquals":{"aws:username":"b"}}`), "twice"},
		"a Sid twice":               {`{"Statement":[{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"*","Resource":"*"}]}`, "twice"},
		"a Sid with a space":        {allow(`"Sid":"a b"`), "Sid"},
		"no effect":                 {statement(`"Action":"*","Resource":"*"`), "Effect"},
		"another effect":            {statement(`"Effect":"allow","Action":"*","Resource":"*"`), "neither Allow nor Deny"},
		"no action":                 {statement(`"Effect":"Allow","Resource":"*"`), "Action"},
		"both actions":              {statement(`"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"`), "NotAction"},
		"no resource":               {statement(`"Effect":"Allow","Action":"*"`), "Resource"},
		"both resources":            {statement(`"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"`), "NotResource"},
		"a principal":               {allow(`"Principal":"*"`), "Principal"},
		"no list of actions":        {statement(`"Effect":"Allow","Action":[],"Resource":"*"`), "empty"},
		"an action that is none":    {statement(`"Effect":"Allow","Action":"GetUser","Resource":"*"`), `"GetUser"`},
		"a service with a wildcard": {statement(`"Effect":"Allow","Action":"i*:GetUser","Resource":"*"`), `"i*:GetUser"`},
		"an action with a variable": {statement(`"Effect":"Allow","Action":"iam:${aws:username}","Resource":"*"`), "no action"},
		"an action that is 1":       {statement(`"Effect":"Allow","Action":[1],"Resource":"*"`), "number"},
		"a resource that is null":   {statement(`"Effect":"Allow","Action":"*","Resource":null`), "string"},
		"a resource that is no ARN": {statement(`"Effect":"Allow","Action":"*","Resource":"user/a"`), "no ARN"},
		"an ARN without partition":  {statement(`"Effect":"Allow","Action":"*","Resource":"arn:*:iam::1:user/a"`), "partition"},
		"an ARN without service":    {statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:*::1:user/a"`), "service"},
		"an ARN without resource":   {statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::1:"`), "resource"},
		"CloudFormation's variable": {statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::${AWS::AccountId}:user/a"`), "AWS::AccountId"},
		"a variable without an end": {statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::1:user/${aws:username"`), "without an end"},
		"a variable of several":     {statement(`"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::1:user/${aws:TagKeys}"`), "several values"},
		"an unknown variable":       {allow(`"Condition":{"StringEquals":{"aws:region":"${aws:nothing}"}}`), "aws:nothing"},
		"an unknown operator":       {allow(`"Condition":{"StringMatches":{"aws:region":"a"}}`), "StringMatches"},
		"a date operator":           {allow(`"Condition":{"DateLessThan":{"aws:region":"a"}}`), "DateLessThan"},
		"an unknown quantifier":     {allow(`"Condition":{"ForSomeValues:StringEquals":{"aws:TagKeys":"a"}}`), "ForSomeValues"},
		"NullIfExists":              {allow(`"Condition":{"NullIfExists":{"aws:region":"true"}}`), "NullIfExists"},
		"ForAllValues:Null":         {allow(`"Condition":{"ForAllValues:Null":{"aws:TagKeys":"true"}}`), "ForAllValues:Null"},
		"Null of two":               {allow(`"Condition":{"Null":{"aws:region":["true","false"]}}`), "one value"},
		"Null of text":              {allow(`"Condition":{"Null":{"aws:region":"maybe"}}`), "neither true nor false"},
		"Bool of text":              {allow(`"Condition":{"Bool":{"aws:SecureTransport":"yes"}}`), "neither true nor false"},
		"Bool of a variable":        {allow(`"Condition":{"Bool":{"aws:SecureTransport":"${aws:username}"}}`), "variables"},
		"a number of text":          {allow(`"Condition":{"NumericLessThan":{"s3:max-keys":"many"}}`), "no number"},
		"an ARN that is none":       {allow(`"Condition":{"ArnLike":{"aws:PrincipalArn":"*"}}`), "no ARN"},
		"an ARN of five parts":      {allow(`"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam:*:role/x"}}`), "no ARN"},
		"an unknown key":            {allow(`"Condition":{"StringEquals":{"aws:Regoin":"a"}}`), "aws:Regoin"},
		"a key without its tag":     {allow(`"Condition":{"StringEquals":{"aws:RequestTag/":"a"}}`), "aws:RequestTag/"},
		"several values unmarked":   {allow(`"Condition":{"StringEquals":{"aws:TagKeys":"a"}}`), "ForAnyValue"},
		"no values":                 {allow(`"Condition":{"StringEquals":{"aws:region":[]}}`), "empty"},
		"no keys":                   {allow(`"Condition":{"StringEquals":{}}`), "StringEquals"},
		"a condition that is none":  {allow(`"Condition":[]`), "Condition"},
		"values that are objects":   {allow(`"Condition":{"StringEquals":{"aws:region":{}}}`), "string"},
		"too deep":                  {strings.Repeat(`{"a":`, 40), "deep"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePermissions([]byte(tc.doc), testKeys)
			if err == nil || !strings.Contains(err.Error(), tc.speaks) {
				t.Errorf("got %v, %v; want an error about %s", p, err, tc.speaks)
			}
		})
	}
	trust := func(fields string) string {
		return `{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole",` + fields + `}}`
	}
	for name, tc := range map[string]struct{ doc, speaks string }{
		"no principal":       {`{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}`, "Principal"},
		"a resource":         {trust(`"Principal":"*","Resource":"*"`), "Resource"},
		"nobody":             {trust(`"Principal":{}`), "Principal"},
		"an empty list":      {trust(`"Principal":{"AWS":[]}`), "empty"},
		"NotPrincipal":       {trust(`"NotPrincipal":{"AWS":"*"}`), "NotPrincipal"},
		"a federated one":    {trust(`"Principal":{"Federated":"accounts.google.com"}`), "Federated"},
		"a pattern":          {trust(`"Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}`), "role/*"},
		"a role without one": {trust(`"Principal":{"AWS":"arn:aws:iam::1:role/a"}`), "role/a"},
		"a unique ID":        {trust(`"Principal":{"AWS":"AROAEXAMPLE"}`), "AROAEXAMPLE"},
		"a service of none":  {trust(`"Principal":{"Service":"lambda"}`), "lambda"},
	} {
		t.Run("trust: "+name, func(t *testing.T) {
			p, err := ParseTrust([]byte(tc.doc), testKeys)
			if err == nil || !strings.Contains(err.Error(), tc.speaks) {
				t.Errorf("got %v, %v; want an error about %s", p, err, tc.speaks)
			}
		})
	}
}
