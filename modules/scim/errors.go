package scim

import (
	"net/http"
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// The faults of this module, one for each keyword of RFC 7644, table 9, and of RFC
// 9865, table 1. The packages below answer with a [*refusal.Error]; package httpserver
// knows faults.
var (
	ErrFilter        = fault.New(fault.Malformed, "scim.invalid_filter", "The filter cannot be used.")
	ErrTooMany       = fault.New(fault.Malformed, "scim.too_many", "More is asked for than the server works through.")
	ErrUniqueness    = fault.New(fault.Conflict, "scim.uniqueness", "The value is taken.")
	ErrMutability    = fault.New(fault.Malformed, "scim.mutability", "The attribute cannot be changed like this.")
	ErrSyntax        = fault.New(fault.Malformed, "scim.invalid_syntax", "The request is no SCIM message.")
	ErrPath          = fault.New(fault.Malformed, "scim.invalid_path", "The path names nothing that exists.")
	ErrTarget        = fault.New(fault.Malformed, "scim.no_target", "The path leads to nothing.")
	ErrValue         = fault.New(fault.Malformed, "scim.invalid_value", "A value is missing or of the wrong type.")
	ErrProtocol      = fault.New(fault.Malformed, "scim.invalid_vers", "This version of the protocol is not spoken here.")
	ErrSensitive     = fault.New(fault.Forbidden, "scim.sensitive", "This must not stand in an address.")
	ErrCursor        = fault.New(fault.Malformed, "scim.invalid_cursor", "The cursor does not belong to this query.")
	ErrCursorExpired = fault.New(fault.Malformed, "scim.expired_cursor", "The cursor is too old.")
	ErrCount         = fault.New(fault.Malformed, "scim.invalid_count", "The page size cannot be used.")
)

// The faults that have only a status.
var (
	ErrRefused      = fault.New(fault.Malformed, "scim.refused", "The request cannot be used.")
	ErrForbidden    = fault.New(fault.Forbidden, "scim.forbidden", "This is not offered.")
	ErrNotFound     = fault.New(fault.NotFound, "scim.not_found", "There is no such resource.")
	ErrConflict     = fault.New(fault.Conflict, "scim.conflict", "The state of things refuses it.")
	ErrPrecondition = fault.New(fault.Precondition, "scim.version", "The version named is not the current one.")
	ErrTooLarge     = fault.New(fault.TooLarge, "scim.too_large", "The request is larger than what is taken here.")
)

// The refusals of the unique indexes.
var (
	ErrUserName    = ErrUniqueness.Detailf("userName is already in use.")
	ErrDisplayName = ErrUniqueness.Detailf("displayName is already in use.")
)

var byKeyword = map[refusal.Type]*fault.Fault{
	refusal.InvalidFilter: ErrFilter, refusal.TooMany: ErrTooMany, refusal.Uniqueness: ErrUniqueness, refusal.Mutability: ErrMutability,
	refusal.InvalidSyntax: ErrSyntax, refusal.InvalidPath: ErrPath, refusal.NoTarget: ErrTarget, refusal.InvalidValue: ErrValue,
	refusal.InvalidVers: ErrProtocol, refusal.Sensitive: ErrSensitive, refusal.InvalidCursor: ErrCursor, refusal.ExpiredCursor: ErrCursorExpired,
	refusal.InvalidCount: ErrCount,
}

var byStatus = map[int]*fault.Fault{
	http.StatusForbidden: ErrForbidden, http.StatusNotFound: ErrNotFound, http.StatusConflict: ErrConflict,
	http.StatusPreconditionFailed: ErrPrecondition, http.StatusRequestEntityTooLarge: ErrTooLarge,
}

// keywords is byKeyword the other way round, by code.
var keywords = func() map[string]refusal.Type {
	m := map[string]refusal.Type{}
	for keyword, f := range byKeyword {
		m[f.Code()] = keyword
	}
	return m
}()

// faulty makes a fault of a refusal; other errors stay as they are.
func faulty(err error) error {
	e, ok := refusal.From(err)
	if !ok {
		return err
	}
	f := byKeyword[e.Type]
	if f == nil {
		f = byStatus[e.Status]
	}
	if f == nil {
		f = ErrRefused
	}
	return f.Detailf("%s", e.Detail)
}

// clip shortens what a caller sent for a message.
func clip(s string) string {
	const longest = 80
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}
