package awsemu

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/iampolicy"
)

// kmsAsks: keys are judged by their own ARN, whatever alias the call names.
func kmsAsks(s *Server, r *request) []ask {
	if r.operation == "ListAliases" {
		return []ask{{action: r.action(), resource: "*"}}
	}
	a, id := s.accounts[r.who.account], r.str("KeyId")
	k := s.kmsKey(a, id)
	q := ask{action: r.action(), resource: id, context: func() iampolicy.Context { return s.kmsContext(r, k, id) }}
	switch {
	case k != nil:
		q.resource = s.kmsARN(a, k, id)
	case strings.HasPrefix(id, "alias/"):
		q.resource = s.arn("kms", a.ID, id)
	case !strings.HasPrefix(id, "arn:"):
		q.resource = s.arn("kms", a.ID, "key/"+id)
	}
	q.shown = q.resource
	return []ask{q}
}

// kmsARN is the ARN of a key that was found by id, which leads to another account if it is an ARN.
func (s *Server) kmsARN(a *account, k *KMSKey, id string) string {
	owner := a.ID
	if parts := strings.Split(id, ":"); len(parts) == 6 {
		owner = parts[4]
	}
	return s.arn("kms", owner, "key/"+k.ID)
}

func (s *Server) kmsContext(r *request, k *KMSKey, id string) iampolicy.Context {
	c := iampolicy.Context{}
	give(c, "kms:calleraccount", r.who.account)
	if i := strings.Index(id, "alias/"); i >= 0 {
		give(c, "kms:requestalias", id[i:])
	}
	if k != nil {
		give(c, "kms:resourcealiases", k.Aliases...)
		tagged(c, k.Tags, "aws:resourcetag/")
	}
	return c
}

// kmsAsk is what Secrets Manager asks of KMS on a caller's behalf: KMS sees the caller, the service it comes through, and the
// secret and version that the data key is for.
func (s *Server) kmsAsk(r *request, a *account, k *KMSKey, id, action, secretARN, version string) ask {
	via := "secretsmanager." + s.opts.Region + "." + s.suffix()
	return ask{action: action, resource: s.kmsARN(a, k, id), via: via, context: func() iampolicy.Context {
		c := s.kmsContext(r, k, "") // Secrets Manager names the key by its ARN
		give(c, "kms:viaservice", via)
		give(c, "kms:encryptioncontextkeys", "SecretARN", "SecretVersionId")
		give(c, "kms:encryptioncontext:secretarn", secretARN)
		give(c, "kms:encryptioncontext:secretversionid", version)
		return c
	}}
}

func (s *Server) suffix() string {
	if s.opts.Partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// sesAsks: a mail is judged by the identity that it is sent from: the address if that is one, else the domain that covers it.
// In SES's sandbox the recipients must be identities, and are judged too.
func sesAsks(s *Server, r *request) []ask {
	a := s.accounts[r.who.account]
	context := func() iampolicy.Context { return iampolicy.Context{"ses:apiversion": {"2"}} }
	identity := func(name string) string { return s.arn("ses", a.ID, "identity/"+name) }
	switch r.operation {
	case "GetEmailIdentity":
		name, _ := url.PathUnescape(strings.TrimPrefix(r.http.URL.EscapedPath(), "/v2/email/identities/"))
		return []ask{{action: r.action(), resource: identity(name), shown: identity(name), context: context}}
	case "SendEmail":
	default:
		return []ask{{action: r.action(), resource: "*", shown: "*", context: context}}
	}
	dest, _ := r.in["Destination"].(map[string]any)
	recipients := slices.Concat(strs(dest["ToAddresses"]), strs(dest["CcAddresses"]), strs(dest["BccAddresses"]))
	from := r.str("FromEmailAddress")
	context = func() iampolicy.Context {
		c := iampolicy.Context{"ses:apiversion": {"2"}}
		if p, err := mail.ParseAddress(from); err == nil {
			give(c, "ses:fromaddress", p.Address)
			give(c, "ses:fromdisplayname", p.Name)
		}
		give(c, "ses:feedbackaddress", r.str("FeedbackForwardingEmailAddress"))
		for _, to := range recipients {
			give(c, "ses:recipients", bare(to))
		}
		return c
	}
	names := []string{a.mail.identity(bare(from))}
	if a.mail.sandbox {
		for _, to := range recipients {
			if id := a.mail.identity(bare(to)); !slices.Contains(names, id) {
				names = append(names, id)
			}
		}
	}
	var out []ask
	for _, n := range names {
		out = append(out, ask{action: r.action(), resource: identity(n), shown: identity(n), context: context})
	}
	return out
}

// bare is the address alone, without a person's name.
func bare(address string) string {
	if p, err := mail.ParseAddress(address); err == nil {
		return p.Address
	}
	return address
}

// identity is the one that covers an address: the most specific one that is there, or else the address itself.
func (m *mailAccount) identity(address string) string {
	if _, ok := m.ids[address]; ok {
		return address
	}
	_, domain, _ := strings.Cut(address, "@")
	for domain != "" {
		if _, ok := m.ids[domain]; ok {
			return domain
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return address
}
