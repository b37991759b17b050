package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const small = `AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Name: {Type: String, Default: shop, AllowedPattern: "[a-z]+"}
  Size: {Type: Number, Default: 3, MinValue: 1}
  Units: {Type: CommaDelimitedList, Default: "a, b"}
  Key: {Type: String, Default: ""}
Mappings:
  Colors: {shop: {dark: blue}}
Conditions:
  HasKey: !Not [!Equals [!Ref Key, ""]]
  Big: !Or [!Equals [!Ref Size, "9"], !And [!Condition HasKey, !Condition HasKey]]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Delete
    Properties: {QueueName: !Sub "${Name}-q"}
  Extra:
    Type: AWS::SNS::Topic
    Condition: HasKey
    Properties: {TopicName: !Ref Key}
  Role:
    Type: AWS::IAM::Role
    DependsOn: Queue
    Properties:
      RoleName: !Join ["-", [!Ref Name, !Select [1, !Split ["/", "x/y"]], !FindInMap [Colors, !Ref Name, dark]]]
      MaxSessionDuration: !Ref Size
      Tags: !Ref Units
      Description: !If [Big, !Ref Extra, !Ref "AWS::NoValue"]
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: "sqs:SendMessage", Resource: [!GetAtt Queue.Arn, Fn::GetAtt: [Queue, QueueUrl], !Ref Queue]}
              - !If [HasKey, {Effect: Deny, Action: "a<b", Resource: !Sub ["${It}-${!Literal}-${AWS::URLSuffix}", {It: !Ref Key}]}, !Ref "AWS::NoValue"]
Outputs:
  Queue: {Value: !GetAtt Queue.QueueName}
`

func env(params map[string]string) Env {
	return Env{Account: "111122223333", Region: "eu-central-1", Params: params}
}

func resolve(t *testing.T, e Env) Resources {
	t.Helper()
	tpl, err := Parse("small.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if errs := tpl.Check(); len(errs) > 0 {
		t.Fatal(errs)
	}
	rs, err := tpl.Resolve(e)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestResolve(t *testing.T) {
	rs := resolve(t, env(nil))
	if _, ok := rs["Extra"]; ok {
		t.Error("a resource is there whose condition does not hold")
	}
	role := rs["Role"]
	if role.Get("RoleName") != "shop-y-blue" || role.Get("MaxSessionDuration") != 3 || role.Get("Description") != nil {
		t.Errorf("properties: %v", role.Properties)
	}
	if diff := cmp.Diff([]any{"a", "b"}, role.Get("Tags")); diff != "" {
		t.Errorf("a list of texts: %s", diff)
	}
	if rs["Queue"].DeletionPolicy != "Delete" || rs["Queue"].Get("QueueName") != "shop-q" {
		t.Errorf("the queue: %+v", rs["Queue"])
	}
	docs, err := rs.RolePolicies("Role")
	if err != nil || len(docs) != 1 {
		t.Fatal(docs, err)
	}
	const want = `{"Statement":[{"Action":"sqs:SendMessage","Effect":"Allow","Resource":["arn:aws:sqs:eu-central-1:111122223333:shop-q",` +
		`"https://sqs.eu-central-1.amazonaws.com/111122223333/shop-q","https://sqs.eu-central-1.amazonaws.com/111122223333/shop-q"]}]}`
	if diff := cmp.Diff(want, string(docs[0])); diff != "" {
		t.Error(diff)
	}
	trust, err := rs.TrustPolicy("Role")
	if err != nil || !strings.Contains(string(trust), `"Principal":{"Service":"lambda.amazonaws.com"}`) {
		t.Error(string(trust), err)
	}
}

func TestResolveOtherwise(t *testing.T) {
	e := env(map[string]string{"Key": "k", "Name": "web", "Size": "9"})
	e.Partition, e.Attributes = "aws-cn", map[string]string{"Queue.Arn": "given"}
	tpl, err := Parse("small.yaml", []byte(strings.Replace(small, "shop: {dark", "web: {dark", 1)))
	if err != nil {
		t.Fatal(err)
	}
	rs, err := tpl.Resolve(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := rs["Role"].Get("Description"); got != "arn:aws-cn:sns:eu-central-1:111122223333:k" {
		t.Errorf("Ref of a topic: %v", got)
	}
	docs, err := rs.RolePolicies("Role")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"given"`, `"a<b"`, `"k-${Literal}-amazonaws.com.cn"`} {
		if !strings.Contains(string(docs[0]), want) {
			t.Errorf("%s has no %s", docs[0], want)
		}
	}
	outs, err := tpl.ResolveOutputs(e)
	if err != nil || outs["Queue"] != "web-q" {
		t.Error(outs, err)
	}
}

func TestParameters(t *testing.T) {
	tpl, err := Parse("small.yaml", []byte(strings.Replace(small, `Key: {Type: String, Default: ""}`, `Key: {Type: String, MinLength: 2, AllowedValues: [one, o]}`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		params     map[string]string
	}{
		{"missing", "Key must be given", nil},
		{"unknown", "there is no parameter Nmae", map[string]string{"Nmae": "x", "Key": "one"}},
		{"pattern", "does not match", map[string]string{"Name": "x1", "Key": "one"}},
		{"allowed", "is none of", map[string]string{"Key": "two"}},
		{"short", "shorter", map[string]string{"Key": "o"}},
		{"number", "not a number", map[string]string{"Key": "one", "Size": "x"}},
		{"bounds", "out of bounds", map[string]string{"Key": "one", "Size": "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := tpl.Resolve(env(c.params)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// wrongs are templates that differ from the small one in one place.
var wrongs = []struct{ name, old, new, parse, check, resolve string }{
	{name: "a section", old: "Outputs:", new: "Output:", parse: "no such section"},
	{name: "an attribute", old: "DeletionPolicy:", new: "DeletePolicy:", parse: "no such attribute"},
	{name: "a tag", old: `!Sub "${Name}-q"`, new: `!Subst "${Name}-q"`, parse: "!Subst"},
	{name: "twice", old: "  Queue:\n    Type", new: "  Extra: {}\n  Queue:\n    Type", parse: "twice"},
	{name: "a date", old: "QueueName: !Sub", new: "Date: 2012-10-17, QueueName: !Sub", parse: "quotes"},
	{name: "an anchor", old: "DeletionPolicy: Delete\n", new: "DeletionPolicy: &d Delete\n    UpdateReplacePolicy: *d\n", parse: "anchors"},
	{name: "no attribute", old: "!GetAtt Queue.Arn", new: "!GetAtt Queue", parse: "names no attribute"},
	{name: "a parameter's type", old: "Type: CommaDelimitedList", new: "Type: List", parse: "not understood"},
	{name: "ref to nothing", old: "TopicName: !Ref Key", new: "TopicName: !Ref Kex", check: "nothing called Kex", resolve: ""},
	{name: "sub to nothing", old: "${Name}-q", new: "${Nmae}-q", check: "nothing called Nmae", resolve: "nothing called"},
	{name: "sub without need", old: "${Name}-q", new: "q", check: "replaces nothing"},
	{name: "an attribute that is none", old: "!GetAtt Queue.Arn", new: "!GetAtt Queue.ARN", check: "no attribute ARN", resolve: "no attribute ARN"},
	{name: "a condition that is none", old: "Condition: HasKey\n", new: "Condition: HasKex\n", check: "no condition HasKex", resolve: "no condition"},
	{name: "an unused parameter", old: "Tags: !Ref Units", new: "Tags: [a]", check: "Units is never used"},
	{name: "an unused condition", old: "!If [Big, ", new: "!If [HasKey, ", check: "Big is never used"},
	{name: "an unused mapping", old: "!FindInMap [Colors, !Ref Name, dark]", new: "x", check: "Colors is never used"},
	{name: "a mapping that is none", old: "!FindInMap [Colors, !Ref Name, dark]", new: "!FindInMap [Colours, a, b]", check: "no mapping Colours", resolve: "there is no Colours"},
	{name: "a circle", old: "DeletionPolicy: Delete", new: "DependsOn: Role", check: "Queue -> Role -> Queue"},
	{name: "a circle of names", old: `QueueName: !Sub "${Name}-q"`, new: `QueueName: !Sub "${Queue.Arn}-${Name}"`, check: "Queue -> Queue", resolve: "depends on itself"},
	{name: "a circle of conditions", old: `HasKey: !Not [!Equals [!Ref Key, ""]]`, new: `HasKey: !Not [!Condition HasKey]`, resolve: "depends on itself"},
	{name: "a resource that is not made", old: "Description: !If [Big, ", new: "Description: !If [Small, ", check: "no condition Small", resolve: "no condition"},
	{name: "a type", old: "AWS::SNS::Topic", new: "AWS::SNS::Topics", check: "type AWS::SNS::Topics"},
	{name: "a select", old: "!Select [1,", new: "!Select [7,", resolve: "no element"},
	{name: "a function's form", old: "!Select [1,", new: "!Select [1, 2,", resolve: "have not the form"},
}

func TestWrong(t *testing.T) {
	for _, c := range wrongs {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(small, c.old) {
				t.Fatalf("%q is not in the template", c.old)
			}
			tpl, err := Parse("small.yaml", []byte(strings.Replace(small, c.old, c.new, 1)))
			has := func(err error, want string) bool { return err != nil && strings.Contains(err.Error(), want) }
			if c.parse != "" {
				if !has(err, c.parse) {
					t.Errorf("Parse: %v, want %q", err, c.parse)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.check != "" {
				found := false
				for _, err := range tpl.Check() {
					found = found || has(err, c.check)
				}
				if !found {
					t.Errorf("Check: %v, want %q", tpl.Check(), c.check)
				}
			}
			if _, err := tpl.Resolve(env(nil)); c.resolve != "" && !has(err, c.resolve) || c.resolve == "" && err != nil && c.check == "" {
				t.Errorf("Resolve: %v, want %q", err, c.resolve)
			}
		})
	}
}

// TestRoleWithOthersPolicies: a role whose permissions do not all stand in the template must not be taken for a smaller one.
func TestRoleWithOthersPolicies(t *testing.T) {
	rs := resolve(t, env(nil))
	rs["Role"].Properties["ManagedPolicyArns"] = []any{"arn:aws:iam::aws:policy/AdministratorAccess"}
	if _, err := rs.RolePolicies("Role"); err == nil {
		t.Error("managed policies were passed over")
	}
	if _, err := rs.RolePolicies("Queue"); err == nil {
		t.Error("a queue was taken for a role")
	}
	if _, err := rs.TrustPolicy("Nothing"); err == nil {
		t.Error("nothing was taken for a role")
	}
}

// FuzzParse: whatever stands in a file is an error or a template, never a panic.
func FuzzParse(f *testing.F) {
	f.Add(small)
	f.Add("Resources: {A: {Type: AWS::IAM::Role, Properties: {RoleName: !If [a, b]}}}")
	f.Fuzz(func(t *testing.T, s string) {
		tpl, err := Parse("fuzz.yaml", []byte(s))
		if err != nil {
			return
		}
		tpl.Check()
		if rs, err := tpl.Resolve(env(nil)); err == nil {
			for id := range rs {
				_, _ = rs.RolePolicies(id)
			}
		}
	})
}
