package jsonld

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// table is an active context made ready for [Processor.direct]: what each member name and type means, with the N-Quads
// text that it becomes. The general processor makes the context, so that both ways give words one meaning. A table is
// made once and then only read; the tables that follow from it are added as documents ask for them.
type table struct {
	ctx      *activeContext
	members  strictjson.Index[*member]
	types    strictjson.Index[*typeName]
	id, kind meaning // of the members id and type
	usable   bool    // nothing in it needs the general processor everywhere
	prefixes bool    // some term can be a prefix of compact IRIs
	previous *table  // of ctx.previous, or nil

	// What follows from this one. A nil table says that the general processor must be asked.
	urls       follow[string]
	typed      follow[*term]
	properties follow[*term] // of objects
	scalars    follow[*term]
}

// meaning is what the direct way makes of a member.
type meaning uint8

const (
	asGeneral meaning = iota // it leaves the document to the general processor
	asNodeID
	asNodeType
	asProperty
)

// member is what a member name means in a table.
type member struct {
	name      string
	meaning   meaning
	coerce    coercion
	container container
	scoped    bool
	datatype  string // of a literal
	suffix    string // of a literal in N-Quads, such as ^^<…>
	predicate string // <…> and a space
	term      *term
}

// typeName is what a type means in a table.
type typeName struct {
	text string // <…>
	term *term
}

// follow is a map that is read without a lock and copied to be written.
type follow[K comparable] struct{ entries atomic.Pointer[map[K]*table] }

func (f *follow[K]) get(k K) (t *table, known bool) {
	if entries := f.entries.Load(); entries != nil {
		t, known = (*entries)[k]
	}
	return t, known
}

// maxTables bounds what combinations of contexts and types can make the tables grow to. The credentials of every edition
// of Open Badges need about a hundred.
const maxTables = 2048

// tables makes the tables of a processor.
type tables struct {
	mu    sync.Mutex
	made  map[*activeContext]*table
	steps int
	root  *table
}

func (ts *tables) init(root *activeContext) {
	ts.made = make(map[*activeContext]*table)
	ts.root = ts.of(root)
}

// add notes what follows from a table by k. It is nil where there is no such context, or no room for more.
func add[K comparable](p *Processor, f *follow[K], k K, build func(r *run) (*activeContext, error)) *table {
	ts := &p.tables
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t, known := f.get(k); known {
		return t
	}
	if ts.steps++; ts.steps > maxTables {
		return nil
	}
	r := run{processor: p, definitions: maxDefinitions}
	var t *table
	if ctx, err := build(&r); err == nil && ctx.shared {
		if t = ts.of(ctx); !t.usable {
			t = nil
		}
	}
	entries := map[K]*table{k: t}
	if old := f.entries.Load(); old != nil {
		for k, t := range *old {
			entries[k] = t
		}
	}
	f.entries.Store(&entries)
	return t
}

// of is the table of a context. The caller holds the lock.
func (ts *tables) of(ctx *activeContext) *table {
	if t := ts.made[ctx]; t != nil {
		return t
	}
	t := &table{ctx: ctx}
	members, types := make(map[string]*member, len(ctx.terms)), make(map[string]*typeName)
	ts.made[ctx] = t
	t.usable = ctx.language == "" && ctx.direction == "" // else every text would get them
	for name, term := range ctx.terms {
		if term.keyword != noKeyword && strings.Contains(name, ":") { // it would be found where IRIs are
			t.usable = false
		}
		t.prefixes = t.prefixes || term.prefix
		if term.wellFormed {
			types[name] = &typeName{text: "<" + term.iri + ">", term: term}
		}
		m := memberOf(name, term)
		members[name] = &m
	}
	t.members, t.types = strictjson.NewIndex(members), strictjson.NewIndex(types)
	t.id, t.kind = t.meaningOf("id"), t.meaningOf("type")
	if ctx.previous != nil {
		t.previous = ts.of(ctx.previous)
		t.usable = t.usable && t.previous.usable
	}
	return t
}

// memberOf is what a term means. Other aliases than those that every published context has, and features that
// credentials do not use, are left to the general processor.
func memberOf(name string, t *term) member {
	switch {
	case t.keyword == kwID && name == "id":
		return member{meaning: asNodeID}
	case t.keyword == kwType && name == "type":
		return member{meaning: asNodeType}
	case !t.wellFormed, t.beyond != "", t.ownLang, t.ownDir, t.coerce == asJSON, t.container&inLanguage != 0:
		return member{}
	case t.coerce == asTyped && t.datatype == xsdDouble: // texts must be canonical there
		return member{}
	}
	m := member{name: name, meaning: asProperty, coerce: t.coerce, container: t.container, scoped: t.isScoped, predicate: "<" + t.iri + "> ", term: t}
	if t.coerce == asTyped {
		m.datatype = t.datatype
		if t.datatype != xsdString {
			m.suffix = "^^<" + t.datatype + ">"
		}
	}
	return m
}

// meaningOf tells what a member name means.
func (t *table) meaningOf(name string) meaning {
	if m := t.members.At(name); m != nil {
		return m.meaning
	}
	return asGeneral
}

// byURL is the table under an embedded context, or nil.
func (p *Processor) byURL(t *table, url string) *table {
	next, known := t.urls.get(url)
	if known {
		return next
	}
	if _, embedded := loaders[url]; !embedded {
		return nil // not worth remembering
	}
	return add(p, &t.urls, url, func(r *run) (*activeContext, error) { return r.byURL(t.ctx, url) })
}

// byType is the table in objects of a type with a context of its own, or nil.
func (p *Processor) byType(t *table, of *term) *table {
	next, known := t.typed.get(of)
	if known {
		return next
	}
	return add(p, &t.typed, of, func(r *run) (*activeContext, error) { return r.byTerm(t.ctx, of, true) })
}

// byProperty is the table that holds for the values of a property with a context of its own, or nil.
func (p *Processor) byProperty(t *table, m *member, object bool) *table {
	f := &t.scalars
	if object {
		f = &t.properties
	}
	next, known := f.get(m.term)
	if known {
		return next
	}
	return add(p, f, m.term, func(r *run) (*activeContext, error) {
		return r.within(t.ctx, property{name: m.name, term: m.term}, object)
	})
}

// contexts is the table under the @context of an object, or nil.
func (p *Processor) contexts(t *table, local *strictjson.Node) *table {
	switch local.Kind {
	case strictjson.String:
		return p.byURL(t, local.Text)
	case strictjson.Array:
		for item := local.First(); item != nil; item = item.Next() {
			if item.Kind != strictjson.String {
				return nil
			}
			if t = p.byURL(t, item.Text); t == nil {
				return nil
			}
		}
		return t
	}
	return nil
}

// names reports whether the general processor would take s, which is to be an IRI, as it stands.
func (t *table) names(s string) bool {
	i := strings.IndexByte(s, ':')
	if i <= 0 || s[0] == '@' || s[0] == '_' {
		return false
	}
	if t.prefixes && !strings.HasPrefix(s[i+1:], "//") {
		if p := t.ctx.terms[s[:i]]; p != nil && p.prefix {
			return false
		}
	}
	return validIRI(s)
}
