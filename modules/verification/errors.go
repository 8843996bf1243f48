package verification

import (
	"errors"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// The faults of this module.
var (
	ErrUnreadable    = fault.New(fault.Malformed, "verification.unreadable", "This cannot be read as a badge.")
	ErrNotCredential = fault.New(fault.Invalid, "verification.not_credential", "This is no credential that can be verified.")
	ErrEffort        = fault.New(fault.Invalid, "verification.effort", "To judge this takes more work than any badge needs.")
	ErrTooLarge      = fault.New(fault.TooLarge, "verification.too_large", "This is larger than any badge that is read here.")
	ErrMediaType     = fault.New(fault.Unsupported, "verification.media_type", "A badge is JSON, a compact JWS, a PNG or an SVG.")
	ErrPicture       = fault.New(fault.Invalid, "verification.picture", "The picture is damaged, or not harmless.")
	ErrNotBaked      = fault.New(fault.NotFound, "verification.not_baked", "There is no badge in the picture.")
	ErrAddress       = fault.New(fault.Invalid, "verification.address", "This is no address that can be asked for a badge.")
	ErrUnreachable   = fault.New(fault.Invalid, "verification.unreachable", "No badge could be fetched from this address.")
	ErrNothing       = fault.New(fault.Invalid, "verification.nothing", "There is nothing to check: give a file, an address or the text of a badge.")
)

// unreadable turns what the kernel says of an upload into a fault.
func unreadable(err error) error {
	var p *credential.ParseError
	if errors.As(err, &p) {
		f := ErrNotCredential
		switch {
		case p.TooLarge:
			f = ErrTooLarge
		case p.Syntax:
			f = ErrUnreadable
		}
		return f.With(err).Detailf("%s", sentence(p.Problem)).Violating(fault.Violation{Pointer: p.Pointer, Rule: "Open Badges 3.0, Proofs", Detail: p.Problem, Remedy: p.Remedy})
	}
	var i *image.Error
	if errors.As(err, &i) {
		f := ErrPicture
		switch i.Code {
		case image.NotImage:
			f = ErrMediaType
		case image.NotBaked:
			f = ErrNotBaked
		case image.TooLarge:
			f = ErrTooLarge
		case image.NotCredential:
			f = ErrNotCredential
		}
		return f.With(err).Detailf("%s", sentence(i.Problem)).Violating(fault.Violation{Rule: "Open Badges 3.0, 5.3 (Baked Badge)", Detail: i.Problem, Remedy: i.Remedy})
	}
	return err
}

// sentence makes one of what the kernel's errors say.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
