package statuslist

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/platform/shelf"
)

const (
	// lifetime is how long a signed list is valid. One that nobody asks for is not
	// signed again; one that is asked for is renewed at half of it.
	lifetime = 7 * 24 * time.Hour
	// skew is how far the clocks of verifiers may be behind ours.
	skew = time.Minute
)

// Form is how a list is secured.
type Form string

// The forms. Bitstring Status List 1.0 asks for the one of the credentials, and a
// verifier says which it reads.
const (
	Document Form = ""     // JSON-LD with an embedded proof
	Token    Form = "+jwt" // a compact JWS
)

// Signed is one side of a list as the world reads it.
type Signed struct {
	Text []byte // a JSON document or a token
	TTL  time.Duration
	Past bool // it says what was, and not what is
}

// Published is one side of a list as it lies on the shelf.
type Published struct {
	*shelf.Document
	TTL  time.Duration
	Past bool // it says what was, and not what is
}

// Published is [Register.Current], or with a timestamp [Register.At], as it lies on
// the shelf.
func (r *Register) Published(ctx context.Context, id, purpose string, form Form, timestamp string) (*Published, error) {
	key := "list " + strings.ToLower(id) + " " + purpose + " " + string(form) + " " + timestamp
	return shelf.Get(ctx, r.shelf, key, func(ctx context.Context) (*Published, error) {
		var list Signed
		var err error
		if timestamp == "" {
			list, err = r.Current(ctx, id, purpose, form)
		} else {
			list, err = r.At(ctx, id, purpose, form, timestamp)
		}
		if err != nil {
			return nil, err
		}
		return &Published{shelf.Of(list.Text), list.TTL, list.Past}, nil
	})
}

// secured is how an issuer secures lists in a form.
func (r *Register) secured(ctx context.Context, issuerID string, form Form) (uri, method string, how credential.Securing, err error) {
	if form == Token {
		uri, token, err := r.signers.Token(ctx, issuerID)
		if err != nil {
			return "", "", credential.Securing{}, err
		}
		return uri, token.Signer.VerificationMethod(), credential.Securing{Token: token}, nil
	}
	uri, signer, err := r.signers.Signer(ctx, issuerID)
	if err != nil {
		return "", "", credential.Securing{}, err
	}
	return uri, signer.VerificationMethod(), credential.Securing{Proofs: []credential.Embedding{{Signer: signer}}}, nil
}

// secure makes a list of segments and signs it.
func (r *Register) secure(ctx context.Context, how credential.Securing, list status.List) ([]byte, error) {
	prepared, err := credential.PrepareList(r.canonical, list)
	if err != nil {
		return nil, fmt.Errorf("statuslist: prepare %s: %w", list.ID, err)
	}
	secured, err := prepared.Secure(ctx, how)
	if err != nil {
		return nil, fmt.Errorf("statuslist: sign %s: %w", list.ID, err)
	}
	if how.Token != nil {
		return []byte(secured.Token), nil
	}
	return secured.Document, nil
}

// Current answers one side of a list as it is now. It is signed only if something
// changed since it was signed last, or the key did, or half its life is over; any
// number of changes until then are signed at once. It answers with [ErrUnknown].
func (r *Register) Current(ctx context.Context, id, purpose string, form Form) (Signed, error) {
	list, err := r.find(ctx, id, purpose)
	if err != nil {
		return Signed{}, err
	}
	uri, method, how, err := r.secured(ctx, list.IssuerID, form)
	if err != nil {
		return Signed{}, err
	}
	now := r.now().UTC().Truncate(time.Second)
	kept, fresh, err := r.kept(ctx, list, purpose, form, method, now)
	if err != nil || fresh {
		return kept, err
	}
	done, err := r.turn(ctx, id+purpose+string(form))
	if err != nil {
		return Signed{}, err
	}
	defer done()
	kept, fresh, err = r.kept(ctx, list, purpose, form, method, now)
	if err != nil || fresh { // whoever had the turn before signed it
		return kept, err
	}
	segments, changes, err := r.segments(ctx, list, purpose)
	if err != nil {
		return Signed{}, err
	}
	from, until := now.Add(-skew), now.Add(lifetime)
	how.Created = now
	text, err := r.secure(ctx, how, status.NewList(r.URL(list.ID, purpose), uri, purpose, segments, from, until, r.cfg.TTL))
	if err != nil {
		return Signed{}, err
	}
	row := signedRow{ListID: list.ID, Purpose: purpose + string(form), Changes: changes, Method: method, Document: string(text), ValidFrom: from, ValidUntil: until}
	if err := r.store.sign(ctx, row); err != nil {
		return Signed{}, err
	}
	r.log.InfoContext(ctx, "status list signed", "list", list.ID, "purpose", row.Purpose, "changes", changes)
	return Signed{Text: text, TTL: r.cfg.TTL}, nil
}

// kept answers the list as it was signed last, and whether that still holds.
func (r *Register) kept(ctx context.Context, list listRow, purpose string, form Form, method string, now time.Time) (Signed, bool, error) {
	changes, err := r.store.changes(ctx, list.ID, purpose)
	if err != nil {
		return Signed{}, false, err
	}
	row, found, err := r.store.signed(ctx, list.ID, purpose+string(form))
	if err != nil || !found || row.Changes != changes || row.Method != method || now.After(row.ValidUntil.Add(-lifetime/2)) {
		return Signed{}, false, err
	}
	return Signed{Text: []byte(row.Document), TTL: r.cfg.TTL}, true, nil
}

// segments puts one side of a list together, and packs what changed. The changes are
// read before the bits: what comes in between is in the bits already, and counts as
// a change the next time.
func (r *Register) segments(ctx context.Context, list listRow, purpose string) ([]status.Segment, int64, error) {
	rows, err := r.store.segments(ctx, list.ID, purpose)
	if err != nil {
		return nil, 0, err
	}
	segments := make([]status.Segment, list.Size/status.SegmentBits)
	for i := range segments {
		segments[i] = status.Empty()
	}
	var changes int64
	for _, row := range rows {
		changes += row.Changes
		if row.PackedChanges != row.Changes {
			segment, err := r.packed(ctx, list, purpose, row.Number, time.Time{})
			if err != nil {
				return nil, 0, err
			}
			row.Packed, row.CRC, row.PackedChanges = segment.Packed, int64(segment.CRC), row.Changes
			if err := r.store.pack(ctx, row); err != nil {
				return nil, 0, err
			}
		}
		segments[row.Number] = status.Segment{Packed: row.Packed, CRC: uint32(row.CRC)}
	}
	return segments, changes, nil
}

// packed packs one segment of what is marked.
func (r *Register) packed(ctx context.Context, list listRow, purpose string, number int64, at time.Time) (status.Segment, error) {
	first := number * status.SegmentBits
	indexes, err := r.store.bits(ctx, list.ID, purpose, first, first+status.SegmentBits, at)
	if err != nil {
		return status.Segment{}, err
	}
	set := make([]uint32, len(indexes))
	for i, index := range indexes {
		set[i] = uint32(index - first)
	}
	return status.Pack(set)
}

// At answers what one side of a list said at a time that is over. It is valid only
// around that time, so that nobody can pass it off for the current one, and always
// the same. It answers with [ErrUnknown], or [ErrTimestamp] for a time that is not
// over or was before the list.
//
// Bitstring Status List 1.0, 3.2 (Validate Algorithm), timestamp.
func (r *Register) At(ctx context.Context, id, purpose string, form Form, timestamp string) (Signed, error) {
	list, err := r.find(ctx, id, purpose)
	if err != nil {
		return Signed{}, err
	}
	at, err := time.Parse(time.RFC3339, timestamp)
	if err != nil {
		return Signed{}, ErrTimestamp.Detailf("Give a date and time with a zone, such as 2026-01-02T03:04:05Z; a plus sign is written %%2B in a URL.")
	}
	at = at.UTC().Truncate(time.Second)
	if at.Before(list.CreatedAt.UTC()) || !at.Before(r.now().UTC().Truncate(time.Second)) {
		return Signed{}, ErrTimestamp.Detailf("The list exists since %s, and can be asked for any time from then until now.", list.CreatedAt.UTC().Format(time.RFC3339))
	}
	uri, _, how, err := r.secured(ctx, list.IssuerID, form)
	if err != nil {
		return Signed{}, err
	}
	done, err := r.turn(ctx, "the past") // one at a time: each looks at every bit
	if err != nil {
		return Signed{}, err
	}
	defer done()
	rows, err := r.store.segments(ctx, list.ID, purpose)
	if err != nil {
		return Signed{}, err
	}
	segments := make([]status.Segment, list.Size/status.SegmentBits)
	for i := range segments {
		segments[i] = status.Empty()
	}
	for _, row := range rows {
		if segments[row.Number], err = r.packed(ctx, list, purpose, row.Number, at); err != nil {
			return Signed{}, err
		}
	}
	text, err := r.secure(ctx, how, status.NewList(r.URL(list.ID, purpose), uri, purpose, segments, at, at.Add(r.cfg.TTL), r.cfg.TTL))
	return Signed{Text: text, TTL: r.cfg.TTL, Past: true}, err
}

// turn waits until nobody else in this process works on the same.
func (r *Register) turn(ctx context.Context, what string) (done func(), err error) {
	h := fnv.New32a()
	h.Write([]byte(what))
	turn := r.turns[h.Sum32()%uint32(len(r.turns))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
