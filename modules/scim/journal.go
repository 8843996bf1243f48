package scim

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/modules/scim/tree"
	"github.com/badge-engine/badge-engine/platform/worker"
)

const (
	journalInterval = 2 * time.Second
	journalDeadline = 5 * time.Second
	// journalEntries bounds what is remembered between two writings; strangers
	// and misconfigured clients decide how much there is.
	journalEntries  = 256
	journalContacts = 64
	// FailuresKept is how many failures are kept in the database.
	FailuresKept = 200
	// journalRequest is how much of a redacted request is kept.
	journalRequest = 4 << 10
)

// Failure is a request of a provisioning client that was refused: what it sent, its
// personal values taken out, and which rule it was against.
type Failure struct {
	ID        string
	At        time.Time
	Principal string // empty for somebody unknown
	RequestID string
	Method    string
	Route     string
	Status    int
	Keyword   string // scimType
	Code      string
	Detail    string
	Request   string
	Count     int64 // how often within one writing
}

// Contact is a provisioning client and when it was last heard of.
type Contact struct {
	Principal          string
	First, Last        time.Time
	Requests, Failures int64
}

// Records is where the [Journal] is kept. The [Store] serves it.
type Records interface {
	// Note adds up contacts and failures, and forgets the oldest failures.
	Note(ctx context.Context, contacts []Contact, failures []Failure) error
}

// Journal remembers who provisions and what was refused. It is written down every
// two seconds, bounded, beside the requests: a crash loses the last of it, and no
// request waits for it.
type Journal struct {
	records Records
	now     func() time.Time
	log     *slog.Logger

	mu       sync.Mutex
	contacts map[string]Contact
	failures map[journalKey]Failure

	worker worker.Worker
}

// journalKey is what failures that are counted as one have in common; the request
// kept is the first.
type journalKey struct{ principal, method, route, code, detail string }

// NewJournal makes a journal that does not write yet.
func NewJournal(records Records, now func() time.Time, log *slog.Logger) *Journal {
	return &Journal{records: records, now: now, log: log, contacts: map[string]Contact{}, failures: map[journalKey]Failure{}}
}

// Heard notes that a client called.
func (j *Journal) Heard(principal string) { j.contact(principal, 1, 0) }

func (j *Journal) contact(principal string, requests, failures int64) {
	if principal == "" {
		return
	}
	at := j.now().UTC().Truncate(time.Second)
	j.mu.Lock()
	defer j.mu.Unlock()
	c, known := j.contacts[principal]
	if !known {
		if len(j.contacts) >= journalContacts {
			return
		}
		c = Contact{Principal: principal, First: at}
	}
	c.Last, c.Requests, c.Failures = at, c.Requests+requests, c.Failures+failures
	j.contacts[principal] = c
}

// Refused notes that a request was refused. What it says is redacted here.
func (j *Journal) Refused(f Failure) {
	j.contact(f.Principal, 0, 1)
	f.Detail = redactText(f.Detail)
	for _, text := range []*string{&f.Detail, &f.Route, &f.Request, &f.Method, &f.RequestID} {
		*text = storable(*text)
	}
	f.At, f.Count = j.now().UTC().Truncate(time.Second), 1
	key := journalKey{f.Principal, f.Method, f.Route, f.Code, f.Detail}
	j.mu.Lock()
	defer j.mu.Unlock()
	if before, known := j.failures[key]; known {
		before.Count++
		j.failures[key] = before
		return
	}
	if len(j.failures) >= journalEntries {
		return
	}
	if id, err := uuid.NewV7(); err == nil {
		f.ID = id.String()
		j.failures[key] = f
	}
}

// storable is a text as every database can hold it: what cannot be written would keep
// all else from being written too.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Start starts the writer; Stop must follow.
func (j *Journal) Start() {
	j.worker.Start(journalInterval, nil, j.attempt)
}

// Stop ends the writer, waits for it and writes what is left.
func (j *Journal) Stop(ctx context.Context) {
	if j.worker.Stop() {
		j.attempt(ctx)
	}
}

func (j *Journal) attempt(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, journalDeadline)
	defer cancel()
	if err := j.Flush(ctx); err != nil {
		j.log.DebugContext(ctx, "journal of provisioning not written", slog.Any("error", err))
	}
}

// Flush writes what was noted. What cannot be written is kept for the next time.
func (j *Journal) Flush(ctx context.Context) error {
	j.mu.Lock()
	contacts, failures := j.contacts, j.failures
	j.contacts, j.failures = map[string]Contact{}, map[journalKey]Failure{}
	j.mu.Unlock()
	if len(contacts) == 0 && len(failures) == 0 {
		return nil
	}
	var c []Contact
	for _, contact := range contacts {
		c = append(c, contact)
	}
	var f []Failure
	for _, failure := range failures {
		f = append(f, failure)
	}
	slices.SortFunc(c, func(a, b Contact) int { return strings.Compare(a.Principal, b.Principal) })
	slices.SortFunc(f, func(a, b Failure) int { return strings.Compare(a.ID, b.ID) })
	err := j.records.Note(ctx, c, f)
	if err != nil {
		j.putBack(contacts, failures)
	}
	return err
}

func (j *Journal) putBack(contacts map[string]Contact, failures map[journalKey]Failure) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for key, c := range contacts {
		now, known := j.contacts[key]
		if !known {
			now.Last = c.Last
		}
		now.Principal, now.First = c.Principal, c.First
		now.Requests, now.Failures = now.Requests+c.Requests, now.Failures+c.Failures
		j.contacts[key] = now
	}
	for key, f := range failures {
		if now, known := j.failures[key]; known {
			f.Count += now.Count
		}
		if len(j.failures) < journalEntries {
			j.failures[key] = f
		}
	}
}

// plainMembers are members of messages whose texts say how a request is built, not
// about whom.
var plainMembers = map[string]bool{"schemas": true, "op": true, "method": true, "type": true, "sortorder": true, "attributes": true, "excludedattributes": true}

// pathMembers are members whose texts are paths or filters.
var pathMembers = map[string]bool{"path": true, "filter": true, "sortby": true}

// redactBody writes the JSON of a request without what it says about people: names,
// structure, booleans, paths and identifiers stay. What is no JSON is described.
func redactBody(body string) string {
	if body == "" {
		return ""
	}
	v, err := tree.Parse(body)
	if err != nil {
		return "[" + strconv.Itoa(len(body)) + " bytes that are no JSON]"
	}
	text := string(redactValue(v, "").Append(nil))
	if len(text) > journalRequest {
		text = strings.ToValidUTF8(text[:journalRequest], "") + "…"
	}
	return text
}

func redactValue(v tree.Value, member string) tree.Value {
	member = tree.FoldName(member)
	switch v.Kind() {
	case tree.String:
		switch {
		case pathMembers[member]:
			return tree.Text(redactText(v.Text()))
		case plainMembers[member] && len(v.Text()) <= 100 || v.Text() == "" || isID(v.Text()) || isBool(v.Text()):
			return v
		}
		return tree.Text("[" + strconv.Itoa(utf8.RuneCountInString(v.Text())) + " characters]")
	case tree.Number:
		return tree.Text("[number]")
	case tree.List:
		const shown = 3
		items := []tree.Value{}
		for i, item := range v.Items() {
			if i == shown && len(v.Items()) > shown+1 {
				items = append(items, tree.Text("["+strconv.Itoa(len(v.Items())-shown)+" more]"))
				break
			}
			items = append(items, redactValue(item, member))
		}
		return tree.Items(items...)
	case tree.Complex:
		var members []tree.Member
		for _, m := range v.Object().Members() {
			name := m.Name
			if strings.ContainsAny(name, `"[`) {
				name = redactText(name)
			}
			members = append(members, tree.Member{Name: clip(name), Value: redactValue(m.Value, m.Name)})
		}
		return tree.Of(tree.NewObject(members...))
	}
	return v
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?`)

// shortWords are what stands in quotes in paths and says nothing about people.
var shortWords = map[string]bool{
	"work": true, "home": true, "other": true, "mobile": true, "fax": true, "pager": true, "true": true, "false": true, "user": true, "group": true,
}

// redactText takes out what stands in quotation marks, unless it is the name of an
// attribute, an identifier or a word like "work", and what looks like an address.
func redactText(s string) string {
	var b strings.Builder
	from := 0
	for _, at := range quoted.FindAllStringIndex(s, -1) {
		inside := strings.Trim(s[at[0]:at[1]], `"`)
		named := strings.HasSuffix(s[:at[0]], "attribute ") || knownName(inside) // a mistake in a mapping is to be seen
		b.WriteString(s[from:at[0]])
		if shortWords[strings.ToLower(inside)] || isID(inside) || named && attributeForm.MatchString(inside) {
			b.WriteString(s[at[0]:at[1]])
		} else {
			b.WriteString(`"…"`)
		}
		from = at[1]
	}
	b.WriteString(s[from:])
	return addressForm.ReplaceAllString(b.String(), "…")
}

var (
	attributeForm = regexp.MustCompile(`^[A-Za-z0-9:._$-]{1,150}$`)
	addressForm   = regexp.MustCompile(`\S+@\S+`)
)

// knownName reports whether a text is the path of an attribute rather than somebody's
// name: it begins with a URN, or with the name of an attribute that everybody has.
func knownName(s string) bool {
	if tree.HasPrefixName(s, "urn:") {
		return true
	}
	first, _, _ := strings.Cut(s, ".")
	return commonNames[tree.FoldName(first)]
}

var commonNames = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(`schemas id externalid meta username name displayname nickname profileurl title usertype preferredlanguage
		locale timezone active emails phonenumbers ims photos addresses groups entitlements roles x509certificates members manager
		employeenumber costcenter organization division department value type primary display operations op path bulkid method`) {
		m[name] = true
	}
	return m
}()

func isID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36
}

func isBool(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") }

var bareWord = regexp.MustCompile(`(?i)(\b(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s+)([^\s"()\]]+)`)

// redactFilter takes words out of a filter that stand there without quotes too.
func redactFilter(s string) string {
	return bareWord.ReplaceAllStringFunc(redactText(s), func(match string) string {
		parts := bareWord.FindStringSubmatch(match)
		if parts[2] == "…" || shortWords[strings.ToLower(parts[2])] || isID(parts[2]) {
			return match
		}
		return parts[1] + "…"
	})
}
