package credential

import (
	"context"
	"errors"
	"strconv"

	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
)

// Statuses answers for status lists that are kept in this very program, so that
// nothing needs to be fetched, and what was revoked a moment ago counts at once.
type Statuses interface {
	// StatusOf tells whether the list is kept here, and what it says of the entry at
	// an index to a credential of an issuer, whose list it must be. An error of type
	// [*status.Error] is the credential's, any other ours.
	StatusOf(ctx context.Context, issuer, list string, index uint64) (s status.Standing, known bool, err error)
}

// consulted keeps the error of a Statuses that says nothing against a credential.
type consulted struct {
	Statuses
	err error
}

func (c *consulted) StatusOf(ctx context.Context, issuer, list string, index uint64) (status.Standing, bool, error) {
	s, known, err := c.Statuses.StatusOf(ctx, issuer, list, index)
	var theirs *status.Error
	if err != nil && !errors.As(err, &theirs) {
		c.err = err
	}
	return s, known, err
}

// standing is what a list kept here says, in the words of a report.
type standing struct {
	entry status.Entry
	status.Standing
}

// here asks the lists that are kept here. A credential names one of them, but its
// issuer may have revoked or suspended it whichever that is.
func (r run) here(ctx context.Context, issuer string, e status.Entry) (standing, bool, error) {
	if r.Statuses == nil {
		return standing{}, false, nil
	}
	found, known, err := r.Statuses.StatusOf(ctx, issuer, e.List, e.Index)
	if err == nil && known && (found.Purpose != e.Purpose || e.Size != 1) {
		err = &status.Error{Code: status.VerificationError, Problem: "the list is not about " + strconv.Quote(e.Purpose), Remedy: "Point at a list of the same purpose."}
	}
	return standing{e, found}, known, err
}

func (s standing) outcome() Outcome {
	if s.Revoked || s.Suspended {
		return Failed
	}
	return Passed
}

func (s standing) detail() string {
	var why string
	if s.Reason != "" {
		why = ": " + strconv.Quote(s.Reason)
	}
	switch {
	case s.Revoked:
		return "the issuer revoked it" + why
	case s.Suspended:
		return "the issuer suspended it" + why
	}
	_, what, _ := meaning(s.entry, 0)
	return what
}
