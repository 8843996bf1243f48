package issuance

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
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

// lines calls take for each order of a file, counted from 1, without ever holding
// more than one of them. An order that cannot be read comes with why; a file that
// cannot be read ends it with [ErrBatchFile].
func (f Format) lines(file []byte, take func(number int64, order OrderLine, problem error) error) error {
	if !utf8.Valid(file) {
		return ErrBatchFile.Detailf("It is not UTF-8. Save it as \"CSV UTF-8\" or as UTF-8 text.")
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	var n int64
	counted := func(order OrderLine, problem error) error {
		if n++; n > MostLines {
			return ErrBatchFile.Detailf("It has more than %d orders. Divide it.", MostLines)
		}
		return take(n, order, problem)
	}
	var err error
	switch f {
	case NDJSON:
		err = ndjsonLines(file, counted)
	case CSV:
		err = csvLines(file, counted)
	default:
		return ErrBatchFile.Detailf("Its format must be %s or %s.", NDJSON, CSV)
	}
	if err == nil && n == 0 {
		return ErrBatchFile.Detailf("It holds no order.")
	}
	return err
}

func ndjsonLines(file []byte, take func(OrderLine, error) error) error {
	scanner := bufio.NewScanner(bytes.NewReader(file))
	scanner.Buffer(make([]byte, 0, 4096), longestLine)
	line := 0
	for scanner.Scan() {
		line++
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		var order OrderLine
		if err := take(order, readOrder(text, &order)); err != nil {
			return err
		}
	}
	if err := scanner.Err(); err != nil {
		return ErrBatchFile.With(err).Detailf("Line %d is longer than %d bytes.", line+1, longestLine)
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

func csvLines(file []byte, take func(OrderLine, error) error) error {
	r := csv.NewReader(bytes.NewReader(file))
	r.ReuseRecord = true
	if head, _, _ := bytes.Cut(file, []byte{'\n'}); bytes.IndexByte(head, ';') >= 0 && bytes.IndexByte(head, ',') < 0 {
		r.Comma = ';' // as spreadsheets write it where the comma divides numbers
	}
	wrong := func(err error) error {
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			return ErrBatchFile.With(err).Detailf("Line %d: %s.", parse.Line, strings.TrimSuffix(parse.Err.Error(), "."))
		}
		return ErrBatchFile.With(err)
	}
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return ErrBatchFile.Detailf("It is empty. The first line names the columns: %s.", strings.Join(columnNames(), ", "))
	}
	if err != nil {
		return wrong(err)
	}
	head = slices.Clone(head)
	for i, name := range head {
		head[i] = strings.TrimSpace(name)
		if columns[head[i]] == nil {
			return ErrBatchFile.Detailf("There is no column %q. The columns are %s.", head[i], strings.Join(columnNames(), ", "))
		}
		if slices.Contains(head[:i], head[i]) {
			return ErrBatchFile.Detailf("The column %q is there twice.", head[i])
		}
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return wrong(err)
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

// seal closes an order until it is dealt with: it holds the e-mail address.
func (b *Batches) seal(batchID string, number int64, order OrderLine) ([]byte, error) {
	text, err := json.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("issuance: write order %d: %w", number, err)
	}
	return b.service.sealer.Seal(lineName(batchID, number), text)
}

func (b *Batches) open(batchID string, number int64, sealed []byte) (order OrderLine, err error) {
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
