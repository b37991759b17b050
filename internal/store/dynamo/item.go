package dynamo

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/keyturn/keyturn/internal/store/record"
)

// item is an item of the table, or its key.
type item map[string]types.AttributeValue

func newItem(k key, kind string) item {
	return item{attrPK: text(k.pk), attrSK: text(k.sk), AttrKind: text(kind)}
}

func (k key) item() item { return item{attrPK: text(k.pk), attrSK: text(k.sk)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func blob(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func texts(list []string) types.AttributeValue {
	l := &types.AttributeValueMemberL{}
	for _, s := range list {
		l.Value = append(l.Value, text(s))
	}
	return l
}

// setText sets an attribute unless it would be empty: an index takes no empty key.
func (it item) setText(name, value string) {
	if value != "" {
		it[name] = text(value)
	}
}

func (it item) key() key { return key{it.text(attrPK), it.text(attrSK)} }

// text returns a text, or "" if there is none.
func (it item) text(name string) string {
	if v, ok := it[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func (it item) blob(name string) []byte {
	if v, ok := it[name].(*types.AttributeValueMemberB); ok {
		return v.Value
	}
	return nil
}

// number returns a number, or 0 if there is none.
func (it item) number(name string) int64 {
	v, ok := it[name].(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (it item) texts(name string) []string {
	l, ok := it[name].(*types.AttributeValueMemberL)
	if !ok {
		return nil
	}
	var out []string
	for _, v := range l.Value {
		if s, ok := v.(*types.AttributeValueMemberS); ok {
			out = append(out, s.Value)
		}
	}
	return out
}

func (it item) numbers(name string) []int {
	set, ok := it[name].(*types.AttributeValueMemberNS)
	if !ok {
		return nil
	}
	var out []int
	for _, v := range set.Value {
		if n, err := strconv.Atoi(v); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// mostItem bounds every item: a record of the table's stream carries the whole of it, ten go to one function, and what is
// saved often should stay cheap. DynamoDB's own limit is 400 KB.
const mostItem = 64 << 10

// errTooLarge says that a record does not fit where it has to.
var errTooLarge = errors.New("it is too large")

// fits refuses an item that is larger than mostItem.
func (it item) fits() error {
	if n := it.size(); n > mostItem {
		return fmt.Errorf("%w: %d bytes of at most %d", errTooLarge, n, mostItem)
	}
	return nil
}

// size is at least what DynamoDB counts: names and values
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html).
func (it item) size() int {
	n := 0
	for name, v := range it {
		n += len(name) + sizeOf(v)
	}
	return n
}

func sizeOf(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value) + 1
	case *types.AttributeValueMemberL:
		n := 3
		for _, e := range v.Value {
			n += 1 + sizeOf(e)
		}
		return n
	default:
		return mostItem // nothing else is written
	}
}

// schema is the newest schema that this version writes over.
func schema() types.AttributeValue { return number(record.Schema) }
