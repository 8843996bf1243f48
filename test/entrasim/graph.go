package entrasim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// graphID is the application id of Microsoft Graph, the same in every tenant.
const graphID = "00000003-0000-0000-c000-000000000000"

const (
	maxCheckedGroups = 20     // ids in one checkMemberGroups
	maxMemberObjects = 11_000 // ids in one answer of getMemberObjects
	defaultPage      = 100
	maxPage          = 999
)

// A graphToken is one that only Graph can read.
type graphToken struct {
	audience    any
	permissions []string
	expires     time.Time
}

// SetGraphPermissions changes what the app registration under test may do on
// Graph; tokens issued later carry it as roles. At first these are
// GroupMember.Read.All and User.Read.All.
func (s *Sim) SetGraphPermissions(permissions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.permissions = permissions
}

// RewriteNextLinks changes every @odata.nextLink, for a page that leads to a
// foreign host. nil ends it.
func (s *Sim) RewriteNextLinks(rewrite func(link string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextLink = rewrite
}

// mintGraph issues a token for Graph: signed over another header than it has, so
// that no key verifies it. Graph knows it again.
func (s *Sim) mintGraph(a App, resource string, overrides []Override) string {
	s.t.Helper()
	s.mu.Lock()
	if a.ClientID == s.ClientID {
		a.Roles = s.permissions
	} else {
		a.Roles = nil
	}
	s.mu.Unlock()
	k := s.CurrentKey()
	j := &JWT{Header: map[string]any{"typ": "JWT", "alg": "RS256", "kid": k.ID, "nonce": random(32)}, Claims: s.appOnly(a, resource), Key: k}
	for _, override := range overrides {
		override(j)
	}
	shown := maps.Clone(j.Header)
	j.Header["nonce"] = "sha256 of " + fmt.Sprint(shown["nonce"])
	parts := strings.Split(s.Sign(j.Header, j.Claims, j.Key), ".")
	raw := encode(s.marshal(shown)) + "." + parts[1] + "." + parts[2]

	expires, _ := j.Claims["exp"].(int64)
	roles, _ := j.Claims["roles"].([]string)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.graphTokens[raw] = graphToken{j.Claims["aud"], roles, time.Unix(expires, 0)}
	return raw
}

func (s *Sim) graph() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, e Endpoint, handle func(http.ResponseWriter, *http.Request, User)) {
		mux.Handle(pattern, s.on(s.permitted(handle), Graph, e))
	}
	route("POST /v1.0/users/{oid}/checkMemberGroups", CheckMemberGroups, s.checkMemberGroups)
	route("POST /v1.0/users/{oid}/getMemberObjects", MemberObjects, s.memberObjects)
	route("GET /v1.0/users/{oid}/transitiveMemberOf", TransitiveMembers, s.transitiveMemberOf)
	route("GET /v1.0/users/{oid}/transitiveMemberOf/microsoft.graph.group", TransitiveMembers, s.transitiveMemberOf)
	mux.Handle("GET /v1.0/groups/{id}", s.on(s.group, Graph))
	mux.Handle("GET /v1.0/{object}", s.on(s.application, Graph))
	return mux
}

// group answers a group that somebody is a member of.
func (s *Sim) group(w http.ResponseWriter, r *http.Request) {
	if !s.granted(w, r, "GroupMember.Read.All", "Directory.Read.All") {
		return
	}
	id := r.PathValue("id")
	s.mu.Lock()
	known := false
	for _, u := range s.users {
		known = known || slices.Contains(u.Groups, id)
	}
	s.mu.Unlock()
	if !known {
		graphError(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+id+"' does not exist or one of its queried reference-property objects are not present.")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"@odata.context": s.GraphURL + "/v1.0/$metadata#groups(id)/$entity", "id": id})
}

// application answers the app registration under test, by its client id.
func (s *Sim) application(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("object") != "applications(appId='"+s.ClientID+"')" {
		graphError(w, http.StatusBadRequest, "BadRequest", "Resource not found for the segment.")
		return
	}
	if !s.granted(w, r, "Application.Read.All", "Directory.Read.All") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{
		"@odata.context":        s.GraphURL + "/v1.0/$metadata#applications(web,passwordCredentials,groupMembershipClaims)/$entity",
		"groupMembershipClaims": s.groupClaims,
		"web":                   map[string]any{"redirectUris": s.redirects},
		"passwordCredentials":   []map[string]any{{"hint": s.ClientSecret[:3], "endDateTime": s.secretEnds.UTC().Format(time.RFC3339), "displayName": "sign-in"}},
	})
}

// ExpireSecret says when the secret of the app registration ends; it is a year at
// first. It works on: only what is read of it changes.
func (s *Sim) ExpireSecret(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secretEnds = at
}

// SetGroupClaims says which groups the app registration puts into tokens, as the
// manifest has it; nil for none. At first it is SecurityGroup.
func (s *Sim) SetGroupClaims(claims any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groupClaims = claims
}

// granted demands a token for Graph with one of some permissions.
func (s *Sim) granted(w http.ResponseWriter, r *http.Request, permissions ...string) bool {
	raw, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	t, known := s.graphTokens[raw]
	s.mu.Unlock()
	switch {
	case !known || !slices.Contains([]any{s.GraphURL, "https://graph.microsoft.com", graphID}, t.audience):
		graphError(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
		return false
	case !s.Now().Before(t.expires):
		graphError(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
		return false
	case !slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(t.permissions, p) }):
		graphError(w, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		return false
	}
	return true
}

// permitted demands a token for Graph with a permission to read memberships, and
// a user who exists.
func (s *Sim) permitted(handle func(http.ResponseWriter, *http.Request, User)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.granted(w, r, "GroupMember.Read.All", "Directory.Read.All") {
			return
		}
		u, ok := s.user(r.PathValue("oid"))
		if !ok {
			graphError(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+r.PathValue("oid")+"' does not exist or one of its queried reference-property objects are not present.")
			return
		}
		handle(w, r, u)
	}
}

func (s *Sim) checkMemberGroups(w http.ResponseWriter, r *http.Request, u User) {
	var asked struct {
		GroupIDs []string `json:"groupIds"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.GroupIDs) == 0 || len(asked.GroupIDs) > maxCheckedGroups {
		graphError(w, http.StatusBadRequest, "Request_BadRequest", "groupIds must hold 1 to 20 ids.")
		return
	}
	found := slices.DeleteFunc(asked.GroupIDs, func(id string) bool { return !slices.Contains(u.Groups, id) })
	s.answerIDs(w, found)
}

func (s *Sim) memberObjects(w http.ResponseWriter, r *http.Request, u User) {
	var asked struct {
		SecurityEnabledOnly *bool `json:"securityEnabledOnly"`
	}
	switch err := json.NewDecoder(r.Body).Decode(&asked); {
	case err != nil || asked.SecurityEnabledOnly == nil:
		graphError(w, http.StatusBadRequest, "Request_BadRequest", "securityEnabledOnly is required.")
	case len(u.Groups) > maxMemberObjects:
		graphError(w, http.StatusBadRequest, "Directory_ResultSizeLimitExceeded", "The specified query returned too many results.")
	default:
		s.answerIDs(w, u.Groups)
	}
}

func (s *Sim) answerIDs(w http.ResponseWriter, ids []string) {
	if ids == nil {
		ids = []string{}
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"@odata.context": s.GraphURL + "/v1.0/$metadata#Collection(Edm.String)", "value": ids,
	})
}

// transitiveMemberOf answers in pages. The place of the next one is in an opaque
// parameter of its link.
func (s *Sim) transitiveMemberOf(w http.ResponseWriter, r *http.Request, u User) {
	query := r.URL.Query()
	cast := strings.HasSuffix(r.URL.Path, "/microsoft.graph.group")
	size, at := defaultPage, 0
	var err error
	if top := query.Get("$top"); top != "" {
		size, err = strconv.Atoi(top)
	}
	if skip := query.Get("$skiptoken"); skip != "" && err == nil {
		_, err = fmt.Sscanf(skip, "RFNwdAIAAQ%d", &at)
	}
	switch {
	case err != nil || size < 1 || size > maxPage || at < 0 || at > len(u.Groups):
		graphError(w, http.StatusBadRequest, "Request_BadRequest", "Invalid page size or page token specified.")
		return
	case cast && (query.Get("$count") != "true" || !strings.EqualFold(r.Header.Get("ConsistencyLevel"), "eventual")):
		graphError(w, http.StatusBadRequest, "Request_UnsupportedQuery", "The request needs ConsistencyLevel: eventual and $count=true.")
		return
	}
	end := min(at+size, len(u.Groups))
	value := []map[string]any{}
	for _, id := range u.Groups[at:end] {
		item := map[string]any{"id": id}
		if !cast {
			item["@odata.type"] = "#microsoft.graph.group"
		}
		value = append(value, item)
	}
	answer := map[string]any{"@odata.context": s.GraphURL + "/v1.0/$metadata#groups(id)", "value": value}
	if query.Get("$count") == "true" && at == 0 {
		answer["@odata.count"] = len(u.Groups)
	}
	if end < len(u.Groups) {
		query.Set("$skiptoken", fmt.Sprintf("RFNwdAIAAQ%d", end))
		next := url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
		link := s.GraphURL + next.String()
		s.mu.Lock()
		rewrite := s.nextLink
		s.mu.Unlock()
		if rewrite != nil {
			link = rewrite(link)
		}
		answer["@odata.nextLink"] = link
	}
	writeJSON(w, http.StatusOK, answer)
}
