package rotation

// Via is the way by which an actor reached keyturn.
type Via string

// The ways.
const (
	ViaSlack   Via = "slack"
	ViaMail    Via = "mail"
	ViaCommand Via = "command" // the command line
	ViaSystem  Via = "keyturn" // keyturn itself: scan, tick, rotator
)

// Actor is who did something: a person, or keyturn itself. It is kept in the history.
type Actor struct {
	ID    string `json:"id,omitempty"` // Slack user ID, or e-mail address; empty for keyturn
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Via   Via    `json:"via"`
}

// System is keyturn acting by itself.
var System = Actor{Name: "keyturn", Via: ViaSystem}

// Same reports whether a and b are the same person, whichever way they came. E-mail addresses are compared as given:
// callers lower them when they resolve a person.
func (a Actor) Same(b Actor) bool {
	return a.ID != "" && a.ID == b.ID || a.Email != "" && a.Email == b.Email
}

// String returns the name to show, for logs and the command line.
func (a Actor) String() string {
	for _, s := range []string{a.Name, a.Email, a.ID} {
		if s != "" {
			return s
		}
	}
	return "somebody unknown"
}
