package credential

import (
	"crypto"
	"crypto/sha256"
	"errors"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// maxCanonicalizations is more than any honest badge needs: two for each proof of
// the badge, of its status list and of every endorsement.
const maxCanonicalizations = 200

// bounded keeps one verification from working without end: a document may have many
// proofs, each of which has it canonicalized again. The first document beyond the
// limits of the canonicalizer is the last.
type bounded struct {
	integrity.Canonicalizer
	*allowance
}

// allowance is what is left of the work that one verification may cause.
type allowance struct {
	stop func() error // why the verification is called off, if it is
	left int
	err  error
}

// exhausted tells whether the work was given up because of what the document asks for.
func (a *allowance) exhausted() bool { return beyond(a.err) }

// beyond tells whether an error is one of the limits of the canonicalizer.
func beyond(err error) bool {
	var limit *jsonld.Error
	return errors.As(err, &limit) && (limit.Code == jsonld.CodeLimit || limit.Code == jsonld.CodeWork)
}

// directing is a canonicalizer that can do more with text directions than refuse them.
type directing interface {
	Directed() *jsonld.Processor
	Undirected() *jsonld.Processor
}

// directed and undirected are canonicalizers for texts with a direction, within the same
// allowance; there are none where the one at hand knows of no directions.
func directed(c integrity.Canonicalizer) (protected, dropped integrity.Canonicalizer, ok bool) {
	b, ok := c.(*bounded)
	if !ok {
		return nil, nil, false
	}
	with, ok := b.Canonicalizer.(directing)
	if !ok {
		return nil, nil, false
	}
	return &bounded{with.Directed(), b.allowance}, &bounded{with.Undirected(), b.allowance}, true
}

// Canonicalize implements [integrity.Canonicalizer].
func (b *bounded) Canonicalize(doc map[string]any) ([]byte, error) {
	return b.within(func() ([]byte, error) { return b.Canonicalizer.Canonicalize(doc) })
}

// DigestOf implements [integrity.Digester].
func (b *bounded) DigestOf(doc *strictjson.Node) (sum [sha256.Size]byte, err error) {
	with, ok := b.Canonicalizer.(integrity.Digester)
	_, err = b.within(func() ([]byte, error) {
		if ok {
			sum, err = with.DigestOf(doc)
			return nil, err
		}
		text, err := b.Canonicalizer.Canonicalize(doc.Map())
		sum = sha256.Sum256(text)
		return nil, err
	})
	return sum, err
}

// CanonicalizeWith labels blank nodes by another hash, where the canonicalizer can.
func (b *bounded) CanonicalizeWith(hash crypto.Hash, doc map[string]any) ([]byte, error) {
	with, ok := b.Canonicalizer.(interface {
		CanonicalizeWith(hash crypto.Hash, doc map[string]any) ([]byte, error)
	})
	if !ok {
		return b.Canonicalize(doc)
	}
	return b.within(func() ([]byte, error) { return with.CanonicalizeWith(hash, doc) })
}

func (b *bounded) within(work func() ([]byte, error)) ([]byte, error) {
	if b.left--; b.left < 0 && b.err == nil {
		b.err = jsonld.ErrWorkLimit
	}
	if b.err == nil {
		b.err = b.stop()
	}
	if b.err != nil {
		return nil, b.err
	}
	text, err := work()
	if beyond(err) {
		b.err = err
	}
	return text, err
}
