package awsemu

import (
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"
)

// mailAccount is SES in one account.
type mailAccount struct {
	ids     map[string]bool // identities: verified or not
	sandbox bool
	paused  bool
}

var sesOperations = map[string]operation{"SendEmail": sendEmail, "GetEmailIdentity": getEmailIdentity, "GetAccount": getMailAccount}

// Mails returns the mails that SES accepted.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// AddIdentity adds an identity of SES: an address or a domain. A verified domain covers its subdomains.
func (s *Server) AddIdentity(acct, id string, verified bool) {
	s.with(acct, func(a *account) { a.mail.ids[id] = verified })
}

// SetMailSandbox puts an account into SES's sandbox: it sends to verified identities only.
func (s *Server) SetMailSandbox(acct string, on bool) {
	s.with(acct, func(a *account) { a.mail.sandbox = on })
}

// SetMailPaused pauses sending, as SES does with accounts of bad repute.
func (s *Server) SetMailPaused(acct string, on bool) {
	s.with(acct, func(a *account) { a.mail.paused = on })
}

// verified reports whether an address is an identity that was verified, or below a domain that was.
func (m *mailAccount) verified(address string) bool {
	if v, ok := m.ids[address]; ok && v {
		return true
	}
	_, domain, _ := strings.Cut(address, "@")
	for domain != "" {
		if m.ids[domain] {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}

// sesOperation finds the operation by method and path.
func sesOperation(r *http.Request) string {
	switch p := r.URL.Path; {
	case r.Method == http.MethodPost && p == "/v2/email/outbound-emails":
		return "SendEmail"
	case r.Method == http.MethodGet && strings.HasPrefix(p, "/v2/email/identities/"):
		return "GetEmailIdentity"
	case r.Method == http.MethodGet && p == "/v2/email/account":
		return "GetAccount"
	default:
		return r.Method + " " + p
	}
}

func getMailAccount(s *Server, r *request) (any, *failure) {
	m := &s.accounts[r.who.account].mail
	quota := map[string]any{"Max24HourSend": 50000, "MaxSendRate": 14, "SentLast24Hours": 0}
	if m.sandbox {
		quota = map[string]any{"Max24HourSend": 200, "MaxSendRate": 1, "SentLast24Hours": 0}
	}
	return map[string]any{"ProductionAccessEnabled": !m.sandbox, "SendingEnabled": !m.paused, "EnforcementStatus": "HEALTHY",
		"DedicatedIpAutoWarmupEnabled": false, "SendQuota": quota}, nil
}

func getEmailIdentity(s *Server, r *request) (any, *failure) {
	escaped := r.http.URL.EscapedPath()
	name, err := url.PathUnescape(strings.TrimPrefix(escaped, "/v2/email/identities/"))
	verified, ok := s.accounts[r.who.account].mail.ids[name]
	if err != nil || !ok {
		return nil, failf(404, "NotFoundException", "Email identity %s does not exist.", name)
	}
	kind, state := "DOMAIN", "PENDING"
	if strings.Contains(name, "@") {
		kind = "EMAIL_ADDRESS"
	}
	if verified {
		state = "SUCCESS"
	}
	return map[string]any{"IdentityType": kind, "VerifiedForSendingStatus": verified, "VerificationStatus": state, "FeedbackForwardingStatus": true}, nil
}

const mostRecipients = 50

func sendEmail(s *Server, r *request) (any, *failure) {
	a := s.accounts[r.who.account]
	from, err := mail.ParseAddress(r.str("FromEmailAddress"))
	if err != nil {
		return nil, failf(400, "BadRequestException", "Missing or malformed From address")
	}
	dest, _ := r.in["Destination"].(map[string]any)
	m := Mail{
		Account: a.ID, From: r.str("FromEmailAddress"), To: strs(dest["ToAddresses"]), CC: strs(dest["CcAddresses"]), BCC: strs(dest["BccAddresses"]),
		Headers: map[string]string{}, At: s.opts.Now(),
	}
	all := slices.Concat(m.To, m.CC, m.BCC)
	if len(all) == 0 || len(all) > mostRecipients {
		return nil, failf(400, "BadRequestException", "Between 1 and %d recipients are possible, not %d", mostRecipients, len(all))
	}
	unverified := []string{}
	if !a.mail.verified(from.Address) {
		unverified = append(unverified, from.Address)
	}
	for _, to := range all {
		p, err := mail.ParseAddress(to)
		if err != nil {
			return nil, failf(400, "BadRequestException", "Invalid recipient %q", to)
		}
		if a.mail.sandbox && !a.mail.verified(p.Address) {
			unverified = append(unverified, p.Address)
		}
	}
	simple := object(r.in["Content"], "Simple")
	if simple == nil {
		return nil, failf(400, "BadRequestException", "This emulator takes simple messages only")
	}
	m.Subject, m.Text, m.HTML = text(object(simple, "Subject"), "Data"), text(object(simple["Body"], "Text"), "Data"), text(object(simple["Body"], "Html"), "Data")
	if m.Subject == "" || m.Text+m.HTML == "" {
		return nil, failf(400, "BadRequestException", "A message has a subject and a body")
	}
	headers, _ := simple["Headers"].([]any)
	for _, h := range headers {
		if h, ok := h.(map[string]any); ok {
			m.Headers[text(h, "Name")] = text(h, "Value")
		}
	}
	switch {
	case a.mail.paused:
		return nil, failf(400, "SendingPausedException", "Email sending is disabled.")
	case len(unverified) > 0:
		return nil, failf(400, "MessageRejected", "Email address is not verified. The following identities failed the check in region %s: %s", strings.ToUpper(s.opts.Region), strings.Join(unverified, ", "))
	}
	s.mails = append(s.mails, m)
	return map[string]any{"MessageId": s.random("0123456789abcdef", 32)}, nil
}
