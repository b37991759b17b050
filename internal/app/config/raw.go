package config

import "go.yaml.in/yaml/v3"

// raw is the file as it is written. Scalars keep their line, so that an error can name it.
type raw struct {
	Organization rawOrganization `yaml:"organization"`
	Policy       []rawRule       `yaml:"policy"`
	OwnerTag     text            `yaml:"owner_tag"`
	Secrets      rawSecrets      `yaml:"secrets"`
	Slack        rawSlack        `yaml:"slack"`
	Email        rawEmail        `yaml:"email"`
	Store        rawStore        `yaml:"store"`
	Listen       text            `yaml:"listen"`
	ScanEvery    duration        `yaml:"scan_every"`
	TickEvery    duration        `yaml:"tick_every"`
	Approvals    []rawApproval   `yaml:"approvals"`
	Calendars    rawCalendars    `yaml:"calendars"`
	Freezes      []rawFreeze     `yaml:"freezes"`
	Audit        rawAudit        `yaml:"audit"`
	KMS          section         `yaml:"kms"`
}

// section is a part of the file that only a later version reads.
type section struct{ line int }

// UnmarshalYAML keeps where it stands.
func (s *section) UnmarshalYAML(n *yaml.Node) error {
	s.line = n.Line
	return nil
}

type rawOrganization struct {
	ManagementRole    text   `yaml:"management_role"`
	ManagementAccount text   `yaml:"management_account"`
	MemberRole        text   `yaml:"member_role"`
	ScanRole          text   `yaml:"scan_role"`
	ExternalID        text   `yaml:"external_id"`
	IncludeOUs        []text `yaml:"include_ous"`
	ExcludeAccounts   []text `yaml:"exclude_accounts"`
	ExemptGroup       text   `yaml:"exempt_group"`
	IncludeManagement toggle `yaml:"include_management"`
}

type rawSecrets struct {
	Location    text   `yaml:"location"`
	Name        text   `yaml:"name"`
	KMSKey      text   `yaml:"kms_key"`
	ReplicateTo []text `yaml:"replicate_to"`
}

type rawSlack struct {
	Token          text       `yaml:"token"`
	SigningSecret  text       `yaml:"signing_secret"`
	AppToken       text       `yaml:"app_token"`
	SocketMode     toggle     `yaml:"socket_mode"`
	DefaultChannel text       `yaml:"default_channel"`
	Teams          []text     `yaml:"teams"`
	APIURL         text       `yaml:"api_url"`
	Routes         []rawRoute `yaml:"routes"`
	DigestFrom     number     `yaml:"digest_from"`
}

// rawRoute sends the notices of some keys to a channel of their own.
type rawRoute struct {
	Match   *rawMatch `yaml:"match"`
	Channel text      `yaml:"channel"`
	line    int
}

// UnmarshalYAML checks the keys and keeps the line.
func (r *rawRoute) UnmarshalYAML(n *yaml.Node) error {
	type plain rawRoute
	if err := known(n, "a route", "match", "channel"); err != nil {
		return err
	}
	if err := n.Decode((*plain)(r)); err != nil {
		return err
	}
	r.line = n.Line
	return nil
}

type rawAudit struct {
	MACKey text `yaml:"mac_key"`
}

type rawEmail struct {
	From      text   `yaml:"from"`
	Via       text   `yaml:"via"`
	Templates text   `yaml:"templates"`
	Decisions toggle `yaml:"decisions"`
}

type rawStore struct {
	SQLite   text `yaml:"sqlite"`
	DynamoDB text `yaml:"dynamodb"`
}
