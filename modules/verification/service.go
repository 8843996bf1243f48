package verification

import (
	"bytes"
	"context"
	"time"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
)

// Options say what else the caller wants to know.
type Options struct {
	// Recipient is whom the caller takes to be the recipient, an e-mail address
	// perhaps; nothing is checked when it is empty.
	Recipient string `json:"recipient,omitempty" doc:"Whose badge it should be: an e-mail address or another identifier. It is compared and not kept."`
}

// Picture is what is said about the picture a badge came in.
type Picture struct {
	Format   string   `json:"format" enum:"png,svg"`
	Warnings []string `json:"warnings,omitempty" doc:"What is unusual about the way the badge was baked."`
}

// Report says of a badge what was checked and what was found.
type Report struct {
	credential.Report
	Picture *Picture `json:"picture,omitempty" doc:"The picture the badge was baked into."`
}

// Check is one line of a report.
type Check = credential.Check

// Service verifies badges.
type Service struct{ verifier credential.Verifier }

// New makes a service. Without documents nothing is fetched, without issuers no
// issuer is known here; both may be nil. It keeps the contexts it has read, so make
// one for all.
func New(documents Documents, issuers Issuers, now func() time.Time) *Service {
	resolver := did.Resolver{}
	if documents != nil {
		resolver.Fetch = documents.Get
	}
	if issuers != nil {
		resolver.Local = issuers
	}
	return &Service{verifier: credential.Verifier{Canonicalizer: jsonld.New(), Resolver: resolver, Now: now, Schemas: applySchema}}
}

// Verify checks what was uploaded: a JSON document, a compact JWS, a PNG or an SVG,
// whichever its first bytes say it is. It answers a report for everything that is
// readable as a badge; else [ErrUnreadable], [ErrNotCredential], [ErrTooLarge],
// [ErrMediaType], [ErrPicture], [ErrNotBaked] or [ErrEdition].
func (s *Service) Verify(ctx context.Context, upload []byte, o Options) (Report, error) {
	var picture *Picture
	format, is := image.Sniff(upload)
	// What is no text either is refused as a picture: a JPEG, perhaps.
	if is || !utf8.Valid(upload) && !bytes.HasPrefix(bytes.TrimSpace(upload), []byte("{")) {
		x, err := image.Extract(upload)
		if err != nil {
			return Report{}, unreadable(err)
		}
		if x.Version != image.OpenBadges3 || x.Payload == nil {
			return Report{}, ErrEdition.Detailf("Ask its issuer for an Open Badges 3.0 badge.")
		}
		picture, upload = &Picture{Format: string(format), Warnings: x.Warnings}, x.Payload
	}
	report, err := s.verifier.Verify(ctx, upload, credential.Options{Recipient: o.Recipient})
	if err != nil {
		return Report{}, unreadable(err)
	}
	return Report{Report: report, Picture: picture}, nil
}
