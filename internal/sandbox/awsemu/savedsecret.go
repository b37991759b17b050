package awsemu

// savedSecret is a secret of Secrets Manager with all that it keeps.
type savedSecret struct {
	Name        string            `json:"name"`
	ARN         string            `json:"arn"`
	Description string            `json:"description,omitempty"`
	KMSKeyID    string            `json:"kms_key,omitempty"`
	Policy      *savedPolicy      `json:"policy,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Created     date              `json:"created"`
	Changed     date              `json:"changed"`
	Accessed    date              `json:"accessed,omitzero"`
	Deleted     date              `json:"deleted,omitzero"` // scheduled for deletion since
	Window      string            `json:"window,omitempty"`
	Rotation    bool              `json:"rotation,omitempty"`
	Versions    []savedValue      `json:"versions,omitempty"` // oldest first
	Replicas    []savedReplica    `json:"replicas,omitempty"`
}

type savedValue struct {
	ID      string   `json:"id"`
	Value   string   `json:"value"`
	Binary  bool     `json:"binary,omitempty"`
	Labels  []string `json:"labels,omitempty"`
	Created date     `json:"created"`
}

type savedReplica struct {
	Region   string `json:"region"`
	KMSKeyID string `json:"kms_key,omitempty"`
	Status   string `json:"status"`
	Message  string `json:"message,omitempty"`
}

// savedPolicy keeps whom the policy meant when it was set: read again it might mean others.
type savedPolicy struct {
	Text       string                `json:"text"`
	Bound      map[string]savedBound `json:"bound,omitempty"`
	Statements []savedStatement      `json:"statements"`
}

type savedBound struct {
	Account string `json:"account"`
	ID      string `json:"id"`
}

type savedStatement struct {
	Effect     string   `json:"effect"`
	Principals []string `json:"principals,omitempty"`
	Actions    []string `json:"actions"`
}

type savedKMSKey struct {
	ID         string            `json:"id"`
	Aliases    []string          `json:"aliases,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	State      string            `json:"state"`
	AWSManaged bool              `json:"aws_managed,omitempty"`
	HMAC       bool              `json:"hmac,omitempty"`
}
