package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// statementID marks keyturn's statement in a secret's resource policy. Statements that others added stay as they are: what
// reads the secret through them would be cut off otherwise.
const statementID = "KeyturnOwner"

// readActions are what the owner of a key may do with its secret.
var readActions = []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}

// allowing returns the policy that also lets the user read the secret, and whether it differs from what policy ("" for none)
// says already. Spelling, order and single values instead of lists do not make a difference.
func allowing(policy, userARN string) (out string, changed bool, err error) {
	if userARN == "" {
		return "", false, errors.New("resource policy: it must name a user")
	}
	doc := map[string]any{"Version": "2012-10-17"}
	if strings.TrimSpace(policy) != "" {
		if err := json.Unmarshal([]byte(policy), &doc); err != nil {
			return "", false, fmt.Errorf("resource policy: %w", err)
		}
	}
	var statements []any
	switch s := doc["Statement"].(type) {
	case nil:
	case []any:
		statements = s
	case map[string]any:
		statements = []any{s}
	default:
		return "", false, errors.New("resource policy: its statements cannot be read")
	}
	if slices.ContainsFunc(statements, func(s any) bool { return lets(s, userARN) }) {
		return policy, false, nil
	}
	statements = slices.DeleteFunc(slices.Clone(statements), func(s any) bool {
		m, _ := s.(map[string]any)
		return m["Sid"] == statementID
	})
	doc["Statement"] = append(statements, map[string]any{
		"Sid": statementID, "Effect": "Allow", "Principal": map[string]any{"AWS": userARN}, "Action": readActions, "Resource": "*",
	})
	text, err := json.Marshal(doc)
	if err != nil {
		return "", false, fmt.Errorf("resource policy: %w", err)
	}
	return string(text), true, nil
}

// lets reports whether a statement is the one that keyturn would write for the user, whatever its Sid.
func lets(statement any, userARN string) bool {
	s, ok := statement.(map[string]any)
	if !ok {
		return false
	}
	for k := range s {
		if !slices.Contains([]string{"Sid", "Effect", "Principal", "Action", "Resource"}, k) {
			return false
		}
	}
	who, ok := s["Principal"].(map[string]any)
	return ok && len(who) == 1 && s["Effect"] == "Allow" && sameSet(who["AWS"], userARN) &&
		sameSet(s["Action"], readActions...) && sameSet(s["Resource"], "*")
}

// sameSet reports whether v, a string or a list of strings, has exactly these values.
func sameSet(v any, want ...string) bool {
	var have []string
	switch v := v.(type) {
	case string:
		have = []string{v}
	case []any:
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return false
			}
			have = append(have, s)
		}
	}
	slices.Sort(have)
	want = slices.Sorted(slices.Values(want))
	return slices.Equal(slices.Compact(have), want)
}

// defaultKMSKey is the alias of the account's AWS-managed key.
const defaultKMSKey = "alias/aws/secretsmanager"

// sameKMSKey reports whether two names surely mean the same key of one account and region: the same ID or alias, as it is or
// in an ARN. An alias and an ID cannot be compared without asking KMS and count as different.
func sameKMSKey(a, b string) bool {
	bare := func(s string) string {
		if strings.HasPrefix(s, "arn:") {
			s = s[strings.LastIndexByte(s, ':')+1:]
		}
		if s == "" {
			return defaultKMSKey
		}
		return strings.TrimPrefix(s, "key/")
	}
	if strings.HasPrefix(a, "arn:") && strings.HasPrefix(b, "arn:") {
		return a == b
	}
	return bare(a) == bare(b)
}
