package issuance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/platform/problem"
)

// Batches that were begun before batches had blocks keep each line in a row of its own.
// They are carried out as they were begun, and nothing else is done here.

// chunk is how many lines are signed and stored at once.
const chunk = 100

func (b *Batches) openLine(batchID string, number int64, sealed []byte) (order OrderLine, err error) {
	text, err := b.service.sealer.Open(lineName(batchID, number), sealed)
	if err != nil {
		return OrderLine{}, err
	}
	if err := json.Unmarshal(text, &order); err != nil {
		return OrderLine{}, fmt.Errorf("issuance: read order %d: %w", number, err)
	}
	return order, nil
}

func lineName(batchID string, number int64) string {
	return fmt.Sprintf("batch %s %d", batchID, number)
}

func (l *batchLine) fail(failure error) {
	shown := string(problemOf(failure))
	l.State, l.Sealed, l.Problem = lineFailed, nil, &shown
}

// carryOutLines deals with the lines of a batch that are left.
func (b *Batches) carryOutLines(ctx context.Context, row batchRow) error {
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
	b.service.counts.batches.Count(1, "completed")
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
				drafts[i], troubles[i] = b.signLine(ctx, row, lines[i])
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
			drafts[i].reserved.Batch = row.ID
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
		var err error
		if moved, err = b.hold(ctx, held); err != nil {
			return err
		}
		// Whoever deals with these lines first moves the batch on; the other stores nothing.
		if err := s.store.AdvanceBatch(ctx, row, next); err != nil {
			return err
		}
		if len(issued) > 0 {
			if err := s.store.Insert(ctx, issued); err != nil {
				return err
			}
			if err := s.record(ctx, "issuance.batch.issued", row.ID, fmt.Sprintf("lines:%d-%d,credentials:%d", row.Processed+1, next.Processed, len(issued))); err != nil {
				return err
			}
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
	s.counts.lines(row, len(issued), int(next.Failed-row.Failed))
	if len(issued) > 0 {
		b.log.InfoContext(ctx, "batch lines issued", "batch", row.ID, "until", next.Processed, "count", len(issued))
	}
	return next, nil
}

func (b *Batches) signLine(ctx context.Context, row batchRow, line batchLine) (draft, error) {
	order, err := b.openLine(row.ID, line.Number, line.Sealed)
	if err != nil {
		return draft{}, err
	}
	return b.sign(ctx, row.DryRun, Order{
		AchievementID: order.AchievementID, Recipient: order.Recipient, Award: order.Award, Form: order.Form, id: line.CredentialID, entries: b.service.statuses,
	})
}
