package achievements

import (
	"errors"
	"fmt"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// The faults of this module.
var (
	ErrForm                = fault.New(fault.NotFound, "achievements.no_form", "This cannot be said in Open Badges 2.0.")
	ErrIssuerNotFound      = fault.New(fault.NotFound, "achievements.issuer_not_found", "There is no such issuer profile.")
	ErrAchievementNotFound = fault.New(fault.NotFound, "achievements.achievement_not_found", "There is no such achievement.")
	ErrImageNotFound       = fault.New(fault.NotFound, "achievements.image_not_found", "There is no such image.")
	ErrRenditionNotFound   = fault.New(fault.NotFound, "achievements.rendition_not_found", "The image has no rendition of this format.")
	ErrInvalid             = fault.New(fault.Invalid, "achievements.invalid", "The document breaks rules of Open Badges 3.0.")
	ErrImageInvalid        = fault.New(fault.Invalid, "achievements.image_invalid", "The picture cannot be used.")
	ErrImageTooLarge       = fault.New(fault.TooLarge, "achievements.image_too_large", "The picture is too large.")
	ErrImageUnsupported    = fault.New(fault.Unsupported, "achievements.image_unsupported", "A badge picture is a PNG or an SVG.")
	ErrFilter              = fault.New(fault.Malformed, "achievements.filter", "A filter of the list cannot be used.")
	ErrInUse               = fault.New(fault.Conflict, "achievements.in_use", "Something still depends on this.")
	ErrVersion             = fault.New(fault.Precondition, "achievements.version", "It was changed by someone else meanwhile.")
)

func invalid(violations []openbadges.Violation) error {
	f := ErrInvalid
	for _, v := range violations {
		f = f.Violating(fault.Violation(v))
	}
	return f
}

// refuse names the one place that breaks a rule.
func refuse(pointer, rule, detail, remedy string) error {
	return ErrInvalid.Violating(fault.Violation{Pointer: pointer, Rule: rule, Detail: detail, Remedy: remedy})
}

// missing refuses a reference to what does not exist.
func missing(pointer, detail, remedy string) error {
	return refuse(pointer, "Badge Engine: references name what exists", detail, remedy)
}

// pictureRules are the rules by which package image refuses, and the fault that tells of it.
var pictureRules = map[image.Code]struct {
	fault *fault.Fault
	rule  string
}{
	image.NotImage: {ErrImageUnsupported, "Open Badges 3.0, 5.3 (Baked Badge): a badge is a PNG or an SVG"},
	image.TooLarge: {ErrImageTooLarge, "Badge Engine: the limits of this server"},
	image.Damaged:  {ErrImageInvalid, "PNG (Third Edition), 5 (Datastream structure); XML 1.0, 2.1 (Well-Formed XML Documents)"},
	image.Unsafe:   {ErrImageInvalid, "Badge Engine: a badge holds only drawing"},
}

// unusable turns what package image found into a fault.
func unusable(err error) error {
	var e *image.Error
	if !errors.As(err, &e) {
		return err
	}
	r, ok := pictureRules[e.Code]
	if !ok {
		return fmt.Errorf("achievements: inspect picture: %w", err)
	}
	detail := e.Problem + "."
	if e.Offset > 0 {
		detail = fmt.Sprintf("%s, at byte %d.", e.Problem, e.Offset)
	}
	return r.fault.With(err).Violating(fault.Violation{Rule: r.rule, Detail: detail, Remedy: e.Remedy})
}
