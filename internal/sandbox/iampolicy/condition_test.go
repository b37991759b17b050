package iampolicy

import "testing"

// TestConditions follows the tables of the IAM User Guide: reference_policies_elements_condition_operators and
// reference_policies_condition-single-vs-multi-valued-context-keys.
func TestConditions(t *testing.T) {
	for name, tc := range map[string]struct {
		condition string
		context   Context
		want      bool
	}{
		"none": {`{}`, nil, true},

		"StringEquals":                        {`{"StringEquals":{"aws:region":"eu"}}`, Context{"aws:region": {"eu"}}, true},
		"StringEquals has case":               {`{"StringEquals":{"aws:region":"EU"}}`, Context{"aws:region": {"eu"}}, false},
		"keys have none":                      {`{"StringEquals":{"AWS:Region":"eu"}}`, Context{"aws:region": {"eu"}}, true},
		"StringEquals, one of several":        {`{"StringEquals":{"aws:region":["us","eu"]}}`, Context{"aws:region": {"eu"}}, true},
		"StringEquals has no wildcards":       {`{"StringEquals":{"aws:region":"e*"}}`, Context{"aws:region": {"eu"}}, false},
		"but the character":                   {`{"StringEquals":{"aws:region":"e*"}}`, Context{"aws:region": {"e*"}}, true},
		"StringEquals, no key":                {`{"StringEquals":{"aws:region":"eu"}}`, nil, false},
		"StringEqualsIfExists, no key":        {`{"StringEqualsIfExists":{"aws:region":"eu"}}`, nil, true},
		"StringEqualsIfExists, another":       {`{"StringEqualsIfExists":{"aws:region":"eu"}}`, Context{"aws:region": {"us"}}, false},
		"StringNotEquals":                     {`{"StringNotEquals":{"aws:region":"eu"}}`, Context{"aws:region": {"us"}}, true},
		"StringNotEquals, the same":           {`{"StringNotEquals":{"aws:region":"eu"}}`, Context{"aws:region": {"eu"}}, false},
		"StringNotEquals is none of several":  {`{"StringNotEquals":{"aws:region":["us","eu"]}}`, Context{"aws:region": {"eu"}}, false},
		"StringNotEquals, no key":             {`{"StringNotEquals":{"aws:region":"eu"}}`, nil, true},
		"StringNotEqualsIfExists, no key":     {`{"StringNotEqualsIfExists":{"aws:region":"eu"}}`, nil, true},
		"StringEqualsIgnoreCase":              {`{"StringEqualsIgnoreCase":{"aws:region":"EU"}}`, Context{"aws:region": {"eu"}}, true},
		"StringNotEqualsIgnoreCase":           {`{"StringNotEqualsIgnoreCase":{"aws:region":"EU"}}`, Context{"aws:region": {"eu"}}, false},
		"StringLike":                          {`{"StringLike":{"aws:region":"e?-*"}}`, Context{"aws:region": {"eu-central-1"}}, true},
		"StringLike has case":                 {`{"StringLike":{"aws:region":"E*"}}`, Context{"aws:region": {"eu"}}, false},
		"StringLike, no key":                  {`{"StringLike":{"aws:region":"*"}}`, nil, false},
		"StringNotLike":                       {`{"StringNotLike":{"aws:region":"us-*"}}`, Context{"aws:region": {"eu-central-1"}}, true},
		"StringNotLike, no key":               {`{"StringNotLike":{"aws:region":"*"}}`, nil, true},
		"StringNotLike, one of several":       {`{"StringNotLike":{"aws:region":["us-*","eu-*"]}}`, Context{"aws:region": {"eu-central-1"}}, false},
		"variable":                            {`{"StringEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"}}`, Context{"aws:requesttag/team": {"a"}, "aws:principaltag/team": {"a"}}, true},
		"variable without a value":            {`{"StringEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"}}`, Context{"aws:requesttag/team": {"a"}}, false},
		"variable without a value, negated":   {`{"StringNotEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"}}`, Context{"aws:requesttag/team": {"a"}}, true},
		"a number is a string":                {`{"StringEquals":{"aws:PrincipalAccount":111122223333}}`, Context{"aws:principalaccount": {"111122223333"}}, true},
		"several keys: all of them":           {`{"StringEquals":{"aws:region":"eu","aws:username":"a"}}`, Context{"aws:region": {"eu"}, "aws:username": {"b"}}, false},
		"several operators: all of them":      {`{"StringEquals":{"aws:region":"eu"},"StringLike":{"aws:username":"a*"}}`, Context{"aws:region": {"eu"}, "aws:username": {"b"}}, false},
		"several operators, and they do hold": {`{"StringEquals":{"aws:region":"eu"},"StringLike":{"aws:username":"a*"}}`, Context{"aws:region": {"eu"}, "aws:username": {"ab"}}, true},

		"ArnLike":                         {`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/keyturn-*"}}`, Context{"aws:principalarn": {"arn:aws:iam::1:role/keyturn-a"}}, true},
		"ArnEquals is the same":           {`{"ArnEquals":{"aws:PrincipalArn":"arn:*:iam::*:role/keyturn-*"}}`, Context{"aws:principalarn": {"arn:aws:iam::1:role/keyturn-a"}}, true},
		"ArnLike keeps to its part":       {`{"ArnLike":{"aws:PrincipalArn":"arn:aws:*::*:role/x"}}`, Context{"aws:principalarn": {"arn:aws:iam:eu:1:role/x"}}, false},
		"StringLike does not":             {`{"StringLike":{"aws:PrincipalArn":"arn:aws:*:role/x"}}`, Context{"aws:principalarn": {"arn:aws:iam:eu:1:role/x"}}, true},
		"ArnLike with a variable":         {`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:PrincipalAccount}:role/*"}}`, Context{"aws:principalarn": {"arn:aws:iam::1:role/x"}, "aws:principalaccount": {"1"}}, true},
		"ArnLike on what is no ARN":       {`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:*"}}`, Context{"aws:principalarn": {"x"}}, false},
		"ArnNotLike":                      {`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a"}}`, Context{"aws:principalarn": {"arn:aws:iam::1:role/b"}}, true},
		"ArnNotEquals, no key":            {`{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/a"}}`, nil, true},
		"ArnLikeIfExists, no key":         {`{"ArnLikeIfExists":{"aws:PrincipalArn":"arn:aws:iam::*:role/a"}}`, nil, true},
		"Bool":                            {`{"Bool":{"aws:SecureTransport":"true"}}`, Context{"aws:securetransport": {"true"}}, true},
		"Bool without quotes":             {`{"Bool":{"aws:SecureTransport":false}}`, Context{"aws:securetransport": {"false"}}, true},
		"Bool, another":                   {`{"Bool":{"aws:SecureTransport":"false"}}`, Context{"aws:securetransport": {"true"}}, false},
		"Bool, no key":                    {`{"Bool":{"aws:SecureTransport":"false"}}`, nil, false},
		"BoolIfExists, no key":            {`{"BoolIfExists":{"aws:SecureTransport":"false"}}`, nil, true},
		"Null true: the key is missing":   {`{"Null":{"aws:region":"true"}}`, nil, true},
		"Null true: the key is there":     {`{"Null":{"aws:region":true}}`, Context{"aws:region": {"eu"}}, false},
		"Null false: the key is there":    {`{"Null":{"aws:region":"false"}}`, Context{"aws:region": {"eu"}}, true},
		"Null false: the key is missing":  {`{"Null":{"aws:region":"false"}}`, Context{"aws:region": {}}, false},
		"Null on a key of several values": {`{"Null":{"aws:TagKeys":"false"}}`, Context{"aws:tagkeys": {"a", "b"}}, true},

		"NumericLessThan":            {`{"NumericLessThan":{"s3:max-keys":"10"}}`, Context{"s3:max-keys": {"9"}}, true},
		"NumericLessThan, equal":     {`{"NumericLessThan":{"s3:max-keys":10}}`, Context{"s3:max-keys": {"10"}}, false},
		"NumericLessThanEquals":      {`{"NumericLessThanEquals":{"s3:max-keys":"10"}}`, Context{"s3:max-keys": {"10"}}, true},
		"NumericGreaterThan":         {`{"NumericGreaterThan":{"s3:max-keys":"10"}}`, Context{"s3:max-keys": {"9"}}, false},
		"NumericGreaterThanEquals":   {`{"NumericGreaterThanEquals":{"s3:max-keys":"10"}}`, Context{"s3:max-keys": {"10"}}, true},
		"NumericEquals":              {`{"NumericEquals":{"s3:max-keys":"10"}}`, Context{"s3:max-keys": {"10.0"}}, true},
		"NumericNotEquals":           {`{"NumericNotEquals":{"s3:max-keys":"10"}}`, Context{"s3:max-keys": {"10"}}, false},
		"NumericNotEquals, no key":   {`{"NumericNotEquals":{"s3:max-keys":"10"}}`, nil, true},
		"a number that is none":      {`{"NumericLessThan":{"s3:max-keys":"10"}}`, Context{"s3:max-keys": {"x"}}, false},
		"NumericLessThan, no key":    {`{"NumericLessThan":{"s3:max-keys":"10"}}`, nil, false},
		"NumericLessThanIfExists":    {`{"NumericLessThanIfExists":{"s3:max-keys":"10"}}`, nil, true},
		"ForAnyValue":                {`{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}`, Context{"aws:tagkeys": {"c", "b"}}, true},
		"ForAnyValue, none":          {`{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}`, Context{"aws:tagkeys": {"c", "d"}}, false},
		"ForAnyValue, no key":        {`{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}`, nil, false},
		"ForAnyValue IfExists":       {`{"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":["a","b"]}}`, nil, true},
		"ForAnyValue negated":        {`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a","b"]}}`, Context{"aws:tagkeys": {"a", "c"}}, true},
		"ForAnyValue negated, all":   {`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a","b"]}}`, Context{"aws:tagkeys": {"a", "b"}}, false},
		"ForAnyValue negated, empty": {`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a","b"]}}`, nil, false},
		"ForAnyValue, like":          {`{"ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/keyturn*"}}`, Context{"kms:resourcealiases": {"alias/x", "alias/keyturn-a"}}, true},
		"ForAllValues":               {`{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`, Context{"aws:tagkeys": {"b"}}, true},
		"ForAllValues, one more":     {`{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`, Context{"aws:tagkeys": {"b", "c"}}, false},
		"ForAllValues, no key":       {`{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`, nil, true},
		"ForAllValues negated":       {`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["a","b"]}}`, Context{"aws:tagkeys": {"c", "d"}}, true},
		"ForAllValues negated, one":  {`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["a","b"]}}`, Context{"aws:tagkeys": {"c", "b"}}, false},
		"ForAllValues of one value":  {`{"ForAllValues:StringEquals":{"aws:region":"eu"}}`, Context{"aws:region": {"us"}}, false},
		"ForAnyValue of one value":   {`{"ForAnyValue:StringEquals":{"aws:region":"eu"}}`, Context{"aws:region": {"eu"}}, true},
		"KMS' encryption context":    {`{"StringLike":{"kms:EncryptionContext:SecretARN":"arn:*:secret:keyturn/*"}}`, Context{"kms:encryptioncontext:secretarn": {"arn:aws:secretsmanager:eu:1:secret:keyturn/a-123456"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePermissions([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+tc.condition+`}}`), testKeys)
			if err != nil {
				t.Fatal(err)
			}
			want := NoMatch
			if tc.want {
				want = Allowed
			}
			if got, _ := p.Decide(Request{Action: "iam:GetUser", Resource: "*", Context: tc.context}); got != want {
				t.Errorf("got %d, want %d", got, want)
			}
		})
	}
}
