package slackemu

import "github.com/keyturn/keyturn/internal/sandbox/blockjson"

func (s *Server) viewsOpen(p params) (node, *apiError) { return s.openView(p, false) }

func (s *Server) viewsPush(p params) (node, *apiError) { return s.openView(p, true) }

func (s *Server) openView(p params, onTop bool) (node, *apiError) {
	t, err := s.pull(p.get("trigger_id"))
	if err != nil {
		return nil, err
	}
	body, err := validView(p.raw("view"), surfaceModal, s.next)
	if err != nil {
		return nil, err
	}
	if err := s.uniqueExternal(body, nil); err != nil {
		return nil, err
	}
	switch depth := len(s.views.stacks[t.user]); {
	case onTop && depth == 0:
		return nil, refusal("view_not_found")
	case onTop && depth >= mostStack:
		return nil, refusal("push_limit_reached")
	case !onTop:
		s.views.pop(t.user, true)
	}
	t.used = true
	return node{"view": s.viewNode(s.push(t.user, body))}, nil
}

func (s *Server) viewsUpdate(p params) (node, *apiError) {
	v := s.views.byID[p.get("view_id")]
	if ext := p.get("external_id"); v == nil && ext != "" {
		v = s.external(ext)
	}
	if v == nil || v.closed {
		return nil, refusal("not_found")
	}
	if h := p.get("hash"); h != "" && h != v.hash {
		return nil, refusal("hash_conflict")
	}
	kind := surfaceModal
	if blockjson.Str(v.body, "type") == string(surfaceHome) {
		kind = surfaceHome
	}
	body, err := validView(p.raw("view"), kind, s.next)
	if err != nil {
		return nil, err
	}
	if err := s.uniqueExternal(body, v); err != nil {
		return nil, err
	}
	s.fill(v, body)
	return node{"view": s.viewNode(v)}, nil
}

func (s *Server) viewsPublish(p params) (node, *apiError) {
	u, ok := s.people.users[p.get("user_id")]
	if !ok || u.Bot {
		return nil, refusal("user_not_found")
	}
	if u.Deleted {
		return nil, refusal("not_enabled")
	}
	v := s.views.homes[u.ID]
	if h := p.get("hash"); h != "" && (v == nil || h != v.hash) {
		return nil, refusal("hash_conflict")
	}
	body, err := validView(p.raw("view"), surfaceHome, s.next)
	if err != nil {
		return nil, err
	}
	if err := s.uniqueExternal(body, v); err != nil {
		return nil, err
	}
	if v == nil {
		v = s.show(u.ID, body)
		s.views.homes[u.ID] = v
	} else {
		s.fill(v, body)
	}
	return node{"view": s.viewNode(v)}, nil
}

// external finds an open view by the app's own ID. It needs mu.
func (s *Server) external(id string) *view {
	for _, v := range s.views.byID {
		if !v.closed && blockjson.Str(v.body, "external_id") == id {
			return v
		}
	}
	return nil
}

func (s *Server) uniqueExternal(body node, self *view) *apiError {
	id := blockjson.Str(body, "external_id")
	if id == "" {
		return nil
	}
	if v := s.external(id); v != nil && v != self {
		return refusal("duplicate_external_id")
	}
	return nil
}
