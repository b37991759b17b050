package awsemu

import "regexp"

const keysPerUser = 2

var keyID = regexp.MustCompile(`^\w{16,128}$`)

func status(k *key) string {
	if k.Inactive {
		return "Inactive"
	}
	return "Active"
}

func listAccessKeys(s *Server, r *request) (any, *failure) {
	_, u, f := s.user(r)
	if f != nil {
		return nil, f
	}
	var shown []*key
	for _, k := range u.keys() {
		if k.unlisted > 0 {
			k.unlisted--
			continue
		}
		shown = append(shown, k)
	}
	ks, more, f := page(s, r, shown, func(k *key) string { return k.ID })
	if f != nil {
		return nil, f
	}
	var out []node
	for _, k := range ks {
		out = append(out, tree("", leaf("UserName", u.Name), leaf("AccessKeyId", k.ID), leaf("Status", status(k)), leaf("CreateDate", stamp(k.Created))))
	}
	return append(more, members("AccessKeyMetadata", out)), nil
}

func createAccessKey(s *Server, r *request) (any, *failure) {
	a, u, f := s.user(r)
	if f != nil {
		return nil, f
	}
	if len(u.keys()) >= keysPerUser {
		return nil, failf(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: %d", keysPerUser)
	}
	k := s.newKey(a, Key{})
	k.user, k.hidden, k.unlisted = u, s.lag, s.lag
	place(&u.slots, k)
	return []node{tree("AccessKey", leaf("UserName", u.Name), leaf("AccessKeyId", k.ID), leaf("Status", "Active"),
		leaf("SecretAccessKey", k.Secret), leaf("CreateDate", stamp(k.Created)))}, nil
}

func (r *request) keyID() (string, *failure) {
	id := r.str("AccessKeyId")
	if !r.has("AccessKeyId") {
		return "", missing(r, "AccessKeyId")
	}
	if !keyID.MatchString(id) {
		return "", invalid(r, "1 validation error detected: Value at 'accessKeyId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w]+ and have 16 to 128 characters")
	}
	return id, nil
}

// userKey finds the key that a request names, of the user that it names.
func (s *Server) userKey(r *request) (*key, *failure) {
	id, f := r.keyID()
	if f != nil {
		return nil, f
	}
	_, u, f := s.user(r)
	if f != nil {
		return nil, f
	}
	for _, k := range u.slots {
		if k != nil && k.ID == id {
			return k, nil
		}
	}
	return nil, failf(404, "NoSuchEntity", "The Access Key with id %s cannot be found.", id)
}

func updateAccessKey(s *Server, r *request) (any, *failure) {
	want := r.str("Status")
	switch want {
	case "Active", "Inactive":
	case "":
		return nil, missing(r, "Status")
	default:
		return nil, invalid(r, "1 validation error detected: Value '%s' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]", want)
	}
	k, f := s.userKey(r)
	if f != nil {
		return nil, f
	}
	s.setStatus(k, want == "Inactive")
	return nil, nil
}

func deleteAccessKey(s *Server, r *request) (any, *failure) {
	k, f := s.userKey(r)
	if f != nil {
		return nil, f
	}
	s.deleteKey(k)
	return nil, nil
}

// getAccessKeyLastUsed names the user who owns the key now, whatever it was called when the key was made. A key of another
// account is denied, not unknown.
func getAccessKeyLastUsed(s *Server, r *request) (any, *failure) {
	id, f := r.keyID()
	if f != nil {
		return nil, f
	}
	k := s.keys[id]
	gone := k == nil || k.user == nil && !k.root
	switch {
	case gone && !s.missingDenied:
		return nil, failf(404, "NoSuchEntity", "The Access Key with id %s cannot be found.", id)
	case gone || k.account != r.who.account:
		return nil, refused(r, "AccessDenied", "User: %s is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key %s", s.whoARN(r.who), id)
	}
	last := tree("AccessKeyLastUsed", leaf("ServiceName", "N/A"), leaf("Region", "N/A"))
	if !k.LastUsed.IsZero() {
		last = tree("AccessKeyLastUsed", leaf("LastUsedDate", stamp(k.LastUsed)), leaf("ServiceName", k.LastUsedService), leaf("Region", k.LastUsedRegion))
	}
	if k.root {
		return []node{last}, nil
	}
	return []node{leaf("UserName", k.user.Name), last}, nil
}
