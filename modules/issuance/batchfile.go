package issuance

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// Format is how the file of a batch is written.
type Format string

// The formats.
const (
	NDJSON Format = "ndjson" // an order in JSON on each line
	CSV    Format = "csv"    // RFC 4180, with names of columns in the first line
)

const (
	// MostLines is how many recipients a batch may have.
	MostLines = 100000
	// longestLine bounds one of them.
	longestLine = 256 << 10
)

// OrderLine is one order of a batch: as for a single credential.
type OrderLine struct {
	AchievementID string    `json:"achievementId,omitempty" doc:"That of the whole batch unless given."`
	Recipient     Recipient `json:"recipient"`
	Form
	Award
}

// columns are what a CSV may hold, and where each goes.
var columns = map[string]func(o *OrderLine, text string) error{
	"achievementId":     func(o *OrderLine, s string) error { o.AchievementID = s; return nil },
	"email":             func(o *OrderLine, s string) error { o.Recipient.Email = s; return nil },
	"id":                func(o *OrderLine, s string) error { o.Recipient.ID = s; return nil },
	"identifier":        func(o *OrderLine, s string) error { o.identifier().Identifier = s; return nil },
	"identifierType":    func(o *OrderLine, s string) error { o.identifier().IdentifierType = s; return nil },
	"name":              func(o *OrderLine, s string) error { o.Name = s; return nil },
	"description":       func(o *OrderLine, s string) error { o.Description = s; return nil },
	"validFrom":         func(o *OrderLine, s string) error { o.ValidFrom = s; return nil },
	"validUntil":        func(o *OrderLine, s string) error { o.ValidUntil = s; return nil },
	"awardedDate":       func(o *OrderLine, s string) error { o.AwardedDate = s; return nil },
	"activityStartDate": func(o *OrderLine, s string) error { o.ActivityStartDate = s; return nil },
	"activityEndDate":   func(o *OrderLine, s string) error { o.ActivityEndDate = s; return nil },
	"licenseNumber":     func(o *OrderLine, s string) error { o.LicenseNumber = s; return nil },
	"narrative":         func(o *OrderLine, s string) error { o.Narrative = s; return nil },
	"role":              func(o *OrderLine, s string) error { o.Role = s; return nil },
	"term":              func(o *OrderLine, s string) error { o.Term = s; return nil },
	"statusPurpose":     func(o *OrderLine, s string) error { o.StatusPurpose = s; return nil },
	"evidenceUrl":       func(o *OrderLine, s string) error { o.evidence().ID = s; return nil },
	"evidenceName":      func(o *OrderLine, s string) error { o.evidence().Name = s; return nil },
	"evidenceNarrative": func(o *OrderLine, s string) error { o.evidence().Narrative = s; return nil },
	"resultDescription": func(o *OrderLine, s string) error { o.result().ResultDescription = s; return nil },
	"resultValue":       func(o *OrderLine, s string) error { o.result().Value = s; return nil },
	"resultStatus":      func(o *OrderLine, s string) error { o.result().Status = s; return nil },
	"achievedLevel":     func(o *OrderLine, s string) error { o.result().AchievedLevel = s; return nil },
	"creditsEarned": func(o *OrderLine, s string) error {
		credits, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return refuse("/creditsEarned", "Open Badges 3.0, AchievementSubject: creditsEarned is a number", "This is not a number.", "Give a number such as 3 or 2.5.")
		}
		o.CreditsEarned = &credits
		return nil
	},
	"refreshable": func(o *OrderLine, s string) error {
		refreshable, err := strconv.ParseBool(s)
		if err != nil {
			return refuse("/refreshable", "request schema", "This is neither true nor false.", "Give true or false, or leave it empty.")
		}
		o.Refreshable = &refreshable
		return nil
	},
}

func (o *OrderLine) identifier() *Identifier {
	if len(o.Recipient.Identifier) == 0 {
		o.Recipient.Identifier = make([]Identifier, 1)
	}
	return &o.Recipient.Identifier[0]
}

func (o *OrderLine) evidence() *openbadges.Evidence {
	if len(o.Evidence) == 0 {
		o.Evidence = make([]openbadges.Evidence, 1)
	}
	return &o.Evidence[0]
}

func (o *OrderLine) result() *openbadges.Result {
	if len(o.Result) == 0 {
		o.Result = make([]openbadges.Result, 1)
	}
	return &o.Result[0]
}

func columnNames() []string {
	names := make([]string, 0, len(columns))
	for name := range columns {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// split divides a file into texts of some lines each, which [Format.orders] reads, and
// never holds more than one of them. A file that cannot be read ends it with
// [ErrBatchFile]; orders that cannot be read do not.
func (f Format) split(file io.Reader, take func(lines int64, text []byte) error) error {
	in := bufio.NewReaderSize(file, 64<<10)
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // it is there
	}
	cut := &cutter{take: take}
	var err error
	switch f {
	case NDJSON:
		err = splitNDJSON(in, cut)
	case CSV:
		err = splitCSV(in, cut)
	default:
		return ErrBatchFile.Detailf("Its format must be %s or %s.", NDJSON, CSV)
	}
	if err == nil {
		err = cut.cut()
	}
	if err == nil && cut.total == 0 {
		return ErrBatchFile.Detailf("It holds no order.")
	}
	return err
}

// byteOrderMark is what spreadsheets put before UTF-8.
const byteOrderMark = "\ufeff"

// cutter puts lines together.
type cutter struct {
	take  func(lines int64, text []byte) error
	head  []byte // of each text
	text  []byte
	lines int64
	total int64
}

func (c *cutter) add(line ...[]byte) error {
	if !utf8.Valid(line[0]) {
		return ErrBatchFile.Detailf("It is not UTF-8. Save it as \"CSV UTF-8\" or as UTF-8 text.")
	}
	if c.total++; c.total > MostLines {
		return ErrBatchFile.Detailf("It has more than %d orders. Divide it.", MostLines)
	}
	if c.lines == 0 {
		c.text = append(c.text[:0], c.head...)
	}
	c.lines++
	for _, part := range line {
		c.text = append(c.text, part...)
	}
	if c.lines < blockLines && len(c.text) < blockBytes {
		return nil
	}
	return c.cut()
}

func (c *cutter) cut() error {
	if c.lines == 0 {
		return nil
	}
	lines := c.lines
	c.lines = 0
	return c.take(lines, c.text)
}

func splitNDJSON(in io.Reader, cut *cutter) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 0, 4096), longestLine)
	line := 0
	for scanner.Scan() {
		line++
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := cut.add(text, []byte{'\n'}); err != nil {
			return err
		}
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return ErrBatchFile.With(err).Detailf("Line %d is longer than %d bytes.", line+1, longestLine)
	} else if err != nil {
		return err
	}
	return nil
}

func splitCSV(in *bufio.Reader, cut *cutter) error {
	first, _ := in.Peek(in.Size())
	raw := &tap{in: in}
	r := newCSV(raw, first)
	if _, err := columnsOf(r); err != nil {
		return err
	}
	cut.head = bytes.Clone(raw.until(r.InputOffset()))
	for {
		_, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return wrongCSV(err)
		}
		if err := cut.add(raw.until(r.InputOffset())); err != nil {
			return err
		}
	}
}

// tap keeps what is read through it, until it is taken.
type tap struct {
	in    io.Reader
	kept  []byte
	taken int   // of what is kept
	begin int64 // where what is kept began
}

// Read implements [io.Reader].
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.in.Read(p)
	if t.taken > 0 {
		t.begin += int64(t.taken)
		t.kept, t.taken = append(t.kept[:0], t.kept[t.taken:]...), 0
	}
	t.kept = append(t.kept, p[:n]...)
	return n, err
}

// until takes what lies before an offset. It stays as it is until the next Read.
func (t *tap) until(offset int64) []byte {
	from, to := t.taken, int(offset-t.begin)
	t.taken = to
	return t.kept[from:to]
}

// orders calls take for each order of a text that [Format.split] made. An order that
// cannot be read comes with why.
func (f Format) orders(text []byte, take func(order OrderLine, problem error) error) error {
	if f == CSV {
		return csvOrders(text, take)
	}
	for line := range bytes.Lines(text) {
		var order OrderLine
		if err := take(order, readOrder(bytes.TrimSuffix(line, []byte{'\n'}), &order)); err != nil {
			return err
		}
	}
	return nil
}

// readOrder reads one order strictly: a member that is unknown or comes twice is
// refused with its place.
func readOrder(text []byte, order *OrderLine) error {
	err := strictjson.Unmarshal(text, order)
	if err == nil {
		return nil
	}
	var syntax *strictjson.Error
	if errors.As(err, &syntax) {
		pointer, _, problem, remedy := syntax.Location()
		return ErrInvalid.Violating(fault.Violation{Pointer: pointer, Rule: "request schema", Detail: problem, Remedy: remedy})
	}
	return ErrInvalid.Detailf("The line is no order in JSON.")
}

// newCSV reads a CSV that begins with some text.
func newCSV(in io.Reader, first []byte) *csv.Reader {
	r := csv.NewReader(in)
	r.ReuseRecord = true
	if head, _, _ := bytes.Cut(first, []byte{'\n'}); bytes.IndexByte(head, ';') >= 0 && bytes.IndexByte(head, ',') < 0 {
		r.Comma = ';' // as spreadsheets write it where the comma divides numbers
	}
	return r
}

func wrongCSV(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return ErrBatchFile.With(err).Detailf("Line %d: %s.", parse.Line, strings.TrimSuffix(parse.Err.Error(), "."))
	}
	return err
}

// columnsOf reads the names of columns.
func columnsOf(r *csv.Reader) ([]string, error) {
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, ErrBatchFile.Detailf("It is empty. The first line names the columns: %s.", strings.Join(columnNames(), ", "))
	}
	if err != nil {
		return nil, wrongCSV(err)
	}
	head = slices.Clone(head)
	for i, name := range head {
		head[i] = strings.TrimSpace(name)
		if columns[head[i]] == nil {
			return nil, ErrBatchFile.Detailf("There is no column %q. The columns are %s.", head[i], strings.Join(columnNames(), ", "))
		}
		if slices.Contains(head[:i], head[i]) {
			return nil, ErrBatchFile.Detailf("The column %q is there twice.", head[i])
		}
	}
	return head, nil
}

func csvOrders(text []byte, take func(OrderLine, error) error) error {
	r := newCSV(bytes.NewReader(text), text)
	head, err := columnsOf(r)
	if err != nil {
		return err
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return wrongCSV(err)
		}
		var order OrderLine
		var problem error
		size := 0
		for i, text := range record {
			size += len(text)
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			if err := columns[head[i]](&order, strings.Clone(text)); err != nil && problem == nil {
				problem = err
			}
		}
		if size > longestLine {
			problem = ErrInvalid.Detailf("The line is longer than %d bytes.", longestLine)
		}
		if err := take(order, problem); err != nil {
			return err
		}
	}
}
