package jsonld

import (
	"cmp"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Constants are objects that stand in many documents: what they become on the direct way is remembered. They are safe for
// concurrent use; their values must not be altered.
type Constants struct {
	list       []*constant
	beginnings atomic.Pointer[map[string][]byte]
}

// NewConstants is for [Processor.DigestKnowing].
func NewConstants(values ...*strictjson.Node) *Constants {
	c := new(Constants)
	for _, value := range values {
		c.list = append(c.list, &constant{value: value})
	}
	return c
}

type constant struct {
	value *strictjson.Node
	kept  atomic.Pointer[fragment]
}

// fragment is what an object became where it stood: its statements and the hashes of its blank nodes. Only the node that
// it is itself is spoken of elsewhere, and that has an id; so nothing else in a document can alter them.
type fragment struct {
	number   uint64 // of this one alone
	table    *table
	via      *member
	depth    int
	root     ref
	text     []byte
	lines    []line
	subjects []subject
	hashes   [][sha256.Size]byte
}

var fragments atomic.Uint64

// recalled is where the statements of a fragment are in a walk.
type recalled struct {
	*fragment
	lines, linesEnd int32
	blanks          int32
}

// begun is where an object that is to be remembered begins and ends in a walk.
type begun struct {
	constant                                  *constant
	fragment                                  fragment
	text, lines, subjects, blanks             int
	textEnd, linesEnd, subjectsEnd, blanksEnd int
}

// constant is the constant whose value an object is, or nil.
func (w *walk) constant(members *strictjson.Node) *constant {
	for _, c := range w.known.list {
		if c.value.Same(members) {
			return c
		}
	}
	return nil
}

// recall repeats what a constant became at such a place, if it is known.
func (w *walk) recall(c *constant, t *table, via *member, graph int32, depth int) (ref, bool) {
	f := c.kept.Load()
	if f == nil || f.table != t || f.via != via || f.depth != depth || graph != noNode || len(w.lines)+len(f.lines) > maxLines {
		return ref{}, false
	}
	text, subjects, blanks := int32(len(w.text)), int32(len(w.subjects)), int32(len(w.blanks))
	w.recalled = append(w.recalled, recalled{f, int32(len(w.lines)), int32(len(w.lines) + len(f.lines)), blanks})
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
func (w *walk) begin(c *constant, t *table, via *member, depth int) int {
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
		f.number = fragments.Add(1)
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

// Bounds of what is remembered of beginnings: so few lines are written as fast as they are found, and where there are many
// blank nodes they hardly ever have the same labels again.
const (
	fewLines      = 4
	manyBlanks    = 32
	maxBeginnings = 64
)

// digest is the SHA-256 of what [walk.write] writes. Canonical forms of documents with the same constants often begin with
// these: then the hash goes on from where they end.
func (w *walk) digest() [sha256.Size]byte {
	lines, key := w.beginning()
	if lines == 0 {
		w.scratch = w.write(w.scratch[:0], 0)
		return sha256.Sum256(w.scratch)
	}
	if w.sha == nil {
		w.sha = sha256.New()
	}
	states := w.known.beginnings.Load()
	if states != nil {
		if state, known := (*states)[string(key)]; known && w.sha.(encoding.BinaryUnmarshaler).UnmarshalBinary(state) == nil {
			w.scratch = w.write(w.scratch[:0], lines)
			w.sha.Write(w.scratch)
			return [sha256.Size]byte(w.sha.Sum(w.scratch[:0]))
		}
	}
	name := string(key)
	w.scratch = w.write(w.scratch[:0], 0)
	sum := sha256.Sum256(w.scratch)
	if states == nil || len(*states) < maxBeginnings {
		w.known.begin(name, w.scratch[:len(w.scratch)-w.sizeFrom(lines)], states)
	}
	return sum
}

// begin remembers the state of the hash after a text. If somebody else remembers something at this moment, it is left to
// another time.
func (c *Constants) begin(key string, text []byte, old *map[string][]byte) {
	h := sha256.New()
	h.Write(text)
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return
	}
	states := map[string][]byte{key: state}
	if old != nil {
		maps.Copy(states, *old)
	}
	c.beginnings.CompareAndSwap(old, &states)
}

// beginning is how many of the first lines are those of constants. What they say follows from the constants, from the labels
// of their blank nodes, and from their number, which make the key.
func (w *walk) beginning() (lines int, key []byte) {
	if len(w.recalled) == 0 {
		return 0, nil
	}
	blanks := 0
	for _, r := range w.recalled {
		blanks += len(r.hashes)
	}
	if blanks > manyBlanks {
		return 0, nil
	}
	constant := func(line int32) bool {
		for _, r := range w.recalled {
			if line >= r.lines && line < r.linesEnd {
				return true
			}
		}
		return false
	}
	for lines < len(w.order) && constant(w.order[lines]) {
		lines++
	}
	if lines < fewLines {
		return 0, nil
	}
	key = w.joined[:0]
	for _, r := range w.recalled {
		key = binary.LittleEndian.AppendUint64(key, r.number)
		for i := range r.hashes {
			key = binary.LittleEndian.AppendUint32(key, uint32(w.blanks[r.blanks+int32(i)].number))
		}
	}
	key = binary.LittleEndian.AppendUint32(key, uint32(lines))
	w.joined = key
	return lines, key
}
