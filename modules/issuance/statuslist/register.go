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
// a proof in a document, and for a token around one.
type Signers interface {
	Signer(ctx context.Context, issuerID string) (uri string, signer integrity.Signer, err error)
	Token(ctx context.Context, issuerID string) (uri string, token *credential.Enveloping, err error)
}

// Work runs fn as one unit: all of it is stored or none. Platform database serves it.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
}

const (
	// A process takes entries in blocks that grow while they are used up, so that a
	// busy issuer asks the database seldom and a quiet one wastes little.
	firstBlock, lastBlock = 8, 256
	// mostBlocks bounds what is held for issuers that issue no more.
	mostBlocks = 4096
)

// Register keeps the lists of all issuers. It is safe for concurrent use.
type Register struct {
	cfg       Config
	public    config.PublicURL
	store     *Store
	work      Work
	signers   Signers
	canonical integrity.Canonicalizer
	now       func() time.Time
	log       *slog.Logger

	mu     sync.Mutex
	blocks map[string]*block // by issuer

	turns [16]chan struct{} // of signing, by list
}

// block is a run of counters that belong to this process alone.
type block struct {
	list      string
	order     *status.Permutation
	next, end int64
	size      int64   // of the block
	spare     []int64 // indexes that were given back
}

// New makes a register over a store.
func New(cfg Config, public config.PublicURL, store *Store, work Work, signers Signers, canonical integrity.Canonicalizer, now func() time.Time, log *slog.Logger) *Register {
	r := &Register{cfg: cfg, public: public, store: store, work: work, signers: signers, canonical: canonical, now: now, log: log, blocks: map[string]*block{}}
	for i := range r.turns {
		r.turns[i] = make(chan struct{}, 1)
	}
	return r
}

// Take gives away n entries of an issuer, each a random one that nobody has or had.
// It must be called outside of a unit of work. Where there are no lists, each is none.
func (r *Register) Take(ctx context.Context, issuerID string, n int) ([]Place, error) {
	if r.cfg.Size == 0 {
		return make([]Place, n), nil
	}
	places := make([]Place, 0, n)
	for {
		size := r.draw(issuerID, &places, n)
		if len(places) == n {
			return places, nil
		}
		size = max(size, min(int64(n-len(places)), 4*lastBlock))
		list, first, err := r.store.take(ctx, issuerID, size, r.fresh)
		if err != nil {
			return nil, fmt.Errorf("statuslist: take entries: %w", err)
		}
		order, err := status.NewPermutation(list.Seed, uint64(list.Size))
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		if held := r.blocks[issuerID]; held == nil || held.next == held.end && len(held.spare) == 0 {
			if len(r.blocks) >= mostBlocks {
				clear(r.blocks) // what they hold is never used
			}
			r.blocks[issuerID] = &block{list: list.ID, order: order, next: first, end: first + size, size: size}
			r.mu.Unlock()
			continue
		}
		r.mu.Unlock()
		// Another caller fetched a block meanwhile: this one is used up here.
		for ; len(places) < n && size > 0; size-- {
			places = append(places, Place{list.ID, int64(order.At(uint64(first)))})
			first++
		}
	}
}

// draw takes from the block that is held as many as there are, and answers how large
// the next should be.
func (r *Register) draw(issuerID string, places *[]Place, n int) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := r.blocks[issuerID]
	if held == nil {
		return firstBlock
	}
	for len(*places) < n {
		switch {
		case len(held.spare) > 0:
			*places = append(*places, Place{held.list, held.spare[len(held.spare)-1]})
			held.spare = held.spare[:len(held.spare)-1]
		case held.next < held.end:
			*places = append(*places, Place{held.list, int64(held.order.At(uint64(held.next)))})
			held.next++
		default:
			return min(held.size*2, lastBlock)
		}
	}
	return 0
}

// Return gives back an entry that was never stored with a credential.
func (r *Register) Return(issuerID string, p Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if held := r.blocks[issuerID]; held != nil && p.List != "" && held.list == p.List && len(held.spare) < lastBlock {
		held.spare = append(held.spare, p.Index)
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
	if p.List == "" || !openbadges.IsSecureURL(r.public.String()) {
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

// StatusOf answers for the lists of this register: see package credential.
func (r *Register) StatusOf(ctx context.Context, url string, index uint64) (status.Standing, bool, error) {
	rest, ours := strings.CutPrefix(url, r.public.Join("status", ""))
	if !ours {
		return status.Standing{}, false, nil
	}
	id, purpose, _ := strings.Cut(rest, "/")
	list, err := r.find(ctx, id, purpose)
	if errors.Is(err, ErrUnknown) {
		return status.Standing{}, true, &status.Error{Code: status.RetrievalError, Problem: "the status list should be here, but there is none of that address", Remedy: "Ask the issuer for a new badge."}
	}
	if err != nil {
		return status.Standing{}, true, err
	}
	if index >= uint64(list.Size) {
		return status.Standing{}, true, &status.Error{Code: status.RangeError, Problem: fmt.Sprintf("the index %d lies behind the end of the list", index), Remedy: "Give an index that is in the list."}
	}
	at := Place{list.ID, int64(index)}
	found, err := r.Standings(ctx, at)
	s := found[at]
	return status.Standing{Purpose: purpose, Revoked: s.Revoked, Suspended: s.Suspended, Reason: s.Reason}, true, err
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
