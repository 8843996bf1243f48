package intake

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/report"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// Order is what somebody asks to be imported, and how.
type Order struct {
	Upload        []byte // a document, a token or a picture
	Address       string // or where it is
	IssuerID      string
	AchievementID string // may be empty
	Recipient     string // may be empty
	DryRun        bool
}

// Outcome says what was done, or would be.
type Outcome struct {
	DryRun       bool          `json:"dryRun" doc:"Whether nothing was done."`
	Imported     bool          `json:"imported" doc:"Whether the badge is issued here, now or before."`
	Before       bool          `json:"before" doc:"Whether that was done by an earlier import."`
	Achievement  Adopted       `json:"achievement" doc:"What is awarded."`
	Credential   Reissued      `json:"credential" doc:"What is issued."`
	Notes        []string      `json:"notes" doc:"What does not come over, or could not be had."`
	Verification report.Report `json:"verification" doc:"What was found about the original."`
}

// Adopted is the achievement of an imported badge.
type Adopted struct {
	ID      string `json:"id,omitempty" doc:"Identifier here; none yet in a dry run that would make it."`
	Name    string `json:"name"`
	Source  string `json:"source,omitempty" doc:"Identifier at the original issuer."`
	New     bool   `json:"new" doc:"Whether it is made for this badge."`
	Picture bool   `json:"picture" doc:"Whether a new achievement gets the picture of the original."`
}

// Reissued is the credential of an imported badge.
type Reissued struct {
	ID          string `json:"id,omitempty" doc:"Identifier here; none in a dry run."`
	URL         string `json:"url,omitempty" doc:"Public address."`
	Name        string `json:"name,omitempty"`
	AwardedDate string `json:"awardedDate,omitempty" doc:"When it was first awarded."`
	ValidUntil  string `json:"validUntil,omitempty"`
}

// Badge is what became of a badge of elsewhere.
type Badge struct {
	Key          string // of the issuer here and the original together
	IssuerID     string
	SourceID     string
	CredentialID string // empty while it is begun
	Principal    string
	Created      time.Time
}

// Parts are what a service is made of.
type Parts struct {
	Store        *Store
	Work         Work
	Verifier     Verifier
	Achievements Achievements
	Credentials  Credentials
	Documents    Documents
	Audit        Audit // may be nil
	Now          func() time.Time
}

// Service holds the rules of importing.
type Service struct {
	Parts
	log *slog.Logger
}

// New makes a service.
func New(parts Parts, log *slog.Logger) *Service { return &Service{parts, log} }

// Import takes a badge over. made tells that it was issued now. It answers with
// [ErrNothing], [ErrIssuer], [ErrUnverified], [ErrKind], [ErrRecipient],
// [ErrAchievement], [ErrBegun], or what the verifier and the issuing say.
func (s *Service) Import(ctx context.Context, o Order) (out Outcome, made bool, err error) {
	if o.IssuerID, err = s.under(ctx, o); err != nil {
		return Outcome{}, false, err
	}
	judged, err := s.judge(ctx, o)
	if err != nil {
		return Outcome{}, false, err
	}
	out = Outcome{DryRun: o.DryRun, Verification: judged, Notes: []string{}}
	if !judged.Verified {
		return Outcome{}, false, unverified(judged)
	}
	from, err := read(judged)
	if err != nil {
		return Outcome{}, false, err
	}
	award := Award{Email: from.email, ID: from.id, AchievementCredential: from.credential}
	if award.Email == "" && o.Recipient != "" { // the verifier found that it is theirs
		if email, ok := openbadges.NormalizeEmail(o.Recipient); ok {
			award.Email = email
		}
	}
	if award.Email == "" && award.ID == "" {
		return Outcome{}, false, ErrRecipient.Detailf("The badge names its recipient by a hash alone. Give the e-mail address as recipient; it is compared with the hash.")
	}
	out.Notes = append(out.Notes, from.notes...)
	out.Achievement = Adopted{Name: from.details.Name, Source: from.classID}
	out.Credential = Reissued{Name: from.credential.Name, AwardedDate: from.credential.AwardedDate, ValidUntil: from.credential.ValidUntil}

	badge := Badge{Key: key(o.IssuerID, judged.Issuer.ID, judged.ID, "badge"), IssuerID: o.IssuerID, SourceID: clip(judged.ID), Principal: principal.From(ctx).ID, Created: s.Now().UTC().Truncate(time.Second)}
	before, found, err := s.Store.Badge(ctx, badge.Key)
	if err != nil {
		return Outcome{}, false, err
	}
	if found && before.CredentialID != "" {
		s.answered(&out, before.CredentialID)
		out.Before = true
		return out, false, nil
	}
	if found && before.Principal != badge.Principal {
		return Outcome{}, false, ErrBegun.Detailf("Let whoever began it repeat the import, which finishes it.")
	}
	class := key(o.IssuerID, judged.Issuer.ID, from.classID, "class")
	if out.Achievement.ID, err = s.standing(ctx, o, class); err != nil {
		return Outcome{}, false, err
	}
	if out.Achievement.ID == "" {
		out.Achievement.New = true
		if !principal.From(ctx).May(principal.ScopeAchievementsWrite) {
			return Outcome{}, false, ErrAchievement.Detailf("Use a token with the scope %s, or name an achievement here by achievementId.", principal.ScopeAchievementsWrite)
		}
		picture := s.picture(ctx, from.picture, &out)
		if o.DryRun {
			return out, false, nil
		}
		definition := Definition{IssuerID: o.IssuerID, Details: from.details, Picture: picture}
		if out.Achievement.ID, err = s.adopt(ctx, class, badge, definition, from.classID); err != nil {
			return Outcome{}, false, err
		}
	}
	if o.DryRun {
		return out, false, nil
	}
	award.AchievementID = out.Achievement.ID
	id, made, err := s.reissue(ctx, badge, found, award)
	if err != nil {
		return Outcome{}, false, err
	}
	s.answered(&out, id)
	out.Before = !made
	return out, made, nil
}

// under finds the issuer here that issues again.
func (s *Service) under(ctx context.Context, o Order) (string, error) {
	missing := func(name, detail string) error {
		return ErrIssuer.Violating(fault.Violation{Pointer: "/" + name, Rule: "request schema", Detail: detail, Remedy: "List them with GET /api/v1/issuers and GET /api/v1/achievements."})
	}
	if len(o.Upload) == 0 && o.Address == "" {
		return "", ErrNothing.Detailf("Send it as the body, as the field file of a form, or its address as {\"url\": …}.")
	}
	if o.AchievementID != "" {
		issuerID, _, err := s.Achievements.Achievement(ctx, o.AchievementID)
		if absent(err) {
			return "", missing("achievementId", "There is no such achievement.")
		}
		if err == nil && o.IssuerID != "" && !strings.EqualFold(o.IssuerID, issuerID) {
			return "", missing("issuerId", "The achievement is another issuer's.")
		}
		return issuerID, err
	}
	if o.IssuerID == "" {
		return "", missing("issuerId", "It is not said who issues the badge again.")
	}
	_, err := s.Achievements.Issuer(ctx, o.IssuerID)
	if absent(err) {
		return "", missing("issuerId", "There is no such issuer profile.")
	}
	return strings.ToLower(o.IssuerID), err
}

func absent(err error) bool {
	f, ok := fault.From(err)
	return ok && f.Kind() == fault.NotFound
}

func (s *Service) judge(ctx context.Context, o Order) (report.Report, error) {
	var judged Judged
	var err error
	if o.Address != "" {
		judged, err = s.Verifier.JudgeAt(ctx, o.Address, o.Recipient)
	} else {
		judged, err = s.Verifier.Judge(ctx, o.Upload, o.Recipient)
	}
	return judged.Report, err
}

// unverified refuses a badge with all that is wrong with it.
func unverified(r report.Report) error {
	violations := make([]fault.Violation, 0, len(r.Problems))
	for _, p := range r.Problems {
		violations = append(violations, fault.Violation{Pointer: p.Pointer, Rule: p.Type, Detail: p.Detail, Remedy: p.Remedy})
	}
	return ErrUnverified.Detailf("POST /api/v1/verify says more of it.").Violating(violations...)
}

// standing finds the achievement here that stands for the class, if there is one.
func (s *Service) standing(ctx context.Context, o Order, class string) (string, error) {
	if o.AchievementID != "" {
		return strings.ToLower(o.AchievementID), nil
	}
	id, found, err := s.Store.Class(ctx, class)
	if err != nil || !found {
		return "", err
	}
	_, _, err = s.Achievements.Achievement(ctx, id)
	if absent(err) { // it was deleted since
		return "", s.Work.Do(ctx, func(ctx context.Context) error { return s.Store.DeleteClass(ctx, class, id) })
	}
	return id, err
}

// adopt makes the achievement, or finds that somebody else just did.
func (s *Service) adopt(ctx context.Context, class string, b Badge, d Definition, sourceID string) (id string, err error) {
	b.SourceID = clip(sourceID)
	err = s.Work.Do(ctx, func(ctx context.Context) error {
		if id, err = s.Achievements.Adopt(ctx, d); err != nil {
			return err
		}
		return s.Store.InsertClass(ctx, class, b, id)
	})
	if !errors.Is(err, errThere) {
		return id, err
	}
	id, _, err = s.Store.Class(ctx, class)
	return id, err
}

// reissue issues once: what is meant is stored before, and what came of it after. made
// tells that nobody else did it meanwhile.
func (s *Service) reissue(ctx context.Context, b Badge, begun bool, a Award) (id string, made bool, err error) {
	if !begun {
		err := s.Work.Do(ctx, func(ctx context.Context) error { return s.Store.Begin(ctx, b) })
		if errors.Is(err, errThere) {
			return "", false, ErrBegun.Detailf("Repeat the import in a moment.")
		}
		if err != nil {
			return "", false, err
		}
	}
	a.Key = "import:" + b.Key
	text, err := json.Marshal(a)
	if err != nil {
		return "", false, fmt.Errorf("intake: write order: %w", err)
	}
	sum := sha256.Sum256(text)
	a.Hash = hex.EncodeToString(sum[:])
	if id, _, err = s.Credentials.Award(ctx, a); err != nil {
		s.failed(ctx, b, err)
		return "", false, err
	}
	err = s.Work.Do(ctx, func(ctx context.Context) error {
		if made, err = s.Store.Complete(ctx, b.Key, id); err != nil || !made || s.Audit == nil {
			return err
		}
		return s.Audit.Record(ctx, "intake.badge.imported", id, "issuer:"+b.IssuerID, nil)
	})
	if err != nil || !made {
		return id, false, err
	}
	s.log.InfoContext(ctx, "badge imported", "credential", id, "issuer", b.IssuerID, "achievement", a.AchievementID, "by", b.Principal)
	return id, true, nil
}

// failed forgets what was begun when it is known that nothing was issued: a rule was
// broken. Otherwise the same caller may repeat it, which issues once.
func (s *Service) failed(ctx context.Context, b Badge, failure error) {
	if f, ok := fault.From(failure); ok && (f.Kind() == fault.Invalid || f.Kind() == fault.NotFound) {
		if err := s.Work.Do(ctx, func(ctx context.Context) error { return s.Store.Drop(ctx, b.Key) }); err != nil {
			s.log.WarnContext(ctx, "begun import not forgotten", "error", err)
		}
	}
	if s.Audit != nil {
		_ = s.Audit.Record(ctx, "intake.badge.imported", "", "issuer:"+b.IssuerID, failure) // never fails with a failure
	}
}

func (s *Service) answered(out *Outcome, id string) {
	out.Imported = true
	out.Credential.ID, out.Credential.URL = id, s.Credentials.Address(id)
}

// picture gets the picture of the achievement; without it the import goes on.
func (s *Service) picture(ctx context.Context, address string, out *Outcome) []byte {
	var data []byte
	var err error
	switch {
	case address == "":
		return nil
	case strings.HasPrefix(address, "data:"):
		_, text, _ := strings.Cut(address, ";base64,")
		data, err = base64.StdEncoding.DecodeString(text)
	default:
		data, err = s.Documents.Get(ctx, address)
	}
	if err == nil && len(data) > 0 {
		// A picture that carries somebody's badge would hand it to everybody.
		var info image.Info
		if info, err = image.Inspect(data); err == nil && len(info.Baked) > 0 {
			out.Notes = append(out.Notes, "The picture of the original carries a badge of its own and was left out.")
			return nil
		}
	}
	if err != nil || len(data) == 0 {
		out.Notes = append(out.Notes, "The picture of the original could not be had, or is no harmless PNG or SVG.")
		return nil
	}
	out.Achievement.Picture = true
	return data
}

// key names an original under an issuer here. Identifiers of others may be of any length.
func key(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// clip shortens a stranger's identifier for the table; the key holds the whole.
func clip(s string) string {
	const limit = 1000
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
}
