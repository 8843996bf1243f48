package statuslist

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

// The sides of a list. Bitstring Status List 1.0, 2.1 (BitstringStatusListEntry), statusPurpose.
const (
	Revocation = "revocation" // for good
	Suspension = "suspension" // until it is lifted
)

// Plain is what a credential says instead of a side that names the plain list of all
// that its issuer revoked or suspended. 1EdTech Verifiable Credentials Revocation List 1.0.
const Plain = openbadges.TypeRevocationList

// Place is the entry of one credential.
type Place struct {
	List  string // id of the list; empty where there is none
	Index int64
}

// Standing is how it stands with a credential.
type Standing struct {
	Revoked   bool
	Suspended bool
	Since     time.Time // of the revocation, else of the suspension
	Reason    string    // of the same
}

// Signers finds the identifier under which an issuer signs, and its current key: for
// a proof in a document, and for a token around one. It knows the issuer by all its names.
type Signers interface {
	Signer(ctx context.Context, issuerID string) (uri string, signer integrity.Signer, err error)
	Token(ctx context.Context, issuerID string) (uri string, token *credential.Enveloping, err error)
	// Named tells whether an identifier is one of the issuer's.
	Named(ctx context.Context, issuerID, identifier string) (bool, error)
}

// Work runs fn as one unit: all of it is stored or none. Platform database serves it.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
}

const (
	// A process takes entries in blocks that grow while they are used up, so that a
	// busy issuer asks the database seldom and a quiet one wastes little: never more
	// than it has used.
	firstBlock, lastBlock = 8, 1024
	// mostSpare bounds what is kept of entries that were given back.
	mostSpare = 256
	// mostStocks bounds what is held for issuers that issue no more.
	mostStocks = 4096
)

// Register keeps the lists of all issuers. It is safe for concurrent use.
type Register struct {
	cfg       Config
	public    config.PublicURL
	fetchable bool // by verifiers, from public
	store     *Store
	work      Work
	signers   Signers
	canonical integrity.Canonicalizer
	now       func() time.Time
	log       *slog.Logger
	shelf     *shelf.Shelf // may be nil

	mu     sync.Mutex
	stocks map[string]*stock // by issuer

	turns [16]chan struct{} // of signing, by list

	found sync.Map // of list id to its listRow, for what never changes: whose it is, and its size
}

// stock is what this process has of the entries of one issuer.
type stock struct {
	blocks   []block
	list     string        // of the last block
	size     int64         // of the last block
	spare    []Place       // that were given back
	fetching chan struct{} // closed when whoever fetches the next block is through; nil while nobody does
}

// block is a run of counters that belong to this process alone.
type block struct {
	list      string
	order     *status.Permutation
	next, end int64
}

// New makes a register over a store.
func New(cfg Config, public config.PublicURL, store *Store, work Work, signers Signers, canonical integrity.Canonicalizer, now func() time.Time, log *slog.Logger) *Register {
	r := &Register{cfg: cfg, public: public, fetchable: openbadges.IsSecureURL(public.String()), store: store, work: work, signers: signers, canonical: canonical, now: now, log: log, stocks: map[string]*stock{}}
	for i := range r.turns {
		r.turns[i] = make(chan struct{}, 1)
	}
	return r
}

// Publishing gives the register the shelf on which its lists lie.
func (r *Register) Publishing(s *shelf.Shelf) *Register {
	r.shelf = s
	return r
}

// Take gives away n entries of an issuer, each a random one that nobody has or had.
// It must be called outside of a unit of work. Where there are no lists, each is none.
//
// One caller at a time fetches the next block of an issuer, and does so while there is
// some left of the last for the others.
func (r *Register) Take(ctx context.Context, issuerID string, n int) ([]Place, error) {
	if r.cfg.Size == 0 {
		return make([]Place, n), nil
	}
	places := make([]Place, 0, n)
	for {
		held, size, fetching := r.draw(issuerID, &places, n)
		if size > 0 {
			err := r.fetch(ctx, issuerID, held, max(size, min(int64(n-len(places)), lastBlock)))
			if err != nil && len(places) < n {
				return nil, fmt.Errorf("statuslist: take entries: %w", err)
			}
		}
		if len(places) == n {
			return places, nil
		}
		if size == 0 {
			select {
			case <-fetching:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
}

// draw takes from the stock as many as there are. Where that runs low and nobody
// fetches, the caller must, a block of the size that is answered; else fetching tells
// when somebody else has.
func (r *Register) draw(issuerID string, places *[]Place, n int) (held *stock, size int64, fetching <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if held = r.stocks[issuerID]; held == nil {
		if len(r.stocks) >= mostStocks {
			clear(r.stocks) // what they hold is never used
		}
		held = &stock{}
		r.stocks[issuerID] = held
	}
	for len(*places) < n {
		if last := len(held.spare) - 1; last >= 0 {
			*places, held.spare = append(*places, held.spare[last]), held.spare[:last]
			continue
		}
		if len(held.blocks) == 0 {
			break
		}
		b := &held.blocks[0]
		*places = append(*places, Place{b.list, int64(b.order.At(uint64(b.next)))})
		if b.next++; b.next == b.end {
			held.blocks = held.blocks[1:]
		}
	}
	var left int64
	for _, b := range held.blocks {
		left += b.end - b.next
	}
	if held.fetching == nil && (len(*places) < n || left < held.size/8) {
		held.fetching = make(chan struct{})
		return held, min(max(firstBlock, held.size*2), lastBlock, max(firstBlock, r.cfg.Size/16)), held.fetching
	}
	return held, 0, held.fetching
}

// fetch takes a block out of the lists of an issuer and into its stock.
func (r *Register) fetch(ctx context.Context, issuerID string, held *stock, size int64) error {
	var next block
	list, first, err := r.store.take(ctx, issuerID, size, r.fresh)
	if err == nil {
		next = block{list: list.ID, next: first, end: first + size}
		next.order, err = status.NewPermutation(list.Seed, uint64(list.Size))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	close(held.fetching)
	held.fetching = nil
	if err == nil {
		held.blocks, held.size, held.list = append(held.blocks, next), size, list.ID
	}
	return err
}

// Return gives back an entry that was never stored with a credential.
func (r *Register) Return(issuerID string, p Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if held := r.stocks[issuerID]; held != nil && p.List != "" && held.list == p.List && len(held.spare) < mostSpare {
		held.spare = append(held.spare, p)
	}
}

func (r *Register) fresh() listRow {
	seed := make([]byte, 32)
	rand.Read(seed) // never fails
	return listRow{ID: uuid.Must(uuid.NewV7()).String(), Size: r.cfg.Size, Seed: seed, CreatedAt: r.now().UTC().Truncate(time.Second)}
}

// URL is the public address of one side of a list, and its identifier.
func (r *Register) URL(listID, purpose string) string {
	return r.public.Join("status", listID, purpose)
}

// Entry is how a credential names its entry, on one side of its list. Verifiers fetch
// lists over https alone: where this server has no such address, and is not on the
// reader's own machine, there is none.
//
// Bitstring Status List 1.0, 2.1 (BitstringStatusListEntry): the index is a string, and
// the id is not that of the list.
func (r *Register) Entry(p Place, purpose string) *openbadges.CredentialStatus {
	if p.List == "" || !r.fetchable {
		return nil
	}
	url, index := r.URL(p.List, purpose), strconv.FormatInt(p.Index, 10)
	return &openbadges.CredentialStatus{
		ID: url + "#" + index, Type: openbadges.TypeBitstringStatusListEntry, StatusPurpose: purpose, StatusListIndex: index, StatusListCredential: url,
	}
}

// Listed is a line of a plain list.
type Listed struct {
	CredentialID string
	Reason       string
}

// Listed answers which credentials of an issuer are revoked or suspended now, of those
// that name the plain list.
func (r *Register) Listed(ctx context.Context, issuerID string) ([]Listed, error) {
	return r.store.listed(ctx, issuerID)
}

// Standings tells how it stands with some entries. Those with which nothing is the
// matter are left out.
func (r *Register) Standings(ctx context.Context, places ...Place) (map[Place]Standing, error) {
	lists := map[string][]int64{}
	for _, p := range places {
		if p.List != "" {
			lists[p.List] = append(lists[p.List], p.Index)
		}
	}
	found := map[Place]Standing{}
	for list, indexes := range lists {
		marks, err := r.store.standings(ctx, list, indexes)
		if err != nil {
			return nil, err
		}
		for _, m := range marks {
			at := Place{m.ListID, m.ListIndex}
			s := found[at]
			if m.Purpose == Revocation || !s.Revoked {
				s.Since, s.Reason = m.BeginsAt.UTC(), m.Reason
			}
			s.Revoked = s.Revoked || m.Purpose == Revocation
			s.Suspended = s.Suspended || m.Purpose == Suspension
			found[at] = s
		}
	}
	return found, nil
}

// StatusOf answers for the lists of this register: see package credential. A list says
// nothing about credentials of somebody else, who would get the standing of a stranger's.
func (r *Register) StatusOf(ctx context.Context, issuer, url string, index uint64) (status.Standing, bool, error) {
	rest, ours := strings.CutPrefix(url, r.public.Join("status", ""))
	if !ours {
		return status.Standing{}, false, nil
	}
	id, purpose, _ := strings.Cut(rest, "/")
	list, err := r.lasting(ctx, id, purpose)
	if errors.Is(err, ErrUnknown) {
		return status.Standing{}, true, &status.Error{Code: status.RetrievalError, Problem: "the status list should be here, but there is none of that address", Remedy: "Ask the issuer for a new badge."}
	}
	if err != nil {
		return status.Standing{}, true, err
	}
	if own, err := r.signers.Named(ctx, list.IssuerID, issuer); err != nil {
		return status.Standing{}, true, err
	} else if !own {
		return status.Standing{}, true, &status.Error{Code: status.VerificationError, Problem: "the status list is another issuer's", Remedy: "Ask the issuer for a badge that names a list of its own."}
	}
	if index >= uint64(list.Size) {
		return status.Standing{}, true, &status.Error{Code: status.RangeError, Problem: fmt.Sprintf("the index %d lies behind the end of the list", index), Remedy: "Give an index that is in the list."}
	}
	at := Place{list.ID, int64(index)}
	found, err := r.Standings(ctx, at)
	s := found[at]
	return status.Standing{Purpose: purpose, Revoked: s.Revoked, Suspended: s.Suspended, Reason: s.Reason}, true, err
}

// lasting answers what never changes of a list: whose it is, and its size. Lists are never
// deleted and hold very many credentials, so all of them that are asked for can be remembered.
func (r *Register) lasting(ctx context.Context, id, purpose string) (listRow, error) {
	if found, ok := r.found.Load(id); ok && (purpose == Revocation || purpose == Suspension) {
		return found.(listRow), nil
	}
	list, err := r.find(ctx, id, purpose)
	if err == nil {
		r.found.Store(id, listRow{ID: list.ID, IssuerID: list.IssuerID, Size: list.Size})
	}
	return list, err
}

// find reads a list by its public names, or answers [ErrUnknown].
func (r *Register) find(ctx context.Context, id, purpose string) (listRow, error) {
	u, err := uuid.Parse(id)
	if err != nil || u.String() != id || purpose != Revocation && purpose != Suspension {
		return listRow{}, ErrUnknown
	}
	return r.store.list(ctx, id)
}

var _ credential.Statuses = (*Register)(nil)
