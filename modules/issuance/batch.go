package issuance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/problem"
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
	// chunk is how many lines are signed and stored at once.
	chunk = 100
	// stored is how many lines are stored at once when a batch is accepted.
	stored = 500
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

	mu     sync.Mutex
	cancel context.CancelFunc
	ended  chan struct{}
}

// NewBatches makes the batches of a service.
func NewBatches(service *Service, log *slog.Logger) *Batches {
	return &Batches{service: service, log: log, wake: make(chan struct{}, 1)}
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
	// First the whole file is read, so that one that breaks off stores nothing.
	if err := o.Format.lines(o.File, func(int64, OrderLine, error) error { return ctx.Err() }); err != nil {
		return Batch{}, false, err
	}
	now := s.now().UTC().Truncate(time.Second)
	row := batchRow{ID: newID(), Owner: owner, DryRun: o.DryRun, State: string(BatchRunning), LeaseUntil: now.Add(-time.Second), CreatedAt: now, UpdatedAt: now}
	if o.IdempotencyKey != "" {
		row.IdempotencyKey, row.RequestHash = &o.IdempotencyKey, &hash
	}
	err = s.work.Do(ctx, func(ctx context.Context) error {
		lines := make([]batchLine, 0, stored)
		flush := func() error {
			err := s.store.InsertLines(ctx, lines)
			lines = lines[:0]
			return err
		}
		err := o.Format.lines(o.File, func(number int64, order OrderLine, problem error) error {
			line, err := b.line(row.ID, number, o.AchievementID, order, problem)
			if err != nil {
				return err
			}
			row.Total = number
			if lines = append(lines, line); len(lines) < stored {
				return nil
			}
			return flush()
		})
		if err != nil {
			return err
		}
		if err := flush(); err != nil {
			return err
		}
		if err := s.store.InsertBatch(ctx, row); err != nil {
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

// line is how an order of the file is kept. Its credential has its id from now on, so
// that it cannot be issued twice.
func (b *Batches) line(batchID string, number int64, achievementID string, order OrderLine, failure error) (batchLine, error) {
	line := batchLine{BatchID: batchID, Number: number, State: linePending, CredentialID: newID()}
	if failure != nil {
		line.fail(failure)
		return line, nil
	}
	if order.AchievementID == "" {
		order.AchievementID = achievementID
	}
	sealed, err := b.seal(batchID, number, order)
	line.Sealed = sealed
	return line, err
}

func (l *batchLine) fail(failure error) {
	p := problem.Of(failure)
	text, err := json.Marshal(struct {
		Code   string            `json:"code"`
		Title  string            `json:"title"`
		Detail string            `json:"detail,omitempty"`
		Errors []fault.Violation `json:"errors,omitempty"`
	}{p.Code, p.Title, p.Detail, p.Errors})
	if err != nil { // of strings alone
		text = []byte("{}")
	}
	shown := string(text)
	l.State, l.Sealed, l.Problem = lineFailed, nil, &shown
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

// Lines answers a page of the report of a batch, [ErrBatchUnknown] or [paging.ErrCursor].
func (b *Batches) Lines(ctx context.Context, id, state string, q paging.Query) (paging.Page[BatchLine], error) {
	found, err := b.Batch(ctx, id)
	if err != nil {
		return paging.Page[BatchLine]{}, err
	}
	return b.service.store.Lines(ctx, found.ID, state, q)
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

// Stop ends after the chunk that is being worked on; the rest goes on elsewhere, or
// after the next start.
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
// there was one. It ends early when ctx does, between two chunks.
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
		return true, b.carryOut(principal.With(ctx, principal.Principal{ID: row.Owner}), row)
	}
}

func (b *Batches) carryOut(ctx context.Context, row batchRow) error {
	log := b.log.With("batch", row.ID, "by", row.Owner)
	for row.State == string(BatchRunning) {
		if ctx.Err() != nil {
			// Whoever comes next need not wait.
			return b.service.store.ReleaseBatch(context.WithoutCancel(ctx), row.ID, b.service.now().UTC().Add(-time.Second))
		}
		next, err := b.chunk(ctx, row)
		if errors.Is(err, ErrBatchOver) { // it was cancelled, or another goes on with it
			return nil
		}
		if err != nil {
			if ctx.Err() == nil {
				b.service.store.Trouble(ctx, row.ID, problem.Of(err).Code) // best effort: the log has it too
			}
			return err
		}
		row = next
	}
	log.InfoContext(ctx, "batch completed", "succeeded", row.Succeeded, "failed", row.Failed)
	return nil
}

// chunk deals with the next lines of a batch: signs outside of any unit, and stores
// what came of all of them as one.
func (b *Batches) chunk(ctx context.Context, row batchRow) (batchRow, error) {
	s := b.service
	lines, err := s.store.NextLines(ctx, row.ID, row.Processed, chunk)
	if err != nil {
		return row, err
	}
	drafts := make([]draft, len(lines))
	troubles := make([]error, len(lines))
	var wg sync.WaitGroup
	places := make(chan int)
	for range min(runtime.GOMAXPROCS(0), len(lines)) {
		wg.Go(func() {
			for i := range places {
				drafts[i], troubles[i] = b.sign(ctx, row, lines[i])
			}
		})
	}
	for i := range lines {
		if lines[i].State == linePending {
			places <- i
		}
	}
	close(places)
	wg.Wait()

	next := row
	var issued []Credential
	var done []batchLine
	held := map[string]*kind{}
	for i := range lines {
		line := &lines[i]
		pending := line.State == linePending
		switch {
		case !pending: // it could not be read
		case troubles[i] == nil && row.DryRun:
			line.State, line.Sealed = lineValid, nil
		case troubles[i] == nil:
			line.State, line.Sealed = lineIssued, nil
			issued = append(issued, drafts[i].reserved)
			held[drafts[i].reserved.AchievementID] = drafts[i].kind
		case theirs(troubles[i]):
			line.fail(troubles[i])
		default:
			return row, troubles[i] // ours: nothing of the chunk is stored, and it is tried again
		}
		if pending {
			done = append(done, *line)
		}
		if line.State == lineFailed {
			next.Failed++
		} else {
			next.Succeeded++
		}
		next.Processed = line.Number
	}
	now := s.now().UTC()
	next.UpdatedAt, next.LeaseUntil, next.Trouble = now.Truncate(time.Second), now.Add(lease), ""
	if next.Processed >= next.Total || len(lines) == 0 {
		next.State = string(BatchCompleted)
	}
	var moved string
	err = s.work.Do(ctx, func(ctx context.Context) error {
		for id, kind := range held {
			edition, err := s.achievements.Hold(ctx, id)
			if err != nil && !notFound(err) {
				return err
			}
			if err != nil || edition != kind.edition {
				moved, err = id, errMoved
				return err
			}
		}
		// Whoever deals with these lines first moves the batch on; the other stores nothing.
		if err := s.store.AdvanceBatch(ctx, row, next); err != nil {
			return err
		}
		if err := b.keep(ctx, issued); err != nil {
			return err
		}
		if err := s.store.UpdateLines(ctx, done); err != nil {
			return err
		}
		if next.State != string(BatchCompleted) {
			return nil
		}
		return s.record(ctx, "issuance.batch.completed", row.ID, fmt.Sprintf("succeeded:%d,failed:%d", next.Succeeded, next.Failed))
	})
	if errors.Is(err, errMoved) { // the same lines again, of what the achievement is now
		s.kinds.forget(moved, held[moved])
		return row, nil
	}
	if err != nil {
		return row, err
	}
	if len(issued) > 0 {
		b.log.InfoContext(ctx, "batch lines issued", "batch", row.ID, "until", next.Processed, "count", len(issued))
	}
	return next, nil
}

// keep stores credentials that are signed, with their events, in the unit of its caller.
func (b *Batches) keep(ctx context.Context, issued []Credential) error {
	if len(issued) == 0 {
		return nil
	}
	if err := b.service.store.Insert(ctx, issued); err != nil || b.service.audit == nil {
		return err
	}
	targets, by := make([]string, len(issued)), make([]context.Context, len(issued))
	for i, c := range issued {
		targets[i], by[i] = c.ID, ctx
	}
	return b.service.audit.RecordEach(ctx, "issuance.credential.issued", targets, by)
}

// theirs tells a failure that is in the order, and would be the same the next time.
func theirs(err error) bool {
	f, ok := fault.From(err)
	return ok && f.Kind() != fault.Internal && f.Kind() != fault.Unavailable && f.Kind() != fault.TooMany
}

// sign prepares one order, and signs it unless it is a dry run.
func (b *Batches) sign(ctx context.Context, row batchRow, line batchLine) (draft, error) {
	s := b.service
	order, err := b.open(row.ID, line.Number, line.Sealed)
	if err != nil {
		return draft{}, err
	}
	made, err := s.prepare(ctx, Order{AchievementID: order.AchievementID, Recipient: order.Recipient, Award: order.Award, Form: order.Form, id: line.CredentialID})
	if err != nil {
		return draft{}, err
	}
	made.reserved.State = Issued
	if row.DryRun {
		s.statuses.Return(made.reserved.IssuerID, made.reserved.Place)
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
