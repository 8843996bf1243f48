package baking

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// The faults of this module.
var (
	ErrNotImage      = fault.New(fault.Invalid, "baking.not_image", "This is neither a PNG nor an SVG.")
	ErrMediaType     = fault.New(fault.Unsupported, "baking.media_type", "This media type is not taken here.")
	ErrDamaged       = fault.New(fault.Invalid, "baking.damaged", "The picture is damaged.")
	ErrUnsafe        = fault.New(fault.Invalid, "baking.unsafe", "The picture could harm whoever opens it.")
	ErrNotBaked      = fault.New(fault.NotFound, "baking.not_baked", "The picture carries no credential.")
	ErrAlreadyBaked  = fault.New(fault.Conflict, "baking.already_baked", "The picture already carries a credential.")
	ErrTooLarge      = fault.New(fault.TooLarge, "baking.too_large", "This is beyond a limit.")
	ErrNotCredential = fault.New(fault.Invalid, "baking.not_credential", "This is no credential that can be read.")
	ErrVersion       = fault.New(fault.Invalid, "baking.version", "The version of Open Badges does not fit.")
	ErrInput         = fault.New(fault.Invalid, "baking.input", "A part of the request cannot be used.")
)

// ruled pairs the fault that stands for a code with the rule that was broken.
var ruled = map[image.Code]struct {
	fault *fault.Fault
	rule  string
}{
	image.NotImage:      {ErrNotImage, "Open Badges 3.0, 5.3 (Baked Badge): a badge is a PNG or an SVG"},
	image.Damaged:       {ErrDamaged, "PNG (Third Edition), 5 (Datastream structure); XML 1.0, 2.1 (Well-Formed XML Documents)"},
	image.Unsafe:        {ErrUnsafe, "a badge holds only drawing"},
	image.NotBaked:      {ErrNotBaked, "Open Badges 3.0, 5.3.1.2 and 5.3.2.2 (Extracting)"},
	image.AlreadyBaked:  {ErrAlreadyBaked, "Open Badges 3.0, 5.3.1.1 and 5.3.2.1 (Baking): one credential in a picture"},
	image.TooLarge:      {ErrTooLarge, "the limits of this server"},
	image.NotCredential: {ErrNotCredential, "Open Badges 3.0, 5.3 (Baked Badge): the payload is a JSON document or a compact JWS"},
}

// translate makes a fault of the kernel's error, told of the part of the request
// at pointer.
func translate(err error, pointer string) error {
	var e *image.Error
	if !errors.As(err, &e) {
		return err
	}
	r, ok := ruled[e.Code]
	if !ok {
		return fmt.Errorf("baking: code %s: %w", e.Code, err)
	}
	detail := e.Problem + "."
	if e.Offset > 0 {
		detail = fmt.Sprintf("%s, at byte %d.", e.Problem, e.Offset)
	}
	return r.fault.With(err).Violating(fault.Violation{Pointer: pointer, Rule: r.rule, Detail: detail, Remedy: e.Remedy})
}

// unreadable makes a fault of what the strict reader of JSON finds in a credential.
func unreadable(err error, pointer string) error {
	v := fault.Violation{Pointer: pointer, Rule: "RFC 8259 (JSON), read strictly", Detail: err.Error()}
	var e *strictjson.Error
	if errors.As(err, &e) {
		v.Pointer, v.Detail, v.Remedy = pointer+e.Pointer, e.Problem, e.Remedy
	}
	return ErrNotCredential.With(err).Violating(v)
}

// taken are the media types in which a picture or a credential may be declared.
var taken = []string{"", "application/octet-stream", "image/png", "image/svg+xml", "application/xml", "text/xml", "text/plain", "application/json", "application/jwt", "application/jose"}

// declared answers 415 instead of 422 for bytes that were announced as something
// that could not be taken anyway.
func declared(err error, mediaType string) error {
	f, ok := fault.From(err)
	if !ok || f.Code() != ErrNotImage.Code() || slices.Contains(taken, mediaType) || strings.HasSuffix(mediaType, "+json") {
		return err
	}
	return ErrMediaType.With(err).Detailf("%s cannot carry a badge; send image/png or image/svg+xml.", mediaType).Violating(f.Violations()...)
}
