package jsonld

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"hash"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// The direct way takes a document to canonical N-Quads in one pass: no quads in between, no maps of labels, a handful of
// allocations. It takes what it is sure of and nothing else: embedded contexts, members and types that these define, trees
// whose blank nodes the hash of the first degree tells apart. Whatever else a document holds sends it to the general
// processor, which has the last word on what is refused and why. It therefore never answers with an error.

// Limits of the direct way. Beyond them the general processor is not slower in proportion.
const (
	maxLines = 4096
	maxNest  = 28 // with an array around every object still less than the general processor takes
)

// line is one statement: its subject by number, its object as a piece of the text or the number of a blank node.
type line struct {
	predicate  string
	subject    int32 // of subjects
	start, end int32 // of the text, if object is noNode
	object     int32 // of blanks, or noNode
	graph      int32 // of blanks, or noNode
}

// subject is a node: a piece of the text, or a blank node.
type subject struct {
	start, end int32
	blank      int32 // or noNode
	rank       int32 // among the subjects, by their canonical names
}

// blank is a blank node.
type blank struct {
	hash   [sha256.Size]byte // of the first degree
	number int32             // of its canonical label
	hashed bool
}

// walk is the state of one pass. It is used again and again.
type walk struct {
	processor *Processor
	text      []byte // objects and subjects, as N-Quads
	lines     []line
	subjects  []subject
	blanks    []blank
	mentions  []int32 // the lines of each blank node, one after the other
	ends      []int32 // where those of each end
	order     []int32
	pieces    [][]byte
	scratch   []byte
	joined    []byte
	known     *Constants
	begun     []begun
	recalled  []recalled
	sha       hash.Hash
}

var walks = sync.Pool{New: func() any { return new(walk) }}

// release gives the walk back; what it wrote stays.
func (w *walk) release() {
	const most = 1 << 20
	if cap(w.text) > most || cap(w.scratch) > most || cap(w.joined) > most {
		return
	}
	clear(w.pieces[:cap(w.pieces)])
	clear(w.begun)
	clear(w.recalled)
	*w = walk{text: w.text[:0], lines: w.lines[:0], subjects: w.subjects[:0], blanks: w.blanks[:0], mentions: w.mentions[:0],
		ends: w.ends[:0], order: w.order[:0], pieces: w.pieces[:0], scratch: w.scratch[:0], joined: w.joined[:0], begun: w.begun[:0], recalled: w.recalled[:0], sha: w.sha}
	walks.Put(w)
}

// direct walks over a document, if it can. The caller writes what it needs and releases the walk.
func (p *Processor) direct(doc *strictjson.Node, known *Constants) (*walk, bool) {
	if p.general || !doc.Is(strictjson.Object) {
		return nil, false
	}
	w := walks.Get().(*walk)
	w.processor, w.known = p, known
	if _, ok := w.object(p.tables.root, nil, doc, noNode, 0); ok && len(w.lines) > 0 {
		w.hash()
		if w.label() && w.sort() {
			w.keep()
			return w, true
		}
	}
	w.release()
	return nil, false
}

// ref is a node as the object of a line.
type ref struct{ start, end, blank int32 }

// object is a node of the document, under the table that holds where it stands; via is the property that leads to it.
func (w *walk) object(t *table, via *member, members *strictjson.Node, graph int32, depth int) (ref, bool) {
	if w.known == nil {
		return w.node(t, via, members, graph, depth)
	}
	c := w.constant(members)
	if c == nil || graph != noNode {
		return w.node(t, via, members, graph, depth)
	}
	if r, ok := w.recall(c, t, via, graph, depth); ok {
		return r, true
	}
	at := w.begin(c, t, via, depth)
	r, ok := w.node(t, via, members, graph, depth)
	w.end(at, r)
	return r, ok
}

func (w *walk) node(t *table, via *member, members *strictjson.Node, graph int32, depth int) (ref, bool) {
	if depth > maxNest {
		return ref{}, false
	}
	var id, kinds, local *strictjson.Node
	for m := members.First(); m != nil; m = m.Next() {
		switch m.Name {
		case "id":
			id = m
		case "type":
			kinds = m
		case "@context":
			local = m
		}
	}
	if t.previous != nil && (id == nil || members.Len() > 1 || t.id != asNodeID) {
		t = t.previous
	}
	if via != nil && via.scoped {
		if t = w.processor.byProperty(t, via, true); t == nil {
			return ref{}, false
		}
	}
	left := members.Len()
	if local != nil {
		if t = w.processor.contexts(t, local); t == nil {
			return ref{}, false
		}
		left--
	}
	outer := t
	if kinds != nil {
		if t.kind != asNodeType {
			return ref{}, false
		}
		if t = w.typed(t, kinds); t == nil || t.kind != asNodeType {
			return ref{}, false
		}
		left--
	}
	at := int32(len(w.subjects))
	s := subject{blank: noNode}
	if id != nil {
		if id.Kind != strictjson.String || t.id != asNodeID || !t.names(id.Text) {
			return ref{}, false
		}
		s.start, s.end = w.iri(id.Text)
		left--
	} else {
		s.blank = w.newBlank()
	}
	r := ref{s.start, s.end, s.blank}
	if kinds == nil && left == 0 {
		return r, true
	}
	w.subjects = append(w.subjects, s)
	if kinds != nil && !w.types(outer, kinds, at, graph) {
		return ref{}, false
	}
	if left == 0 {
		return r, true
	}
	for v := members.First(); v != nil; v = v.Next() {
		if v == id || v == kinds || v == local {
			continue
		}
		m := t.members.Of(v)
		if m == nil || m.meaning != asProperty || !w.property(t, m, v, at, graph, depth) {
			return ref{}, false
		}
	}
	return r, true
}

// typed is the table in an object of these types. JSON-LD 1.1 API, 5.1.2 (Expansion Algorithm), step 11: in the order of
// their names.
func (w *walk) typed(t *table, kinds *strictjson.Node) *table {
	var few [8]string
	names := few[:0]
	switch kinds.Kind {
	case strictjson.String:
		names = append(names, kinds.Text)
	case strictjson.Array:
		if kinds.Len() > len(few) {
			return nil
		}
		for kind := kinds.First(); kind != nil; kind = kind.Next() {
			if kind.Kind != strictjson.String {
				return nil
			}
			names = append(names, kind.Text)
		}
		slices.Sort(names)
	}
	outer := t
	for _, name := range names {
		kind := outer.types.At(name)
		if kind == nil {
			if outer.ctx.terms[name] != nil || !outer.names(name) {
				return nil
			}
			continue
		}
		if kind.term.isScoped {
			if t = w.processor.byType(t, kind.term); t == nil {
				return nil
			}
		}
	}
	return t
}

const typePredicate = "<" + rdfType + "> "

// types writes the types of a node, which [walk.typed] has found good.
func (w *walk) types(t *table, kinds *strictjson.Node, subject, graph int32) bool {
	one := func(name string) {
		start := int32(len(w.text))
		if of := t.types.At(name); of != nil {
			w.text = append(w.text, of.text...)
		} else {
			w.iri(name)
		}
		w.lines = append(w.lines, line{predicate: typePredicate, subject: subject, start: start, end: int32(len(w.text)), object: noNode, graph: graph})
	}
	switch kinds.Kind {
	case strictjson.String:
		one(kinds.Text)
	case strictjson.Array:
		for kind := kinds.First(); kind != nil; kind = kind.Next() {
			one(kind.Text)
		}
		return kinds.Len() > 0
	default:
		return false
	}
	return true
}

// property writes what a property says.
func (w *walk) property(t *table, m *member, v *strictjson.Node, subject, graph int32, depth int) bool {
	if m.scoped && w.processor.byProperty(t, m, true) == nil {
		return false
	}
	if m.container&inList != 0 {
		return w.list(t, m, v, subject, graph, depth)
	}
	if v.Kind != strictjson.Array {
		return w.value(t, m, v, subject, graph, depth)
	}
	for item := v.First(); item != nil; item = item.Next() {
		if !w.value(t, m, item, subject, graph, depth) {
			return false
		}
	}
	return v.Len() > 0
}

func (w *walk) value(t *table, m *member, v *strictjson.Node, subject, graph int32, depth int) bool {
	r, ok := w.term(t, m, v, graph, depth)
	if ok = ok && len(w.lines) < maxLines; ok {
		w.lines = append(w.lines, line{predicate: m.predicate, subject: subject, start: r.start, end: r.end, object: r.blank, graph: graph})
	}
	return ok
}

// list links the items of a list. JSON-LD 1.1 API, 8.3.2 (List to RDF Conversion).
func (w *walk) list(t *table, m *member, v *strictjson.Node, at, graph int32, depth int) bool {
	const first, rest = "<" + rdfFirst + "> ", "<" + rdfRest + "> "
	items := v.Items()
	if len(items) == 0 || m.container&inGraph != 0 {
		return false
	}
	tail := ref{blank: noNode}
	tail.start, tail.end = w.iri(rdfNil)
	for _, item := range slices.Backward(items) {
		r, ok := w.term(t, m, item, graph, depth)
		if !ok || len(w.lines) >= maxLines {
			return false
		}
		cell, number := w.newBlank(), int32(len(w.subjects))
		w.subjects = append(w.subjects, subject{blank: cell})
		w.lines = append(w.lines,
			line{predicate: first, subject: number, start: r.start, end: r.end, object: r.blank, graph: graph},
			line{predicate: rest, subject: number, start: tail.start, end: tail.end, object: tail.blank, graph: graph})
		tail = ref{blank: cell}
	}
	w.lines = append(w.lines, line{predicate: m.predicate, subject: at, start: tail.start, end: tail.end, object: tail.blank, graph: graph})
	return true
}

// term is a single value.
func (w *walk) term(t *table, m *member, v *strictjson.Node, graph int32, depth int) (ref, bool) {
	if v.Kind == strictjson.Object {
		if m.container&inGraph == 0 {
			return w.object(t, m, v, graph, depth+1)
		}
		own, before := w.newBlank(), len(w.lines)
		if _, ok := w.object(t, m, v, own, depth+1); !ok || len(w.lines) == before {
			return ref{}, false
		}
		return ref{blank: own}, true
	}
	if m.container&inGraph != 0 {
		return ref{}, false
	}
	if m.scoped {
		if t = w.processor.byProperty(t, m, false); t == nil {
			return ref{}, false
		}
	}
	r := ref{start: int32(len(w.text)), blank: noNode}
	switch v.Kind {
	case strictjson.String:
		if m.coerce == asVocab || m.coerce == asID {
			iri := v.Text
			of, defined := (*term)(nil), false
			if m.coerce == asVocab {
				of, defined = t.ctx.terms[v.Text]
			}
			switch {
			case defined && !of.wellFormed:
				return ref{}, false
			case defined:
				iri = of.iri
			case !t.names(v.Text):
				return ref{}, false
			}
			r.start, r.end = w.iri(iri)
			return r, true
		}
		w.text = append(w.text, '"')
		switch {
		case v.Plain():
			w.text = append(w.text, v.Text...)
		case !utf8.ValidString(v.Text):
			return ref{}, false
		default:
			w.text = appendEscaped(w.text, v.Text)
		}
		w.text = append(w.text, '"')
		w.text = append(w.text, m.suffix...)
	case strictjson.True, strictjson.False:
		w.text = strconv.AppendBool(append(w.text, '"'), v.Kind == strictjson.True)
		w.text = append(append(w.text, '"'), cmp.Or(m.suffix, "^^<"+xsdBoolean+">")...)
	case strictjson.Number:
		literal, err := new(run).literal(json.Number(v.Text), m.datatype)
		if err != nil {
			return ref{}, false
		}
		w.text = appendGround(w.text, &literal)
	default:
		return ref{}, false
	}
	r.end = int32(len(w.text))
	return r, true
}

func (w *walk) iri(s string) (start, end int32) {
	start = int32(len(w.text))
	w.text = append(w.text, '<')
	w.text = append(w.text, s...)
	w.text = append(w.text, '>')
	return start, int32(len(w.text))
}

func (w *walk) newBlank() int32 {
	w.blanks = append(w.blanks, blank{})
	return int32(len(w.blanks) - 1)
}

// mentioned are the blank nodes of a line.
func (w *walk) mentioned(l *line) [3]int32 {
	return [3]int32{w.subjects[l.subject].blank, l.object, l.graph}
}

// hash gives every blank node the hash of its first degree. RDFC-1.0, 4.6 (Hash First Degree Quads).
func (w *walk) hash() {
	if len(w.blanks) < 2 && len(w.begun) == 0 {
		return // then there is nothing to tell apart
	}
	w.ends = append(w.ends, make([]int32, len(w.blanks)+1)...)
	for i := range w.lines {
		for _, n := range w.mentioned(&w.lines[i]) {
			if n != noNode {
				w.ends[n+1]++
			}
		}
	}
	for n := range w.blanks {
		w.ends[n+1] += w.ends[n]
	}
	w.mentions = slices.Grow(w.mentions, int(w.ends[len(w.blanks)]))[:w.ends[len(w.blanks)]]
	for i := range w.lines {
		for _, n := range w.mentioned(&w.lines[i]) {
			if n != noNode {
				w.mentions[w.ends[n]] = int32(i)
				w.ends[n]++ // becomes the end of what began here
			}
		}
	}
	from := int32(0)
	for n := range w.blanks {
		if b := &w.blanks[n]; !b.hashed {
			b.hash = w.firstDegree(int32(n), w.mentions[from:w.ends[n]])
		}
		from = w.ends[n]
	}
}

func (w *walk) firstDegree(n int32, mentions []int32) [sha256.Size]byte {
	w.scratch, w.pieces, w.joined = w.scratch[:0], w.pieces[:0], w.joined[:0]
	name := func(other int32) {
		if other == n {
			w.scratch = append(w.scratch, "_:a "...)
		} else {
			w.scratch = append(w.scratch, "_:z "...)
		}
	}
	for _, i := range mentions {
		l := &w.lines[i]
		if s := &w.subjects[l.subject]; s.blank != noNode {
			name(s.blank)
		} else {
			w.scratch = append(append(w.scratch, w.text[s.start:s.end]...), ' ')
		}
		w.scratch = append(w.scratch, l.predicate...)
		if l.object != noNode {
			name(l.object)
		} else {
			w.scratch = append(append(w.scratch, w.text[l.start:l.end]...), ' ')
		}
		if l.graph != noNode {
			name(l.graph)
		}
		w.scratch = append(w.scratch, ".\n"...)
	}
	if len(mentions) == 1 {
		return sha256.Sum256(w.scratch)
	}
	for rest := w.scratch; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		w.pieces = append(w.pieces, rest[:end])
		rest = rest[end:]
	}
	slices.SortFunc(w.pieces, bytes.Compare)
	for _, piece := range w.pieces {
		w.joined = append(w.joined, piece...)
	}
	return sha256.Sum256(w.joined)
}

// label numbers the blank nodes by their hashes, and reports whether these are distinct. RDFC-1.0, 4.4.3
// (Canonicalization Algorithm), step 4.
func (w *walk) label() bool {
	w.order = w.order[:0]
	for n := range w.blanks {
		w.order = append(w.order, int32(n))
	}
	slices.SortFunc(w.order, func(a, b int32) int { return bytes.Compare(w.blanks[a].hash[:], w.blanks[b].hash[:]) })
	for i, n := range w.order {
		if i > 0 && w.blanks[n].hash == w.blanks[w.order[i-1]].hash {
			return false
		}
		w.blanks[n].number = int32(i)
	}
	return true
}

// compareLabels orders numbers as the labels that end in them: as text.
func compareLabels(a, b int32) int {
	if a == b {
		return 0
	}
	var x, y [12]byte
	return bytes.Compare(appendCanonical(x[:0], a), appendCanonical(y[:0], b))
}

// compareSubjects orders names of nodes as the lines that begin with them. No name is the beginning of another: an IRI
// ends in '>', a label is followed by a space.
func (w *walk) compareSubjects(a, b *subject) int {
	switch {
	case a.blank == noNode && b.blank == noNode:
		return bytes.Compare(w.text[a.start:a.end], w.text[b.start:b.end])
	case a.blank == noNode:
		return -1
	case b.blank == noNode:
		return 1
	}
	return compareLabels(w.blanks[a.blank].number, w.blanks[b.blank].number)
}

// compare orders lines of one subject as their canonical text, of which every part ends in a character that is smaller than any that
// could stand in its place.
func (w *walk) compare(a, b *line) int {
	if c := strings.Compare(a.predicate, b.predicate); c != 0 {
		return c
	}
	switch {
	case a.object == noNode && b.object == noNode:
		if c := bytes.Compare(w.text[a.start:a.end], w.text[b.start:b.end]); c != 0 {
			return c
		}
	case a.object == noNode:
		return -1
	case b.object == noNode:
		return 1
	case a.object != b.object:
		return compareLabels(w.blanks[a.object].number, w.blanks[b.object].number)
	}
	switch {
	case a.graph == b.graph:
		return 0
	case a.graph == noNode:
		return -1
	case b.graph == noNode:
		return 1
	}
	return compareLabels(w.blanks[a.graph].number, w.blanks[b.graph].number)
}

// arrange sorts numbers. Few, or many in order already, as those of constants are, take the least when each goes to its
// place from behind.
func (w *walk) arrange(numbers []int32, compare func(a, b int32) int) {
	const few = 24
	if len(numbers) > few {
		slices.SortFunc(numbers, compare)
		return
	}
	for i := 1; i < len(numbers); i++ {
		for j := i; j > 0 && compare(numbers[j], numbers[j-1]) < 0; j-- {
			numbers[j], numbers[j-1] = numbers[j-1], numbers[j]
		}
	}
}

// sort finds the order of the lines as canonical text, without what is said twice. It reports false where a blank node is
// said something twice: the hashes counted it twice, too.
func (w *walk) sort() bool {
	w.order = w.order[:0]
	for i := range w.subjects {
		w.order = append(w.order, int32(i))
	}
	w.arrange(w.order, func(a, b int32) int { return w.compareSubjects(&w.subjects[a], &w.subjects[b]) })
	rank := int32(0)
	for i, n := range w.order {
		if i > 0 && w.compareSubjects(&w.subjects[w.order[i-1]], &w.subjects[n]) != 0 {
			rank++
		}
		w.subjects[n].rank = rank
	}
	// Lines go to their subjects by counting, and only then are compared.
	w.ends = append(w.ends[:0], make([]int32, rank+2)...)
	for i := range w.lines {
		w.ends[w.subjects[w.lines[i].subject].rank+1]++
	}
	for i := range rank {
		w.ends[i+1] += w.ends[i]
	}
	w.order = slices.Grow(w.order[:0], len(w.lines))[:len(w.lines)]
	for i := range w.lines {
		end := &w.ends[w.subjects[w.lines[i].subject].rank]
		w.order[*end] = int32(i)
		*end++
	}
	from, kept := int32(0), w.order[:0]
	for _, end := range w.ends[:rank+1] {
		about := w.order[from:end]
		w.arrange(about, func(a, b int32) int { return w.compare(&w.lines[a], &w.lines[b]) })
		for i, n := range about {
			if i > 0 && w.compare(&w.lines[about[i-1]], &w.lines[n]) == 0 {
				if w.mentioned(&w.lines[n]) != [3]int32{noNode, noNode, noNode} {
					return false
				}
				continue
			}
			kept = append(kept, n)
		}
		from = end
	}
	w.order = kept
	return true
}

// sizeFrom is how much [walk.write] writes.
func (w *walk) sizeFrom(from int) int {
	size := 0
	for _, i := range w.order[from:] {
		size += w.sizeOf(&w.lines[i])
	}
	return size
}

func (w *walk) sizeOf(l *line) int {
	n := len(l.predicate) + len(" ") + len(".\n")
	if s := &w.subjects[l.subject]; s.blank == noNode {
		n += int(s.end-s.start) + 1
	}
	n += int(l.end - l.start)
	for _, b := range w.mentioned(l) {
		if b != noNode {
			n += len("_:c14n") + digits(w.blanks[b].number) + 1
		}
	}
	if l.object != noNode {
		n--
	}
	return n
}

func digits(n int32) int {
	count := 1
	for ; n >= 10; n /= 10 {
		count++
	}
	return count
}

// write appends the canonical N-Quads, from one of the lines on.
func (w *walk) write(dst []byte, from int) []byte {
	for _, i := range w.order[from:] {
		l := &w.lines[i]
		if s := &w.subjects[l.subject]; s.blank != noNode {
			dst = w.writeBlank(dst, s.blank)
		} else {
			dst = append(append(dst, w.text[s.start:s.end]...), ' ')
		}
		dst = append(dst, l.predicate...)
		if l.object != noNode {
			dst = w.writeBlank(dst, l.object)
		} else {
			dst = append(append(dst, w.text[l.start:l.end]...), ' ')
		}
		if l.graph != noNode {
			dst = w.writeBlank(dst, l.graph)
		}
		dst = append(dst, ".\n"...)
	}
	return dst
}

func (w *walk) writeBlank(dst []byte, n int32) []byte {
	return append(appendCanonical(append(dst, "_:"...), w.blanks[n].number), ' ')
}
