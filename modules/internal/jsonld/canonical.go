package jsonld

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DefaultWorkLimit bounds the steps that tell alike blank nodes apart, a step being about the hash of one link.
// Credentials need a few dozen; BenchmarkWorkLimit tells what reaching it costs.
const DefaultWorkLimit = 100_000

// Canonical is a dataset in canonical form.
type Canonical struct {
	NQuads []byte            // the lines of the canonical N-Quads document, in order
	Labels map[string]string // from the blank node labels that came in to the canonical ones, both without "_:"
}

// Canonicalize is RDFC-1.0 with SHA-256: the canonical N-Quads of the quads, of which duplicates count once. workLimit
// bounds the work, 0 meaning [DefaultWorkLimit]; beyond it the answer is [ErrWorkLimit].
func Canonicalize(quads []Quad, workLimit int) ([]byte, error) {
	c, err := CanonicalizeWith(crypto.SHA256, quads, workLimit)
	if err != nil {
		return nil, err
	}
	return c.NQuads, nil
}

// CanonicalizeWith is [Canonicalize] with SHA-256 or SHA-384, and answers with the labels too.
func CanonicalizeWith(hash crypto.Hash, quads []Quad, workLimit int) (*Canonical, error) {
	if hash != crypto.SHA256 && hash != crypto.SHA384 {
		return nil, fmt.Errorf("jsonld: RDFC-1.0 with %v is not supported", hash)
	}
	if workLimit <= 0 {
		workLimit = DefaultWorkLimit
	}
	c := canonicalizer{sha384: hash == crypto.SHA384, work: workLimit}
	c.read(quads)
	if err := c.label(); err != nil {
		return nil, err
	}
	return &Canonical{NQuads: c.write(), Labels: c.labels()}, nil
}

// noNode stands where a quad has no blank node.
const noNode = int32(-1)

// statement is a quad with its blank nodes by number.
type statement struct {
	quad    *Quad
	s, o, g int32
}

type node struct {
	label      string  // that came in
	statements []int32 // that mention it
	hash       string  // of the first degree
	canonical  int32   // number of its canonical label, or -1
}

type canonicalizer struct {
	sha384     bool
	statements []statement
	nodes      []node
	issued     int32 // canonical labels so far
	work       int   // steps still allowed
	buf        []byte
	lines      [][]byte
}

// read is RDFC-1.0, 4.4.3, step 2: which statements mention which blank node.
func (c *canonicalizer) read(quads []Quad) {
	c.statements = make([]statement, 0, len(quads))
	seen := make(map[Quad]struct{}, len(quads))
	numbers := make(map[string]int32)
	number := func(t *Term) int32 {
		if t.Kind != Blank {
			return noNode
		}
		n, known := numbers[t.Value]
		if !known {
			n = int32(len(c.nodes))
			numbers[t.Value] = n
			c.nodes = append(c.nodes, node{label: t.Value, canonical: -1})
		}
		mentions := &c.nodes[n].statements
		if i := int32(len(c.statements)); len(*mentions) == 0 || (*mentions)[len(*mentions)-1] != i {
			*mentions = append(*mentions, i)
		}
		return n
	}
	for i := range quads {
		q := &quads[i]
		key := *q
		if key.Object.Datatype == xsdString {
			key.Object.Datatype = ""
		}
		if _, twice := seen[key]; twice {
			continue
		}
		seen[key] = struct{}{}
		c.statements = append(c.statements, statement{quad: q, s: number(&q.Subject), o: number(&q.Object), g: number(&q.Graph)})
	}
}

func (c *canonicalizer) sum(data []byte) string {
	var text [2 * sha512.Size384]byte
	if c.sha384 {
		digest := sha512.Sum384(data)
		return string(hex.AppendEncode(text[:0], digest[:]))
	}
	digest := sha256.Sum256(data)
	return string(hex.AppendEncode(text[:0], digest[:]))
}

// spend counts work, so that a poisoned dataset ends in [ErrWorkLimit].
func (c *canonicalizer) spend(steps int) error {
	if c.work -= steps; c.work < 0 {
		return ErrWorkLimit
	}
	return nil
}

// appendLine writes a statement; a blank node is written by the name that is given for it.
func appendLine(dst []byte, st *statement, name func(dst []byte, n int32) []byte) []byte {
	q := st.quad
	term := func(t *Term, n int32) {
		if n == noNode {
			dst = appendGround(dst, t)
		} else {
			dst = append(dst, "_:"...)
			dst = name(dst, n)
		}
		dst = append(dst, ' ')
	}
	term(&q.Subject, st.s)
	term(&q.Predicate, noNode)
	term(&q.Object, st.o)
	if q.Graph.Kind != None {
		term(&q.Graph, st.g)
	}
	return append(dst, ".\n"...)
}

// sorted joins lines that were written one after the other into c.buf, each ending in a line feed, in order.
func (c *canonicalizer) sorted() []byte {
	c.lines = c.lines[:0]
	for rest := c.buf; len(rest) > 0; {
		n := bytes.IndexByte(rest, '\n') + 1 // a literal's own line feeds are escaped
		c.lines = append(c.lines, rest[:n])
		rest = rest[n:]
	}
	slices.SortFunc(c.lines, bytes.Compare)
	return bytes.Join(c.lines, nil)
}

// firstDegree is Hash First Degree Quads. RDFC-1.0, 4.6.
func (c *canonicalizer) firstDegree(n int32) string {
	c.buf = c.buf[:0]
	for _, i := range c.nodes[n].statements {
		c.buf = appendLine(c.buf, &c.statements[i], func(dst []byte, other int32) []byte {
			if other == n {
				return append(dst, 'a')
			}
			return append(dst, 'z')
		})
	}
	return c.sum(c.sorted())
}

// label gives every blank node its canonical label. RDFC-1.0, 4.4.3 (Canonicalization Algorithm), steps 3 to 5.
func (c *canonicalizer) label() error {
	order := make([]int32, len(c.nodes))
	for n := range c.nodes {
		c.nodes[n].hash = c.firstDegree(int32(n))
		order[n] = int32(n)
	}
	byHash := func(a, b int32) int { return strings.Compare(c.nodes[a].hash, c.nodes[b].hash) }
	slices.SortStableFunc(order, byHash)
	var alike [][]int32
	for len(order) > 0 {
		n := 1
		for n < len(order) && c.nodes[order[n]].hash == c.nodes[order[0]].hash {
			n++
		}
		if n == 1 {
			c.issue(order[0])
		} else {
			alike = append(alike, order[:n])
		}
		order = order[n:]
	}
	for _, group := range alike {
		var paths []path
		for _, n := range group {
			if c.nodes[n].canonical >= 0 {
				continue
			}
			var temporary issuer
			temporary.issue(n)
			p, err := c.nDegree(n, temporary)
			if err != nil {
				return err
			}
			paths = append(paths, p)
		}
		slices.SortStableFunc(paths, func(a, b path) int { return strings.Compare(a.hash, b.hash) })
		for _, p := range paths {
			for _, n := range p.issuer {
				c.issue(n)
			}
		}
	}
	return nil
}

func (c *canonicalizer) issue(n int32) {
	if c.nodes[n].canonical < 0 {
		c.nodes[n].canonical = c.issued
		c.issued++
	}
}

// issuer gives out temporary labels, "b" and the position: the nodes in the order in which they got theirs.
type issuer []int32

// issue answers the position of a node, which becomes the last one if it had none.
func (i *issuer) issue(n int32) int {
	if at := slices.Index(*i, n); at >= 0 {
		return at
	}
	*i = append(*i, n)
	return len(*i) - 1
}

func appendCanonical(dst []byte, number int32) []byte {
	return strconv.AppendInt(append(dst, "c14n"...), int64(number), 10)
}

func appendTemporary(dst []byte, at int) []byte {
	return strconv.AppendInt(append(dst, 'b'), int64(at), 10)
}

// path is the answer of Hash N-Degree Quads.
type path struct {
	hash   string
	issuer issuer
}

// related groups blank nodes that a node is linked with in the same way.
type related struct {
	hash  string
	nodes []int32
}

// nDegree is Hash N-Degree Quads. RDFC-1.0, 4.8.
func (c *canonicalizer) nDegree(n int32, issued issuer) (path, error) {
	groups, err := c.groups(n, issued)
	if err != nil {
		return path{}, err
	}
	var data []byte
	for _, g := range groups {
		data = append(data, g.hash...)
		var chosen []byte
		var chosenIssuer issuer
		err := permute(g.nodes, func(order []int32) error {
			if err := c.spend(1 + len(order)*(1+len(issued)/32)); err != nil {
				return err
			}
			p, i, err := c.walk(order, issued, chosen)
			if err == nil && p != nil && (chosen == nil || bytes.Compare(p, chosen) < 0) {
				chosen, chosenIssuer = p, i
			}
			return err
		})
		if err != nil {
			return path{}, err
		}
		data = append(data, chosen...)
		issued = chosenIssuer
	}
	return path{hash: c.sum(data), issuer: issued}, nil
}

// groups is step 3: the blank nodes linked with n, by the hash of the link.
func (c *canonicalizer) groups(n int32, issued issuer) ([]related, error) {
	type link struct {
		hash string
		node int32
	}
	var links []link
	for _, i := range c.nodes[n].statements {
		st := &c.statements[i]
		for position, other := range [3]int32{st.s, st.o, st.g} {
			if other == noNode || other == n {
				continue
			}
			if err := c.spend(1 + len(issued)/32); err != nil {
				return nil, err
			}
			links = append(links, link{c.hashRelated(other, st, issued, "sog"[position]), other})
		}
	}
	slices.SortStableFunc(links, func(a, b link) int { return strings.Compare(a.hash, b.hash) })
	var groups []related
	for i, l := range links {
		if i == 0 || l.hash != links[i-1].hash {
			groups = append(groups, related{hash: l.hash})
		}
		last := &groups[len(groups)-1]
		last.nodes = append(last.nodes, l.node)
	}
	return groups, nil
}

// hashRelated is Hash Related Blank Node. RDFC-1.0, 4.7.
func (c *canonicalizer) hashRelated(n int32, st *statement, issued issuer, position byte) string {
	in := append(c.buf[:0], position)
	if position != 'g' {
		in = append(in, '<')
		in = append(in, st.quad.Predicate.Value...)
		in = append(in, '>')
	}
	if number := c.nodes[n].canonical; number >= 0 {
		in = appendCanonical(append(in, "_:"...), number)
	} else if at := slices.Index(issued, n); at >= 0 {
		in = appendTemporary(append(in, "_:"...), at)
	} else {
		in = append(in, c.nodes[n].hash...)
	}
	c.buf = in
	return c.sum(in)
}

// walk is step 5.4: the path along one order of alike nodes, or nil as soon as it cannot become the chosen one.
func (c *canonicalizer) walk(order []int32, issued issuer, chosen []byte) ([]byte, issuer, error) {
	copied := slices.Clone(issued)
	p := make([]byte, 0, 64*len(order))
	var recurse []int32
	worse := func() bool { return chosen != nil && len(p) >= len(chosen) && bytes.Compare(p, chosen) > 0 }
	for _, n := range order {
		p = append(p, "_:"...)
		if number := c.nodes[n].canonical; number >= 0 {
			p = appendCanonical(p, number)
		} else {
			before := len(copied)
			at := copied.issue(n)
			if at == before {
				recurse = append(recurse, n)
			}
			p = appendTemporary(p, at)
		}
		if worse() {
			return nil, nil, nil
		}
	}
	for _, n := range recurse {
		result, err := c.nDegree(n, copied)
		if err != nil {
			return nil, nil, err
		}
		p = appendTemporary(append(p, "_:"...), copied.issue(n))
		p = append(p, '<')
		p = append(p, result.hash...)
		p = append(p, '>')
		copied = result.issuer
		if worse() {
			return nil, nil, nil
		}
	}
	return p, copied, nil
}

// permute calls visit with every order of nodes (Heap's algorithm), each made only when the one before has been visited,
// until it answers with an error: a work limit ends it early.
func permute(nodes []int32, visit func([]int32) error) error {
	if err := visit(nodes); err != nil {
		return err
	}
	counters := make([]int, len(nodes))
	for i := 1; i < len(nodes); {
		if counters[i] >= i {
			counters[i] = 0
			i++
			continue
		}
		if i%2 == 0 {
			nodes[0], nodes[i] = nodes[i], nodes[0]
		} else {
			nodes[counters[i]], nodes[i] = nodes[i], nodes[counters[i]]
		}
		if err := visit(nodes); err != nil {
			return err
		}
		counters[i]++
		i = 1
	}
	return nil
}

// write is RDFC-1.0, 4.4.3, step 6 and 5 (Serialization).
func (c *canonicalizer) write() []byte {
	c.buf = c.buf[:0]
	for i := range c.statements {
		c.buf = appendLine(c.buf, &c.statements[i], func(dst []byte, n int32) []byte {
			return appendCanonical(dst, c.nodes[n].canonical)
		})
	}
	return c.sorted()
}

func (c *canonicalizer) labels() map[string]string {
	labels := make(map[string]string, len(c.nodes))
	for i := range c.nodes {
		labels[c.nodes[i].label] = string(appendCanonical(nil, c.nodes[i].canonical))
	}
	return labels
}
