package httpserver

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/problem"
)

// Access says who may call a route. The zero value is refused at start, so that
// no route is open by omission.
type Access struct {
	public bool
	anyone bool
	scopes []string
}

// Public opens a route to anybody, without a token.
func Public() Access { return Access{public: true} }

// Authenticated opens a route to every known principal, whatever its scopes.
func Authenticated() Access { return Access{anyone: true} }

// Scope opens a route to principals that hold at least one of the scopes.
func Scope(scopes ...string) Access { return Access{scopes: scopes} }

// Param describes one query, path or header parameter for the OpenAPI document.
type Param struct {
	In          string // "query", "path" or "header"
	Name        string
	Description string
	Required    bool
	Schema      any // a zero Go value of the parameter's type: "", 0, false, time.Time{}
	Enum        []string
}

// Query describes an optional query parameter.
func Query(name, description string, enum ...string) Param {
	return Param{In: "query", Name: name, Description: description, Schema: "", Enum: enum}
}

// Header describes an optional request header.
func Header(name, description string) Param {
	return Param{In: "header", Name: name, Description: description, Schema: ""}
}

// Body describes a request or an answer that is not simply the JSON of one Go
// value: several media types, or bytes.
type Body struct {
	MediaTypes []string // such as "image/png"
	Schema     any      // a zero Go value when one of them is JSON; nil for bytes
	Note       string
}

// Handler answers requests that were let pass, for those who hand one on without
// looking into it.
type Handler = fiber.Handler

// Route is one line of the route table: everything the server, the guard and
// the OpenAPI document need to know about a URL. Modules return a slice of these.
type Route struct {
	Method  string
	Path    string // fiber syntax: /api/v1/achievements/:id
	Access  Access
	Handler Handler

	Summary     string // one line; required
	Description string // Markdown; optional
	Tag         string // the group in the OpenAPI document; required
	Params      []Param
	Request     any   // zero value of the JSON request type, a Body, or nil
	Response    any   // zero value of the JSON answer type, a Body, or nil
	Status      int   // of success; 0 means 200
	Errors      []int // the statuses of the refusals worth listing

	Deadline  time.Duration // 0 means the server's default
	BodyLimit int           // bytes; 0 means the server's default
	Costly    bool          // callers without a token are limited by their address; for public routes only
	Hidden    bool          // left out of the OpenAPI document (static files, the document itself)
	Early     bool          // answered also while the parts behind the server still start
	AnyOrigin bool          // pages of every other site may read the answer; for public documents only
}

// Dialect is how the refusals of every path below a prefix are written, those of
// unknown paths included. Without one they are RFC 9457.
type Dialect struct {
	Prefix string // such as /scim/v2
	Write  problem.Dialect
}

// Table is a part's routes. Each part that serves HTTP offers one by Mount.
type Table []Route

// String says who may call, for the list of routes.
func (a Access) String() string {
	switch {
	case a.public:
		return "anybody"
	case a.anyone:
		return "any token"
	default:
		return "token with " + strings.Join(a.scopes, " or ")
	}
}

// Public reports whether nobody has to say who they are.
func (a Access) Public() bool { return a.public }
