package rotation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAdvise(t *testing.T) {
	used := func(service string) KeyRef {
		return KeyRef{Created: noon.Add(-100 * Day), LastUse: LastUse{Kind: UseSeen, At: noon, Service: service, Region: "eu-west-1"}}
	}
	for name, c := range map[string]struct {
		r    Rotation
		want []Instead
		says string // of the first
	}{
		"nothing is known":       {Rotation{UserName: "svc-42", Old: used("s3")}, nil, ""},
		"GitHub by the name":     {Rotation{UserName: "github-deploy", Old: used("s3")}, []Instead{InsteadOIDC}, `It looks like a GitHub Actions workflow, by the name "github-deploy". Instead of a key it could use OpenID Connect with an IAM role, so that each run gets short-lived credentials.`},
		"half a word is none":    {Rotation{UserName: "cider-press", Old: used("s3")}, nil, ""},
		"words run together":     {Rotation{UserName: "BuildLambdaReader", Old: used("s3")}, []Instead{InsteadLambda}, ""},
		"by the path":            {Rotation{UserName: "x", UserPath: "/onprem/", Old: used("s3")}, []Instead{InsteadAnywhere}, ""},
		"by a tag":               {Rotation{UserName: "x", Tags: map[string]string{"runtime": "ecs"}, Old: used("s3")}, []Instead{InsteadECS}, "It looks like an ECS task, by the tag runtime=ecs. Instead of a key it could use an IAM role for the task (ECS task role)."},
		"an address is nobody":   {Rotation{UserName: "x", Tags: map[string]string{"owner": "lambda@example.com"}, Old: used("s3")}, nil, ""},
		"a person":               {Rotation{UserName: "x", Console: true, Old: used("s3")}, []Instead{InsteadPerson}, ""},
		"several guesses":        {Rotation{UserName: "ci-on-ec2", Console: true, Old: used("ec2")}, []Instead{InsteadEC2, InsteadOIDC, InsteadPerson}, ""},
		"mail":                   {Rotation{UserName: "x", Old: used("ses")}, []Instead{InsteadSESSender}, ""},
		"the service is no clue": {Rotation{UserName: "x", Old: used("ec2")}, nil, ""},
		"never used":             {Rotation{UserName: "x", Old: KeyRef{Created: noon, LastUse: LastUse{Kind: UseNever}}}, []Instead{InsteadNothing}, "The key could go without a replacement: AWS knows of no use."},
		"older than records":     {Rotation{UserName: "x", Old: KeyRef{Created: TrackingSince.Add(-Day), LastUse: LastUse{Kind: UseNever}}}, nil, ""},
		"not known when":         {Rotation{UserName: "x", Old: KeyRef{Created: noon}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []Instead
			all := Advise(c.r)
			for _, a := range all {
				got = append(got, a.Instead)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Fatal(diff)
			}
			if c.says != "" && all[0].Sentence() != c.says {
				t.Errorf("%s", all[0].Sentence())
			}
		})
	}
}

// Whatever a user is called, advice is total, stands once, and says from what it was taken.
func TestAdviseIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anything[Rotation]().Draw(t, "rotation")
		seen := map[Instead]bool{}
		for _, a := range Advise(r) {
			if seen[a.Instead] || a.Instead.Words() == "" || a.Sentence() == "" || a.Why == "" && a.Instead != InsteadNothing {
				t.Fatalf("%+v", a)
			}
			seen[a.Instead] = true
		}
	})
}
