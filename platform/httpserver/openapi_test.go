package httpserver_test

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

type base struct {
	ID   string `json:"id"`
	Kind string `json:"kind" enum:"a,b"`
}

type tree struct {
	base
	Kind     int             `json:"kind" doc:"Hides the embedded one."`
	Children []tree          `json:"children,omitempty"`
	Made     time.Time       `json:"made"`
	Until    string          `json:"until,omitempty" format:"date-time" example:"2026-01-02T03:04:05Z"`
	Any      json.RawMessage `json:"any"`
	Tags     []string        `json:"tags" enum:"x,y"`
	Weights  map[string]uint `json:"weights,omitempty"`
	Secret   string          `json:"-"`
	Size     int             `json:"size,omitempty" example:"3"`
	hidden   int
}

var _ = tree{}.hidden // members that are not exported must not be described

func described(t *testing.T, table httpserver.Table) (map[string]any, *httpserver.Server) {
	t.Helper()
	s, err := httpserver.New(httpserver.Default(), httpserver.Parts{Guard: guard{}, Tables: []httpserver.Table{table}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Test(httptest.NewRequest("GET", "/openapi.json", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("ETag") == "" || res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("headers %v", res.Header)
	}
	return doc, s
}

// at walks into the document; keys are separated by spaces.
func at(t *testing.T, v any, keys string) any {
	t.Helper()
	for key := range strings.FieldsSeq(keys) {
		m, ok := v.(map[string]any)
		if !ok || m[key] == nil {
			t.Fatalf("there is no %q of %q", key, keys)
		}
		v = m[key]
	}
	return v
}

func wantJSON(t *testing.T, got any, want string) {
	t.Helper()
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
}

func TestOpenAPI(t *testing.T) {
	table := httpserver.Table{
		{Method: "POST", Path: "/api/v1/trees", Access: httpserver.Scope(principal.ScopeIssuersWrite, principal.ScopeAdmin), Handler: ok, Summary: "Make", Tag: "Trees",
			Request: tree{}, Response: tree{}, Status: 201, Errors: []int{409, 422}},
		{Method: "GET", Path: "/api/v1/trees", Access: httpserver.Authenticated(), Handler: ok, Summary: "List", Tag: "Trees",
			Params: httpserver.PageParams("-createdAt", "name"), Response: paging.Page[tree]{}},
		{Method: "GET", Path: "/api/v1/trees/:id<guid>", Access: httpserver.Public(), Handler: ok, Summary: "Read", Tag: "Trees", Response: &tree{}},
		{Method: "PUT", Path: "/api/v1/trees/:id/picture", Access: httpserver.Public(), Handler: ok, Summary: "Picture", Tag: "Trees",
			Request:  httpserver.Body{MediaTypes: []string{"image/png", "image/svg+xml", "application/json"}, Schema: map[string]any{}, Note: "The picture."},
			Response: httpserver.Body{MediaTypes: []string{"image/png"}, Note: "Baked."}},
		{Method: "DELETE", Path: "/api/v1/trees/:id", Access: httpserver.Public(), Handler: ok, Summary: "Fell", Tag: "Trees", Status: 204},
		{Method: "GET", Path: "/static/*", Access: httpserver.Public(), Handler: ok, Hidden: true},
	}
	doc, s := described(t, table)

	t.Run("every route that is not hidden appears once, under an id of its own", func(t *testing.T) {
		ids, count := map[string]bool{}, 0
		for path, item := range at(t, doc, "paths").(map[string]any) {
			for method, op := range item.(map[string]any) {
				id := at(t, op, "operationId").(string)
				if ids[id] {
					t.Errorf("%s is used twice", id)
				}
				ids[id] = true
				count++
				if !regexp.MustCompile(`^(/([a-z0-9]+|\{[a-zA-Z]+\}))+$`).MatchString(path) {
					t.Errorf("%s %s", method, path)
				}
			}
		}
		visible := 0
		for _, r := range s.Routes() {
			if !r.Hidden {
				visible++
			}
		}
		if count != 5 || visible != 5 {
			t.Errorf("%d operations, %d routes", count, visible)
		}
		if !ids["getApiV1TreesById"] || !ids["putApiV1TreesByIdPicture"] {
			t.Errorf("ids %v", slices.Sorted(maps.Keys(ids)))
		}
	})
	t.Run("every reference leads somewhere", func(t *testing.T) {
		schemas := at(t, doc, "components schemas").(map[string]any)
		found := 0
		var look func(any)
		look = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				if ref, ok := v["$ref"].(string); ok {
					found++
					if schemas[strings.TrimPrefix(ref, "#/components/schemas/")] == nil {
						t.Errorf("%s leads nowhere", ref)
					}
				}
				for _, member := range v {
					look(member)
				}
			case []any:
				for _, item := range v {
					look(item)
				}
			}
		}
		look(doc)
		if found < 5 {
			t.Errorf("only %d references", found)
		}
		for name := range schemas {
			if !regexp.MustCompile(`^[a-zA-Z0-9._-]+$`).MatchString(name) {
				t.Errorf("%q is no name of a component", name)
			}
		}
	})
	t.Run("types become schemas", func(t *testing.T) {
		wantJSON(t, at(t, doc, "components schemas httpserver_test.tree"), `{"properties":{`+
			`"any":{},"children":{"items":{"$ref":"#/components/schemas/httpserver_test.tree"},"type":"array"},`+
			`"id":{"type":"string"},"kind":{"description":"Hides the embedded one.","type":"integer"},`+
			`"made":{"format":"date-time","type":"string"},"size":{"examples":[3],"type":"integer"},`+
			`"tags":{"items":{"enum":["x","y"],"type":"string"},"type":"array"},`+
			`"until":{"examples":["2026-01-02T03:04:05Z"],"format":"date-time","type":"string"},`+
			`"weights":{"additionalProperties":{"minimum":0,"type":"integer"},"type":"object"}},`+
			`"required":["id","kind","made","any","tags"],"type":"object"}`)
		wantJSON(t, at(t, doc, "components schemas paging.Page_of_httpserver_test.tree required"), `["items"]`)
	})
	t.Run("schemas are JSON Schemas of draft 2020-12, as OpenAPI 3.1 has it", func(t *testing.T) {
		compiler := jsonschema.NewCompiler()
		if err := compiler.AddResource("openapi.json", doc); err != nil {
			t.Fatal(err)
		}
		for name := range at(t, doc, "components schemas").(map[string]any) {
			schema, err := compiler.Compile("openapi.json#/components/schemas/" + name)
			if err != nil {
				t.Error(err)
			} else if name == "problem.Problem" && schema.Validate(map[string]any{"type": "t"}) == nil {
				t.Error("a problem without a title passes")
			}
		}
	})
	t.Run("who may call is said", func(t *testing.T) {
		wantJSON(t, at(t, doc, "paths /api/v1/trees post security"), `[{"bearer":["issuers:write"]},{"bearer":["admin"]}]`)
		wantJSON(t, at(t, doc, "paths /api/v1/trees post x-scopes"), `["issuers:write","admin"]`)
		wantJSON(t, at(t, doc, "paths /api/v1/trees get security"), `[{"bearer":[]}]`)
		wantJSON(t, at(t, doc, "paths /api/v1/trees/{id} get security"), `[]`)
	})
	t.Run("parameters of the path need no line", func(t *testing.T) {
		wantJSON(t, at(t, doc, "paths /api/v1/trees/{id} get parameters"), `[{"in":"path","name":"id","required":true,"schema":{"type":"string"}}]`)
	})
	t.Run("paging is described", func(t *testing.T) {
		params := at(t, doc, "paths /api/v1/trees get parameters").([]any)
		if len(params) != 3 {
			t.Fatal(params)
		}
		wantJSON(t, at(t, params[2], "schema"), `{"enum":["createdAt","-createdAt","name","-name"],"type":"string"}`)
	})
	t.Run("refusals are problems", func(t *testing.T) {
		responses := at(t, doc, "paths /api/v1/trees post responses").(map[string]any)
		if got := slices.Sorted(maps.Keys(responses)); strings.Join(got, " ") != "201 401 403 409 422 default" {
			t.Error(got)
		}
		wantJSON(t, at(t, responses, "409 content application/problem+json schema"), `{"$ref":"#/components/schemas/problem.Problem"}`)
	})
	t.Run("a body may have several media types", func(t *testing.T) {
		wantJSON(t, at(t, doc, "paths /api/v1/trees/{id}/picture put requestBody"),
			`{"content":{"application/json":{"schema":{"additionalProperties":{},"type":"object"}},"image/png":{},"image/svg+xml":{}},"description":"The picture.","required":true}`)
		wantJSON(t, at(t, doc, "paths /api/v1/trees/{id}/picture put responses 200"), `{"content":{"image/png":{}},"description":"Baked."}`)
	})
	t.Run("an answer may be empty", func(t *testing.T) {
		wantJSON(t, at(t, doc, "paths /api/v1/trees/{id} delete responses 204"), `{"description":"No Content"}`)
	})
}

func TestDocsPageNeedsNothingFromElsewhere(t *testing.T) {
	h := start(t, config(), httpserver.Parts{})
	elsewhere := regexp.MustCompile(`(?i:(src|href)="(https?:)?//|@import|style="|\son[a-z]+=")|url\(`)
	for _, path := range []string{"/docs", "/docs/app.js", "/docs/style.css"} {
		res, body := h.do(t, "GET", path, "")
		policy := res.Header.Get("Content-Security-Policy")
		if res.StatusCode != 200 || len(body) < 500 || !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %d, %d bytes, policy %q", path, res.StatusCode, len(body), policy)
		}
		if found := elsewhere.FindString(body); found != "" {
			t.Errorf("%s has %s", path, found)
		}
	}
}
