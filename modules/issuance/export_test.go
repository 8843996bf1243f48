package issuance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// ErrRepeated is what Reserve answers for an idempotency key that is taken.
var ErrRepeated = errRepeated

// RequestPointer leads from the credential into the request.
var RequestPointer = requestPointer

// Abandoned is how old a reservation must be to be swept away.
const Abandoned = requestTime + grace

// Identities are what the recipient becomes in a credential, and in the index.
func (r Recipient) Identities() ([]openbadges.IdentityObject, string, error) { return r.identities() }

// Keyed is the credential with an idempotency key.
func (c Credential) Keyed(owner, key, hash string) Credential {
	c.owner, c.idempotencyKey, c.requestHash = owner, key, hash
	return c
}

// For is the credential with a recipient to be found by.
func (c Credential) For(index string) Credential {
	c.recipientIndex = index
	return c
}

// MakeKey makes a key and its secret.
var MakeKey = makeKey

// Fresh is how long a replica may go on with the keys that it read.
const Fresh = fresh

// Lines counts the orders of a file, and those of them that cannot be read. What the file
// is divided into must hold as many as was counted when it was divided.
func (f Format) Lines(file []byte) (orders, bad int, err error) {
	err = f.split(bytes.NewReader(file), func(lines int64, text []byte) error {
		var n int64
		err := f.orders(text, func(_ OrderLine, problem error) error {
			n++
			if problem != nil {
				bad++
			}
			return nil
		})
		if err != nil || n != lines {
			panic(fmt.Sprintf("of %d orders %d are read: %v", lines, n, err))
		}
		orders += int(n)
		return nil
	})
	return orders, bad, err
}

// Reserve holds entries of a register for a batch of so many lines.
func Reserve(from interface {
	Take(ctx context.Context, issuerID string, n int) ([]statuslist.Place, error)
	Return(issuerID string, p statuslist.Place)
}, lines int64) (take func(ctx context.Context, issuerID string, n int) ([]statuslist.Place, error), back func(issuerID string, p statuslist.Place), release func()) {
	r := &reserve{from: from, left: lines}
	return r.Take, r.Return, r.release
}

// BlockLines is how many lines a block may have.
const BlockLines = blockLines

// Turn has other batches wait for no more than so many blocks of one.
func (b *Batches) Turn(blocks int) { b.turn = blocks }

// AcceptLines stores a batch as it was stored before batches had blocks.
func (b *Batches) AcceptLines(ctx context.Context, o BatchOrder) (Batch, error) {
	now := b.service.now().UTC()
	row := batchRow{ID: newID(), Owner: principal.From(ctx).ID, DryRun: o.DryRun, State: string(BatchRunning), LeaseUntil: now.Add(-time.Second), CreatedAt: now, UpdatedAt: now}
	var lines []batchLine
	err := o.Format.split(bytes.NewReader(o.File), func(_ int64, text []byte) error {
		return o.Format.orders(text, func(order OrderLine, problem error) error {
			row.Total++
			line := batchLine{BatchID: row.ID, Number: row.Total, State: linePending, CredentialID: newID()}
			if lines = append(lines, line); problem != nil {
				lines[row.Total-1].fail(problem)
				return nil
			}
			order.AchievementID = o.AchievementID
			text, err := json.Marshal(order)
			if err != nil {
				return err
			}
			lines[row.Total-1].Sealed, err = b.service.sealer.Seal(lineName(row.ID, row.Total), text)
			return err
		})
	})
	if err == nil {
		err = b.service.store.db.Session(ctx).CreateInBatches(&lines, 500).Error
	}
	if err == nil {
		err = b.service.store.InsertBatch(ctx, row)
	}
	return row.batch(), err
}

// Whole gives a credential everything that one can have which was never reserved.
func (c Credential) Whole() Credential {
	until := c.ValidFrom.Add(24 * time.Hour)
	c.ValidUntil, c.Document, c.Holder, c.Token = &until, []byte(`{"a":1}`), []byte(`{"b":2}`), "a.b.c"
	c.Place, c.StatusPurpose = statuslist.Place{List: c.IssuerID, Index: 7}, statuslist.Suspension
	c.recipientIndex, c.keys, c.form, c.State = "index", []string{c.IssuerID, c.AchievementID}, usual(), Issued
	c.Batch = c.AchievementID
	return c
}
