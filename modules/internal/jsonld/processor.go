package jsonld

import (
	"crypto"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Processor reads documents. It remembers what the embedded contexts mean, so use one for all. It is safe for concurrent
// use.
type Processor struct {
	root    *activeContext
	memo    memo
	tables  tables
	general bool

	direction  direction
	companions [dropped + 1]func() *Processor // by what they do with text directions
}

// direction is what becomes of the direction of a text. Data Integrity does not say which, and there are implementations
// of each.
type direction byte

const (
	refused direction = iota
	typed             // it is a part of the datatype, and protected
	dropped           // it goes unsaid
)

// New is a Processor that knows the embedded contexts and no others. Documents that use only these go a direct way to
// their canonical form; all others, and all that are refused, take the general one.
func New() *Processor {
	p := &Processor{root: &activeContext{shared: true}}
	p.tables.init(p.root)
	for _, d := range [...]direction{typed, dropped} {
		p.companions[d] = sync.OnceValue(func() *Processor {
			c := New()
			c.general, c.direction = p.general, d
			c.companions[typed], c.companions[dropped] = p.companions[typed], p.companions[dropped]
			return c
		})
	}
	return p
}

// Directed is the same Processor, but for one that takes texts with a direction instead of refusing them with
// [CodeDirection]: their literals have a datatype that names language and direction. This is how most software that signs
// such documents does it.
//
// JSON-LD 1.1 Processing Algorithms and API, 8.2.2 (Object to RDF Conversion): an rdfDirection of i18n-datatype.
func (p *Processor) Directed() *Processor { return p.companions[typed]() }

// Undirected is like [Processor.Directed], but passes over directions. What it canonicalizes does not say that there
// were any: nothing that is signed by it protects them.
//
// JSON-LD 1.1 Processing Algorithms and API, 8.2.2 (Object to RDF Conversion): an rdfDirection of null, which it is unless
// given.
func (p *Processor) Undirected() *Processor { return p.companions[dropped]() }

// NewGeneral is a Processor that knows no direct way. It answers the same as that of [New], slower: it is what the direct
// way is measured by.
func NewGeneral() *Processor {
	p := New()
	p.general = true
	return p
}

// Canonicalize is what a cryptosuite with RDFC-1.0 and SHA-256 hashes: the document, which must not contain its proof, as
// canonical N-Quads. It answers with *[Error], [ErrWorkLimit] being one of them.
func (p *Processor) Canonicalize(doc map[string]any) ([]byte, error) {
	return p.CanonicalizeWith(crypto.SHA256, doc)
}

// CanonicalizeWith is [Processor.Canonicalize] with another hash function inside RDFC-1.0: vc-di-ecdsa, 3.2 asks for
// SHA-384 with keys on the curve P-384.
func (p *Processor) CanonicalizeWith(hash crypto.Hash, doc map[string]any) ([]byte, error) {
	if hash == crypto.SHA256 {
		if w, ok := p.direct(strictjson.NodeOf(doc), nil); ok {
			defer w.release()
			return w.write(make([]byte, 0, w.sizeFrom(0)), 0), nil
		}
	}
	quads, err := p.Quads(doc)
	if err != nil {
		return nil, err
	}
	c, err := CanonicalizeWith(hash, quads, 0)
	if err != nil {
		return nil, err
	}
	return c.NQuads, nil
}

// Digest is the SHA-256 of what [Processor.Canonicalize] answers, which is never put together where it can be avoided.
func (p *Processor) Digest(doc map[string]any) ([sha256.Size]byte, error) {
	if n := strictjson.NodeOf(doc); n != nil {
		return p.DigestOf(n)
	}
	text, err := p.canonicalize(doc)
	return sha256.Sum256(text), err
}

// DigestOf is [Processor.Digest] of a document that was read into nodes.
func (p *Processor) DigestOf(doc *strictjson.Node) ([sha256.Size]byte, error) {
	return p.DigestKnowing(doc, nil)
}

// DigestKnowing is [Processor.DigestOf] of a document that holds the values of some constants, these very objects.
func (p *Processor) DigestKnowing(doc *strictjson.Node, known *Constants) ([sha256.Size]byte, error) {
	if w, ok := p.direct(doc, known); ok {
		defer w.release()
		return w.digest(), nil
	}
	text, err := p.canonicalize(doc.Map())
	return sha256.Sum256(text), err
}

// canonicalize is the general way.
func (p *Processor) canonicalize(doc map[string]any) ([]byte, error) {
	quads, err := p.Quads(doc)
	if err != nil {
		return nil, err
	}
	return Canonicalize(quads, 0)
}

// memo keeps contexts by origin. Readers take no lock. When it is full it begins anew: what foreign documents combine
// cannot make it grow without bound, and what is in use returns at once.
type memo struct {
	entries atomic.Pointer[sync.Map] // origin to *activeContext
	count   atomic.Int64
}

const maxMemo = 1024

func (m *memo) get(o origin) *activeContext {
	entries := m.entries.Load()
	if entries == nil {
		return nil
	}
	c, _ := entries.Load(o)
	found, _ := c.(*activeContext)
	return found
}

func (m *memo) put(o origin, c *activeContext) {
	entries := m.entries.Load()
	if entries == nil || m.count.Add(1) > maxMemo {
		fresh := new(sync.Map)
		if !m.entries.CompareAndSwap(entries, fresh) {
			return // someone else began anew just now
		}
		m.count.Store(1)
		entries = fresh
	}
	entries.Store(o, c)
}
