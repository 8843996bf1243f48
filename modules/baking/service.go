package baking

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/metric"
)

// The versions that Bake takes and Extract tells.
const (
	OpenBadges3 = "3.0"
	OpenBadges2 = "2.0"
)

// The forms in which a credential comes out.
const (
	FormJSON = "json" // a JSON document with its proof in it
	FormJWS  = "jws"  // a compact JWS
	FormURL  = "url"  // only the address at which an Open Badges 2.0 assertion is hosted
)

// Service bakes and extracts. It holds nothing that differs from call to call, so one
// serves everybody.
type Service struct{ count *metric.Counter }

// New makes a Service.
func New() *Service { return &Service{} }

// NewCounter makes the counter of pictures that were baked and read.
func NewCounter() *metric.Counter {
	return metric.NewCounter("badge_engine_badges_baked_total", "Pictures that a credential was baked into or extracted from, by operation and outcome.", "operation", "outcome")
}

// Counting makes the service count what it does.
func (s *Service) Counting(c *metric.Counter) *Service {
	s.count = c
	return s
}

// Extraction is what was found, unverified.
type Extraction struct {
	Format   string   // of what was given: "png", "svg", or the form when it was a credential by itself
	Version  string   // [OpenBadges3] or [OpenBadges2]
	Form     string   // [FormJSON], [FormJWS] or [FormURL]
	Payload  []byte   // the credential, byte for byte
	Warnings []string // what another baker did wrong; never nil
}

// Bake answers the picture with the credential in it and every other byte as it
// was. The credential is a JSON document, a compact JWS, or a baked picture
// whose credential is taken. The version is [OpenBadges3], [OpenBadges2], or
// empty for what the credential says of itself.
//
// It answers with [ErrNotImage], [ErrDamaged], [ErrUnsafe], [ErrNotBaked],
// [ErrAlreadyBaked], [ErrTooLarge], [ErrNotCredential] or [ErrVersion].
func (s *Service) Bake(ctx context.Context, picture, credential []byte, overwrite bool, version string) ([]byte, error) {
	baked, err := bake(ctx, picture, credential, overwrite, version)
	s.count.Count(1, "bake", metric.Outcome(err))
	return baked, err
}

func bake(ctx context.Context, picture, credential []byte, overwrite bool, version string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	payload, edition, known, err := read(credential)
	if err != nil {
		return nil, err
	}
	if version != "" {
		asked, err := image.ParseVersion(version)
		switch {
		case err != nil:
			return nil, ErrVersion.With(err).Detailf("Say %s or %s, or nothing.", OpenBadges3, OpenBadges2)
		case known && asked != edition:
			return nil, ErrVersion.Detailf("The credential is one of Open Badges %s; bake it as such.", edition)
		}
		edition = asked
	}
	baked, err := image.Bake(picture, payload, image.Options{Overwrite: overwrite, Version: edition})
	if err != nil {
		return nil, translate(err, "/image")
	}
	return baked, nil
}

// read gives the payload that is to be baked, strictly checked, and its edition
// as far as it is known.
func read(credential []byte) (payload []byte, edition image.Version, known bool, err error) {
	const pointer = "/credential"
	if _, isPicture := image.Sniff(credential); isPicture {
		x, err := image.Extract(credential)
		if err != nil {
			return nil, 0, false, translate(err, pointer)
		}
		if credential = x.Payload; credential == nil {
			return nil, 0, false, ErrNotCredential.Detailf("The picture given as the credential holds only the address %s.", x.HostedURL)
		}
	}
	payload, jws, err := image.Payload(credential)
	if err != nil {
		return nil, 0, false, translate(err, pointer)
	}
	if !jws {
		if _, err := strictjson.Parse(payload); err != nil {
			return nil, 0, false, unreadable(err, pointer)
		}
	}
	edition, known = editionOf(payload, jws)
	return payload, edition, known, nil
}

// Extract takes the credential out of a PNG or an SVG. A credential that comes
// by itself is answered as it is.
//
// It answers with [ErrNotImage], [ErrDamaged], [ErrUnsafe], [ErrNotBaked],
// [ErrTooLarge] or [ErrNotCredential].
func (s *Service) Extract(ctx context.Context, data []byte) (Extraction, error) {
	found, err := extract(ctx, data)
	s.count.Count(1, "extract", metric.Outcome(err))
	return found, err
}

func extract(ctx context.Context, data []byte) (Extraction, error) {
	if err := ctx.Err(); err != nil {
		return Extraction{}, err
	}
	if _, isPicture := image.Sniff(data); isPicture {
		return fromPicture(data)
	}
	payload, jws, err := image.Payload(data)
	if err != nil {
		if !looksWritten(data) {
			_, err = image.Inspect(data) // says what it is instead
		}
		return Extraction{}, translate(err, "")
	}
	x := Extraction{Format: FormJWS, Form: FormJWS, Payload: payload, Warnings: []string{}}
	if !jws {
		if _, err := strictjson.Parse(payload); err != nil {
			return Extraction{}, unreadable(err, "")
		}
		x.Format, x.Form = FormJSON, FormJSON
	}
	edition, _ := editionOf(payload, jws)
	x.Version = edition.String()
	return x, nil
}

func fromPicture(data []byte) (Extraction, error) {
	found, err := image.Extract(data)
	if err != nil {
		return Extraction{}, translate(err, "")
	}
	x := Extraction{Format: string(found.Format), Version: found.Version.String(), Form: FormJSON, Payload: found.Payload, Warnings: append([]string{}, found.Warnings...)}
	switch {
	case found.Payload == nil:
		x.Form, x.Payload = FormURL, []byte(found.HostedURL)
		return x, nil
	case found.JWS:
		x.Form = FormJWS
	default:
		// What is in the picture comes out even so: whoever asks may want to see it.
		if _, err := strictjson.Parse(found.Payload); err != nil {
			x.Warnings = append(x.Warnings, "the credential is not sound JSON and will not verify: "+err.Error())
		}
	}
	if edition, known := editionOf(found.Payload, found.JWS); known && edition != found.Version {
		x.Warnings = append(x.Warnings, "the credential is one of Open Badges "+edition.String()+", but was baked as "+x.Version)
	}
	return x, nil
}

// editionOf reads the edition off the contexts: an Open Badges 2.0 assertion and
// a 3.0 credential each name their own.
func editionOf(payload []byte, jws bool) (edition image.Version, known bool) {
	if jws {
		part := strings.SplitN(string(payload), ".", 3)[1]
		decoded, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return image.OpenBadges3, false
		}
		payload = decoded
	}
	var document struct {
		Context json.RawMessage `json:"@context"`
		// VC data model 1.1, 6.3.1 (JSON Web Token): there the credential is a claim.
		VC struct {
			Context json.RawMessage `json:"@context"`
		} `json:"vc"`
	}
	if json.Unmarshal(payload, &document) != nil {
		return image.OpenBadges3, false
	}
	contexts := bytes.Join([][]byte{document.Context, document.VC.Context}, nil)
	switch {
	case bytes.Contains(contexts, []byte(`"https://purl.imsglobal.org/spec/ob/v3p0/`)):
		return image.OpenBadges3, true
	case bytes.Contains(contexts, []byte(`"https://w3id.org/openbadges/v2"`)):
		return image.OpenBadges2, true
	}
	return image.OpenBadges3, false
}

// looksWritten reports whether data was meant as text rather than as a picture.
func looksWritten(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && (data[0] == '{' || data[0] == '[' || data[0] == '"' || bytes.HasPrefix(data, []byte("eyJ")))
}
