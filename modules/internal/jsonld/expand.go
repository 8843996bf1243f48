package jsonld

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Limits of one document.
const (
	MaxQuads       = 50_000
	maxDefinitions = 400_000 // term definitions copied or made for contexts
)

// Quads expands a document into RDF quads: the Expansion, Node Map Generation and RDF Serialization algorithms of
// JSON-LD 1.1 API in one walk, which is possible because credentials are written as trees. It answers with *[Error].
func (p *Processor) Quads(doc map[string]any) ([]Quad, error) {
	r := run{processor: p, definitions: maxDefinitions, quads: make([]Quad, 0, 48)}
	if err := r.document(doc); err != nil {
		return nil, err
	}
	if len(r.quads) == 0 {
		return nil, r.fail(CodeDropped, "", "the document says nothing that could be signed", "Write members that its contexts define.")
	}
	return r.quads, nil
}

// Sourced is [Processor.Quads] together with the place in the document, a JSON Pointer, at which each quad is said: a type
// at its name, a literal or a link at the value, and the cells of a list at the list. Selective disclosure asks for it.
func (p *Processor) Sourced(doc map[string]any) (quads []Quad, sources []string, err error) {
	r := run{processor: p, definitions: maxDefinitions, sourced: true}
	if err := r.document(doc); err != nil {
		return nil, nil, err
	}
	return r.quads, r.sources, nil
}

// run is one walk over one document.
type run struct {
	processor   *Processor
	quads       []Quad
	sourced     bool
	sources     []string // of the quads, if sourced
	path        []step
	away        int // greater than 0 while contexts are processed that do not stand in the document
	depth       int
	definitions int                       // still allowed
	memo        map[origin]*activeContext // of contexts that only this document has
	labels      map[string]string         // of the document's own blank nodes
	blanks      int
	keys        []string // stack of sorted member names
	entries     []entry  // stack of members
}

type step struct {
	name  string // of a member
	index int    // of an item; -1 for members
}

func (r *run) push(name string)    { r.path = append(r.path, step{name: name, index: -1}) }
func (r *run) pushIndex(index int) { r.path = append(r.path, step{index: index}) }
func (r *run) pop()                { r.path = r.path[:len(r.path)-1] }

func (r *run) pointer() string {
	var at string
	for _, s := range r.path {
		token := s.name
		if s.index >= 0 {
			token = strconv.Itoa(s.index)
		}
		at = strictjson.Child(at, token)
	}
	return at
}

func (r *run) fail(code, term, problem, remedy string) error {
	return &Error{Code: code, Pointer: r.pointer(), Term: brief(term), Problem: problem, Remedy: remedy}
}

func (r *run) failContext(term, problem string) error {
	return r.fail(CodeInvalidContext, term, problem, "Correct the context.")
}

func (r *run) spend(definitions int) error {
	if r.definitions -= definitions; r.definitions < 0 {
		return r.fail(CodeLimit, "@context", "the contexts of the document are too many or too large", "Use fewer contexts.")
	}
	return nil
}

func (r *run) deeper() error {
	if r.depth++; r.depth > strictjson.MaxDepth {
		return &Error{Code: CodeLimit, Problem: fmt.Sprintf("the document nests deeper than %d levels", strictjson.MaxDepth), Remedy: "Flatten it."}
	}
	return nil
}

// sortKeys puts the names of m on the stack, in order, and answers where they begin.
func (r *run) sortKeys(m map[string]any) int {
	base := len(r.keys)
	for k := range m {
		r.keys = append(r.keys, k)
	}
	slices.Sort(r.keys[base:])
	return base
}

func (r *run) dropKeys(base int) { r.keys = r.keys[:base] }

func (r *run) emit(q Quad) error {
	if len(r.quads) >= MaxQuads {
		return r.fail(CodeLimit, "", fmt.Sprintf("the document makes more than %d statements", MaxQuads), "Split it.")
	}
	r.quads = append(r.quads, q)
	if r.sourced {
		r.sources = append(r.sources, r.pointer())
	}
	return nil
}

func (r *run) newBlank() Term {
	label := "b" + strconv.Itoa(r.blanks)
	r.blanks++
	return Term{Kind: Blank, Value: label}
}

// blank is the node that the document itself calls label.
func (r *run) blank(label string) Term {
	if own, ok := r.labels[label]; ok {
		return Term{Kind: Blank, Value: own}
	}
	if r.labels == nil {
		r.labels = make(map[string]string)
	}
	t := r.newBlank()
	r.labels[label] = t.Value
	return t
}

// entry is one member of an object under the context that holds for it.
type entry struct {
	name    string
	keyword keyword
	term    *term
}

// property is where values belong.
type property struct {
	name string
	term *term // nil if the name is an IRI or comes from @vocab
}

// sink is what becomes of the terms that values turn into.
type sink struct {
	subject, predicate, graph Term
	list                      *[]Term // collect the items of a list instead
}

func (r *run) put(s *sink, t Term) error {
	if s.list != nil {
		*s.list = append(*s.list, t)
		return nil
	}
	return r.emit(Quad{Subject: s.subject, Predicate: s.predicate, Object: t, Graph: s.graph})
}

// object is a JSON object together with what is known of it once its contexts are processed.
type object struct {
	members map[string]any
	entries []entry // sorted by name
	ctx     *activeContext
	typeCtx *activeContext // in which types are read
	kinds   uint16         // bits of the keywords that occur
}

func (o *object) has(k keyword) bool { return o.kinds&(1<<k) != 0 }

// open processes the contexts of an object. JSON-LD 1.1 API, 5.1.2 (Expansion Algorithm), steps 7 to 11. The caller
// must close what it opened.
func (r *run) open(ctx *activeContext, in property, members map[string]any) (object, error) {
	o := object{members: members}
	if err := r.deeper(); err != nil {
		return o, err
	}
	if ctx.previous != nil && !keepsContext(ctx, members) {
		ctx = ctx.previous
	}
	var err error
	if ctx, err = r.within(ctx, in, true); err != nil {
		return o, err
	}
	if local, ok := members["@context"]; ok {
		r.push("@context")
		if s, isString := local.(string); isString {
			ctx, err = r.byURL(ctx, s)
		} else {
			ctx, err = r.process(ctx, local, false, true)
		}
		if err != nil {
			return o, err
		}
		r.pop()
	}
	o.ctx, o.typeCtx = ctx, ctx

	base := r.sortKeys(members)
	start := len(r.entries)
	types := len(r.keys) // types follow the names on the stack
	for _, name := range r.keys[base:types] {
		kw, t := ctx.lookup(name)
		r.entries = append(r.entries, entry{name: name, keyword: kw, term: t})
		o.kinds |= 1 << kw
		if kw == kwType {
			r.keys = appendTypes(r.keys, members[name])
		}
	}
	if len(r.keys) > types {
		slices.Sort(r.keys[types:])
		for i := types; i < len(r.keys); i++ {
			if t := o.typeCtx.terms[r.keys[i]]; t != nil && t.isScoped {
				if o.ctx, err = r.byTerm(o.ctx, t, true); err != nil {
					return o, err
				}
			}
		}
	}
	r.dropKeys(base)
	o.entries = r.entries[start:]
	if o.ctx != o.typeCtx {
		o.kinds = 0
		for i := range o.entries {
			e := &o.entries[i]
			e.keyword, e.term = o.ctx.lookup(e.name)
			o.kinds |= 1 << e.keyword
		}
	}
	return o, nil
}

// within is the context that holds for the values of a property. A property whose own context gives it another meaning
// is read differently by different implementations; only a null context, which empties the ground for an object that
// brings its own, is common.
func (r *run) within(ctx *activeContext, p property, isObject bool) (*activeContext, error) {
	if p.term == nil || !p.term.isScoped {
		return ctx, nil
	}
	inner, err := r.byTerm(ctx, p.term, false)
	if err != nil {
		return nil, err
	}
	if t := inner.terms[p.name]; t != p.term && (t != nil || !isObject || p.term.container&inList != 0) {
		return nil, r.failUnsupported(p.name, "a property that its own context redefines")
	}
	return inner, nil
}

func (r *run) close(o *object) {
	r.entries = r.entries[:len(r.entries)-len(o.entries)]
	r.depth--
}

func appendTypes(types []string, v any) []string {
	switch v := v.(type) {
	case string:
		return append(types, v)
	case []any:
		for _, item := range v {
			if s, ok := item.(string); ok {
				types = append(types, s)
			}
		}
	}
	return types
}

// keepsContext reports whether an object stays within a type-scoped context: values and bare references do.
func keepsContext(ctx *activeContext, members map[string]any) bool {
	for name := range members {
		kw, _ := ctx.lookup(name)
		if kw == kwValue || kw == kwID && len(members) == 1 {
			return true
		}
	}
	return false
}

// document is the outermost object.
func (r *run) document(doc map[string]any) error {
	o, err := r.open(r.processor.root, property{}, doc)
	if err != nil {
		return err
	}
	defer r.close(&o)
	if o.has(kwGraph) {
		graphs, others := 0, 0
		for _, e := range o.entries {
			switch e.keyword {
			case kwGraph:
				graphs++
			case kwContext:
			default:
				others++
			}
		}
		if graphs == 1 && others == 0 { // then it is no graph of its own but a way to list several nodes
			for _, e := range o.entries {
				if e.keyword == kwGraph {
					r.push(e.name)
					err = r.graph(o.ctx, doc[e.name], Term{})
					r.pop()
				}
			}
			return err
		}
	}
	return r.freeNode(&o, Term{})
}

// graph is the content of @graph.
func (r *run) graph(ctx *activeContext, v any, graph Term) error {
	switch v := v.(type) {
	case []any:
		if err := r.deeper(); err != nil {
			return err
		}
		for i, item := range v {
			r.pushIndex(i)
			if err := r.graph(ctx, item, graph); err != nil {
				return err
			}
			r.pop()
		}
		r.depth--
		return nil
	case map[string]any:
		o, err := r.open(ctx, property{}, v)
		if err != nil {
			return err
		}
		defer r.close(&o)
		return r.freeNode(&o, graph)
	}
	return r.failDropped("a value that belongs to no property")
}

// freeNode is an object that no property leads to.
func (r *run) freeNode(o *object, graph Term) error {
	if o.has(kwValue) || o.has(kwList) || o.has(kwSet) {
		return r.failDropped("a value that belongs to no property")
	}
	before := len(r.quads)
	if _, err := r.node(o, graph); err != nil {
		return err
	}
	if len(r.quads) == before {
		return r.failDropped("an object that says nothing")
	}
	return nil
}

func (r *run) failDropped(what string) error {
	return r.fail(CodeDropped, "", what+" would be left out of what is signed", "Remove it.")
}

// node is an object that stands for a thing; the answer is its name.
func (r *run) node(o *object, graph Term) (Term, error) {
	subject := Term{}
	for i := range o.entries {
		e := &o.entries[i]
		if e.keyword != kwID {
			continue
		}
		r.push(e.name)
		if subject.Kind != None {
			return subject, r.fail(CodeInvalid, e.name, "the object has two ids", "Keep one.")
		}
		id, ok := o.members[e.name].(string)
		if !ok {
			return subject, r.fail(CodeInvalid, e.name, "the id is not a string", "Write an absolute IRI.")
		}
		var err error
		if subject, err = r.reference(o.ctx, id, false); err != nil {
			return subject, err
		}
		r.pop()
	}
	if subject.Kind == None {
		subject = r.newBlank()
	}
	// Types go first: a wrong one explains why the members that it should define are unknown.
	for _, types := range []bool{true, false} {
		for i := range o.entries {
			e := &o.entries[i]
			if e.keyword == kwID || e.keyword == kwContext || (e.keyword == kwType) != types {
				continue
			}
			r.push(e.name)
			if err := r.member(o, e, subject, graph); err != nil {
				return subject, err
			}
			r.pop()
		}
	}
	return subject, nil
}

// member is one member of a node.
func (r *run) member(o *object, e *entry, subject, graph Term) error {
	v := o.members[e.name]
	switch e.keyword {
	case noKeyword:
		return r.property(o.ctx, e, v, subject, graph)
	case kwType:
		return r.types(o.typeCtx, v, subject, graph)
	case kwGraph:
		return r.graph(o.ctx, v, subject)
	case kwIndex, kwReverse, kwNest, kwIncluded:
		return r.failUnsupported(e.name, e.name)
	}
	return r.fail(CodeInvalid, e.name, fmt.Sprintf("%q has no meaning in this object", brief(e.name)), "Remove it.")
}

func (r *run) failUnsupported(term, feature string) error {
	return r.fail(CodeUnsupported, term, fmt.Sprintf("the JSON-LD feature %s is not supported", brief(feature)), "Write the document without it.")
}

func (r *run) types(ctx *activeContext, v any, subject, graph Term) error {
	items, isArray := v.([]any)
	if !isArray {
		items = []any{v}
	}
	for i, item := range items {
		if isArray {
			r.pushIndex(i)
		}
		name, ok := item.(string)
		if !ok {
			return r.fail(CodeInvalid, "@type", "a type is not a string", "Write the name of a type that the contexts define.")
		}
		t, err := r.typeOf(ctx, name)
		if err != nil {
			return err
		}
		if err := r.emit(Quad{Subject: subject, Predicate: Term{Kind: IRI, Value: rdfType}, Object: t, Graph: graph}); err != nil {
			return err
		}
		if isArray {
			r.pop()
		}
	}
	return nil
}

func (r *run) typeOf(ctx *activeContext, name string) (Term, error) {
	if t := ctx.terms[name]; t != nil && t.wellFormed {
		return Term{Kind: IRI, Value: t.iri}, nil
	}
	iri := ctx.expand(name, true)
	switch {
	case strings.HasPrefix(iri, "_:"):
		return r.blank(iri), nil
	case schemeEnd(iri) < 0:
		return Term{}, r.fail(CodeUndefinedType, name, fmt.Sprintf("the type %q is not defined by any context", brief(name)),
			"Add the context that defines it, or remove the type.")
	case !validIRI(iri):
		return Term{}, r.failIRI(name, iri)
	}
	return Term{Kind: IRI, Value: iri}, nil
}

func (r *run) failIRI(term, iri string) error {
	return r.fail(CodeInvalidIRI, term, fmt.Sprintf("%q is not a valid IRI", brief(iri)), "Percent-encode what an IRI cannot contain.")
}

// reference is the node that an id names.
func (r *run) reference(ctx *activeContext, id string, vocab bool) (Term, error) {
	iri := ctx.expand(id, vocab)
	if strings.HasPrefix(iri, "_:") {
		return r.blank(iri), nil
	}
	if schemeEnd(iri) < 0 && vocab {
		return Term{}, r.fail(CodeUndefinedTerm, id, fmt.Sprintf("the value %q is neither a defined term nor an absolute IRI", brief(id)),
			"Add the context that defines it, or write an absolute IRI.")
	}
	if schemeEnd(iri) < 0 {
		return Term{}, r.fail(CodeRelativeIRI, id, fmt.Sprintf("%q is not an absolute IRI", brief(id)),
			"Write an absolute id, such as https://… or urn:uuid:….")
	}
	if !validIRI(iri) {
		return Term{}, r.failIRI(id, iri)
	}
	return Term{Kind: IRI, Value: iri}, nil
}

// property is a member that the contexts define.
func (r *run) property(ctx *activeContext, e *entry, v any, subject, graph Term) error {
	t := e.term
	var iri string
	switch {
	case t != nil && t.beyond != "":
		return r.failUnsupported(e.name, t.beyond)
	case t != nil && t.wellFormed:
		iri = t.iri
	case t != nil && t.iri == "":
		return r.failUndefined(e.name)
	default:
		iri = ctx.expand(e.name, true)
		if strings.HasPrefix(iri, "_:") {
			return r.fail(CodeUnsupported, e.name, "a blank node cannot be a property", "Name the property by an IRI.")
		}
		if schemeEnd(iri) < 0 {
			return r.failUndefined(e.name)
		}
		if !validIRI(iri) {
			return r.failIRI(e.name, iri)
		}
	}
	s := sink{subject: subject, predicate: Term{Kind: IRI, Value: iri}, graph: graph}
	p := property{name: e.name, term: t}
	if t != nil {
		if _, err := r.within(ctx, p, t.container&inLanguage == 0); err != nil {
			return err
		}
		switch {
		case t.coerce == asJSON && t.container&^inSet != 0:
			return r.failUnsupported(e.name, "@json in a container")
		case t.coerce == asJSON:
			literal, err := r.jsonLiteral(v)
			if err != nil {
				return err
			}
			return r.put(&s, literal)
		case t.container&inList != 0:
			return r.listMember(ctx, p, v, &s)
		case t.container&inGraph != 0:
			return r.graphs(ctx, p, v, &s)
		case t.container&inLanguage != 0:
			if m, ok := v.(map[string]any); ok {
				return r.languages(ctx, t, m, &s)
			}
		}
	}
	return r.value(ctx, p, v, &s)
}

func (r *run) failUndefined(name string) error {
	return r.fail(CodeUndefinedTerm, name, fmt.Sprintf("the member %q is not defined by any context", brief(name)),
		"Add the context that defines it, or remove the member.")
}

// value is whatever a property may have.
func (r *run) value(ctx *activeContext, p property, v any, s *sink) error {
	switch v := v.(type) {
	case nil:
		return r.failDropped("null")
	case []any:
		if err := r.deeper(); err != nil {
			return err
		}
		for i, item := range v {
			r.pushIndex(i)
			var err error
			if inner, ok := item.([]any); ok && s.list != nil {
				if p.term == nil || p.term.container&inList == 0 { // here some flatten, some nest
					return r.failUnsupported(p.name, "arrays within @list")
				}
				err = r.list(ctx, p, inner, s)
			} else {
				err = r.value(ctx, p, item, s)
			}
			if err != nil {
				return err
			}
			r.pop()
		}
		r.depth--
		return nil
	case map[string]any:
		return r.objectValue(ctx, p, v, s)
	}
	t, err := r.scalar(ctx, p, v)
	if err != nil {
		return err
	}
	return r.put(s, t)
}

// scalar is the Value Expansion algorithm. JSON-LD 1.1 API, 5.3.2.
func (r *run) scalar(ctx *activeContext, p property, v any) (Term, error) {
	ctx, err := r.within(ctx, p, false)
	if err != nil {
		return Term{}, err
	}
	t := p.term
	s, isString := v.(string)
	if t == nil {
		if isString {
			return r.text(s, ctx.language, ctx.direction)
		}
		return r.literal(v, "")
	}
	switch t.coerce {
	case asID, asVocab:
		if isString {
			return r.reference(ctx, s, t.coerce == asVocab)
		}
	case asTyped:
		return r.literal(v, t.datatype)
	case asJSON: // within a list whose property means JSON outside of it
		return r.jsonLiteral(v)
	default:
		if isString {
			language, direction := ctx.language, ctx.direction
			if t.ownLang {
				language = t.language
			}
			if t.ownDir {
				direction = t.direction
			}
			return r.text(s, language, direction)
		}
	}
	return r.literal(v, "")
}

// objectValue is an object as a property's value: a literal, a list, a set or a node.
func (r *run) objectValue(ctx *activeContext, p property, members map[string]any, s *sink) error {
	o, err := r.open(ctx, p, members)
	if err != nil {
		return err
	}
	defer r.close(&o)
	return r.opened(&o, p, s)
}

func (r *run) opened(o *object, p property, s *sink) error {
	switch {
	case o.has(kwValue):
		t, err := r.valueObject(o)
		if err != nil {
			return err
		}
		return r.put(s, t)
	case o.has(kwList), o.has(kwSet):
		return r.collection(o, p, s)
	}
	t, err := r.node(o, s.graph)
	if err != nil {
		return err
	}
	return r.put(s, t)
}

// collection is an object with @list or @set, which has no other members.
func (r *run) collection(o *object, p property, s *sink) error {
	// Its items are read under its own context, and so is the property that they belong to.
	within := property{name: p.name, term: o.ctx.terms[p.name]}
	var content *entry
	for i := range o.entries {
		e := &o.entries[i]
		switch {
		case e.keyword == kwContext:
		case content == nil && (e.keyword == kwList || e.keyword == kwSet):
			content = e
		default:
			r.push(e.name)
			return r.fail(CodeInvalid, e.name, "a list or set has other members", "Keep @list or @set alone.")
		}
	}
	r.push(content.name)
	defer r.pop()
	v := o.members[content.name]
	if content.keyword == kwSet {
		if s.list != nil {
			return r.fail(CodeUnsupported, "@set", "a set inside a list is not supported", "Write its items into the list.")
		}
		return r.value(o.ctx, within, v, s)
	}
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	return r.list(o.ctx, within, items, s)
}

// listMember is the value of a property whose values are a list.
func (r *run) listMember(ctx *activeContext, p property, v any, s *sink) error {
	switch v := v.(type) {
	case []any:
		return r.list(ctx, p, v, s)
	case map[string]any:
		o, err := r.open(ctx, p, v)
		if err != nil {
			return err
		}
		defer r.close(&o)
		if o.has(kwList) { // already a list
			return r.collection(&o, p, s)
		}
		var terms []Term
		if err := r.opened(&o, p, &sink{graph: s.graph, list: &terms}); err != nil {
			return err
		}
		return r.chain(terms, s)
	}
	return r.list(ctx, p, []any{v}, s)
}

// list is a list with its items still to be read.
func (r *run) list(ctx *activeContext, p property, items []any, s *sink) error {
	var terms []Term
	if err := r.value(ctx, p, items, &sink{graph: s.graph, list: &terms}); err != nil {
		return err
	}
	return r.chain(terms, s)
}

// chain links the items of a list by cells. JSON-LD 1.1 API, 8.3.2 (List to RDF Conversion).
func (r *run) chain(terms []Term, s *sink) error {
	head := Term{Kind: IRI, Value: rdfNil}
	for i := len(terms) - 1; i >= 0; i-- {
		cell := r.newBlank()
		if err := r.emit(Quad{cell, Term{Kind: IRI, Value: rdfFirst}, terms[i], s.graph}); err != nil {
			return err
		}
		if err := r.emit(Quad{cell, Term{Kind: IRI, Value: rdfRest}, head, s.graph}); err != nil {
			return err
		}
		head = cell
	}
	return r.put(s, head)
}

// graphs puts each value of a property into a graph of its own, as proofs and embedded credentials are.
func (r *run) graphs(ctx *activeContext, p property, v any, s *sink) error {
	switch v := v.(type) {
	case []any:
		if err := r.deeper(); err != nil {
			return err
		}
		for i, item := range v {
			r.pushIndex(i)
			if err := r.graphs(ctx, p, item, s); err != nil {
				return err
			}
			r.pop()
		}
		r.depth--
		return nil
	case map[string]any:
		o, err := r.open(ctx, p, v)
		if err != nil {
			return err
		}
		defer r.close(&o)
		if o.has(kwGraph) {
			return r.failUnsupported("@graph", "@graph within a graph container")
		}
		graph := r.newBlank()
		if err := r.put(s, graph); err != nil {
			return err
		}
		return r.freeNode(&o, graph)
	}
	return r.fail(CodeDropped, p.name, fmt.Sprintf("the value of %q is not an object and would be left out of what is signed", brief(p.name)), "Write the object itself.")
}

// languages is a language map. JSON-LD 1.1, 4.6.2 (Language Indexing).
func (r *run) languages(ctx *activeContext, t *term, m map[string]any, s *sink) error {
	base := r.sortKeys(m)
	defer r.dropKeys(base)
	end := len(r.keys)
	for i := base; i < end; i++ {
		name := r.keys[i]
		r.push(name)
		language := ""
		if ctx.expand(name, true) != "@none" {
			if !validLanguage(name) {
				return r.fail(CodeInvalid, name, fmt.Sprintf("%q is not a language tag", brief(name)), "Write a tag such as en or pt-BR.")
			}
			language = strings.ToLower(name)
		}
		direction := ctx.direction
		if t.ownDir {
			direction = t.direction
		}
		texts, isArray := m[name].([]any)
		if !isArray {
			texts = []any{m[name]}
		}
		for _, text := range texts {
			text, ok := text.(string)
			if !ok {
				return r.fail(CodeInvalid, name, "a text in a language map is not a string", "Write strings only.")
			}
			literal, err := r.text(text, language, direction)
			if err != nil {
				return err
			}
			if err := r.put(s, literal); err != nil {
				return err
			}
		}
		r.pop()
	}
	return nil
}

// valueObject is an object with @value. JSON-LD 1.1, 9.5 (Value Objects).
func (r *run) valueObject(o *object) (Term, error) {
	var value any
	var language, datatype string
	var isJSON, hasType bool
	var direction string
	seen := uint16(0)
	for i := range o.entries {
		e := &o.entries[i]
		if e.keyword == kwContext {
			continue
		}
		r.push(e.name)
		if seen&(1<<e.keyword) != 0 && e.keyword != noKeyword {
			return Term{}, r.fail(CodeInvalid, e.name, fmt.Sprintf("%q stands twice in a value", brief(e.name)), "Keep one.")
		}
		seen |= 1 << e.keyword
		v := o.members[e.name]
		s, isString := v.(string)
		switch e.keyword {
		case kwValue:
			value = v
		case kwLanguage:
			if !isString || !validLanguage(s) {
				return Term{}, r.fail(CodeInvalid, e.name, "the language is not a language tag", "Write a tag such as en or pt-BR.")
			}
			language = strings.ToLower(s)
		case kwType:
			hasType = true
			if !isString {
				return Term{}, r.fail(CodeInvalid, e.name, "the type of a value is not a string", "Write one datatype.")
			}
			if o.typeCtx.expand(s, true) == "@json" {
				isJSON = true
				break
			}
			t, err := r.typeOf(o.typeCtx, s)
			if err != nil {
				return Term{}, err
			}
			if t.Kind != IRI {
				return Term{}, r.failIRI(s, s)
			}
			datatype = t.Value
		case kwDirection:
			if s != "ltr" && s != "rtl" {
				return Term{}, r.fail(CodeInvalid, e.name, "@direction is neither ltr nor rtl", "Write ltr or rtl.")
			}
			if _, err := r.text("", "", s); err != nil {
				return Term{}, err
			}
			direction = s
		case kwIndex:
			return Term{}, r.failUnsupported(e.name, e.name)
		default:
			return Term{}, r.fail(CodeInvalid, e.name, fmt.Sprintf("%q has no meaning beside @value", brief(e.name)), "Remove it.")
		}
		r.pop()
	}
	_, isText := value.(string)
	switch value := value.(type) {
	case nil:
		if !isJSON {
			return Term{}, r.failDropped("null")
		}
	case map[string]any, []any:
		if !isJSON {
			return Term{}, r.fail(CodeInvalid, "@value", "the value is an object or an array", "Write a string, a number or a boolean.")
		}
	case string:
		if (language != "" || direction != "") && !hasType {
			return r.text(value, language, direction)
		}
	}
	switch {
	case direction != "" && (hasType || !isText):
		return Term{}, r.fail(CodeInvalid, "@direction", "only a string without a type can have a direction", "Remove @direction or @type.")
	case language != "":
		return Term{}, r.fail(CodeInvalid, "@language", "only a string without a type can have a language", "Remove @language or @type.")
	case isJSON:
		return r.jsonLiteral(value)
	}
	return r.literal(value, datatype)
}
