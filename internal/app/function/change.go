package function

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store/dynamo"
	"github.com/keyturn/keyturn/internal/store/record"
)

// errNoImage: the stream was set up so that its records do not carry what was saved.
var errNoImage = errors.New("it has no new image: the table's stream must have the view type NEW_IMAGE")

// image returns the item that was saved, if it is of a kind.
func image(change events.DynamoDBStreamRecord, kind string) (map[string]events.DynamoDBAttributeValue, error) {
	if len(change.NewImage) == 0 {
		return nil, errNoImage
	}
	if k := text(change.NewImage, dynamo.AttrKind); k != kind {
		return nil, fmt.Errorf("it is a %q and no %s", k, kind)
	}
	return change.NewImage, nil
}

// changedRotation names the rotation that a record of the stream is about. Nothing else of the record is believed: it may be
// old.
func changedRotation(change events.DynamoDBStreamRecord) (rotation.ID, error) {
	item, err := image(change, dynamo.KindRotation)
	if err != nil {
		return "", err
	}
	id := rotation.ID(text(item, dynamo.AttrID))
	if account, _ := id.Split(); account == "" {
		return "", fmt.Errorf("%q is not the ID of a rotation", id)
	}
	return id, nil
}

// changedRequest names the user whose rotation a request asks for, as the ID that the rotation will have.
func changedRequest(change events.DynamoDBStreamRecord) (rotation.ID, error) {
	item, err := image(change, dynamo.KindRequest)
	if err != nil {
		return "", err
	}
	var body []byte
	switch v := item[dynamo.AttrBody]; v.DataType() {
	case events.DataTypeBinary:
		body = v.Binary()
	case events.DataTypeString:
		body = []byte(v.String())
	default:
		return "", errors.New("it has no body")
	}
	q, err := record.DecodeRequest(body)
	return rotation.MakeID(q.Account, q.UserID), err
}

// text returns an attribute that is a string, or "".
func text(item map[string]events.DynamoDBAttributeValue, name string) string {
	if v, ok := item[name]; ok && v.DataType() == events.DataTypeString {
		return v.String()
	}
	return ""
}
