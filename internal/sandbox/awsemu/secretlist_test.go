package awsemu

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"
)

func TestListSecretsFilters(t *testing.T) {
	e := start(t)
	c := e.secrets()
	for name, tags := range map[string]map[string]string{
		"keyturn/1/a": {"keyturn:rotation": "r1"}, "keyturn/1/b": {"keyturn:rotation": "r2", "team": "Ops"}, "foreign": {"team": "ops"}, "Keyturn/x": nil, "gone": {"team": "ops"},
	} {
		e.PutForeignSecret(member, name, "v", tags)
	}
	e.DeleteSecret(member, "gone")
	ok(c.UpdateSecret(ctx, &secretsmanager.UpdateSecretInput{SecretId: ptr("foreign"), Description: ptr("Made by HAND")}))(t)
	filter := func(key string, values ...string) types.Filter {
		return types.Filter{Key: types.FilterNameStringType(key), Values: values}
	}
	for name, tc := range map[string]struct {
		in   secretsmanager.ListSecretsInput
		want []string
	}{
		"all":                    {secretsmanager.ListSecretsInput{}, []string{"Keyturn/x", "foreign", "keyturn/1/a", "keyturn/1/b"}},
		"with deleted":           {secretsmanager.ListSecretsInput{IncludePlannedDeletion: ptr(true), Filters: []types.Filter{filter("tag-value", "ops")}}, []string{"foreign", "gone"}},
		"name is case-sensitive": {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("name", "keyturn/")}}, []string{"keyturn/1/a", "keyturn/1/b"}},
		"tag key":                {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("tag-key", "keyturn:")}}, []string{"keyturn/1/a", "keyturn/1/b"}},
		"values are or":          {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("tag-value", "r1", "ops")}}, []string{"foreign", "keyturn/1/a"}},
		"filters are and":        {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("tag-key", "keyturn"), filter("tag-value", "Ops")}}, []string{"keyturn/1/b"}},
		"not":                    {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("name", "!keyturn")}}, []string{"Keyturn/x", "foreign"}},
		"description":            {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("description", "made")}}, []string{"foreign"}},
		"anything":               {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("all", "hand")}}, []string{"foreign"}},
		"of a service":           {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("owning-service", "rds")}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range ok(c.ListSecrets(ctx, &tc.in))(t).SecretList {
				got = append(got, *s.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, tc := range map[string]struct {
		in   secretsmanager.ListSecretsInput
		code string
	}{
		"unknown filter": {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("colour", "red")}}, "ValidationException"},
		"no values":      {secretsmanager.ListSecretsInput{Filters: []types.Filter{filter("name")}}, "ValidationException"},
		"11 filters":     {secretsmanager.ListSecretsInput{Filters: make([]types.Filter, 11)}, "ValidationException"},
		"page of 0":      {secretsmanager.ListSecretsInput{MaxResults: ptr(int32(0))}, "ValidationException"},
		"page of -1":     {secretsmanager.ListSecretsInput{MaxResults: ptr(int32(-1))}, "ValidationException"},
		"page of 101":    {secretsmanager.ListSecretsInput{MaxResults: ptr(int32(101))}, "ValidationException"},
		"guessed token":  {secretsmanager.ListSecretsInput{NextToken: ptr("1")}, "InvalidNextTokenException"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.ListSecrets(ctx, &tc.in)
			refusedWith(t, err, tc.code, 400)
		})
	}
}

func TestListSecretsPages(t *testing.T) {
	e := start(t)
	for i := range 130 {
		e.PutForeignSecret(member, fmt.Sprintf("s-%03d", i), "v", nil)
	}
	count := func(max *int32) (pages []int) {
		for p := secretsmanager.NewListSecretsPaginator(e.secrets(), &secretsmanager.ListSecretsInput{MaxResults: max}); p.HasMorePages(); {
			pages = append(pages, len(ok(p.NextPage(ctx))(t).SecretList))
		}
		return pages
	}
	if diff := cmp.Diff([][]int{{100, 30}, {60, 60, 10}}, [][]int{count(nil), count(ptr(int32(60)))}); diff != "" {
		t.Error(diff)
	}
	e.SetPageLimit(50)
	if diff := cmp.Diff([]int{50, 50, 30}, count(nil)); diff != "" {
		t.Error(diff)
	}
}
