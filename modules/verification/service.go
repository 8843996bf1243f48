package verification

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/internal/assertion"
	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/report"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/metric"
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
	Address string   `json:"address,omitempty" doc:"Where the badge was fetched, when it was asked for by address."`
}

// Check is one line of a report.
type Check = credential.Check

// Service verifies badges.
type Service struct {
	verifier  credential.Verifier
	former    assertion.Verifier // of Open Badges 2.0 and 2.1
	documents Documents          // may be nil
	count     *metric.Counter    // may be nil
}

// NewCounter makes the counter of badges that were judged.
func NewCounter() *metric.Counter {
	return metric.NewCounter("badge_engine_badges_verified_total", "Badges that were judged, by outcome: verified, rejected, unknown because a check could not be made, unreadable, or failed by our own fault.", "outcome")
}

// Counting makes the service count what it judges.
func (s *Service) Counting(c *metric.Counter) *Service {
	s.count = c
	return s
}

// judged counts one badge.
func (s *Service) judged(r report.Report, err error) {
	switch {
	case err != nil && metric.Outcome(err) == metric.Failed:
		s.count.Count(1, metric.Failed)
	case err != nil:
		s.count.Count(1, "unreadable")
	case r.Verified:
		s.count.Count(1, "verified")
	case slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Outcome == report.Failed }):
		s.count.Count(1, "rejected")
	default:
		s.count.Count(1, "unknown")
	}
}

// New makes a service. Without documents nothing is fetched, without issuers no
// issuer is known here; both may be nil. It keeps the contexts it has read, so make
// one for all.
func New(documents Documents, issuers Issuers, now func() time.Time) *Service {
	resolver := did.Resolver{Memory: &did.Memory{}}
	if documents != nil {
		resolver.Fetch = documents.Get
	}
	if issuers != nil {
		resolver.Local = issuers
	}
	var within func(context.Context, string, time.Duration) ([]byte, time.Duration, error)
	if aged, ok := documents.(Aged); ok {
		within = aged.GetWithin
	}
	return &Service{documents: documents, former: assertion.Verifier{Fetch: resolver.Fetch, Now: now}, verifier: credential.Verifier{Canonicalizer: jsonld.New(), Resolver: resolver, Now: now, Schemas: applySchema, Lists: &credential.Lists{}, Within: within}}
}

// VerifyAt fetches what is at an address and checks it as [Service.Verify] does. It
// answers also with [ErrAddress] and [ErrUnreachable].
func (s *Service) VerifyAt(ctx context.Context, address string, o Options) (Report, error) {
	data, err := s.fetch(ctx, address)
	if errors.Is(err, errGone) {
		// Open Badges 2.0, Assertion: revoked: an address answers so of a revoked badge.
		report, err := s.assertion(ctx, assertion.At(address), nil, o)
		report.Address = address
		s.judged(report.Report, err)
		return report, err
	}
	if err != nil {
		s.judged(Report{}.Report, err)
		return Report{}, err
	}
	if looksLikePage(data) {
		s.judged(Report{}.Report, ErrUnreadable)
		return Report{}, ErrUnreadable.Detailf("The address answers a web page, not a badge.").Violating(fault.Violation{
			Rule: "Open Badges 3.0, Retrieving a credential", Detail: "a web page was answered", Remedy: "Download the badge from that page and give the file, or give the address of the badge itself.",
		})
	}
	report, err := s.Verify(ctx, data, o)
	report.Address = address
	return report, err
}

var errGone = errors.New("verification: the document was withdrawn")

// fetch gets a badge from an address that somebody named. Why it cannot be had is not
// told in detail: the answer must not show what is inside a network.
func (s *Service) fetch(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return nil, ErrAddress.Detailf("Give a web address such as https://badges.example.org/assertions/1.")
	}
	if s.documents == nil {
		return nil, ErrUnreachable.Detailf("There is no network here.")
	}
	data, err := s.documents.Get(ctx, address)
	var withdrawn interface {
		Gone() (body []byte, gone bool)
	}
	if errors.As(err, &withdrawn) {
		if _, gone := withdrawn.Gone(); gone {
			return nil, errGone
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, ErrUnreachable.With(err).Detailf("Only public addresses with https are asked, and this one gave no document.")
	}
	return data, nil
}

func looksLikePage(data []byte) bool {
	start := strings.ToLower(string(data[:min(len(data), 512)]))
	start = strings.TrimSpace(strings.TrimPrefix(start, "\ufeff"))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

// Consulting makes the service ask the status lists that are kept here before it
// fetches any.
func (s *Service) Consulting(statuses Statuses) *Service {
	s.verifier.Statuses = statuses
	return s
}

// Verify checks what was uploaded: a JSON document, a compact JWS, a PNG or an SVG,
// whichever its first bytes say it is. It answers a report for everything that is
// readable as a badge; else [ErrUnreadable], [ErrNotCredential], [ErrTooLarge],
// [ErrMediaType], [ErrPicture], [ErrNotBaked] or [ErrEffort].
func (s *Service) Verify(ctx context.Context, upload []byte, o Options) (Report, error) {
	report, err := s.verify(ctx, upload, o)
	s.judged(report.Report, err)
	return report, err
}

func (s *Service) verify(ctx context.Context, upload []byte, o Options) (Report, error) {
	var picture *Picture
	format, is := image.Sniff(upload)
	// What is no text either is refused as a picture: a JPEG, perhaps.
	if is || !utf8.Valid(upload) && !bytes.HasPrefix(bytes.TrimSpace(upload), []byte("{")) {
		x, err := image.Extract(upload)
		if err != nil {
			return Report{}, unreadable(err)
		}
		picture, upload = &Picture{Format: string(format), Warnings: x.Warnings}, x.Payload
		if upload == nil {
			return s.assertion(ctx, assertion.At(x.HostedURL), picture, o)
		}
	}
	if assertion.Is(upload) {
		p, err := assertion.Parse(upload)
		if err != nil {
			return Report{}, unreadable(err)
		}
		return s.assertion(ctx, p, picture, o)
	}
	report, err := s.verifier.Verify(ctx, upload, credential.Options{Recipient: o.Recipient})
	if err != nil {
		return Report{}, unreadable(err)
	}
	if report.Exhausted {
		return Report{}, ErrEffort.Violating(fault.Violation{Rule: "RDF Dataset Canonicalization, 7.1 (Dataset Poisoning)", Detail: "the credential is made so that to bring it into its canonical form would take very long", Remedy: "Do not trust it; ask whoever it is from for another one."})
	}
	return Report{Report: report, Picture: picture}, nil
}

// assertion checks a badge of Open Badges 2.0 or 2.1.
func (s *Service) assertion(ctx context.Context, p *assertion.Parsed, picture *Picture, o Options) (Report, error) {
	report, err := s.former.VerifyParsed(ctx, p, assertion.Options{Recipient: o.Recipient})
	return Report{Report: report, Picture: picture}, err
}

// VerifyParsed judges a credential that was read before, by rules of the caller's.
func (s *Service) VerifyParsed(ctx context.Context, p *credential.Parsed, o credential.Options) (credential.Report, error) {
	report, err := s.verifier.VerifyParsed(ctx, p, o)
	s.judged(report, err)
	return report, err
}

// VerifyPresentation judges a presentation.
func (s *Service) VerifyPresentation(ctx context.Context, document map[string]any, o credential.PresentationOptions) (credential.PresentationReport, error) {
	return s.verifier.VerifyPresentation(ctx, document, o)
}
