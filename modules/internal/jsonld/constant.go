package jsonld

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sync/atomic"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Constant is an object that stands in many documents: what it becomes on the direct way is remembered. It is safe for
// concurrent use; its value must not be altered.
type Constant struct {
	value *strictjson.Node
	kept  atomic.Pointer[fragment]
}

// NewConstant is a Constant for [Processor.DigestKnowing].
func NewConstant(value *strictjson.Node) *Constant { return &Constant{value: value} }

// fragment is what an object became where it stood: its statements and the hashes of its blank nodes. Only the node that
// it is itself is spoken of elsewhere, and that has an id; so nothing else in a document can alter them.
type fragment struct {
	table    *table
	via      *member
	depth    int
	root     ref
	text     []byte
	lines    []line
	subjects []subject
	hashes   [][sha256.Size]byte
}

// begun is where an object that is to be remembered begins and ends in a walk.
type begun struct {
	constant                                  *Constant
	fragment                                  fragment
	text, lines, subjects, blanks             int
	textEnd, linesEnd, subjectsEnd, blanksEnd int
}

// constant is the constant whose value an object is, or nil.
func (w *walk) constant(members *strictjson.Node) *Constant {
	for _, c := range w.known {
		if c.value.Same(members) {
			return c
		}
	}
	return nil
}

// recall repeats what a constant became at such a place, if it is known.
func (w *walk) recall(c *Constant, t *table, via *member, graph int32, depth int) (ref, bool) {
	f := c.kept.Load()
	if f == nil || f.table != t || f.via != via || f.depth != depth || graph != noNode || len(w.lines)+len(f.lines) > maxLines {
		return ref{}, false
	}
	text, subjects, blanks := int32(len(w.text)), int32(len(w.subjects)), int32(len(w.blanks))
	w.text = append(w.text, f.text...)
	for _, s := range f.subjects {
		s.shift(text, blanks)
		w.subjects = append(w.subjects, s)
	}
	for _, l := range f.lines {
		l.shift(text, subjects, blanks)
		w.lines = append(w.lines, l)
	}
	for _, hash := range f.hashes {
		w.blanks = append(w.blanks, blank{hash: hash, hashed: true})
	}
	return ref{f.root.start + text, f.root.end + text, noNode}, true
}

func (s *subject) shift(text, blanks int32) {
	if s.blank != noNode {
		s.blank += blanks
		return
	}
	s.start, s.end = s.start+text, s.end+text
}

func (l *line) shift(text, subjects, blanks int32) {
	l.subject += subjects
	if l.graph != noNode {
		l.graph += blanks
	}
	if l.object != noNode {
		l.object += blanks
		return
	}
	l.start, l.end = l.start+text, l.end+text
}

// begin notes where the statements of a constant begin.
func (w *walk) begin(c *Constant, t *table, via *member, depth int) int {
	w.begun = append(w.begun, begun{constant: c, fragment: fragment{table: t, via: via, depth: depth},
		text: len(w.text), lines: len(w.lines), subjects: len(w.subjects), blanks: len(w.blanks)})
	return len(w.begun) - 1
}

func (w *walk) end(at int, root ref) {
	b := &w.begun[at]
	b.fragment.root = root
	b.textEnd, b.linesEnd, b.subjectsEnd, b.blanksEnd = len(w.text), len(w.lines), len(w.subjects), len(w.blanks)
}

// keep remembers the constants of a walk that went well.
func (w *walk) keep() {
	for _, b := range w.begun {
		if b.fragment.root.blank != noNode {
			continue // then the hash of this node depends on who speaks of it
		}
		f := b.fragment
		f.root.start, f.root.end = f.root.start-int32(b.text), f.root.end-int32(b.text)
		f.text = slices.Clone(w.text[b.text:b.textEnd])
		f.subjects = slices.Clone(w.subjects[b.subjects:b.subjectsEnd])
		for i := range f.subjects {
			f.subjects[i].shift(-int32(b.text), -int32(b.blanks))
		}
		// All of them, also what the document says elsewhere again, in the order in which lines end up: that spares
		// most of the sorting next time.
		var order []int32
		for i := b.lines; i < b.linesEnd; i++ {
			order = append(order, int32(i))
		}
		slices.SortFunc(order, func(a, b int32) int {
			x, y := &w.lines[a], &w.lines[b]
			return cmp.Or(int(w.subjects[x.subject].rank-w.subjects[y.subject].rank), w.compare(x, y))
		})
		for _, i := range order {
			l := w.lines[i]
			l.shift(-int32(b.text), -int32(b.subjects), -int32(b.blanks))
			f.lines = append(f.lines, l)
		}
		for _, blank := range w.blanks[b.blanks:b.blanksEnd] {
			f.hashes = append(f.hashes, blank.hash)
		}
		b.constant.kept.Store(&f)
	}
}
