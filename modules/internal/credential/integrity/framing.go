package integrity

import (
	"bytes"
	"crypto/sha256"
	"sync/atomic"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Framing remembers the canonical form of the options of a proof, in which from one proof by a key to the next only the
// date is another. It is for documents with the same contexts, and safe for concurrent use.
type Framing struct{ last atomic.Pointer[frame] }

// frame is what stands around the date in the canonical form of such options.
type frame struct {
	options       Proof // without date and value
	before, after []byte
}

// In lets the proofs over a document share their options with those over others, whose contexts must be the same.
func (t *Transformed) In(f *Framing) *Transformed {
	t.framing = f
	return t
}

// hashData is what gets signed, if the options are such that nothing but the date is another.
func (f *Framing) hashData(c Canonicalizer, context *strictjson.Node, proof Proof, document []byte) ([]byte, bool) {
	created := proof.Created
	proof.Created, proof.ProofValue = "", ""
	if created == "" || proof.Context != nil || proof.PreviousProof != nil {
		return nil, false
	}
	known := f.last.Load()
	if known == nil || known.options != proof {
		if known = framed(c, context, proof, created); known == nil {
			return nil, false
		}
		f.last.Store(known)
	}
	var few [1024]byte
	text := append(append(append(few[:0], known.before...), created...), known.after...)
	sum := sha256.Sum256(text)
	return append(append(make([]byte, 0, len(sum)+len(document)), sum[:]...), document...), true
}

// framed finds the date in the canonical form of some options. It is nil where the date could be a matter of more than
// one statement, about one node: then another date might put the statements into another order.
func framed(c Canonicalizer, context *strictjson.Node, options Proof, created string) *frame {
	dated := options
	dated.Created = created
	text, err := c.Canonicalize(suite{}.configuration(dated.configuration(), context).Map())
	if err != nil {
		return nil
	}
	at := bytes.Index(text, []byte(created))
	if at < 0 {
		return nil
	}
	line := text[bytes.LastIndexByte(text[:at], '\n')+1 : at]
	label, predicate, _ := bytes.Cut(line, []byte{' '})
	if !bytes.Equal(label, []byte("_:c14n0")) || bytes.Count(text, predicate) != 1 || bytes.Count(text, []byte(created)) != 1 || bytes.Contains(text, []byte("_:c14n1")) {
		return nil
	}
	return &frame{options: options, before: text[:at:at], after: text[at+len(created):]}
}
