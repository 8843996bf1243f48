package bulk

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/schema"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// Limits bound a request (RFC 7643, 5: bulk).
type Limits struct {
	Operations int
	Payload    int // bytes
}

// Request is a BulkRequest that can be worked through.
type Request struct {
	// FailOnErrors is after how many failures to stop; 0 goes on to the end.
	FailOnErrors int
	// Operations are in the order of the request, which also is the order of the answer.
	Operations []Operation
	// Steps are what to do, in order: that of the request, except that an operation waits for those that make what it refers to.
	Steps []Step
}

// Operation is one operation of the request.
type Operation struct {
	Method  string // upper case: POST, PUT, PATCH or DELETE
	Path    string // as written, for the answer
	BulkID  string
	Version string // the ETag for If-Match, or empty
	Type    *schema.ResourceType
	// Refused is why the operation cannot be done at all, or nil. It counts as a failure when its turn comes.
	Refused *refusal.Error

	id       string // of the path; may be a reference
	data     *tree.Object
	refers   []int // operations that make what this one refers to, each once
	withheld []int // those of refers that came later in a circle: a Link step adds them
}

// Step is one thing to do.
type Step struct {
	// Operation is the index of the operation this belongs to.
	Operation int
	// Link marks the second half of an operation whose first half made the resource without references that did not exist
	// yet: a PATCH of the made resource. It is left out when the first half failed, and when it fails the operation has.
	Link bool
}

// prefix is what a reference begins with (RFC 7644, 3.7.2).
const prefix = "bulkId:"

// Parse reads a BulkRequest and plans it. It answers with a [*refusal.Error]: 413 beyond the limits, invalidSyntax for what is no
// such message. What is wrong with one operation is in its Refused.
func Parse(registry *schema.Registry, body string, limits Limits) (*Request, error) {
	if len(body) > limits.Payload { // RFC 7644, 3.7.4
		return nil, refusal.Status(413, "The request has %d bytes; maxPayloadSize is %d.", len(body), limits.Payload)
	}
	o, err := tree.ParseObject(body)
	if err != nil {
		return nil, err
	}
	r, problem := read(registry, o, limits)
	if problem != nil {
		return nil, problem
	}
	r.plan()
	return r, nil
}

func read(registry *schema.Registry, o *tree.Object, limits Limits) (*Request, *refusal.Error) {
	if schemas, ok := o.Find("schemas"); ok && !lists(schemas, schema.BulkRequestURN) {
		return nil, refusal.New(refusal.InvalidSyntax, "The body is no BulkRequest: schemas must be [%q].", schema.BulkRequestURN)
	}
	r := &Request{}
	if v, ok := o.Find("failOnErrors"); ok && v.Kind() != tree.Null {
		n, ok := positive(v)
		if !ok {
			return nil, refusal.New(refusal.InvalidValue, "failOnErrors must be a whole number above 0.")
		}
		r.FailOnErrors = n
	}
	operations, ok := o.Find("Operations")
	switch {
	case !ok || operations.Kind() != tree.List:
		return nil, refusal.New(refusal.InvalidSyntax, "The body is no BulkRequest: Operations must be an array of operations.")
	case len(operations.Items()) > limits.Operations:
		return nil, refusal.Status(413, "The request has %d operations; maxOperations is %d.", len(operations.Items()), limits.Operations)
	}
	r.Operations = make([]Operation, len(operations.Items()))
	makers := make(map[string]int)
	for i, v := range operations.Items() {
		op := &r.Operations[i]
		op.Refused = op.read(registry, v)
		if op.BulkID == "" || op.Method != "POST" {
			continue
		}
		if _, twice := makers[op.BulkID]; !twice {
			makers[op.BulkID] = i
		} else if op.Refused == nil { // RFC 7644, 3.7: unique within the request
			op.Refused = refusal.New(refusal.InvalidValue, "The bulkId %s is another operation's already.", tree.Excerpt(op.BulkID))
		}
	}
	for i := range r.Operations {
		if op := &r.Operations[i]; op.Refused == nil {
			op.Refused = op.refer(makers)
		}
	}
	return r, nil
}

// positive reads a small whole number, also one in a string.
func positive(v tree.Value) (int, bool) {
	n := 0
	for _, c := range []byte(v.Text()) {
		if c < '0' || c > '9' || n > 1<<20 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n > 0 && v.Kind() != tree.Bool
}

func lists(schemas tree.Value, urn string) bool {
	for _, s := range schemas.Items() {
		if tree.SameName(s.Text(), urn) {
			return true
		}
	}
	return false
}

// read takes one operation apart.
func (op *Operation) read(registry *schema.Registry, v tree.Value) *refusal.Error {
	if v.Kind() != tree.Complex {
		return refusal.New(refusal.InvalidSyntax, "An operation must be an object, not %s.", v.Kind())
	}
	text := func(name string) string {
		part, _ := v.Object().Find(name)
		if part.Kind() != tree.String {
			return ""
		}
		return part.Text()
	}
	op.Method, op.Path, op.BulkID, op.Version = strings.ToUpper(text("method")), text("path"), text("bulkId"), text("version")
	switch op.Method {
	case "POST", "PUT", "PATCH", "DELETE":
	case "":
		return refusal.New(refusal.InvalidSyntax, "method is missing. It must be POST, PUT, PATCH or DELETE.")
	default:
		return refusal.New(refusal.InvalidSyntax, "method must be POST, PUT, PATCH or DELETE, not %s.", tree.Excerpt(op.Method))
	}
	endpoint, id, deeper := strings.Cut(strings.TrimPrefix(op.Path, "/"), "/")
	switch op.Type = registry.Endpoint("/" + endpoint); {
	case op.Path == "":
		return refusal.New(refusal.InvalidSyntax, "path is missing.")
	case op.Type == nil || strings.Contains(id, "/"):
		return refusal.Status(404, "There is nothing at %s that a bulk operation could change.", tree.Excerpt(op.Path))
	case op.Method == "POST" && deeper:
		return refusal.New(refusal.InvalidSyntax, "A POST goes to %s, not to %s.", op.Type.Endpoint, tree.Excerpt(op.Path))
	case op.Method != "POST" && id == "":
		return refusal.New(refusal.InvalidSyntax, "The path of a %s must end in the id of a resource.", op.Method)
	case op.Method == "POST" && op.BulkID == "":
		return refusal.New(refusal.InvalidSyntax, "bulkId is missing. A POST must have one.")
	}
	op.id = id
	if op.Method == "DELETE" {
		return nil
	}
	data, _ := v.Object().Find("data")
	if data.Kind() != tree.Complex {
		return refusal.New(refusal.InvalidSyntax, "data must be an object, not %s.", data.Kind())
	}
	op.data = data.Object()
	return nil
}

// refer finds what the operation refers to.
func (op *Operation) refer(makers map[string]int) *refusal.Error {
	var unknown string
	seen := make(map[int]bool)
	visit := func(bulkID string) string {
		maker, ok := makers[bulkID]
		if !ok {
			unknown = bulkID
		} else if !seen[maker] {
			seen[maker] = true
			op.refers = append(op.refers, maker)
		}
		return ""
	}
	if tree.HasPrefixName(op.id, prefix) {
		visit(op.id[len(prefix):])
	}
	if op.data != nil {
		op.walk(visit)
	}
	if unknown != "" {
		return refusal.New(refusal.InvalidValue, "No POST of this request has the bulkId %s.", tree.Excerpt(unknown))
	}
	return nil
}

// plan orders the operations: always the first one that waits for nobody. Where all of them wait there is a circle.
func (r *Request) plan() {
	const (
		waiting = iota
		done
	)
	state := make([]int, len(r.Operations))
	missing := make([]int, len(r.Operations))      // makers that are not done
	dependents := make([][]int, len(r.Operations)) // by maker
	links := make([][]int, len(r.Operations))      // circles that wait for the maker
	owed := make([]int, len(r.Operations))         // makers that a Link waits for
	for i := range r.Operations {
		for _, maker := range r.Operations[i].refers {
			if maker != i {
				missing[i]++
				dependents[maker] = append(dependents[maker], i)
			}
		}
	}
	var ready heap
	for i := range r.Operations {
		if missing[i] == 0 {
			ready.push(i)
		}
	}
	finish := func(i int) {
		state[i] = done
		for _, d := range dependents[i] {
			if missing[d]--; missing[d] == 0 && state[d] == waiting {
				ready.push(d)
			}
		}
		for _, l := range links[i] {
			if owed[l]--; owed[l] == 0 {
				r.Steps = append(r.Steps, Step{Operation: l, Link: true})
			}
		}
	}
	first := 0 // the first that may be waiting
	for {
		for len(ready) > 0 {
			i := ready.pop()
			if state[i] == done {
				continue
			}
			r.Steps = append(r.Steps, Step{Operation: i})
			op := &r.Operations[i]
			for _, maker := range op.refers {
				if maker == i { // a resource that refers to itself
					op.withheld = append(op.withheld, i)
				}
			}
			if len(op.withheld) > 0 && op.Refused == nil {
				if op.Refused = op.split(r); op.Refused == nil {
					owed[i] = 1
					links[i] = append(links[i], i)
				}
			}
			finish(i)
		}
		for first < len(state) && state[first] == done {
			first++
		}
		if first == len(state) {
			return
		}
		// RFC 7644, 3.7.1: circular references must be tried. One of the circle is made without those that do not exist.
		i := r.circle(first, state)
		op := &r.Operations[i]
		for _, maker := range op.refers {
			if state[maker] != done {
				op.withheld = append(op.withheld, maker)
			}
		}
		r.Steps = append(r.Steps, Step{Operation: i})
		if op.Refused = op.split(r); op.Refused == nil {
			owed[i] = len(op.withheld)
			for _, maker := range op.withheld {
				links[maker] = append(links[maker], i)
			}
		}
		finish(i)
	}
}

// circle finds the first operation of a circle, going from one that waits to one that it waits for.
func (r *Request) circle(from int, state []int) int {
	seen := make(map[int]bool)
	at := from
	for !seen[at] {
		seen[at] = true
		at = r.waits(at, state)
	}
	least := at
	for next := r.waits(at, state); next != at; next = r.waits(next, state) {
		least = min(least, next)
	}
	return least
}

// waits is the first operation that i waits for.
func (r *Request) waits(i int, state []int) int {
	for _, maker := range r.Operations[i].refers {
		if maker != i && state[maker] == 0 {
			return maker
		}
	}
	return i
}

// split sees whether the operation can be done in two halves, which it can unless a required attribute is withheld.
func (op *Operation) split(r *Request) *refusal.Error {
	withheld := op.bulkIDs(r)
	for _, p := range op.Type.Required() {
		if v, ok := op.attribute(p); ok && mentions(v, withheld) {
			return refusal.Status(409, "%s refers in a circle to a resource that cannot be made before this one.", p)
		}
	}
	return nil
}

// bulkIDs are those that the first half does without.
func (op *Operation) bulkIDs(r *Request) map[string]bool {
	ids := make(map[string]bool, len(op.withheld))
	for _, maker := range op.withheld {
		ids[r.Operations[maker].BulkID] = true
	}
	return ids
}

// heap gives back the smallest number first.
type heap []int

func (h *heap) push(n int) {
	*h = append(*h, n)
	s := *h
	for i := len(s) - 1; i > 0 && s[(i-1)/2] > s[i]; i = (i - 1) / 2 {
		s[i], s[(i-1)/2] = s[(i-1)/2], s[i]
	}
}

func (h *heap) pop() int {
	s := *h
	top := s[0]
	last := len(s) - 1
	s[0] = s[last]
	s = s[:last]
	*h = s
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(s) {
			return top
		}
		if child+1 < len(s) && s[child+1] < s[child] {
			child++
		}
		if s[i] <= s[child] {
			return top
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
