package rotation

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Instead is what could take the place of a long-lived key.
type Instead string

// What could take the place of a key (AWS, IAM User Guide, "Alternatives to long-term access keys").
const (
	InsteadNothing   Instead = "nothing"         // it was never used
	InsteadEC2       Instead = "ec2_role"        // a role by instance profile
	InsteadECS       Instead = "ecs_role"        // a task role
	InsteadLambda    Instead = "lambda_role"     // an execution role
	InsteadEKS       Instead = "eks_role"        // EKS Pod Identity, or IAM roles for service accounts
	InsteadOIDC      Instead = "oidc"            // OpenID Connect with a role, for CI
	InsteadAnywhere  Instead = "roles_anywhere"  // IAM Roles Anywhere, for servers outside AWS
	InsteadPerson    Instead = "identity_center" // IAM Identity Center, for people
	InsteadSESSender Instead = "ses_role"        // the SES API with a role, where SMTP can go
)

// Advice is a way out of a long-lived key. It is a guess from what is known, and says from what.
type Advice struct {
	Instead Instead `json:"instead"`
	Why     string  `json:"why"` // completes "it looks like ...": what it looks like, and what says so
}

// Words says what to use instead, as the end of a sentence.
func (i Instead) Words() string {
	switch i {
	case InsteadNothing:
		return "nothing at all: AWS knows of no use"
	case InsteadEC2:
		return "an IAM role that the instance gets by an instance profile"
	case InsteadECS:
		return "an IAM role for the task (ECS task role)"
	case InsteadLambda:
		return "the function's execution role"
	case InsteadEKS:
		return "EKS Pod Identity, or an IAM role for the service account"
	case InsteadOIDC:
		return "OpenID Connect with an IAM role, so that each run gets short-lived credentials"
	case InsteadAnywhere:
		return "IAM Roles Anywhere, with a certificate of the server"
	case InsteadPerson:
		return "IAM Identity Center, with short-lived credentials for the command line"
	case InsteadSESSender:
		return "the SES API with an IAM role (an SMTP password is made of an access key and changes with it)"
	default:
		return "something that a newer version knows"
	}
}

// Sentence says the advice to a person.
func (a Advice) Sentence() string {
	if a.Instead == InsteadNothing {
		return "The key could go without a replacement: AWS knows of no use."
	}
	return fmt.Sprintf("It looks like %s. Instead of a key it could use %s.", a.Why, a.Instead.Words())
}

// clue is words by which a workload is known.
type clue struct {
	words   []string
	what    string
	instead Instead
}

// clues are tried in this order: what names a product comes before what names a kind of work.
var clues = []clue{
	{[]string{"github", "gha"}, "a GitHub Actions workflow", InsteadOIDC},
	{[]string{"gitlab"}, "a GitLab pipeline", InsteadOIDC},
	{[]string{"bitbucket"}, "a Bitbucket pipeline", InsteadOIDC},
	{[]string{"circleci"}, "a CircleCI job", InsteadOIDC},
	{[]string{"buildkite"}, "a Buildkite pipeline", InsteadOIDC},
	{[]string{"terraform", "tfc", "hcp"}, "a Terraform run", InsteadOIDC},
	{[]string{"lambda"}, "a Lambda function", InsteadLambda},
	{[]string{"eks", "k8s", "kubernetes", "pod"}, "a workload in Kubernetes", InsteadEKS},
	{[]string{"ecs", "fargate"}, "an ECS task", InsteadECS},
	{[]string{"ec2", "instance"}, "something on EC2 instances", InsteadEC2},
	{[]string{"onprem", "datacenter", "vmware", "vsphere", "nas", "veeam", "branch"}, "a server outside AWS", InsteadAnywhere},
	{[]string{"ci", "cicd", "cd", "pipeline", "actions", "jenkins", "runner"}, "a CI job", InsteadOIDC},
}

// Advise says what could take the place of the old key of r, the likeliest first. It knows what IAM knows: names, tags,
// path, console access, and with which service the key was used last, which says nothing of where the caller runs. What is
// not known gives no advice.
func Advise(r Rotation) []Advice {
	var out []Advice
	add := func(i Instead, why string) {
		if !slices.ContainsFunc(out, func(a Advice) bool { return a.Instead == i }) {
			out = append(out, Advice{Instead: i, Why: why})
		}
	}
	if since, known := r.Old.LastUse.IdleSince(r.Old.Created); known && r.Old.LastUse.Kind == UseNever && !since.IsZero() {
		add(InsteadNothing, "")
	}
	hints := hintsOf(r)
	for _, c := range clues {
		for _, h := range hints {
			if slices.ContainsFunc(h.words, func(w string) bool { return slices.Contains(c.words, w) }) {
				add(c.instead, c.what+", by "+h.from)
				break
			}
		}
	}
	if r.Console {
		add(InsteadPerson, "a person, because the user has a password for the console")
	}
	if r.Old.LastUse.Kind == UseSeen && r.Old.LastUse.Service == "ses" {
		add(InsteadSESSender, "a sender of mail, because the key was used last with ses")
	}
	return out
}

// hint is words of the user, and where they stand.
type hint struct {
	words []string
	from  string
}

// hintsOf splits what describes a user into words: name, path, and tags but for addresses, which name people.
func hintsOf(r Rotation) []hint {
	hints := []hint{{wordsOf(string(r.UserName)), fmt.Sprintf("the name %q", r.UserName)}}
	if strings.Trim(r.UserPath, "/") != "" {
		hints = append(hints, hint{wordsOf(r.UserPath), fmt.Sprintf("the path %s", r.UserPath)})
	}
	var keys []string
	for k := range r.Tags {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if v := r.Tags[k]; !strings.Contains(v, "@") {
			hints = append(hints, hint{wordsOf(v), fmt.Sprintf("the tag %s=%s", k, v)})
		}
	}
	return hints
}

// wordsOf splits at everything that is no letter or digit, and where a capital follows a small letter.
func wordsOf(s string) []string {
	var b strings.Builder
	last := rune(0)
	for _, c := range s {
		switch {
		case !unicode.IsLetter(c) && !unicode.IsDigit(c):
			b.WriteByte(' ')
		case unicode.IsUpper(c) && unicode.IsLower(last):
			b.WriteByte(' ')
			b.WriteRune(unicode.ToLower(c))
		default:
			b.WriteRune(unicode.ToLower(c))
		}
		last = c
	}
	return strings.Fields(b.String())
}
