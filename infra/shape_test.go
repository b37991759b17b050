package infra

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// spelled are the properties that the templates use, as the resource specifications of CloudFormation spell them. Below a
// policy document and an environment everything goes.
var spelled = map[string]string{
	"AWS::CloudFormation::StackSet": "AutoDeployment.Enabled AutoDeployment.RetainStacksOnAccountRemoval CallAs Capabilities Description ManagedExecution.Active " +
		"OperationPreferences.FailureTolerancePercentage OperationPreferences.MaxConcurrentPercentage Parameters.ParameterKey Parameters.ParameterValue " +
		"PermissionModel StackInstancesGroup.DeploymentTargets.OrganizationalUnitIds StackInstancesGroup.Regions StackSetName TemplateURL",
	"AWS::CloudWatch::Alarm": "AlarmActions AlarmDescription AlarmName ComparisonOperator Dimensions.Name Dimensions.Value EvaluationPeriods ExtendedStatistic " +
		"MetricName Namespace Period Statistic Threshold TreatMissingData",
	"AWS::DynamoDB::Table": "AttributeDefinitions.AttributeName AttributeDefinitions.AttributeType BillingMode DeletionProtectionEnabled GlobalSecondaryIndexes.IndexName " +
		"GlobalSecondaryIndexes.KeySchema.AttributeName GlobalSecondaryIndexes.KeySchema.KeyType GlobalSecondaryIndexes.Projection.ProjectionType " +
		"KeySchema.AttributeName KeySchema.KeyType PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled SSESpecification.KMSMasterKeyId " +
		"SSESpecification.SSEEnabled SSESpecification.SSEType StreamSpecification.StreamViewType TableName TimeToLiveSpecification.AttributeName TimeToLiveSpecification.Enabled",
	"AWS::IAM::Group":                "GroupName",
	"AWS::IAM::Role":                 "AssumeRolePolicyDocument Description Policies.PolicyDocument Policies.PolicyName RoleName",
	"AWS::Lambda::EventInvokeConfig": "DestinationConfig.OnFailure.Destination FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier",
	"AWS::Lambda::EventSourceMapping": "BatchSize BisectBatchOnFunctionError DestinationConfig.OnFailure.Destination EventSourceArn FilterCriteria.Filters.Pattern FunctionName " +
		"FunctionResponseTypes MaximumRecordAgeInSeconds MaximumRetryAttempts ParallelizationFactor ScalingConfig.MaximumConcurrency StartingPosition",
	"AWS::Lambda::Function": "Architectures Code.S3Bucket Code.S3Key Description Environment.Variables FunctionName Handler LoggingConfig.LogGroup MemorySize " +
		"ReservedConcurrentExecutions Role Runtime Timeout",
	"AWS::Lambda::Permission": "Action FunctionName FunctionUrlAuthType InvokedViaFunctionUrl Principal",
	"AWS::Lambda::Url":        "AuthType TargetFunctionArn",
	"AWS::Logs::LogGroup":     "LogGroupName RetentionInDays",
	"AWS::SNS::Topic":         "Subscription.Endpoint Subscription.Protocol TopicName",
	"AWS::SQS::Queue": "MessageRetentionPeriod QueueName RedriveAllowPolicy.redrivePermission RedriveAllowPolicy.sourceQueueArns RedrivePolicy.deadLetterTargetArn " +
		"RedrivePolicy.maxReceiveCount SqsManagedSseEnabled VisibilityTimeout",
	"AWS::Scheduler::Schedule": "Description FlexibleTimeWindow.Mode GroupName Name ScheduleExpression ScheduleExpressionTimezone State Target.Arn Target.DeadLetterConfig.Arn " +
		"Target.Input Target.RetryPolicy.MaximumEventAgeInSeconds Target.RetryPolicy.MaximumRetryAttempts Target.RoleArn",
	"AWS::Scheduler::ScheduleGroup": "Name",
}

// paths calls f for every property below v. Lists and functions add nothing to a path.
func paths(v any, at string, f func(path string)) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			paths(x, at, f)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			switch {
			case k == "Fn::If":
				l, _ := v[k].([]any)
				paths(l[1:], at, f)
			case k == "Ref", strings.HasPrefix(k, "Fn::"):
			default:
				p := strings.TrimPrefix(at+"."+k, ".")
				if f(p); k != "PolicyDocument" && k != "AssumeRolePolicyDocument" && k != "Variables" {
					paths(v[k], p, f)
				}
			}
		}
	}
}

func TestTemplates(t *testing.T) {
	used := map[string]bool{}
	for _, name := range templates {
		t.Run(name, func(t *testing.T) {
			tpl := load(t, name)
			for _, err := range tpl.Check() {
				t.Error(err)
			}
			for id, d := range tpl.Resources {
				known := strings.Fields(spelled[d.Type])
				paths(d.Properties, "", func(p string) {
					if !slices.ContainsFunc(known, func(k string) bool { return k == p || strings.HasPrefix(k, p+".") }) {
						t.Errorf("%s: a %s has no property %s, or the table of this test lacks it", id, d.Type, p)
					}
					used[d.Type+" "+p] = true
				})
			}
			for name, p := range tpl.Parameters {
				if p.Description == "" {
					t.Errorf("parameter %s says nothing of itself", name)
				}
			}
			for name, o := range tpl.Outputs {
				if m, _ := o.(map[string]any); m["Description"] == nil || m["Value"] == nil {
					t.Errorf("output %s says nothing of itself", name)
				}
			}
			// All of it resolves, in every partition.
			for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
				e := envOf(name)
				e.Partition = partition
				rs, err := tpl.Resolve(e)
				if err != nil {
					t.Fatal(err)
				}
				if text := fmt.Sprint(rs); partition != "aws" {
					text = strings.ReplaceAll(text, e.Params["SlackTokenSecretArn"], "")
					text = strings.ReplaceAll(text, e.Params["SlackSigningSecretArn"], "")
					text = strings.ReplaceAll(text, e.Attributes["Table.StreamArn"], "")
					if m := regexp.MustCompile(`\S*arn:aws:\S*`).FindString(text); m != "" {
						t.Errorf("in %s there is %s", partition, m)
					}
				}
			}
			if _, err := tpl.ResolveOutputs(envOf(name)); err != nil {
				t.Error(err)
			}
		})
	}
	for kind, list := range spelled {
		for p := range strings.FieldsSeq(list) {
			if !used[kind+" "+p] {
				t.Errorf("this test knows %s of %s, and no template uses it", p, kind)
			}
		}
	}
}

// TestText looks at the files as they are: partition and DNS suffix are never spelled out, and CloudFormation takes them.
func TestText(t *testing.T) {
	for _, name := range templates {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 51_200 {
			t.Errorf("%s has %d bytes; CloudFormation takes 51,200 without a bucket", name, len(b))
		}
		for i, line := range strings.Split(string(b), "\n") {
			if strings.Contains(line, "arn:aws:") || strings.Contains(line, ".amazonaws.com") && !strings.Contains(line, "Service: ") {
				t.Errorf("%s:%d: %s", name, i+1, strings.TrimSpace(line))
			}
			if strings.Contains(line, "PutUserPolicy") || strings.Contains(line, "AttachUserPolicy") {
				t.Errorf("%s:%d: a way to administrator: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// TestConsole: CloudFormation's console shows every parameter of the main template in a group, once.
func TestConsole(t *testing.T) {
	tpl := load(t, "keyturn.yaml")
	var shown []string
	meta, _ := tpl.Metadata.(map[string]any)
	ui, _ := meta["AWS::CloudFormation::Interface"].(map[string]any)
	groups, _ := ui["ParameterGroups"].([]any)
	for _, g := range groups {
		list, _ := g.(map[string]any)["Parameters"].([]any)
		for _, p := range list {
			shown = append(shown, fmt.Sprint(p))
		}
	}
	slices.Sort(shown)
	if want := slices.Sorted(maps.Keys(tpl.Parameters)); !slices.Equal(shown, want) {
		t.Errorf("shown are %v, there are %v", shown, want)
	}
}

// TestStackSetPassesEverything: what member-role.yaml takes, the StackSet passes on, with the same default.
func TestStackSetPassesEverything(t *testing.T) {
	set, role := load(t, "stackset.yaml"), load(t, "member-role.yaml")
	passed := map[string]bool{}
	list, _ := set.Resources["Members"].Properties["Parameters"].([]any)
	for _, p := range list {
		m, _ := p.(map[string]any)
		key := fmt.Sprint(m["ParameterKey"])
		if ref, _ := m["ParameterValue"].(map[string]any); ref["Ref"] != key {
			t.Errorf("%s is passed as %v", key, m["ParameterValue"])
		}
		passed[key] = true
	}
	for name, p := range role.Parameters {
		q, ok := set.Parameters[name]
		if !passed[name] || !ok {
			t.Errorf("the StackSet does not pass %s", name)
			continue
		}
		if (p.Default == nil) != (q.Default == nil) || p.Default != nil && *p.Default != *q.Default {
			t.Errorf("%s has another default in the StackSet", name)
		}
	}
	if len(passed) != len(role.Parameters) {
		t.Errorf("the StackSet passes %d parameters of %d", len(passed), len(role.Parameters))
	}
	rs := resolve(t, "stackset.yaml")
	set1 := rs["Members"]
	if set1.Get("AutoDeployment", "Enabled") != true || set1.Get("PermissionModel") != "SERVICE_MANAGED" || set1.Get("ManagedExecution", "Active") != true {
		t.Errorf("the StackSet: %v", set1.Properties)
	}
}
