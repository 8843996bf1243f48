package issuance

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/problem"
)

const (
	// blockLines is how many lines are kept in one row, and signed and stored as one:
	// enough that a transaction costs a line little, and few enough that all
	// processors have something to do. The number of a line in its block has 12 bits.
	blockLines = 250
	// blockBytes is how large a block may become before the line that made it so large
	// is its last.
	blockBytes = 256 << 10
	// ahead is how many blocks more than there are processors are worked on at a time:
	// while some are signed, these are stored.
	ahead = 2
	// longestTurn is how many blocks of a batch are dealt with before another batch has
	// its turn.
	longestTurn = 128
	// mostReserved is how many entries of a status list a batch reserves at a time.
	mostReserved = 4096
)

// The states of a block.
const (
	blockPending   = "pending"
	blockDone      = "done"
	blockCancelled = "cancelled"
)

// newBlock seals some lines of a file until they are dealt with: they hold e-mail
// addresses.
func (b *Batches) newBlock(row batchRow, number, lines int64, text []byte) (batchBlock, error) {
	block := batchBlock{BatchID: row.ID, Number: number, FirstLine: row.Total + 1, Lines: lines, State: blockPending, Seed: newSeed(b.service.now())}
	sealed, err := b.service.sealer.Seal(block.name(), text)
	block.Orders = sealed
	return block, err
}

// name binds what is sealed to the block.
func (l batchBlock) name() string { return fmt.Sprintf("batch %s block %d", l.BatchID, l.Number) }

// seedTime is how many bytes of a seed say when it was made.
const seedTime = 6

// newSeed makes that from which the ids of a block follow.
func newSeed(now time.Time) []byte {
	seed := make([]byte, 32)
	rand.Read(seed) // never fails
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(now.UnixMilli()))
	copy(seed, at[8-seedTime:])
	return seed
}

// credentialID is the id of the credential of a line, counted from 0 in the block. Since
// it follows from the block, no report need keep it. Whoever knows one id cannot guess
// another.
//
// RFC 9562, 5.7 (UUID Version 7): the time in milliseconds; then, by 6.2 (Method 1), a
// counter of 12 bits, which is the line; then 62 bits that are as good as random.
func (l batchBlock) credentialID(line int) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(bytes.Clone(l.Seed), uint32(line)))
	id := uuid.UUID(sum[:16])
	copy(id[:], l.Seed[:seedTime])
	binary.BigEndian.PutUint16(id[6:], 7<<12|uint16(line))
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// A failure says why a line was not issued.
type failure struct {
	Line    int             `json:"line"` // from 0 in the block
	Problem json.RawMessage `json:"problem"`
}

// problemOf is a failure as reports show it.
func problemOf(failure error) json.RawMessage {
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
	return text
}

// packReport makes the report of a block small: what is wrong is often wrong in many lines.
func packReport(failures []failure) ([]byte, error) {
	if len(failures) == 0 {
		return nil, nil
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	err = errors.Join(json.NewEncoder(w).Encode(failures), w.Close())
	return packed.Bytes(), err
}

func unpackReport(packed []byte) (failures []failure, err error) {
	if len(packed) == 0 {
		return nil, nil
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return nil, err
	}
	return failures, json.Unmarshal(text, &failures)
}

// entries gives away entries of status lists, and takes back those that were not used.
type entries interface {
	Take(ctx context.Context, issuerID string, n int) ([]statuslist.Place, error)
	Return(issuerID string, p statuslist.Place)
}

// reserve holds entries for the lines of one batch, so that the database is asked
// for many at a time. It is safe for concurrent use.
type reserve struct {
	from entries

	mu   sync.Mutex
	left int64 // lines for which none were reserved
	held map[string][]statuslist.Place
}

// Take implements [entries].
func (r *reserve) Take(ctx context.Context, issuerID string, n int) ([]statuslist.Place, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held[issuerID]) < n {
		more := max(int64(n), min(r.left, mostReserved))
		places, err := r.from.Take(ctx, issuerID, int(more))
		if err != nil {
			return nil, err
		}
		if r.held == nil {
			r.held = map[string][]statuslist.Place{}
		}
		r.held[issuerID], r.left = append(r.held[issuerID], places...), r.left-more
	}
	held := r.held[issuerID]
	rest := len(held) - n
	r.held[issuerID] = held[:rest]
	return slices.Clone(held[rest:]), nil // the place they had is used again
}

// Return implements [entries].
func (r *reserve) Return(issuerID string, p statuslist.Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[issuerID] = append(r.held[issuerID], p)
}

// release gives back what was not used.
func (r *reserve) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for issuerID, places := range r.held {
		for _, p := range places {
			r.from.Return(issuerID, p)
		}
	}
	clear(r.held)
}

// carryOut deals with blocks of a batch that are left, several at a time: while some are
// signed, others are stored. After a turn it leaves the rest, so that batches that came
// later need not wait for the end of a large one.
func (b *Batches) carryOut(ctx context.Context, row batchRow) error {
	s := b.service
	numbers, err := s.store.PendingBlocks(ctx, row.ID)
	if err != nil {
		return err
	}
	left := len(numbers) - b.turn
	numbers = numbers[:min(len(numbers), b.turn)]
	working, stop := context.WithCancelCause(ctx)
	places := &reserve{from: s.statuses, left: min(int64(len(numbers))*blockLines, row.Total)}
	var well atomic.Bool // a block was stored, so that what troubled it before is over
	next := make(chan int64)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0)+ahead, len(numbers)) {
		workers.Go(func() {
			for number := range next {
				// One that another process dealt with, or that was cancelled, is over.
				if err := b.block(working, row, number, places); err != nil && !errors.Is(err, ErrBatchOver) {
					stop(err)
					return
				}
				well.Store(true)
			}
		})
	}
	keeping := make(chan struct{})
	go func() {
		defer close(keeping)
		b.keep(working, row.ID, &well, stop)
	}()
feed:
	for _, number := range numbers {
		select {
		case next <- number:
		case <-working.Done():
			break feed
		}
	}
	close(next)
	workers.Wait()
	err = context.Cause(working)
	stop(nil)
	<-keeping
	places.release()
	switch {
	case ctx.Err() != nil: // whoever comes next need not wait
		return s.store.ReleaseBatch(context.WithoutCancel(ctx), row.ID, s.now().UTC().Add(-time.Second))
	case err == nil && left > 0: // behind all others that wait
		return s.store.ReleaseBatch(ctx, row.ID, s.now().UTC().Add(-time.Millisecond))
	case errors.Is(err, ErrBatchOver): // it was cancelled, or another goes on with it
		return nil
	case err != nil:
		s.store.Trouble(ctx, row.ID, problem.Of(err).Code) // best effort: the log has it too
		return err
	}
	return b.complete(ctx, row)
}

// keep keeps the batch for this process while it works on it.
func (b *Batches) keep(ctx context.Context, id string, well *atomic.Bool, stop context.CancelCauseFunc) {
	tick := time.NewTicker(lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := b.service.now().UTC()
		err := b.service.store.KeepBatch(ctx, id, now.Add(lease), now.Truncate(time.Second), well.Load())
		if errors.Is(err, ErrBatchOver) {
			stop(err)
		}
		// Where it failed otherwise, the blocks fail too; should another take over
		// meanwhile, each block is still stored once.
	}
}

// complete ends a batch of which every block is done; it leaves alone one that was
// cancelled, or of which another process still has blocks.
func (b *Batches) complete(ctx context.Context, row batchRow) error {
	var done batchRow
	err := b.service.work.Do(ctx, func(ctx context.Context) (err error) {
		if done, err = b.service.store.CompleteBatch(ctx, row.ID, b.service.now().UTC().Truncate(time.Second)); err != nil {
			return err
		}
		return b.service.record(ctx, "issuance.batch.completed", row.ID, fmt.Sprintf("succeeded:%d,failed:%d", done.Succeeded, done.Failed))
	})
	if errors.Is(err, ErrBatchOver) {
		return nil
	}
	if err != nil {
		return err
	}
	b.service.counts.batches.Count(1, "completed")
	b.log.InfoContext(ctx, "batch completed", "batch", row.ID, "by", row.Owner, "succeeded", done.Succeeded, "failed", done.Failed)
	return nil
}

// block deals with one block: signs outside of any unit, and stores what came of all
// of its lines as one. It answers with [ErrBatchOver] if somebody else did so first, or
// ended the batch; then nothing is stored.
func (b *Batches) block(ctx context.Context, row batchRow, number int64, places entries) error {
	s := b.service
	block, err := s.store.Block(ctx, row.ID, number)
	if err != nil {
		return err
	}
	text, err := s.sealer.Open(block.name(), block.Orders)
	if err != nil {
		return err
	}
	for {
		issued, held, err := b.signBlock(ctx, row, &block, text, places)
		if err != nil {
			return err
		}
		var which string
		err = s.work.Do(ctx, func(ctx context.Context) (err error) {
			if which, err = b.hold(ctx, held); err != nil {
				return err
			}
			// Whoever ends this block first has dealt with it; the other stores nothing.
			if err := s.store.EndBlock(ctx, block); err != nil {
				return err
			}
			if len(issued) == 0 {
				return nil
			}
			if err := s.store.Insert(ctx, issued); err != nil {
				return err
			}
			return s.record(ctx, "issuance.batch.issued", row.ID, fmt.Sprintf("lines:%d-%d,credentials:%d", block.FirstLine, block.FirstLine+block.Lines-1, len(issued)))
		})
		if err == nil {
			s.counts.lines(row, len(issued), int(block.Failed))
			if len(issued) > 0 {
				b.log.InfoContext(ctx, "batch lines issued", "batch", row.ID, "from", block.FirstLine, "until", block.FirstLine+block.Lines-1, "count", len(issued))
			}
			return nil
		}
		moved := errors.Is(err, errMoved)
		if moved || errors.Is(err, ErrBatchOver) { // else nobody knows: they may be stored
			for _, c := range issued {
				places.Return(c.IssuerID, c.Place)
			}
		}
		if !moved {
			return err
		}
		s.kinds.forget(which, held[which]) // the same lines again, of what the achievement is now
	}
}

// signBlock signs the lines of a block, and notes in it what came of them.
func (b *Batches) signBlock(ctx context.Context, row batchRow, block *batchBlock, text []byte, places entries) (issued []Credential, held map[string]*kind, err error) {
	issued, held = make([]Credential, 0, block.Lines), map[string]*kind{}
	var failures []failure
	var lines int64
	err = Format(value(row.Format)).orders(text, func(order OrderLine, problem error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		line := int(lines)
		lines++
		var made draft
		if problem == nil {
			if order.AchievementID == "" {
				order.AchievementID = value(row.AchievementID)
			}
			made, problem = b.sign(ctx, row.DryRun, Order{
				AchievementID: order.AchievementID, Recipient: order.Recipient, Award: order.Award, Form: order.Form, id: block.credentialID(line), entries: places,
			})
		}
		switch {
		case problem == nil && row.DryRun:
		case problem == nil:
			made.reserved.Batch = row.ID
			issued, held[made.reserved.AchievementID] = append(issued, made.reserved), made.kind
		case theirs(problem):
			failures = append(failures, failure{Line: line, Problem: problemOf(problem)})
		default:
			return problem // ours: nothing of the block is stored, and it is tried again
		}
		return nil
	})
	if err == nil && lines != block.Lines {
		err = fmt.Errorf("issuance: %s has %d lines instead of %d", block.name(), lines, block.Lines)
	}
	if err == nil {
		block.Report, err = packReport(failures)
	}
	if err != nil {
		for _, c := range issued {
			places.Return(c.IssuerID, c.Place)
		}
		return nil, nil, err
	}
	block.Failed, block.Succeeded = int64(len(failures)), lines-int64(len(failures))
	return issued, held, nil
}

// hold keeps achievements from changing until the unit in ctx ends. It answers with
// [errMoved], and which, if one is no longer how it was signed for.
func (b *Batches) hold(ctx context.Context, held map[string]*kind) (moved string, err error) {
	for id, kind := range held {
		edition, err := b.service.achievements.Hold(ctx, id)
		if err != nil && !notFound(err) {
			return "", err
		}
		if err != nil || edition != kind.edition {
			return id, errMoved
		}
	}
	return "", nil
}

// reported is how many blocks are read at a time for a report.
const reported = 8

// report reads a page of the report of a batch.
func (b *Batches) report(ctx context.Context, batch Batch, state string, q paging.Query) (paging.Page[BatchLine], error) {
	position, further, err := q.After(batch.ID, state)
	if err != nil {
		return paging.Page[BatchLine]{}, err
	}
	after := int64(0)
	if further {
		if after, err = strconv.ParseInt(position.Value, 10, 64); err != nil {
			return paging.Page[BatchLine]{}, paging.ErrCursor.With(err)
		}
	}
	var found []BatchLine
	for read := after; len(found) <= q.Limit; {
		blocks, err := b.service.store.BlocksBehind(ctx, batch.ID, read, state, reported)
		if err != nil {
			return paging.Page[BatchLine]{}, err
		}
		if len(blocks) == 0 {
			break
		}
		for _, block := range blocks {
			lines, err := block.lines(batch.DryRun)
			if err != nil {
				return paging.Page[BatchLine]{}, err
			}
			for _, line := range lines {
				if line.Number > after && (state == "" || line.State == state) && len(found) <= q.Limit {
					found = append(found, line)
				}
			}
			read = block.FirstLine + block.Lines - 1
		}
	}
	return paging.Cut(q, found, func(l BatchLine) paging.Position {
		return paging.Position{Value: strconv.FormatInt(l.Number, 10), ID: batch.ID}
	}, batch.ID, state), nil
}

// lines is what came of each line of a block.
func (l batchBlock) lines(dryRun bool) ([]BatchLine, error) {
	failures, err := unpackReport(l.Report)
	if err != nil {
		return nil, fmt.Errorf("issuance: report of %s: %w", l.name(), err)
	}
	lines := make([]BatchLine, l.Lines)
	for i := range lines {
		lines[i] = BatchLine{Number: l.FirstLine + int64(i), State: linePending}
		switch {
		case l.State != blockDone:
		case len(failures) > 0 && failures[0].Line == i:
			lines[i].State, lines[i].Problem = lineFailed, failures[0].Problem
			failures = failures[1:]
		case dryRun:
			lines[i].State = lineValid
		default:
			lines[i].State, lines[i].CredentialID = lineIssued, l.credentialID(i)
		}
	}
	return lines, nil
}
