package scim

import (
	"time"

	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// prefix is below what address the protocol is spoken.
const prefix = "/scim/v2"

// bulkDeadline is enough for the most operations that a request may have.
const bulkDeadline = 2 * time.Minute

// Routes is the table of URLs of this module.
func Routes(h *handlers) httpserver.Table {
	scim, public := httpserver.Scope(principal.ScopeSCIM), httpserver.Public()
	types := h.service.registry.ResourceTypes()
	body := httpserver.Body{MediaTypes: []string{mediaType, "application/json"}, Note: "A message of RFC 7644."}
	answer := httpserver.Body{MediaTypes: []string{mediaType}}
	page := []httpserver.Param{
		httpserver.Query("filter", "RFC 7644, 3.4.2.2, such as userName eq \"ada@example.org\""),
		httpserver.Query("sortBy", "path of an attribute"), httpserver.Query("sortOrder", "the direction", "ascending", "descending"),
		httpserver.Query("startIndex", "number of the first resource, from 1"), httpserver.Query("count", "how many resources at most"),
		httpserver.Query("cursor", "RFC 9865: empty for the first page, then nextCursor or previousCursor of another"),
	}
	shown := []httpserver.Param{
		httpserver.Query("attributes", "the attributes wanted, separated by commas"), httpserver.Query("excludedAttributes", "attributes not wanted"),
	}
	both := append(page, shown...)
	bulkLimit := h.service.cfg.BulkPayload + 1<<16 // what is beyond the payload is refused with its name
	table := httpserver.Table{
		{Method: "GET", Path: prefix, Access: scim, Handler: h.list(types...), Tag: "SCIM", Summary: "List users and groups", Params: both, Response: answer, Errors: []int{400}},
		{Method: "POST", Path: prefix + "/.search", Access: scim, Handler: h.search(types...), Tag: "SCIM", Summary: "Search users and groups", Request: body, Response: answer, Errors: []int{400, 415}},
		{Method: "POST", Path: prefix + "/Bulk", Access: scim, Handler: h.call(h.bulk), Tag: "SCIM", Summary: "Do many operations, each for itself", Request: body, Response: answer, Errors: []int{400, 413, 415}, BodyLimit: bulkLimit, Deadline: bulkDeadline},
		{Method: "GET", Path: prefix + "/ServiceProviderConfig", Access: public, Handler: h.discover(h.serviceProviderConfig), Tag: "SCIM", Summary: "What the service offers", Response: answer, Errors: []int{403}},
		{Method: "GET", Path: prefix + "/ResourceTypes", Access: public, Handler: h.discover(documents(h.discovery.ResourceTypes())), Tag: "SCIM", Summary: "The kinds of resource", Response: answer, Errors: []int{403}},
		{Method: "GET", Path: prefix + "/ResourceTypes/:id", Access: public, Handler: h.discover(document(h.discovery.ResourceTypes())), Tag: "SCIM", Summary: "One kind of resource", Response: answer, Errors: []int{403, 404}},
		{Method: "GET", Path: prefix + "/Schemas", Access: public, Handler: h.discover(documents(h.discovery.Schemas())), Tag: "SCIM", Summary: "The schemas of resources", Response: answer, Errors: []int{403}},
		{Method: "GET", Path: prefix + "/Schemas/:id", Access: public, Handler: h.discover(document(h.discovery.Schemas())), Tag: "SCIM", Summary: "One schema", Response: answer, Errors: []int{403, 404}},
		{Method: "GET", Path: "/api/v1/provisioning", Access: httpserver.Scope(principal.ScopeAdmin), Handler: h.overview, Tag: "Directory", Summary: "See whether provisioning goes well", Description: "When the provisioning service was last heard of, how many users and groups there are, what was refused lately with what was sent, and how to mend it.", Response: overviewOutput{}},
	}
	for _, t := range types {
		table = append(table, h.resource(t, scim, body, answer, both, shown)...)
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		table = append(table,
			httpserver.Route{Method: method, Path: prefix + "/Me", Access: scim, Handler: h.me, Hidden: true},
			httpserver.Route{Method: method, Path: "/scim/v1/*", Access: public, Handler: h.otherVersion, Hidden: true})
	}
	return table
}

func (h *handlers) resource(t *schema.ResourceType, scim httpserver.Access, body, answer httpserver.Body, list, shown []httpserver.Param) httpserver.Table {
	many := prefix + t.Endpoint
	one := many + "/:id"
	version := append([]httpserver.Param{httpserver.Header("If-Match", "the version that may be changed")}, shown...)
	table := httpserver.Table{
		{Method: "GET", Path: many, Access: scim, Handler: h.list(t), Tag: "SCIM", Summary: "List each " + t.ID, Params: list, Response: answer, Errors: []int{400}},
		{Method: "POST", Path: many + "/.search", Access: scim, Handler: h.search(t), Tag: "SCIM", Summary: "Search each " + t.ID, Request: body, Response: answer, Errors: []int{400, 415}},
		{Method: "POST", Path: many, Access: scim, Handler: h.create(t), Tag: "SCIM", Summary: "Create a " + t.ID, Params: shown, Request: body, Response: answer, Status: 201, Errors: []int{400, 409, 415}},
		{Method: "GET", Path: one, Access: scim, Handler: h.get(t), Tag: "SCIM", Summary: "Read a " + t.ID, Params: shown, Response: answer, Errors: []int{404}},
		{Method: "PUT", Path: one, Access: scim, Handler: h.replace(t), Tag: "SCIM", Summary: "Replace a " + t.ID, Params: version, Request: body, Response: answer, Errors: []int{400, 404, 409, 412, 415}},
		{Method: "PATCH", Path: one, Access: scim, Handler: h.modify(t), Tag: "SCIM", Summary: "Change a " + t.ID, Params: version, Request: body, Response: answer, Errors: []int{400, 404, 409, 412, 415}},
		{Method: "DELETE", Path: one, Access: scim, Handler: h.remove(t), Tag: "SCIM", Summary: "Delete a " + t.ID, Params: version[:1], Status: 204, Errors: []int{404, 412}},
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} { // else .search would be taken for an id
		table = append(table, httpserver.Route{Method: method, Path: many + "/.search", Access: scim, Handler: h.searchOnly, Hidden: true})
	}
	return table
}
