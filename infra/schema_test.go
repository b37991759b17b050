package infra

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/store/dynamo"
)

// TestTableIsTheStores: the template's keys and indexes are those that the store asks for, so that neither changes alone.
func TestTableIsTheStores(t *testing.T) {
	keys := func(ks []types.KeySchemaElement) (out []any) {
		for _, k := range ks {
			out = append(out, map[string]any{"AttributeName": aws.ToString(k.AttributeName), "KeyType": string(k.KeyType)})
		}
		return out
	}
	schema := dynamo.Schema("keyturn")
	want := map[string]any{"": keys(schema.KeySchema)}
	for _, g := range schema.GlobalSecondaryIndexes {
		want[aws.ToString(g.IndexName)+" "+string(g.Projection.ProjectionType)] = keys(g.KeySchema)
	}
	table := resolve(t, "keyturn.yaml")["Table"]
	got := map[string]any{"": table.Get("KeySchema")}
	indexes, _ := table.Get("GlobalSecondaryIndexes").([]any)
	for _, i := range indexes {
		m, _ := i.(map[string]any)
		p, _ := m["Projection"].(map[string]any)
		got[fmt.Sprint(m["IndexName"], " ", p["ProjectionType"])] = m["KeySchema"]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-store +template\n%s", diff)
	}
	if len(want) != 5 {
		t.Errorf("the store has %d indexes", len(want)-1)
	}
}
