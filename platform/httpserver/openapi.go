package httpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/badge-engine/badge-engine/platform/problem"
)

// pathTemplate writes a path as OpenAPI has it: /a/:id becomes /a/{id}.
func pathTemplate(path string) (template string, names []string) {
	template = param.ReplaceAllStringFunc(path, func(p string) string {
		name := "path"
		if m := param.FindStringSubmatch(p); m[1] != "" {
			name = m[1]
		}
		names = append(names, name)
		return "{" + name + "}"
	})
	return template, names
}

var wordBreaks = regexp.MustCompile(`[^A-Za-z0-9]+`)

// operationID is method and path in camel case: getApiV1AchievementsById.
func operationID(method, template string) string {
	id := strings.ToLower(method)
	for segment := range strings.SplitSeq(template, "/") {
		if strings.HasPrefix(segment, "{") {
			id += "By"
		}
		for _, word := range wordBreaks.Split(segment, -1) {
			if word != "" {
				id += strings.ToUpper(word[:1]) + word[1:]
			}
		}
	}
	return id
}

// describe builds the OpenAPI document of the route table.
func (s *Server) describe() error {
	b := builder{schemas: newSchemas(), paths: map[string]object{}, problem: nil}
	b.problem = b.schemas.of(problem.Problem{})
	for _, r := range s.routes {
		if !r.Hidden {
			b.operation(r, s.speaksOther(r.Path))
		}
	}
	doc := object{
		{"openapi", "3.1.0"},
		{"info", object{
			{"title", "Badge Engine"},
			{"version", "1"},
			{"description", "Open Badges 3.0: define achievements, issue credentials, bake them into pictures, verify them.\n\nErrors are RFC 9457 problem details; compare their member `code`."},
		}},
		{"servers", []any{object{{"url", "/"}}}},
		{"tags", b.tagList()},
		{"paths", b.pathList()},
		{"components", object{
			{"schemas", b.schemas.components()},
			{"securitySchemes", object{{"bearer", object{
				{"type", "http"}, {"scheme", "bearer"}, {"description", "An API token, or an access token of the identity provider."},
			}}}},
		}},
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("httpserver: describe routes: %w", err)
	}
	s.document = document{body: out.Bytes(), tag: fingerprint(out.Bytes())}
	return nil
}

func (s *Server) speaksOther(path string) bool {
	return slices.ContainsFunc(s.dialects, func(d Dialect) bool { return strings.HasPrefix(path, d.Prefix) })
}

type builder struct {
	schemas *schemas
	order   []string // paths in the order of the table
	paths   map[string]object
	tags    []string
	problem any
}

func (b *builder) operation(r Route, otherErrors bool) {
	template, names := pathTemplate(r.Path)
	if _, known := b.paths[template]; !known {
		b.order = append(b.order, template)
	}
	if !slices.Contains(b.tags, r.Tag) {
		b.tags = append(b.tags, r.Tag)
	}
	op := object{{"operationId", operationID(r.Method, template)}, {"summary", r.Summary}}
	description := r.Description
	var security []any
	switch {
	case r.Access.public:
		security = []any{}
	case r.Access.anyone:
		security = []any{object{{"bearer", []string{}}}}
	default:
		// OpenAPI 3.1, 4.8.30 (Security Requirement Object): one of the list suffices, and a role may be named.
		for _, scope := range r.Access.scopes {
			security = append(security, object{{"bearer", []string{scope}}})
		}
		description = strings.TrimSpace(description + "\n\nNeeds the scope `" + strings.Join(r.Access.scopes, "` or `") + "`.")
	}
	if description != "" {
		op = append(op, member{"description", description})
	}
	op = append(op, member{"tags", []string{r.Tag}}, member{"security", security})
	if len(r.Access.scopes) > 0 {
		op = append(op, member{"x-scopes", r.Access.scopes})
	}
	if params := b.params(r, names); len(params) > 0 {
		op = append(op, member{"parameters", params})
	}
	if r.Request != nil {
		body := object{{"required", true}, {"content", b.content(r.Request)}}
		if d, ok := r.Request.(Body); ok && d.Note != "" {
			body = append(body, member{"description", d.Note})
		}
		op = append(op, member{"requestBody", body})
	}
	op = append(op, member{"responses", b.responses(r, otherErrors)})
	b.paths[template] = append(b.paths[template], member{strings.ToLower(r.Method), op})
}

func (b *builder) params(r Route, names []string) []any {
	var params []any
	declared := map[string]bool{}
	for _, p := range r.Params {
		declared[p.In+" "+p.Name] = true
		schema := b.schemas.of(p.Schema)
		if o, ok := schema.(object); ok && len(p.Enum) > 0 {
			schema = append(o, member{"enum", p.Enum})
		}
		params = append(params, object{
			{"name", p.Name}, {"in", p.In}, {"description", p.Description}, {"required", p.Required || p.In == "path"}, {"schema", schema},
		})
	}
	for _, name := range names {
		if !declared["path "+name] {
			params = append(params, object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", object{{"type", "string"}}}})
		}
	}
	return params
}

func (b *builder) content(v any) object {
	d, ok := v.(Body)
	if !ok {
		return object{{"application/json", object{{"schema", b.schemas.of(v)}}}}
	}
	var content object
	for _, t := range d.MediaTypes {
		media := object{}
		switch {
		case d.Schema != nil && (isJSON(t) || strings.HasPrefix(t, "multipart/") || t == "application/x-www-form-urlencoded"):
			media = object{{"schema", b.schemas.of(d.Schema)}}
		case strings.HasPrefix(t, "text/"):
			media = object{{"schema", object{{"type", "string"}}}}
		case t == "multipart/form-data":
			media = object{{"schema", object{{"type", "object"}}}}
		}
		content = append(content, member{t, media})
	}
	return content
}

func (b *builder) responses(r Route, otherErrors bool) object {
	status := r.Status
	if status == 0 {
		status = http.StatusOK
	}
	success := object{{"description", http.StatusText(status)}}
	if r.Response != nil {
		if d, ok := r.Response.(Body); ok && d.Note != "" {
			success = object{{"description", d.Note}}
		}
		success = append(success, member{"content", b.content(r.Response)})
	}
	responses := object{{strconv.Itoa(status), success}}

	refusals := map[int]bool{}
	for _, e := range r.Errors {
		refusals[e] = true
	}
	if r.Costly {
		refusals[http.StatusTooManyRequests] = true
	}
	if !r.Access.public {
		refusals[http.StatusUnauthorized] = true
		refusals[http.StatusForbidden] = len(r.Access.scopes) > 0 || refusals[http.StatusForbidden]
	}
	for _, e := range slices.Sorted(maps.Keys(refusals)) {
		if refusals[e] && e != status {
			responses = append(responses, member{strconv.Itoa(e), b.refusal(http.StatusText(e), otherErrors)})
		}
	}
	return append(responses, member{"default", b.refusal("Any other refusal", otherErrors)})
}

func (b *builder) refusal(description string, otherErrors bool) object {
	if otherErrors {
		return object{{"description", description}}
	}
	return object{{"description", description}, {"content", object{{problem.MediaType, object{{"schema", b.problem}}}}}}
}

func (b *builder) tagList() []any {
	slices.Sort(b.tags)
	tags := []any{}
	for _, t := range b.tags {
		tags = append(tags, object{{"name", t}})
	}
	return tags
}

func (b *builder) pathList() object {
	paths := object{}
	for _, p := range b.order {
		paths = append(paths, member{p, b.paths[p]})
	}
	return paths
}
