package baking

import (
	"bytes"
	"context"
	"encoding/base64"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// the smallest pictures and a document that looks like a credential
const (
	examplePNG        = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	exampleSVG        = `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>`
	exampleCredential = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"type":["VerifiableCredential","OpenBadgeCredential"],"issuer":"https://example.org","credentialSubject":{"type":["AchievementSubject"]},"proof":{"type":"DataIntegrityProof"}}`
)

// Examine bakes a document into a PNG and an SVG and takes it out again.
func Examine(s *Service) diagnosis.Examination {
	return func(ctx context.Context, n *diagnosis.Notes) {
		png, err := base64.StdEncoding.DecodeString(examplePNG)
		if err != nil {
			return // no: a constant
		}
		for _, picture := range []struct {
			name string
			data []byte
		}{{"a PNG", png}, {"an SVG", []byte(exampleSVG)}} {
			looked := "a credential into " + picture.name + " and out again"
			baked, err := s.Bake(ctx, picture.data, []byte(exampleCredential), false, "")
			if err == nil {
				var x Extraction
				if x, err = s.Extract(ctx, baked); err == nil && bytes.Equal(x.Payload, []byte(exampleCredential)) {
					n.OK("baking.round_trip", looked, "It comes out as it went in.")
					continue
				}
			}
			n.Fail("baking.round_trip", looked, "It does not come out as it went in.", "This program is damaged: install it again, and report the output of badge-engine doctor bundle.")
		}
	}
}
