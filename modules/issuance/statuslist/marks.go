package statuslist

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/platform/principal"
)

// Act is what is done to the status of credentials.
type Act string

// The acts.
const (
	Revoke  Act = "revoke"  // for good
	Suspend Act = "suspend" // until it is resumed
	Resume  Act = "resume"  // lift a suspension
)

// maxReason is how long a reason may be, in bytes.
const maxReason = 500

// Query says which credentials an act is about. Empty fields do not narrow it.
type Query struct {
	IssuerID      string
	AchievementID string
	Recipient     string    // as it is kept: a keyed hash
	Since, Before time.Time // issued at or after, and before
	IDs           []string
	KeyID         string // the current version of which this key signed
}

// Empty reports whether the query is about every credential there is.
func (q Query) Empty() bool {
	return q.IssuerID == "" && q.AchievementID == "" && q.Recipient == "" && q.Since.IsZero() && q.Before.IsZero() && len(q.IDs) == 0 && q.KeyID == ""
}

// text is what the query asked for, in the words of the API and without telling who the
// recipient is.
func (q Query) text() string {
	date := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	data, _ := json.Marshal(struct { // texts and numbers are always written
		IssuerID      string `json:"issuerId,omitempty"`
		AchievementID string `json:"achievementId,omitempty"`
		KeyID         string `json:"keyId,omitempty"`
		IssuedSince   string `json:"issuedSince,omitempty"`
		IssuedBefore  string `json:"issuedBefore,omitempty"`
		IDs           int    `json:"ids,omitempty"`
		Recipient     bool   `json:"recipient,omitempty"`
	}{q.IssuerID, q.AchievementID, q.KeyID, date(q.Since), date(q.Before), len(q.IDs), q.Recipient != ""})
	return string(data)
}

// Code is the query as one word for the audit trail: what it asked for, how many ids it
// names, and whether it names a recipient, but not whom.
func (q Query) Code() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+":"+value)
		}
	}
	if q.KeyID == "" { // which is of one issuer
		add("issuer", q.IssuerID)
	}
	add("achievement", q.AchievementID)
	add("key", q.KeyID)
	if !q.Since.IsZero() {
		add("since", q.Since.UTC().Format(time.RFC3339))
	}
	if !q.Before.IsZero() {
		add("before", q.Before.UTC().Format(time.RFC3339))
	}
	if len(q.IDs) > 0 {
		add("ids", strconv.Itoa(len(q.IDs)))
	}
	if q.Recipient != "" {
		parts = append(parts, "recipient")
	}
	return strings.Join(parts, ";")
}

// Past is something that was done to the standing of a credential.
type Past struct {
	At          time.Time
	Act         string // as [Act], or [Withdraw]; resume too for what was ended before it was kept by whom
	Reason      string
	Principal   string // who did it
	Operation   string // its id
	Credentials int64  // how many it was about
	Query       string // what it was asked for, as JSON; empty for a single credential
	Ended       bool
}

// Withdraw is the act of no longer keeping a credential, which changes no list.
const Withdraw = "withdraw"

// History tells what was done to the standing of an entry, the newest first, and by the
// operation of that id, if one is given.
func (r *Register) History(ctx context.Context, at Place, operationID string) ([]Past, error) {
	past, err := r.store.history(ctx, entry{at.List, at.Index}, operationID)
	for i, p := range past {
		if p.Ended && p.Act == "" {
			past[i].Act = string(Resume)
		}
		past[i].At = p.At.UTC()
	}
	slices.SortStableFunc(past, func(a, b Past) int { return b.At.Compare(a.At) })
	return past, err
}

// Withdrawing writes down an act that withdraws credentials, and answers its id. It joins
// the unit in ctx. The query is nil for a single credential.
func (r *Register) Withdrawing(ctx context.Context, q *Query, credentials int64) (string, error) {
	o, err := r.operation(ctx, Withdraw, "")
	if err != nil {
		return "", err
	}
	o.Purpose, o.Credentials = "", credentials
	if q != nil {
		o.Query = q.text()
	}
	return o.ID, r.store.insertOperation(ctx, o)
}

// Survey is what a query matches, and what an act would do.
type Survey struct {
	Matched  int64    // credentials that the query matches
	Affected int64    // of them, whose status the act changes
	Without  int64    // of them, that have no entry and cannot be changed
	Examples []string // ids of some that the act changes
}

// Deed is what an act did.
type Deed struct {
	Operation string // its id
	Changed   int64
}

// Survey tells what an act would do to the credentials of a query, and does nothing.
func (r *Register) Survey(ctx context.Context, act Act, q Query) (s Survey, err error) {
	s.Matched, s.Affected, s.Without, s.Examples, err = r.store.survey(ctx, act, q, 10)
	return s, err
}

// operation begins the record of an act, or answers [ErrReason].
func (r *Register) operation(ctx context.Context, act Act, reason string) (operationRow, error) {
	reason = strings.TrimSpace(reason)
	if len(reason) > maxReason || !utf8.ValidString(reason) || strings.ContainsRune(reason, 0) {
		return operationRow{}, ErrReason.Detailf("Give at most %d bytes of text.", maxReason)
	}
	purpose := Suspension
	if act == Revoke {
		purpose = Revocation
	}
	at := r.now().UTC().Truncate(time.Microsecond)
	return operationRow{
		ID: uuid.Must(uuid.NewV7()).String(), Act: string(act), Purpose: purpose, Reason: reason, Principal: principal.From(ctx).ID, BeginsAt: at, EndsAt: forever,
	}, nil
}

// sides are the sides of a list that an act changes: what is revoked counts on both.
func (a Act) sides() []string {
	if a == Revoke {
		return []string{Revocation, Suspension}
	}
	return []string{Suspension}
}

// Change does an act to one credential, and reports whether that changed anything:
// what is done already is not done again. It joins the unit in ctx, which the caller
// must have opened. It answers with [ErrNoEntry], [ErrRevoked] for what
// cannot be suspended or resumed any more, or [ErrReason].
func (r *Register) Change(ctx context.Context, act Act, credentialID string, at Place, reason string) (Deed, error) {
	if at.List == "" {
		return Deed{}, ErrNoEntry.Detailf("It was issued before there were status lists. Issue a new version with PUT, which gives it one; copies of the old version stay valid.")
	}
	o, err := r.operation(ctx, act, reason)
	if err != nil {
		return Deed{}, err
	}
	standings, err := r.Standings(ctx, at)
	if err != nil {
		return Deed{}, err
	}
	if standings[at].Revoked && act != Revoke {
		return Deed{}, ErrRevoked
	}
	o.Credentials = 1
	if err := r.store.insertOperation(ctx, o); err != nil {
		return Deed{}, err
	}
	r.shelf.Changed(ctx)
	e, changed := entry{at.List, at.Index}, false
	if act == Resume {
		changed, err = r.store.unmark(ctx, e, o)
	} else {
		changed, err = r.store.mark(ctx, markRow{ListID: at.List, ListIndex: at.Index, Purpose: o.Purpose, EndsAt: forever, BeginsAt: o.BeginsAt, CredentialID: credentialID, OperationID: o.ID})
	}
	if err != nil {
		return Deed{}, err
	}
	if !changed {
		return Deed{Operation: o.ID}, r.store.drop(ctx, o.ID)
	}
	return Deed{o.ID, 1}, r.store.touch(ctx, []entry{e}, act.sides()...)
}

// ChangeWhere does an act to the credentials of a query that it changes anything of.
// It joins the unit in ctx, which the caller must have opened, and must let an error
// end: with [ErrExpected] other credentials are affected than the survey said.
func (r *Register) ChangeWhere(ctx context.Context, act Act, q Query, reason string, expected int64) (Deed, error) {
	if q.Empty() {
		return Deed{}, ErrQuery.Detailf("It says nothing, so it is about every credential. Give at least one of its members.")
	}
	o, err := r.operation(ctx, act, reason)
	if err != nil {
		return Deed{}, err
	}
	o.Credentials, o.Query = expected, q.text()
	if err := r.store.insertOperation(ctx, o); err != nil {
		return Deed{}, err
	}
	r.shelf.Changed(ctx)
	var entries []entry
	if act == Resume {
		entries, err = r.store.unmarkWhere(ctx, o, q)
	} else {
		entries, err = r.store.markWhere(ctx, o.ID, act, q)
	}
	if err != nil {
		return Deed{}, err
	}
	if n := int64(len(entries)); n != expected {
		return Deed{}, ErrExpected.Detailf("You expect %d, but it would change %d. Survey it again with dryRun, and repeat with the number of that answer.", expected, n)
	}
	if err := r.store.touch(ctx, entries, act.sides()...); err != nil {
		return Deed{}, fmt.Errorf("statuslist: note changes: %w", err)
	}
	return Deed{o.ID, expected}, nil
}
