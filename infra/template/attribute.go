package template

import (
	"fmt"
	"strings"
)

// kind is how the names and attributes of a type of resource are put together. In these, {name} is the resource's name.
type kind struct {
	name       string            // property that names it; empty: CloudFormation makes a name up
	ref        string            // what Ref gives; empty: the name
	attributes map[string]string // what GetAtt gives; empty: only AWS knows, so Env.Attributes must say it
}

// arn is the beginning of an ARN of a service in this account and region.
func arn(service, rest string) string {
	return "arn:{partition}:" + service + ":{region}:{account}:" + rest
}

var kinds = map[string]kind{
	"AWS::IAM::Role":  {name: "RoleName", attributes: map[string]string{"Arn": "arn:{partition}:iam::{account}:role/{name}"}},
	"AWS::IAM::Group": {name: "GroupName", attributes: map[string]string{"Arn": "arn:{partition}:iam::{account}:group/{name}"}},
	"AWS::Lambda::Function": {name: "FunctionName", attributes: map[string]string{
		"Arn": arn("lambda", "function:{name}"),
	}},
	"AWS::Lambda::Url": {attributes: map[string]string{"FunctionUrl": ""}},
	"AWS::DynamoDB::Table": {name: "TableName", attributes: map[string]string{
		"Arn": arn("dynamodb", "table/{name}"), "StreamArn": "",
	}},
	"AWS::SQS::Queue": {name: "QueueName", ref: "https://sqs.{region}.{suffix}/{account}/{name}", attributes: map[string]string{
		"Arn": arn("sqs", "{name}"), "QueueName": "{name}", "QueueUrl": "https://sqs.{region}.{suffix}/{account}/{name}",
	}},
	"AWS::Logs::LogGroup":             {name: "LogGroupName", attributes: map[string]string{"Arn": arn("logs", "log-group:{name}:*")}},
	"AWS::SNS::Topic":                 {name: "TopicName", ref: arn("sns", "{name}")},
	"AWS::Scheduler::ScheduleGroup":   {name: "Name", attributes: map[string]string{"Arn": arn("scheduler", "schedule-group/{name}")}},
	"AWS::Scheduler::Schedule":        {name: "Name"},
	"AWS::CloudWatch::Alarm":          {name: "AlarmName", attributes: map[string]string{"Arn": arn("cloudwatch", "alarm:{name}")}},
	"AWS::CloudFormation::StackSet":   {name: "StackSetName"},
	"AWS::Lambda::Permission":         {},
	"AWS::Lambda::EventInvokeConfig":  {},
	"AWS::Lambda::EventSourceMapping": {},
}

// suffixes are the DNS suffixes of partitions; others have that of aws.
var suffixes = map[string]string{"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}

func (e Env) suffix() string {
	if s := suffixes[e.Partition]; s != "" {
		return s
	}
	return "amazonaws.com"
}

// pseudo are the parameters that AWS gives.
var pseudo = map[string]func(Env) any{
	"AWS::AccountId": func(e Env) any { return e.Account },
	"AWS::Region":    func(e Env) any { return e.Region },
	"AWS::Partition": func(e Env) any { return e.Partition },
	"AWS::URLSuffix": func(e Env) any { return e.suffix() },
	"AWS::StackName": func(e Env) any { return e.Stack },
	"AWS::NoValue":   func(Env) any { return nothing{} },
}

// ref computes Ref.
func (r *resolver) ref(name string) (any, error) {
	if f := pseudo[name]; f != nil {
		return f(r.env), nil
	}
	if v, ok := r.params[name]; ok {
		return v, nil
	}
	d, ok := r.t.Resources[name]
	if !ok {
		return nil, fmt.Errorf("there is nothing called %q", name)
	}
	k, ok := kinds[d.Type]
	if !ok {
		return nil, fmt.Errorf("what Ref gives of a %s is not known here", d.Type)
	}
	if k.ref != "" {
		return r.fill(name, k.ref)
	}
	return r.fill(name, "{name}")
}

// attribute computes Fn::GetAtt.
func (r *resolver) attribute(name, attribute string) (any, error) {
	if v, ok := r.env.Attributes[name+"."+attribute]; ok {
		return v, nil
	}
	d, ok := r.t.Resources[name]
	if !ok {
		return nil, fmt.Errorf("there is no resource %q", name)
	}
	form, ok := kinds[d.Type].attributes[attribute]
	switch {
	case !ok:
		return nil, fmt.Errorf("a %s has no attribute %s, or it is not known here", d.Type, attribute)
	case form == "":
		return nil, fmt.Errorf("only AWS knows %s.%s: give it in Env.Attributes", name, attribute)
	default:
		return r.fill(name, form)
	}
}

// there reports whether the condition of a resource holds.
func (r *resolver) there(name string) (bool, error) {
	c := r.t.Resources[name].Condition
	if c == "" {
		return true, nil
	}
	yes, err := r.condition(c)
	if err != nil {
		return false, fmt.Errorf("resource %s: %w", name, err)
	}
	return yes, nil
}

// fill puts a resource's name, account and region into a form.
func (r *resolver) fill(name, form string) (any, error) {
	there, err := r.there(name)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, fmt.Errorf("resource %s is not made under these conditions", name)
	}
	if r.busy["name "+name] {
		return nil, fmt.Errorf("the name of resource %s depends on itself", name)
	}
	r.busy["name "+name] = true
	defer delete(r.busy, "name "+name)
	d := r.t.Resources[name]
	physical := any(r.env.Stack + "-" + name)
	if p, ok := d.Properties[kinds[d.Type].name]; ok {
		if physical, err = r.value("Resources."+name, p); err != nil {
			return nil, err
		}
	}
	return strings.NewReplacer("{name}", fmt.Sprint(physical), "{account}", r.env.Account, "{region}", r.env.Region,
		"{partition}", r.env.Partition, "{suffix}", r.env.suffix()).Replace(form), nil
}
