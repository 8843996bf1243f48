package scimprobe

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

const secret = "secret-token"

// tidy is a small server that Entra gets by with: just as much SCIM as a probe asks
// for, kept in memory and written for these tests alone.
type tidy struct {
	mu   sync.Mutex
	base string // where it believes to be
	last int
	kept map[string]map[string]any // by path, such as /Users/1
}

type doc = map[string]any

func (s *tidy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.Path, "/scim/v2")
	if !ok {
		http.NotFound(w, r)
		return
	}
	if discovery := s.discovery(path); discovery != nil {
		s.answer(w, 200, discovery)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+secret {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim"`)
		s.refuse(w, 401, "")
		return
	}
	body, _ := io.ReadAll(r.Body)
	var sent doc
	_ = json.Unmarshal(body, &sent)
	switch path {
	case "/Users", "/Groups":
		switch r.Method {
		case "GET":
			s.list(w, path, r.URL.Query().Get("filter"), r.URL.Query().Get("count"))
		case "POST":
			s.create(w, path, sent)
		}
		return
	}
	resource := s.kept[path]
	if resource == nil {
		s.refuse(w, 404, "")
		return
	}
	switch r.Method {
	case "GET":
		shown := doc{}
		for name, value := range resource {
			if name != r.URL.Query().Get("excludedAttributes") {
				shown[name] = value
			}
		}
		s.answer(w, 200, shown)
	case "DELETE":
		delete(s.kept, path)
		w.WriteHeader(204)
	case "PATCH":
		for _, o := range sent["Operations"].([]any) {
			s.patch(resource, o.(doc))
		}
		if strings.HasPrefix(path, "/Groups/") {
			w.WriteHeader(204)
			return
		}
		s.answer(w, 200, resource)
	}
}

func (s *tidy) answer(w http.ResponseWriter, status int, body doc) {
	w.Header().Set("Content-Type", MediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *tidy) refuse(w http.ResponseWriter, status int, kind string) {
	body := doc{"schemas": []string{ErrorSchema}, "status": fmt.Sprint(status), "detail": "It is refused."}
	if kind != "" {
		body["scimType"] = kind
	}
	s.answer(w, status, body)
}

func (s *tidy) discovery(path string) doc {
	attribute := func(name string, more ...any) doc {
		a := doc{"name": name, "type": "string", "multiValued": false, "caseExact": false}
		for i := 0; i < len(more); i += 2 {
			a[more[i].(string)] = more[i+1]
		}
		return a
	}
	switch path {
	case "/ServiceProviderConfig":
		return doc{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}, "patch": doc{"supported": true}, "meta": doc{"location": s.base + path}}
	case "/ResourceTypes":
		return list()
	case "/Schemas":
		return list(
			doc{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"}, "id": UserSchema, "attributes": []doc{
				attribute("userName"), attribute("active"), attribute("displayName"), attribute("profileUrl", "type", "reference"),
				attribute("name", "type", "complex", "subAttributes", []doc{attribute("givenName"), attribute("familyName")}),
				attribute("emails", "type", "complex", "multiValued", true, "subAttributes", []doc{attribute("value"), attribute("type", "canonicalValues", []string{"work", "home"})}),
				attribute("roles", "type", "complex", "multiValued", true, "subAttributes", []doc{attribute("value"), attribute("type")}),
			}},
			doc{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"}, "id": GroupSchema, "attributes": []doc{attribute("displayName")}},
		)
	}
	return nil
}

func list(resources ...doc) doc {
	if resources == nil {
		resources = []doc{}
	}
	return doc{"schemas": []string{ListSchema}, "totalResults": len(resources), "startIndex": 1, "itemsPerPage": len(resources), "Resources": resources}
}

func name(path string, resource doc) string {
	if strings.HasPrefix(path, "/Users") {
		return fmt.Sprint(resource["userName"])
	}
	return fmt.Sprint(resource["displayName"])
}

func (s *tidy) list(w http.ResponseWriter, endpoint, filter, count string) {
	var found []doc
	for path, resource := range s.kept {
		if strings.HasPrefix(path, endpoint) && (filter == "" && (count == "" || len(found) == 0) || filter != "" && strings.Contains(strings.ToLower(filter), strings.ToLower(Quote(name(path, resource))))) {
			found = append(found, resource)
		}
	}
	s.answer(w, 200, list(found...))
}

func (s *tidy) create(w http.ResponseWriter, endpoint string, sent doc) {
	for path, resource := range s.kept {
		if strings.HasPrefix(path, endpoint) && strings.EqualFold(name(path, resource), name(endpoint, sent)) {
			s.refuse(w, 409, "uniqueness")
			return
		}
	}
	s.last++
	target := fmt.Sprintf("%s/id-%d", endpoint, s.last)
	for name, value := range sent {
		if list, ok := value.([]any); value == nil || ok && len(list) == 0 {
			delete(sent, name)
		}
	}
	if sent["active"] == "True" {
		sent["active"] = true
	}
	sent["id"] = strings.TrimPrefix(target, endpoint+"/")
	sent["meta"] = doc{"resourceType": "User", "location": s.base + target}
	s.kept[target] = sent
	w.Header().Set("Location", s.base+target)
	s.answer(w, 201, sent)
}

var filtered = regexp.MustCompile(`^(\w+)\[(\w+) eq "(.*)"\](?:\.(\w+))?$`)

// patch knows the forms that a probe sends.
func (s *tidy) patch(resource, o doc) {
	verb, path, value := strings.ToLower(o["op"].(string)), "", o["value"]
	path, _ = o["path"].(string)
	if m := filtered.FindStringSubmatch(path); m != nil {
		elements, _ := resource[m[1]].([]any)
		var kept []any
		var hit doc
		for _, e := range elements {
			if e.(doc)[m[2]] == m[3] {
				hit = e.(doc)
				if verb == "remove" {
					continue
				}
			}
			kept = append(kept, e)
		}
		if verb != "remove" {
			if hit == nil {
				hit = doc{m[2]: m[3]}
				kept = append(kept, hit)
			}
			hit[m[4]] = value
		}
		resource[m[1]] = kept
		if len(kept) == 0 {
			delete(resource, m[1])
		}
		return
	}
	switch {
	case path == "":
		for name, v := range value.(doc) {
			s.patch(resource, doc{"op": verb, "path": name, "value": v})
		}
	case path == "members":
		for _, m := range value.([]any) {
			s.patch(resource, doc{"op": "remove", "path": `members[value eq "` + m.(doc)["value"].(string) + `"]`})
			if verb == "add" {
				members, _ := resource["members"].([]any)
				resource["members"] = append(members, doc{"value": m.(doc)["value"]})
			}
		}
	case strings.HasPrefix(path, EnterpriseSchema+":"):
		s.inner(resource, EnterpriseSchema)[strings.TrimPrefix(path, EnterpriseSchema+":")] = value
	case strings.HasPrefix(path, "name."):
		s.inner(resource, "name")[strings.TrimPrefix(path, "name.")] = value
	case value == "":
		delete(resource, path)
	case value == "False" || value == "True":
		resource[path] = value == "True"
	default:
		resource[path] = value
	}
}

func (s *tidy) inner(resource doc, name string) doc {
	inner, _ := resource[name].(doc)
	if inner == nil {
		inner = doc{}
		resource[name] = inner
	}
	return inner
}
