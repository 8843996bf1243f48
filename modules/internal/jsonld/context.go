package jsonld

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// keyword is a JSON-LD keyword that may stand in a document, or one of those that only contexts use.
type keyword uint8

const (
	noKeyword keyword = iota
	kwContext
	kwID
	kwType
	kwValue
	kwLanguage
	kwDirection
	kwList
	kwSet
	kwGraph
	kwIndex
	kwReverse
	kwNest
	kwIncluded
	kwOther // of contexts and framing: no member of a document
)

var keywords = map[string]keyword{
	"@context": kwContext, "@id": kwID, "@type": kwType, "@value": kwValue, "@language": kwLanguage,
	"@direction": kwDirection, "@list": kwList, "@set": kwSet, "@graph": kwGraph, "@index": kwIndex,
	"@reverse": kwReverse, "@nest": kwNest, "@included": kwIncluded,
	"@base": kwOther, "@container": kwOther, "@import": kwOther, "@json": kwOther, "@none": kwOther, "@prefix": kwOther,
	"@propagate": kwOther, "@protected": kwOther, "@version": kwOther, "@vocab": kwOther,
	"@default": kwOther, "@embed": kwOther, "@explicit": kwOther, "@omitDefault": kwOther, "@requireAll": kwOther, "@preserve": kwOther,
}

// coercion is what a term's @type says about its values.
type coercion uint8

const (
	asIs coercion = iota
	asID
	asVocab
	asJSON
	asPlain // @none
	asTyped // datatype
)

// container is a set of the container words that this package acts upon.
type container uint8

const (
	inList container = 1 << iota
	inSet
	inLanguage
	inGraph
)

// term is a term definition. It never changes once its context is complete.
type term struct {
	iri        string // absolute IRI or keyword; empty if the context sets the term to null
	keyword    keyword
	wellFormed bool // iri is one that RDF can carry
	coerce     coercion
	datatype   string
	container  container
	language   string
	direction  string
	ownLang    bool // language overrides the default, even if empty
	ownDir     bool
	prefix     bool
	protected  bool
	isScoped   bool
	scoped     any    // the local context of type or property
	beyond     string // the feature that this package does not support, or empty
}

// same reports whether two definitions differ in nothing but their protection.
func (t *term) same(o *term) bool {
	a, b := *t, *o
	a.scoped, b.scoped, a.protected, b.protected = nil, nil, false, false
	return a == b && reflect.DeepEqual(t.scoped, o.scoped)
}

// activeContext is what the members of an object mean. It never changes once it is complete, so that its address can
// stand for it in a memo.
type activeContext struct {
	terms     map[string]*term
	vocab     string
	language  string
	direction string
	previous  *activeContext // to which nodes below a type-scoped context return
	protects  bool           // some term is protected
	shared    bool           // made of embedded contexts alone, hence worth remembering beyond one document
}

// lookup tells what a member name is: a keyword or its alias, a term, or neither.
func (c *activeContext) lookup(name string) (keyword, *term) {
	if name != "" && name[0] == '@' {
		return keywords[name], nil
	}
	if t := c.terms[name]; t != nil {
		return t.keyword, t
	}
	return noKeyword, nil
}

// keywordForm reports whether s looks like a keyword. JSON-LD 1.1, 9.16: such words are reserved.
func keywordForm(s string) bool {
	if len(s) < 2 || s[0] != '@' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// origin identifies a context by how it came to be.
type origin struct {
	from  *activeContext
	url   string
	term  *term
	typed bool // type-scoped, else property-scoped
}

// byURL is active extended by an embedded context.
func (r *run) byURL(active *activeContext, url string) (*activeContext, error) {
	load, known := loaders[url]
	if !known {
		return nil, r.fail(CodeUnknownContext, url, fmt.Sprintf("the context %q is not known", brief(url)),
			"Use one of the embedded contexts, or write the definitions inline; contexts are never fetched.")
	}
	return r.remember(origin{from: active, url: url}, func() (*activeContext, error) {
		local, err := load()
		if err != nil {
			return nil, err
		}
		return r.process(active, local, false, true)
	})
}

// byTerm is active extended by the context that a type or a property brings along.
func (r *run) byTerm(active *activeContext, t *term, typed bool) (*activeContext, error) {
	return r.remember(origin{from: active, term: t, typed: typed}, func() (*activeContext, error) {
		return r.process(active, t.scoped, !typed, !typed)
	})
}

// remember answers from the memo of the processor or of this run, or builds, away from the place in the document.
func (r *run) remember(o origin, build func() (*activeContext, error)) (*activeContext, error) {
	if o.from.shared {
		if c := r.processor.memo.get(o); c != nil {
			return c, nil
		}
	} else if c := r.memo[o]; c != nil {
		return c, nil
	}
	r.away++
	c, err := build()
	r.away--
	if err != nil {
		return nil, err
	}
	if o.from.shared {
		r.processor.memo.put(o, c)
	} else {
		if r.memo == nil {
			r.memo = make(map[origin]*activeContext)
		}
		r.memo[o] = c
	}
	return c, nil
}

// process is the Context Processing Algorithm. JSON-LD 1.1 API, 4.1.2.
func (r *run) process(active *activeContext, local any, override, propagate bool) (*activeContext, error) {
	if object, ok := local.(map[string]any); ok {
		if p, ok := object["@propagate"]; ok {
			if propagate, ok = p.(bool); !ok {
				return nil, r.failContext("@propagate", "@propagate is neither true nor false")
			}
		}
	}
	previous := active.previous
	if !propagate && previous == nil {
		previous = active
	}
	items, isArray := local.([]any)
	if !isArray {
		items = []any{local}
	}
	result := active
	for i, item := range items {
		if isArray && r.away == 0 {
			r.pushIndex(i)
		}
		if err := r.spend(1); err != nil {
			return nil, err
		}
		switch item := item.(type) {
		case nil:
			if !override && result.protects {
				return nil, r.fail(CodeProtectedTerm, "null", "a null context would erase protected terms", "Remove the null.")
			}
			if !propagate {
				return nil, r.fail(CodeUnsupported, "null", "a null context that does not propagate is not supported", "Remove the null.")
			}
			result, previous = r.processor.root, nil
		case string:
			next, err := r.byURL(result, item)
			if err != nil {
				return nil, err
			}
			result = next
		case map[string]any:
			if _, ok := item["@propagate"]; ok && isArray && len(items) > 1 {
				return nil, r.fail(CodeUnsupported, "@propagate", "@propagate in a list of contexts is not supported", "Remove it.")
			}
			next, err := r.extend(result, item, override)
			if err != nil {
				return nil, err
			}
			result = next
		default:
			return nil, r.failContext("@context", "a context is neither an object, a URL nor null")
		}
		if isArray && r.away == 0 {
			r.pop()
		}
	}
	if result.previous != previous {
		c := *result
		c.previous = previous
		c.shared = c.shared && (previous == nil || previous.shared)
		result = &c
	}
	return result, nil
}

// extend adds one context object to active.
func (r *run) extend(active *activeContext, local map[string]any, override bool) (*activeContext, error) {
	if err := r.spend(len(active.terms) + len(local)); err != nil {
		return nil, err
	}
	c := *active
	c.terms = maps.Clone(active.terms)
	if c.terms == nil {
		c.terms = make(map[string]*term, len(local))
	}
	c.shared = active.shared && r.away > 0
	d := definer{run: r, ctx: &c, local: local, override: override, state: make(map[string]bool, len(local)), path: r.path}
	defer func() { r.path = d.path }()
	if err := d.settings(); err != nil {
		return nil, err
	}
	base := r.sortKeys(local)
	defer r.dropKeys(base)
	for _, name := range r.keys[base:] {
		switch name {
		case "@base", "@direction", "@import", "@language", "@propagate", "@protected", "@version", "@vocab":
			continue
		}
		if err := d.define(name); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// definer builds one active context out of one context object.
type definer struct {
	run      *run
	ctx      *activeContext
	local    map[string]any
	override bool            // a property-scoped context may redefine protected terms
	protects bool            // the context says @protected
	state    map[string]bool // false: begun; true: done
	path     []step          // of the context
}

// settings reads what a context says beside its terms.
func (d *definer) settings() error {
	r, c := d.run, d.ctx
	if v, ok := d.local["@version"]; ok {
		if n, ok := number(v); !ok || n != 1.1 {
			return r.failContext("@version", "@version is not 1.1")
		}
	}
	if _, ok := d.local["@import"]; ok {
		return r.fail(CodeUnsupported, "@import", "@import is not supported", "List the imported context before this one.")
	}
	// VC Data Integrity signs documents without a base, so that an id means the same wherever the document lies.
	if v, ok := d.local["@base"]; ok && v != nil {
		return r.fail(CodeUnsupported, "@base", "a base IRI would change the meaning of ids", "Remove @base and write absolute ids.")
	}
	if v, ok := d.local["@vocab"]; ok {
		if v == nil {
			c.vocab = ""
		} else {
			s, isString := v.(string)
			iri := c.expand(s, true) // as the contexts before this one have it
			if !isString || !validIRI(iri) {
				return r.failContext("@vocab", "@vocab is not an absolute IRI")
			}
			c.vocab = iri
		}
	}
	if v, ok := d.local["@language"]; ok {
		s, isString := v.(string)
		if v != nil && (!isString || !validLanguage(s)) {
			return r.failContext("@language", "@language is not a language tag")
		}
		c.language = strings.ToLower(s)
	}
	if v, ok := d.local["@direction"]; ok {
		s, isString := v.(string)
		if v != nil && (!isString || s != "ltr" && s != "rtl") {
			return r.failContext("@direction", "@direction is neither ltr nor rtl")
		}
		c.direction = s
	}
	if v, ok := d.local["@protected"]; ok {
		if d.protects, ok = v.(bool); !ok {
			return r.failContext("@protected", "@protected is neither true nor false")
		}
	}
	return nil
}

// define is the Create Term Definition algorithm. JSON-LD 1.1 API, 4.2.2.
func (d *definer) define(name string) error {
	r := d.run
	if done, begun := d.state[name]; begun {
		if done {
			return nil
		}
		return r.failContext(name, fmt.Sprintf("the definition of %q refers to itself", brief(name)))
	}
	d.state[name] = false
	if r.away == 0 { // one definition may have led to another
		defer func(path []step) { r.path = path }(r.path)
		r.path = append(d.path[:len(d.path):len(d.path)], step{name: name, index: -1})
	}
	value := d.local[name]
	if name == "" {
		return r.failContext(name, "a term is empty")
	}
	if name == "@type" {
		return d.defineType(value)
	}
	if keywordForm(name) {
		return r.failContext(name, fmt.Sprintf("%q has the form of a keyword and cannot be defined", brief(name)))
	}
	old := d.ctx.terms[name]
	delete(d.ctx.terms, name)
	t := &term{protected: d.protects}
	var err error
	switch v := value.(type) {
	case nil: // the term is ignored from here on, which a document notices by an error
	case string:
		err = d.mapIRI(t, name, v, true, true)
	case map[string]any:
		err = d.defineObject(t, name, v)
	default:
		err = r.failContext(name, fmt.Sprintf("the definition of %q is neither a string nor an object", brief(name)))
	}
	if err != nil {
		return err
	}
	t.wellFormed = t.keyword == noKeyword && validIRI(t.iri)
	if old != nil && old.protected && !d.override {
		if !t.same(old) {
			return r.fail(CodeProtectedTerm, name, fmt.Sprintf("the term %q is protected and defined anew", brief(name)),
				"Remove the context that defines it again, or choose another name.")
		}
		t = old
	}
	d.ctx.protects = d.ctx.protects || t.protected
	d.ctx.terms[name] = t
	d.state[name] = true
	return nil
}

// defineType allows what JSON-LD 1.1 allows of a definition of @type: it concerns compaction alone.
func (d *definer) defineType(value any) error {
	object, ok := value.(map[string]any)
	for k, v := range object {
		switch k {
		case "@container":
			ok = ok && v == "@set"
		case "@protected":
			_, isBool := v.(bool)
			ok = ok && isBool
		default:
			ok = false
		}
	}
	if !ok || len(object) == 0 {
		return d.run.failContext("@type", "the keyword @type is redefined")
	}
	d.state["@type"] = true
	return nil
}

// defineObject reads an expanded term definition.
func (d *definer) defineObject(t *term, name string, def map[string]any) error {
	r := d.run
	unknown, found := "", false
	for k := range def {
		switch k {
		case "@id", "@reverse", "@container", "@context", "@direction", "@index", "@language", "@nest", "@prefix", "@protected", "@type":
		default:
			if !found || k < unknown { // the answer must not differ from one time to the next
				unknown, found = k, true
			}
		}
	}
	if found {
		return r.failContext(name, fmt.Sprintf("the definition of %q contains %q", brief(name), brief(unknown)))
	}
	if v, ok := def["@protected"]; ok {
		if t.protected, ok = v.(bool); !ok {
			return r.failContext(name, "@protected is neither true nor false")
		}
	}
	if err := d.coerce(t, name, def); err != nil {
		return err
	}
	for _, feature := range []string{"@reverse", "@index", "@nest"} {
		if v, ok := def[feature]; ok {
			t.beyond += feature + " " + fmt.Sprint(v)
		}
	}
	id, hasID := def["@id"]
	switch id := id.(type) {
	case nil:
		if !hasID && def["@reverse"] == nil {
			if err := d.mapIRI(t, name, "", false, false); err != nil {
				return err
			}
		}
	case string:
		if err := d.mapIRI(t, name, id, true, false); err != nil {
			return err
		}
	default:
		return r.failContext(name, fmt.Sprintf("the @id of %q is not a string", brief(name)))
	}
	if err := d.contain(t, name, def); err != nil {
		return err
	}
	t.scoped, t.isScoped = def["@context"], false
	_, t.isScoped = def["@context"]
	if v, ok := def["@language"]; ok && t.coerce == asIs {
		s, isString := v.(string)
		if v != nil && (!isString || !validLanguage(s)) {
			return r.failContext(name, "@language is not a language tag")
		}
		t.language, t.ownLang = strings.ToLower(s), true
	}
	if v, ok := def["@direction"]; ok && t.coerce == asIs {
		s, isString := v.(string)
		if v != nil && (!isString || s != "ltr" && s != "rtl") {
			return r.failContext(name, "@direction is neither ltr nor rtl")
		}
		t.direction, t.ownDir = s, true
	}
	if v, ok := def["@prefix"]; ok {
		b, isBool := v.(bool)
		if !isBool || strings.ContainsAny(name, ":/") || b && t.keyword != noKeyword {
			return r.failContext(name, fmt.Sprintf("@prefix is not possible for %q", brief(name)))
		}
		t.prefix = b
	}
	return nil
}

func (d *definer) coerce(t *term, name string, def map[string]any) error {
	v, ok := def["@type"]
	if !ok {
		return nil
	}
	s, isString := v.(string)
	if !isString {
		return d.run.failContext(name, fmt.Sprintf("the @type of %q is not a string", brief(name)))
	}
	iri, err := d.expand(s)
	if err != nil {
		return err
	}
	switch iri {
	case "@id":
		t.coerce = asID
	case "@vocab":
		t.coerce = asVocab
	case "@json":
		t.coerce = asJSON
	case "@none":
		t.coerce = asPlain
	default:
		if !validIRI(iri) {
			return d.run.failContext(name, fmt.Sprintf("the @type of %q is not an absolute IRI", brief(name)))
		}
		t.coerce, t.datatype = asTyped, iri
	}
	return nil
}

// mapIRI finds what a term stands for: the IRI its definition gives, or else one that follows from its name.
func (d *definer) mapIRI(t *term, name, id string, given, simple bool) error {
	r := d.run
	if given && id != name {
		if _, isKeyword := keywords[id]; !isKeyword && keywordForm(id) {
			return r.failContext(name, fmt.Sprintf("%q is no keyword", brief(id)))
		}
		iri, err := d.expand(id)
		if err != nil {
			return err
		}
		if kw, isKeyword := keywords[iri]; isKeyword {
			if kw == kwContext {
				return r.failContext(name, "@context cannot have an alias")
			}
			t.iri, t.keyword = iri, kw
			return nil
		}
		if schemeEnd(iri) < 0 && !strings.HasPrefix(iri, "_:") {
			return r.failContext(name, fmt.Sprintf("%q stands for %q, which is no absolute IRI", brief(name), brief(iri)))
		}
		if strings.Contains(name, "/") || strings.Contains(name[1:max(1, len(name)-1)], ":") {
			d.state[name] = true
			again, err := d.expand(name)
			if err != nil {
				return err
			}
			if again != iri {
				return r.failContext(name, fmt.Sprintf("%q stands for another IRI than it says", brief(name)))
			}
		}
		t.iri = iri
		if simple && !strings.ContainsAny(name, ":/") {
			t.prefix = strings.HasPrefix(iri, "_:") || iri != "" && strings.IndexByte(":/?#[]@", iri[len(iri)-1]) >= 0
		}
		return nil
	}
	if i := strings.IndexByte(name, ':'); i > 0 {
		prefix, suffix := name[:i], name[i+1:]
		if _, ok := d.local[prefix]; ok {
			if err := d.define(prefix); err != nil {
				return err
			}
		}
		t.iri = name
		if p := d.ctx.terms[prefix]; p != nil && p.iri != "" {
			t.iri = p.iri + suffix
		}
		return nil
	}
	if d.ctx.vocab == "" {
		return r.failContext(name, fmt.Sprintf("the definition of %q gives no @id", brief(name)))
	}
	t.iri = d.ctx.vocab + name
	return nil
}

func (d *definer) contain(t *term, name string, def map[string]any) error {
	v, ok := def["@container"]
	if !ok {
		return nil
	}
	words, isArray := v.([]any)
	if !isArray {
		words = []any{v}
	}
	for _, w := range words {
		switch w {
		case "@list":
			t.container |= inList
		case "@set":
			t.container |= inSet
		case "@language":
			t.container |= inLanguage
		case "@graph":
			t.container |= inGraph
		case "@id", "@index", "@type":
			t.beyond += "@container " + w.(string)
		default:
			return d.run.failContext(name, fmt.Sprintf("the @container of %q is not one of JSON-LD", brief(name)))
		}
	}
	if alone := t.container &^ inSet; alone&(alone-1) != 0 || t.container == inList|inSet || len(words) == 0 {
		return d.run.failContext(name, fmt.Sprintf("the @container of %q combines what cannot be combined", brief(name)))
	}
	return nil
}

// expand is [activeContext.expand] while terms are still being defined: those needed are defined first.
func (d *definer) expand(value string) (string, error) {
	if _, ok := keywords[value]; ok {
		return value, nil
	}
	need := value
	if _, ok := d.local[need]; !ok {
		var rest string
		if need, rest, _ = strings.Cut(value, ":"); strings.HasPrefix(rest, "//") {
			need = ""
		}
	}
	if _, ok := d.local[need]; ok && need != "" && need[0] != '@' {
		if done, begun := d.state[need]; !begun || !done {
			if err := d.define(need); err != nil {
				return "", err
			}
		}
	}
	return d.ctx.expand(value, true), nil
}

// expand is the IRI Expansion algorithm without a base. JSON-LD 1.1 API, 5.2.2. The answer is a keyword, an absolute
// IRI, "_:" and a label, a relative IRI as it stood, or empty if the context sets the term to null.
func (c *activeContext) expand(value string, vocab bool) string {
	if _, ok := keywords[value]; ok {
		return value
	}
	if keywordForm(value) {
		return ""
	}
	t := c.terms[value]
	if t != nil && (vocab || t.keyword != noKeyword) {
		return t.iri
	}
	if i := strings.IndexByte(value, ':'); i > 0 {
		prefix, suffix := value[:i], value[i+1:]
		if prefix == "_" || strings.HasPrefix(suffix, "//") {
			return value
		}
		if p := c.terms[prefix]; p != nil && p.prefix && p.iri != "" {
			return p.iri + suffix
		}
		if schemeEnd(value) >= 0 {
			return value
		}
	}
	if vocab && c.vocab != "" {
		return c.vocab + value
	}
	return value
}

// brief shortens foreign text for a message.
func brief(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
