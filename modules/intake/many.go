package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/problem"
)

// The bounds of one request for many badges.
const (
	// MostRows is how many badges one request may bring.
	MostRows = 500
	// longestRow bounds one of them: a credential with its evidence, but no picture.
	longestRow = 1 << 20
	// manyFor is how long rows are begun; what is not begun by then is for the next request.
	manyFor = 75 * time.Second
	// manyAtOnce is how many are taken over at a time: most of it is waiting for other servers.
	manyAtOnce = 4
)

// Row is one badge of several.
type Row struct {
	Line  int // in the file, from 1
	Order Order
	err   error // why it cannot be read
}

// RowOutcome is what came of a row.
type RowOutcome struct {
	Line          int             `json:"line"`
	State         string          `json:"state" enum:"imported,before,valid,failed" doc:"before: an earlier import did it; valid: it would be imported, of a dry run."`
	CredentialID  string          `json:"credentialId,omitempty"`
	URL           string          `json:"url,omitempty" doc:"Public address of the credential."`
	AchievementID string          `json:"achievementId,omitempty"`
	Name          string          `json:"name,omitempty" doc:"Of the achievement."`
	Notes         []string        `json:"notes,omitempty" doc:"What does not come over, or could not be had."`
	Problem       json.RawMessage `json:"problem,omitempty" doc:"Why it failed, as a single import would answer."`
}

// Outcomes is what came of several badges.
type Outcomes struct {
	DryRun   bool         `json:"dryRun" doc:"Whether nothing was done."`
	Imported int          `json:"imported"`
	Before   int          `json:"before"`
	Valid    int          `json:"valid"`
	Failed   int          `json:"failed"`
	Rows     []RowOutcome `json:"rows" doc:"What came of each, in the order of the file."`
	Next     int          `json:"next,omitempty" doc:"The first line that was not dealt with, because time ran out or of trouble: send the file from there on, or all of it again."`
	Trouble  string       `json:"trouble,omitempty" doc:"The code of what kept it from going on, if anything did."`
}

// ReadRows reads NDJSON: on each line an object with badge (the document, or a token or an
// address as text) or url, and with issuerId, achievementId and recipient, where they are
// other than those of all; or the document, the token or the address alone. Empty lines
// are passed over. It answers with [ErrRows]; a line that cannot be read fails alone.
func ReadRows(file []byte, all Order) ([]Row, error) {
	var rows []Row
	for n := 1; len(file) > 0; n++ {
		line, rest, _ := bytes.Cut(file, []byte{'\n'})
		file = rest
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(rows) == MostRows {
			return nil, ErrRows.Detailf("It has more than %d. Send the others in a further request; badge-engine import does.", MostRows)
		}
		order, err := readRow(line, all)
		rows = append(rows, Row{Line: n, Order: order, err: err})
	}
	if len(rows) == 0 {
		return nil, ErrNothing.Detailf("Send NDJSON: a badge, or {\"url\": …}, on each line.")
	}
	return rows, nil
}

func readRow(line []byte, all Order) (Order, error) {
	o := all
	if len(line) > longestRow {
		return o, ErrRow.Detailf("The line has more than %d bytes. Import a picture by itself.", longestRow)
	}
	value, err := strictjson.Parse(line)
	if err != nil {
		if bytes.Count(line, []byte{'.'}) == 2 && !bytes.ContainsAny(line, "\"{} ") { // a bare token
			o.Upload = line
			return o, nil
		}
		f := ErrRow.With(err)
		var e *strictjson.Error
		if errors.As(err, &e) {
			f = f.Violating(fault.Violation{Pointer: e.Pointer, Rule: "RFC 8259 (JSON), RFC 7493 (I-JSON)", Detail: e.Problem, Remedy: e.Remedy})
		}
		return o, f
	}
	switch v := value.(type) {
	case string:
		o.give(v)
		return o, nil
	case map[string]any:
		if _, there := v["@context"]; there {
			o.Upload = line
			return o, nil
		}
		return o, o.members(v)
	}
	return o, ErrRow.Detailf("It is neither an object nor a text.")
}

// give takes a text for a token or an address.
func (o *Order) give(text string) {
	if bytes.Contains([]byte(text), []byte("://")) {
		o.Address = text
	} else {
		o.Upload = []byte(text)
	}
}

// members reads a row that says more than the badge.
func (o *Order) members(row map[string]any) error {
	for name, value := range row {
		text, isText := value.(string)
		document, isDocument := value.(map[string]any)
		switch {
		case name == "badge" && isDocument:
			data, err := json.Marshal(document)
			if err != nil {
				return ErrRow.With(err)
			}
			o.Upload = data
		case name == "badge" && isText:
			o.give(text)
		case name == "url" && isText:
			o.Address = text
		case name == "issuerId" && isText:
			o.IssuerID = text
		case name == "achievementId" && isText:
			o.AchievementID = text
		case name == "recipient" && isText:
			o.Recipient = text
		default:
			return ErrRow.Violating(fault.Violation{Pointer: "/" + clip(name), Rule: "request schema", Detail: "The member is not known here, or of another type.", Remedy: "Give badge or url, and issuerId, achievementId and recipient where they are needed."})
		}
	}
	if len(o.Upload) > 0 && o.Address != "" {
		return ErrRow.Detailf("It has both a badge and an address. Give one of them.")
	}
	return nil
}

// ImportMany takes over several badges, each as [Service.Import] would. What an earlier
// request did is not done again, so that the same rows may be sent again at any time.
// A badge that cannot be imported does not hinder the others; trouble of this server
// does, and then the answer says where to go on. Where nothing was done before it came,
// it is the error.
func (s *Service) ImportMany(ctx context.Context, rows []Row) (Outcomes, error) {
	out := Outcomes{DryRun: len(rows) > 0 && rows[0].Order.DryRun, Rows: make([]RowOutcome, 0, len(rows))}
	until := s.Now().Add(manyFor)
	results := make([]RowOutcome, len(rows))
	var mu sync.Mutex
	next, trouble := 0, error(nil)
	take := func() (int, bool) { // in order, so that what is left is a tail
		mu.Lock()
		defer mu.Unlock()
		if next == len(rows) || trouble != nil || ctx.Err() != nil || s.Now().After(until) {
			return 0, false
		}
		next++
		return next - 1, true
	}
	var again []int
	var workers sync.WaitGroup
	for range min(manyAtOnce, len(rows)) {
		workers.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				outcome, err := s.row(ctx, rows[i])
				mu.Lock()
				switch {
				case errors.Is(err, ErrBegun): // most likely by another row of the same badge
					again = append(again, i)
				case err != nil && trouble == nil:
					trouble = err
				}
				results[i] = outcome
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	for _, i := range again {
		outcome, err := s.row(ctx, rows[i])
		if errors.Is(err, ErrBegun) {
			outcome, err = failedRow(rows[i].Line, err), nil
		}
		if err != nil && trouble == nil {
			trouble = err
		}
		results[i] = outcome
	}
	// The answer ends before the first row that was not dealt with; what is behind it and
	// was, is found done the next time.
	for i, r := range results {
		if r.State == "" {
			out.Next = rows[i].Line
			break
		}
		out.add(r)
	}
	if trouble == nil {
		trouble = ctx.Err()
	}
	if trouble != nil {
		if len(out.Rows) == 0 {
			return Outcomes{}, trouble
		}
		out.Trouble = problem.Of(trouble).Code
	}
	return out, nil
}

func (o *Outcomes) add(r RowOutcome) {
	switch r.State {
	case rowImported:
		o.Imported++
	case rowBefore:
		o.Before++
	case rowValid:
		o.Valid++
	case rowFailed:
		o.Failed++
	}
	o.Rows = append(o.Rows, r)
}

// The states of a row.
const (
	rowImported = "imported"
	rowBefore   = "before"
	rowValid    = "valid"
	rowFailed   = "failed"
)

// row takes over one badge. Its error is trouble of this server, or [ErrBegun].
func (s *Service) row(ctx context.Context, r Row) (RowOutcome, error) {
	if r.err != nil {
		return failedRow(r.Line, r.err), nil
	}
	done, made, err := s.Import(ctx, r.Order)
	f, known := fault.From(err)
	switch {
	case err == nil:
	case errors.Is(err, ErrBegun), !known, f.Kind() == fault.Unavailable, f.Kind() == fault.Internal:
		return RowOutcome{}, err
	default:
		return failedRow(r.Line, err), nil
	}
	out := RowOutcome{Line: r.Line, State: rowValid, CredentialID: done.Credential.ID, URL: done.Credential.URL, AchievementID: done.Achievement.ID, Name: done.Achievement.Name, Notes: done.Notes}
	switch {
	case made:
		out.State = rowImported
	case done.Before:
		out.State = rowBefore
	}
	return out, nil
}

func failedRow(line int, err error) RowOutcome {
	p := problem.Of(err)
	text, _ := json.Marshal(struct { // texts are always written
		Code   string            `json:"code"`
		Title  string            `json:"title"`
		Detail string            `json:"detail,omitempty"`
		Errors []fault.Violation `json:"errors,omitempty"`
	}{p.Code, p.Title, p.Detail, p.Errors})
	return RowOutcome{Line: line, State: rowFailed, Problem: text}
}
