package scimprobe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strconv"
	"strings"
)

// The schemas of RFC 7643, 10.3 (Schema URI Registrations), and of RFC 7644, 8.2 (the
// messages of the protocol).
const (
	UserSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	PatchSchema      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	ListSchema       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	ErrorSchema      = "urn:ietf:params:scim:api:messages:2.0:Error"
	SearchSchema     = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	BulkSchema       = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
)

// scimTypes by the status they come with. RFC 7644, 3.12 (HTTP Status and Error
// Response Handling), table 9; RFC 9865, 2.2 (the errors of cursors).
var scimTypes = map[string]int{
	"invalidFilter": 400, "tooMany": 400, "uniqueness": 409, "mutability": 400, "invalidSyntax": 400, "invalidPath": 400, "noTarget": 400,
	"invalidValue": 400, "invalidVers": 400, "sensitive": 403, "invalidCursor": 400, "expiredCursor": 400, "invalidCount": 400,
}

// Problem is one thing that Entra would stumble over, and what mends it.
type Problem struct {
	Kind   Kind   `json:"kind"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

// Kind is what sort of problem it is. The words are stable.
type Kind string

// What can be wrong with the form of an answer, whatever was asked.
const (
	Redirected     Kind = "redirect"
	NotJSON        Kind = "not-json"       // HTML, text or nothing where JSON must be
	WrongMediaType Kind = "content-type"   // JSON under another name
	DuplicateKey   Kind = "duplicate-key"  // an object has one member twice
	NullValue      Kind = "null"           // unassigned attributes must be left out
	ErrorShape     Kind = "error-shape"    // not the error of RFC 7644, 3.12
	NumericStatus  Kind = "numeric-status" // the member status is no string
	MissingHeader  Kind = "header"         // one that the status demands
	ListShape      Kind = "list-shape"     // not the list of RFC 7644, 3.4.2
	ResourceShape  Kind = "resource-shape" // no id, schemas or meta, or they contradict the headers
	Unavailable    Kind = "unavailable"    // 5xx
)

const proxyRemedy = "Most often a proxy or a firewall puts its own page in place of the server's answer: switch off proxy_intercept_errors and error_page " +
	"(nginx), ErrorDocument and ProxyErrorOverride (Apache), custom error pages (a cloud's load balancer) for this path."

// Faults judges the form of one answer below the address: what every answer must be,
// whatever was asked. None means that Entra can read it.
func Faults(a Answer) []Problem {
	var found []Problem
	add := func(kind Kind, remedy, format string, args ...any) {
		found = append(found, Problem{kind, fmt.Sprintf(format, args...), remedy})
	}
	if a.Status >= 300 && a.Status < 400 && a.Status != 304 {
		add(Redirected, "Entra sends the token only to the address it was given. Give it the address that answers at once, and let neither a sign-in page nor "+
			"a rewriting rule stand before it.", "the answer is %d and leads to %s", a.Status, a.Header.Get("Location"))
		return found
	}
	if a.Method == "HEAD" {
		return nil
	}
	body := bytes.TrimSpace(a.Body)
	if a.Status == 204 || a.Status == 304 {
		if len(body) > 0 {
			add(NotJSON, "", "the answer %d has a body", a.Status)
		}
		return found
	}
	kind := a.Header.Get("Content-Type")
	mediaType, _, err := mime.ParseMediaType(kind)
	if document := a.Document(); document == nil || !json.Valid(body) {
		what := "no JSON object"
		switch {
		case len(body) == 0:
			what = "empty"
		case mediaType == "text/html" || bytes.HasPrefix(bytes.ToLower(body), []byte("<!doctype html")) || bytes.HasPrefix(bytes.ToLower(body), []byte("<html")):
			what = "an HTML page"
		}
		add(NotJSON, proxyRemedy, "the body of the answer %d is %s: %s", a.Status, what, clip(strings.Join(strings.Fields(string(body)), " "), 80))
		return found
	}
	if err != nil || mediaType != MediaType {
		add(WrongMediaType, "Answer with application/scim+json; a proxy must not change the header.", "the answer %d is called %q", a.Status, kind)
	}
	for _, path := range duplicates(body) {
		add(DuplicateKey, "", "the member %s occurs twice", path)
	}
	document := a.Document()
	if path := null(document, ""); path != "" {
		add(NullValue, "Leave out what has no value.", "%s is null", path)
	}
	if a.Status >= 400 {
		return append(found, errorFaults(a, document)...)
	}
	schemas := strs(document["schemas"])
	if len(schemas) == 0 {
		add(ResourceShape, "", "the answer %d names no schemas", a.Status)
		return found
	}
	switch {
	case slices.Contains(schemas, ListSchema):
		found = append(found, listFaults(document)...)
	case slices.ContainsFunc(schemas, func(s string) bool { return s == UserSchema || s == GroupSchema }):
		found = append(found, resourceFaults(document)...)
		meta, _ := document["meta"].(map[string]any)
		version, _ := meta["version"].(string)
		// RFC 7644, 3.14 (Versioning Resources): the header and meta.version say the same.
		if tag := a.Header.Get("ETag"); tag != "" && version != "" && tag != version {
			add(ResourceShape, "A proxy must not change ETag: switch off compression for this path, or let it keep the tag.", "ETag is %q and meta.version is %q", tag, version)
		}
		if a.Status == 201 {
			// RFC 7644, 3.3 (Creating Resources).
			location, shown := meta["location"].(string) // a projection may leave it out
			switch header := a.Header.Get("Location"); {
			case header == "":
				add(MissingHeader, "Answer 201 with the header Location.", "the answer 201 has no Location")
			case shown && location != header:
				add(ResourceShape, "", "Location is %q and meta.location is %q", a.Header.Get("Location"), location)
			}
		}
	}
	return found
}

// errorFaults holds an error against RFC 7644, 3.12 (HTTP Status and Error Response
// Handling), and against the headers that its status demands.
func errorFaults(a Answer, document map[string]any) (found []Problem) {
	add := func(kind Kind, remedy, format string, args ...any) {
		found = append(found, Problem{kind, fmt.Sprintf(format, args...), remedy})
	}
	if schemas := strs(document["schemas"]); !slices.Equal(schemas, []string{ErrorSchema}) {
		add(ErrorShape, "Answer every error below the address as RFC 7644, 3.12 has it. "+proxyRemedy, "the error %d is not of the schema %s: %s", a.Status, ErrorSchema, clip(string(a.Body), 120))
		return found
	}
	switch status := document["status"].(type) {
	case string:
		if status != strconv.Itoa(a.Status) {
			add(ErrorShape, "", "the error says status %q, the answer is %d", status, a.Status)
		}
	case json.Number:
		add(NumericStatus, `Write "status": "404", a string.`, "the status in the body of the error %d is a number", a.Status)
	default:
		add(ErrorShape, "", "the error %d does not say its status", a.Status)
	}
	if detail, ok := document["detail"].(string); document["detail"] != nil && (!ok || detail == "") {
		add(ErrorShape, "", "the detail of the error %d is no text", a.Status)
	}
	if kind, given := document["scimType"]; given {
		text, _ := kind.(string)
		if status, known := scimTypes[text]; !known || status != a.Status {
			add(ErrorShape, "", "the error %d has the scimType %v", a.Status, kind)
		}
	}
	// RFC 9110, 11.6.1 and 10.2.1: 401 names the scheme, 405 the methods.
	needs := map[int]string{401: "WWW-Authenticate", 405: "Allow", 503: "Retry-After", 429: "Retry-After"}
	if name := needs[a.Status]; name != "" && a.Header.Get(name) == "" {
		add(MissingHeader, "", "the answer %d has no %s", a.Status, name)
	}
	if a.Status == 401 && !strings.HasPrefix(strings.ToLower(a.Header.Get("WWW-Authenticate")), "bearer") {
		add(MissingHeader, "", "WWW-Authenticate does not begin with Bearer")
	}
	if a.Status >= 500 && a.Status != 501 {
		add(Unavailable, "Look into the log of the server and of the proxy.", "the answer is %d: %v", a.Status, document["detail"])
	}
	return found
}

// listFaults holds a list against RFC 7644, 3.4.2 (Query Resources).
func listFaults(list map[string]any) (found []Problem) {
	add := func(format string, args ...any) {
		found = append(found, Problem{ListShape, fmt.Sprintf(format, args...), ""})
	}
	whole := func(name string, needed bool) int {
		number, ok := list[name].(json.Number)
		if !ok {
			if needed || list[name] != nil {
				add("%s is no number", name)
			}
			return -1
		}
		n, err := strconv.Atoi(number.String())
		if err != nil || n < 0 {
			add("%s is %s", name, number)
			return -1
		}
		return n
	}
	total := whole("totalResults", true)
	resources, ok := list["Resources"].([]any)
	if !ok {
		add("it has no array Resources")
		return found
	}
	if n := whole("itemsPerPage", true); n >= 0 && n != len(resources) {
		add("itemsPerPage is %d and there are %d resources", n, len(resources))
	}
	if start := whole("startIndex", false); start == 0 {
		add("startIndex is 0, the first is 1")
	}
	if total >= 0 && total < len(resources) {
		add("totalResults is %d and there are %d resources", total, len(resources))
	}
	for i, r := range resources {
		resource, ok := r.(map[string]any)
		if !ok {
			add("Resources/%d is no object", i)
			continue
		}
		schemas := strs(resource["schemas"])
		if slices.Contains(schemas, UserSchema) || slices.Contains(schemas, GroupSchema) {
			for _, p := range resourceFaults(resource) {
				p.Detail = fmt.Sprintf("Resources/%d: %s", i, p.Detail)
				found = append(found, p)
			}
		} else if len(schemas) == 0 {
			add("Resources/%d names no schemas", i)
		}
	}
	return found
}

// resourceFaults holds a user or a group against RFC 7643, 3.1 (Common Attributes).
// Projection may have left out meta; id and schemas are always there.
func resourceFaults(resource map[string]any) (found []Problem) {
	add := func(format string, args ...any) {
		found = append(found, Problem{ResourceShape, fmt.Sprintf(format, args...), ""})
	}
	if id, _ := resource["id"].(string); id == "" {
		add("a resource has no id")
	}
	if meta, given := resource["meta"]; given {
		m, ok := meta.(map[string]any)
		if !ok {
			add("meta is no object")
			return found
		}
		for name, value := range m {
			if !slices.Contains([]string{"resourceType", "created", "lastModified", "location", "version"}, name) {
				add("meta has a member %s", name)
			} else if text, ok := value.(string); !ok || text == "" {
				add("meta.%s is no text", name)
			}
		}
	}
	if active, given := resource["active"]; given {
		if _, ok := active.(bool); !ok {
			add("active is %v, no boolean", active)
		}
	}
	for _, name := range []string{"emails", "phoneNumbers", "addresses", "roles", "members"} {
		value, given := resource[name]
		if !given {
			continue
		}
		elements, ok := value.([]any)
		if !ok {
			add("%s is no array", name)
			continue
		}
		for i, e := range elements {
			element, ok := e.(map[string]any)
			if !ok {
				add("%s/%d is no object", name, i)
			} else if primary, given := element["primary"]; given && primary != true && primary != false {
				add("%s/%d/primary is %v, no boolean", name, i, primary)
			}
		}
	}
	return found
}

func strs(value any) (texts []string) {
	list, _ := value.([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// null is the place of the first null in a document; empty when there is none.
func null(value any, path string) string {
	switch v := value.(type) {
	case nil:
		return path
	case map[string]any:
		for name, member := range v {
			if at := null(member, path+"/"+name); at != "" {
				return at
			}
		}
	case []any:
		for i, element := range v {
			if at := null(element, path+"/"+strconv.Itoa(i)); at != "" {
				return at
			}
		}
	}
	return ""
}

// duplicates names the members that occur twice in one object, as their paths.
func duplicates(body []byte) (paths []string) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var walk func(path string) error
	walk = func(path string) error {
		token, err := decoder.Token()
		if err != nil {
			return err
		}
		delim, ok := token.(json.Delim)
		if !ok {
			return nil
		}
		seen := map[string]bool{}
		for i := 0; decoder.More(); i++ {
			at := path + "/" + strconv.Itoa(i)
			if delim == '{' {
				name, err := decoder.Token()
				if err != nil {
					return err
				}
				at = path + "/" + fmt.Sprint(name)
				if seen[at] {
					paths = append(paths, at)
				}
				seen[at] = true
			}
			if err := walk(at); err != nil {
				return err
			}
		}
		_, err = decoder.Token()
		return err
	}
	if err := walk(""); err != nil && !errors.Is(err, io.EOF) {
		return append(paths, err.Error())
	}
	return paths
}

// Flatten names the attributes of a schema by the paths that Entra's mapping has for
// them, as Microsoft's test Schema_Discoverability does: an attribute that does not come
// out cannot be mapped by whoever lets Entra discover the schema. A prefix is put
// before each.
func Flatten(schema map[string]any, prefix string) (paths []string) {
	attributes, _ := schema["attributes"].([]any)
	for _, a := range attributes {
		attribute, _ := a.(map[string]any)
		name, _ := attribute["name"].(string)
		kind, _ := attribute["type"].(string)
		subs, _ := attribute["subAttributes"].([]any)
		switch {
		case name == "manager" || name == "members":
			paths = append(paths, prefix+name)
		case kind == "reference":
		case kind != "complex":
			paths = append(paths, prefix+name)
		case attribute["multiValued"] == true:
			// Where the types are named, each is a path; else there is the primary one.
			filters := []string{`[primary eq "True"]`}
			for _, s := range subs {
				sub, _ := s.(map[string]any)
				if values := strs(sub["canonicalValues"]); sub["name"] == "type" && len(values) > 0 {
					filters = nil
					for _, value := range values {
						filters = append(filters, `[type eq "`+value+`"]`)
					}
				}
			}
			for _, filter := range filters {
				for _, s := range subs {
					sub, _ := s.(map[string]any)
					if n, _ := sub["name"].(string); n != "primary" && (n != "type" || strings.HasPrefix(filter, "[primary")) {
						paths = append(paths, prefix+name+filter+"."+n)
					}
				}
			}
		default:
			for _, s := range subs {
				sub, _ := s.(map[string]any)
				if n, _ := sub["name"].(string); sub["type"] != "reference" && sub["type"] != "complex" {
					paths = append(paths, prefix+name+"."+n)
				}
			}
		}
	}
	return paths
}
