package issuance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// BatchState is how far a batch has come.
type BatchState string

// The states of a batch.
const (
	BatchRunning   BatchState = "running"
	BatchCompleted BatchState = "completed"
	BatchCancelled BatchState = "cancelled" // what was issued until then stays
)

// The states of a line of a batch.
const (
	linePending = "pending"
	lineIssued  = "issued"
	lineValid   = "valid" // would be issued; of a dry run
	lineFailed  = "failed"
)

// issuing is how a running batch that has blocks is stored. Programs that know of lines
// alone look for those that are running, and leave it alone.
const issuing = "issuing"

// Batch is one request to issue to many recipients.
type Batch struct {
	ID        string
	DryRun    bool
	State     BatchState
	Total     int64
	Processed int64
	Succeeded int64
	Failed    int64
	Trouble   string // the code of what keeps it from going on, if anything does
	Created   time.Time
	Updated   time.Time

	owner, requestHash string
	lined              bool // it was begun before batches had blocks
}

// BatchLine is what came of one recipient.
type BatchLine struct {
	Number       int64
	State        string
	CredentialID string // of lines that were issued
	Problem      json.RawMessage
}

// BatchOrder asks for a batch.
type BatchOrder struct {
	AchievementID  string // of orders that name none
	Format         Format
	File           []byte
	DryRun         bool
	IdempotencyKey string
	RequestHash    string
}

const (
	// lease is how long a process may work on a batch before it says that it still
	// does: after so long another takes over what a dead one left.
	lease = 10 * time.Second
	// rest is how long to wait between looks at what others left; after trouble it
	// grows up to longestRest.
	rest, longestRest = 2 * time.Second, time.Minute
)

// Batches carries out batches in the background. What is accepted is stored, and goes
// on where it stopped when the process that worked on it dies; each line is dealt
// with once.
type Batches struct {
	service *Service
	log     *slog.Logger
	wake    chan struct{}
	turn    int // blocks

	mu     sync.Mutex
	cancel context.CancelFunc
	ended  chan struct{}
}

// NewBatches makes the batches of a service.
func NewBatches(service *Service, log *slog.Logger) *Batches {
	return &Batches{service: service, log: log, wake: make(chan struct{}, 1), turn: longestTurn}
}

// Accept stores a batch, to be carried out soon. replayed tells that the same request
// was accepted before. It answers with [ErrBatchFile] or [ErrMismatch], and then
// nothing is stored. Orders that cannot be read do not keep the others from being
// issued: they fail, and the report says why.
func (b *Batches) Accept(ctx context.Context, o BatchOrder) (accepted Batch, replayed bool, err error) {
	s := b.service
	owner := principal.From(ctx).ID
	hash := s.sealer.Index(o.RequestHash)
	if o.IdempotencyKey != "" {
		if before, found, err := b.replay(ctx, owner, o.IdempotencyKey, hash); err != nil || found {
			return before, found, err
		}
	}
	if o.AchievementID != "" {
		if o.AchievementID, err = known(o.AchievementID, noAchievement()); err != nil {
			return Batch{}, false, err
		}
		if _, _, _, err = s.achievements.Snapshot(ctx, o.AchievementID); notFound(err) {
			return Batch{}, false, noAchievement()
		} else if err != nil {
			return Batch{}, false, err
		}
	}
	now := s.now().UTC().Truncate(time.Second)
	row := batchRow{
		ID: newID(), Owner: owner, DryRun: o.DryRun, State: issuing, AchievementID: optional(o.AchievementID), Format: optional(string(o.Format)),
		LeaseUntil: now.Add(-time.Second), CreatedAt: now, UpdatedAt: now,
	}
	if o.IdempotencyKey != "" {
		row.IdempotencyKey, row.RequestHash = &o.IdempotencyKey, &hash
	}
	// The whole file is read before anything is stored, so that one that breaks off
	// stores nothing.
	var blocks []batchBlock
	err = o.Format.split(bytes.NewReader(o.File), func(lines int64, text []byte) error {
		block, err := b.newBlock(row, int64(len(blocks)), lines, text)
		blocks = append(blocks, block)
		row.Total += lines
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return Batch{}, false, err
	}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		if err := s.store.InsertBatch(ctx, row); err != nil {
			return err
		}
		if err := s.store.InsertBlocks(ctx, blocks); err != nil {
			return err
		}
		return s.record(ctx, "issuance.batch.accepted", row.ID, fmt.Sprintf("lines:%d,dryRun:%t", row.Total, row.DryRun))
	})
	if errors.Is(err, errRepeated) {
		before, found, err := b.replay(ctx, owner, o.IdempotencyKey, hash)
		if err == nil && !found {
			err = ErrInProgress
		}
		return before, found, err
	}
	if err != nil {
		return Batch{}, false, err
	}
	s.counts.batches.Count(1, "accepted")
	b.log.InfoContext(ctx, "batch accepted", "batch", row.ID, "lines", row.Total, "dry_run", row.DryRun, "by", owner)
	b.Wake()
	return row.batch(), false, nil
}

func (b *Batches) replay(ctx context.Context, owner, key, hash string) (Batch, bool, error) {
	before, err := b.service.store.BatchByKey(ctx, owner, key)
	switch {
	case errors.Is(err, ErrBatchUnknown):
		return Batch{}, false, nil
	case err != nil:
		return Batch{}, false, err
	case before.requestHash != hash:
		return Batch{}, false, ErrMismatch.Detailf("Use a new Idempotency-Key for a new batch.")
	}
	return before, true, nil
}

// Batch answers a batch of the caller, or of anybody for an administrator, or
// [ErrBatchUnknown].
func (b *Batches) Batch(ctx context.Context, id string) (Batch, error) {
	id, err := known(id, ErrBatchUnknown)
	if err != nil {
		return Batch{}, err
	}
	found, err := b.service.store.Batch(ctx, id)
	if err != nil {
		return Batch{}, err
	}
	if who := principal.From(ctx); found.owner != who.ID && !who.May(principal.ScopeAdmin) {
		return Batch{}, ErrBatchUnknown
	}
	return found, nil
}

// Batches answers a page of the batches of the caller, or of everybody's for an
// administrator, all of them or those in a state; or [paging.ErrCursor].
func (b *Batches) Batches(ctx context.Context, state string, q paging.Query) (paging.Page[Batch], error) {
	who := principal.From(ctx)
	owner := &who.ID
	if who.May(principal.ScopeAdmin) {
		owner = nil
	}
	return b.service.store.Batches(ctx, owner, state, q)
}

// Lines answers a page of the report of a batch, [ErrBatchUnknown] or [paging.ErrCursor].
func (b *Batches) Lines(ctx context.Context, id, state string, q paging.Query) (paging.Page[BatchLine], error) {
	found, err := b.Batch(ctx, id)
	if err != nil {
		return paging.Page[BatchLine]{}, err
	}
	if found.lined {
		return b.service.store.Lines(ctx, found.ID, state, q)
	}
	return b.report(ctx, found, state, q)
}

// Cancel ends a batch: what is issued stays, what is not will not be. It answers with
// [ErrBatchUnknown] or [ErrBatchOver].
func (b *Batches) Cancel(ctx context.Context, id string) (Batch, error) {
	found, err := b.Batch(ctx, id)
	if err != nil {
		return Batch{}, err
	}
	now := b.service.now().UTC().Truncate(time.Second)
	err = b.service.work.Do(ctx, func(ctx context.Context) error {
		if err := b.service.store.CancelBatch(ctx, found.ID, now); err != nil {
			return err
		}
		return b.service.record(ctx, "issuance.batch.cancelled", found.ID, "")
	})
	if err != nil {
		return Batch{}, err
	}
	b.service.counts.batches.Count(1, "cancelled")
	return b.Batch(ctx, found.ID)
}

// Wake has batches looked for now.
func (b *Batches) Wake() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Start begins to carry out batches, those that were left included.
func (b *Batches) Start(context.Context) error {
	ctx, cancel := context.WithCancel(context.Background())
	b.mu.Lock()
	b.cancel, b.ended = cancel, make(chan struct{})
	b.mu.Unlock()
	go b.run(ctx)
	return nil
}

// Stop ends what is being worked on; the rest goes on elsewhere, or after the next
// start.
func (b *Batches) Stop(ctx context.Context) error {
	b.mu.Lock()
	cancel, ended := b.cancel, b.ended
	b.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Batches) run(ctx context.Context) {
	defer close(b.ended)
	wait := rest
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for ctx.Err() == nil {
		worked, err := b.Work(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			b.log.WarnContext(ctx, "batch interrupted", "error", err)
			wait = min(2*wait, longestRest)
		case worked:
			wait = rest
			continue
		default:
			wait = rest
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-b.wake:
		case <-timer.C:
		}
	}
}

// Work takes a batch that nobody works on and carries it out, and reports whether
// there was one. It ends early when ctx does.
func (b *Batches) Work(ctx context.Context) (bool, error) {
	s := b.service
	for {
		now := s.now().UTC()
		id, err := s.store.AnyBatch(ctx, now)
		if err != nil || id == "" {
			return false, err
		}
		mine, err := s.store.LeaseBatch(ctx, id, now, now.Add(lease))
		if err != nil {
			return false, err
		}
		if !mine { // another was faster
			continue
		}
		row, err := s.store.BatchRow(ctx, id)
		if err != nil {
			return false, err
		}
		// It is done in the name of who asked for it.
		ctx = principal.With(ctx, principal.Principal{ID: row.Owner})
		if row.Format == nil {
			return true, b.carryOutLines(ctx, row)
		}
		return true, b.carryOut(ctx, row)
	}
}

// theirs tells a failure that is in the order, and would be the same the next time.
func theirs(err error) bool {
	f, ok := fault.From(err)
	return ok && f.Kind() != fault.Internal && f.Kind() != fault.Unavailable && f.Kind() != fault.TooMany
}

// sign prepares one order, and signs it unless it is a dry run.
func (b *Batches) sign(ctx context.Context, dryRun bool, order Order) (draft, error) {
	s := b.service
	made, err := s.prepare(ctx, order)
	if err != nil {
		return draft{}, err
	}
	made.reserved.State = Issued
	if dryRun {
		order.entries.Return(made.reserved.IssuerID, made.reserved.Place)
		return made, nil
	}
	if err := made.plan.secure(ctx, s.canonical, made.prepared, &made.reserved, s.now().UTC()); err != nil {
		return draft{}, fmt.Errorf("issuance: sign %s: %w", made.reserved.ID, err)
	}
	return made, nil
}

// publicURL is the address of the credential of a line that was issued.
func (b *Batches) publicURL(l BatchLine) string {
	if l.CredentialID == "" {
		return ""
	}
	return b.service.URL(l.CredentialID)
}
