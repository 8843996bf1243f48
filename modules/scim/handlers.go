package scim

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/scim/bulk"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/logging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/problem"
)

// mediaType is that of RFC 7644, 8.1.
const mediaType = "application/scim+json"

type handlers struct {
	service   *Service
	journal   *Journal
	discovery schema.Discovery
	offer     schema.Offer
	log       *slog.Logger
}

func newHandlers(service *Service, journal *Journal, log *slog.Logger) *handlers {
	return &handlers{
		service: service, journal: journal, log: log,
		discovery: schema.Discovery{Base: service.base, Registry: service.registry},
		offer: schema.Offer{
			BulkOperations: service.cfg.BulkOperations, BulkPayload: service.cfg.BulkPayload,
			MaxResults: service.cfg.MaxResults, DefaultResults: service.cfg.PageSize, CursorTimeout: cursorLifetime,
			AuthenticatedBy: []schema.AuthenticationScheme{
				{Type: "oauthbearertoken", Name: "OAuth Bearer Token", Description: "A token with the scope scim, issued by Badge Engine", SpecURI: "https://www.rfc-editor.org/rfc/rfc6750", Primary: true},
				{Type: "oauth2", Name: "OAuth 2.0 Client Credentials", Description: "A token granted at /scim/oauth/token", SpecURI: "https://www.rfc-editor.org/rfc/rfc6749"},
			},
		},
	}
}

// call does one request: it notes that the client was heard of, tells it to the log,
// and turns refusals of the protocol into faults.
func (h *handlers) call(do func(c *fiber.Ctx) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		h.journal.Heard(principal.From(ctx).ID)
		err := faulty(do(c))
		if h.log.Enabled(ctx, slog.LevelDebug) {
			attrs := []slog.Attr{slog.String("method", c.Method()), slog.String("path", redactText(c.Path())), slog.String("request", sent(c))}
			if err != nil {
				attrs = append(attrs, slog.String("refused", redactText(err.Error())))
			} else {
				attrs = append(attrs, slog.Int("status", c.Response().StatusCode()))
			}
			h.log.LogAttrs(ctx, slog.LevelDebug, "provisioning request", attrs...)
		}
		return err
	}
}

// sent is what a request says, without what it says about people.
func sent(c *fiber.Ctx) string {
	if body := c.Request().Body(); len(body) > 0 {
		if len(body) > 1<<20 {
			return "[a large body]"
		}
		return redactBody(string(body))
	}
	var parts []string
	for _, name := range []string{"filter", "attributes", "excludedAttributes", "sortBy", "sortOrder", "startIndex", "count"} {
		if v := c.Query(name); v != "" {
			if name == "filter" {
				v = redactFilter(v)
			}
			parts = append(parts, name+"="+clip(redactText(v)))
		}
	}
	return strings.Join(parts, "&")
}

func (h *handlers) read(c *fiber.Ctx) (string, error) {
	switch httpserver.MediaType(c) {
	case mediaType, fiber.MIMEApplicationJSON:
	case "":
		if c.Get(fiber.HeaderContentType) == "" {
			break
		}
		fallthrough
	default:
		return "", httpserver.ErrMediaType.Detailf("Send %s or application/json.", mediaType)
	}
	return string(c.BodyRaw()), nil
}

func view(c *fiber.Ctx) View {
	return View{Attributes: names(c, "attributes"), Excluded: names(c, "excludedAttributes")}
}

func names(c *fiber.Ctx, parameter string) []string {
	if list := c.Query(parameter); list != "" {
		return resource.SplitNames(list)
	}
	return nil
}

func send(c *fiber.Ctx, status int, body []byte) error {
	return httpserver.Bytes(c, status, mediaType, body)
}

// reply answers with a resource.
func reply(c *fiber.Ctx, status int, a *Answer) error {
	c.Set(fiber.HeaderETag, a.ETag)
	if status == fiber.StatusCreated {
		c.Set(fiber.HeaderLocation, a.Location)
	}
	switch {
	case a.Fresh:
		c.Status(fiber.StatusNotModified)
		return nil
	case a.Body == nil:
		c.Status(fiber.StatusNoContent)
		return nil
	}
	c.Set(fiber.HeaderContentLocation, a.Location)
	return send(c, status, a.Body.Append(nil))
}

func (h *handlers) get(t *schema.ResourceType) fiber.Handler {
	return h.call(func(c *fiber.Ctx) error {
		a, err := h.service.Read(c.UserContext(), t, c.Params("id"), c.Get(fiber.HeaderIfNoneMatch), view(c))
		if err != nil {
			return err
		}
		return reply(c, fiber.StatusOK, a)
	})
}

func (h *handlers) create(t *schema.ResourceType) fiber.Handler {
	return h.call(func(c *fiber.Ctx) error {
		body, err := h.read(c)
		if err != nil {
			return err
		}
		a, err := h.service.Create(c.UserContext(), t, body, view(c))
		h.service.counted(t, "create", err)
		if err != nil {
			return err
		}
		return reply(c, fiber.StatusCreated, a)
	})
}

func (h *handlers) replace(t *schema.ResourceType) fiber.Handler {
	return h.changed(t, "replace", h.service.Replace)
}

func (h *handlers) modify(t *schema.ResourceType) fiber.Handler {
	return h.changed(t, "modify", h.service.Modify)
}

func (h *handlers) changed(t *schema.ResourceType, operation string, change func(ctx context.Context, t *schema.ResourceType, id, ifMatch, body string, view View) (*Answer, error)) fiber.Handler {
	return h.call(func(c *fiber.Ctx) error {
		body, err := h.read(c)
		if err != nil {
			return err
		}
		a, err := change(c.UserContext(), t, c.Params("id"), c.Get(fiber.HeaderIfMatch), body, view(c))
		h.service.counted(t, operation, err)
		if err != nil {
			return err
		}
		return reply(c, fiber.StatusOK, a)
	})
}

func (h *handlers) remove(t *schema.ResourceType) fiber.Handler {
	return h.call(func(c *fiber.Ctx) error {
		err := h.service.Delete(c.UserContext(), t, c.Params("id"), c.Get(fiber.HeaderIfMatch))
		h.service.counted(t, "delete", err)
		if err != nil {
			return err
		}
		c.Status(fiber.StatusNoContent)
		return nil
	})
}

func (h *handlers) list(types ...*schema.ResourceType) fiber.Handler {
	return h.call(func(c *fiber.Ctx) error {
		q := Search{Filter: c.Query("filter"), SortBy: c.Query("sortBy"), SortOrder: c.Query("sortOrder"), View: view(c)}
		args := c.Context().QueryArgs()
		for name, into := range map[string]**string{"startIndex": &q.StartIndex, "count": &q.Count, "cursor": &q.Cursor} {
			if args.Has(name) {
				value := string(args.Peek(name))
				*into = &value
			}
		}
		return h.page(c, q, types)
	})
}

func (h *handlers) search(types ...*schema.ResourceType) fiber.Handler {
	return h.call(func(c *fiber.Ctx) error {
		body, err := h.read(c)
		if err != nil {
			return err
		}
		q, err := ParseSearch(body)
		if err != nil {
			return err
		}
		return h.page(c, q, types)
	})
}

func (h *handlers) page(c *fiber.Ctx, q Search, types []*schema.ResourceType) error {
	page, err := h.service.List(c.UserContext(), q, types...)
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, page.Message().Append(nil))
}

func (h *handlers) bulk(c *fiber.Ctx) error {
	body, err := h.read(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	answer, err := h.service.Bulk(ctx, body, h.explain(ctx), func(op bulk.Operation, e *refusal.Error) {
		h.journal.Refused(Failure{
			Principal: principal.From(ctx).ID, RequestID: logging.RequestID(ctx), Method: op.Method, Route: route(prefix + op.Path),
			Status: e.Status, Keyword: string(e.Type), Code: codeOf(e), Detail: e.Detail, Request: "[an operation of a bulk request]",
		})
	})
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, answer.Append(nil))
}

// explain makes the refusal that an operation of a bulk request is answered with.
func (h *handlers) explain(ctx context.Context) func(error) *refusal.Error {
	return func(err error) *refusal.Error {
		if e, ok := refusal.From(err); ok {
			return e
		}
		p := problem.Of(err)
		if p.Status >= http.StatusInternalServerError {
			h.log.ErrorContext(ctx, "operation of a bulk request failed", slog.Any("error", err))
		}
		return &refusal.Error{Status: p.Status, Type: keywords[p.Code], Detail: tell(p)}
	}
}

func codeOf(e *refusal.Error) string { return problem.Of(faulty(e)).Code }

// me is not offered: a provisioning service has no user (RFC 7644, 3.11).
func (h *handlers) me(*fiber.Ctx) error { return fiber.ErrNotImplemented }

// searchOnly refuses what is no search at the address of searches.
// RFC 7644, 3.4.3 (Querying Resources Using HTTP POST).
func (h *handlers) searchOnly(c *fiber.Ctx) error {
	c.Set(fiber.HeaderAllow, fiber.MethodPost)
	return fiber.ErrMethodNotAllowed
}

// otherVersion answers for versions of the protocol that are not spoken (RFC 7644, 3.13).
func (h *handlers) otherVersion(*fiber.Ctx) error {
	return ErrProtocol.Detailf("Version 2 is spoken at %s.", h.service.base)
}

// discover answers one of the documents about the service. RFC 7644, 4: filters are
// refused there, and whatever else lists take is ignored.
func (h *handlers) discover(document func(c *fiber.Ctx) (any, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if c.Context().QueryArgs().Has("filter") {
			return ErrForbidden.Detailf("Documents about the service cannot be filtered.")
		}
		v, err := document(c)
		if err != nil {
			return err
		}
		if err := httpserver.JSON(c, fiber.StatusOK, v); err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, mediaType)
		return nil
	}
}

func (h *handlers) serviceProviderConfig(*fiber.Ctx) (any, error) {
	return h.discovery.ServiceProviderConfig(h.offer), nil
}

type documentList struct {
	Schemas      [1]string         `json:"schemas"`
	TotalResults int               `json:"totalResults"`
	StartIndex   int               `json:"startIndex"`
	ItemsPerPage int               `json:"itemsPerPage"`
	Resources    []schema.Document `json:"Resources"`
}

func documents(list []schema.Document) func(*fiber.Ctx) (any, error) {
	return func(*fiber.Ctx) (any, error) {
		return documentList{[1]string{schema.ListResponseURN}, len(list), 1, len(list), list}, nil
	}
}

func document(list []schema.Document) func(*fiber.Ctx) (any, error) {
	return func(c *fiber.Ctx) (any, error) {
		id := c.Params("id")
		for _, d := range list {
			if tree.SameName(d.DocumentID(), id) {
				return d, nil
			}
		}
		return nil, ErrNotFound.Detailf("There is no %s here.", clip(id))
	}
}

// tell is the sentence for a caller.
func tell(p problem.Problem) string {
	if p.Detail == "" {
		return p.Title
	}
	if strings.HasPrefix(p.Code, "scim.") && keywords[p.Code] != refusal.None {
		return p.Detail // the keyword says the rest
	}
	return p.Title + " " + p.Detail
}

// refused writes refusals as RFC 7644, 3.12 (HTTP Status and Error Response Handling)
// has it, and notes them for the administrator.
func (h *handlers) refused(c *fiber.Ctx, p problem.Problem) error {
	e := &refusal.Error{Status: p.Status, Type: keywords[p.Code], Detail: tell(p)}
	caller := principal.From(c.UserContext()).ID
	f := Failure{
		Principal: caller, RequestID: p.RequestID, Method: c.Method(), Route: route(c.Path()),
		Status: p.Status, Keyword: string(e.Type), Code: p.Code, Detail: e.Detail,
	}
	if caller == "" { // of strangers only that they came, lest they push out what matters
		f.Method, f.Route, f.Detail = "", prefix, p.Title
	} else {
		f.Request = sent(c)
	}
	h.journal.Refused(f)
	return send(c, p.Status, refusalBody(e).Append(nil))
}

// route is the path of a request without what is special about it.
func route(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if i >= len(strings.Split(prefix, "/"))+1 && segment != ".search" {
			segments[i] = ":id"
		}
	}
	return clip(redactText(strings.Join(segments, "/")))
}

type contactOutput struct {
	Principal string    `json:"principal"`
	FirstAt   time.Time `json:"firstAt"`
	LastAt    time.Time `json:"lastAt"`
	Requests  int64     `json:"requests"`
	Failures  int64     `json:"failures"`
}

type failureOutput struct {
	At        time.Time `json:"at"`
	Principal string    `json:"principal,omitempty" doc:"Absent for a caller that nobody knows."`
	RequestID string    `json:"requestId"`
	Method    string    `json:"method"`
	Route     string    `json:"route"`
	Status    int       `json:"status"`
	ScimType  string    `json:"scimType,omitempty"`
	Code      string    `json:"code"`
	Detail    string    `json:"detail"`
	Sent      string    `json:"sent,omitempty" doc:"What was sent, its personal values taken out."`
	Count     int64     `json:"count" doc:"How often at about this time."`
	Rule      string    `json:"rule" doc:"The rule it was against."`
	Remedy    string    `json:"remedy" doc:"How to mend it, mostly in the attribute mapping of Entra."`
}

type overviewOutput struct {
	LastContact *time.Time      `json:"lastContact,omitempty" doc:"When a provisioning client was last heard of."`
	Users       int64           `json:"users"`
	Inactive    int64           `json:"inactiveUsers"`
	Groups      int64           `json:"groups"`
	Warnings    []string        `json:"warnings"`
	Contacts    []contactOutput `json:"contacts"`
	Failures    []failureOutput `json:"failures" doc:"What was refused, the last first."`
}

// shownFailures is how many an administrator sees at once.
const shownFailures = 50

func (h *handlers) overview(c *fiber.Ctx) error {
	ctx := c.UserContext()
	if err := h.journal.Flush(ctx); err != nil {
		return err
	}
	o, err := h.service.Overview(ctx, shownFailures)
	if err != nil {
		return err
	}
	out := overviewOutput{Users: o.Counts.Users, Inactive: o.Counts.Inactive, Groups: o.Counts.Groups, Warnings: o.Warnings, Contacts: []contactOutput{}, Failures: []failureOutput{}}
	if out.Warnings == nil {
		out.Warnings = []string{}
	}
	for _, contact := range o.Contacts {
		out.Contacts = append(out.Contacts, contactOutput{contact.Principal, contact.First, contact.Last, contact.Requests, contact.Failures})
	}
	if len(o.Contacts) > 0 {
		out.LastContact = &o.Contacts[0].Last
	}
	for _, f := range o.Failures {
		rule, remedy := f.Rule()
		out.Failures = append(out.Failures, failureOutput{f.At, f.Principal, f.RequestID, f.Method, f.Route, f.Status, f.Keyword, f.Code, f.Detail, f.Request, f.Count, rule, remedy})
	}
	return httpserver.JSON(c, fiber.StatusOK, out)
}
