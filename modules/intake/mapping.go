package intake

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/report"
)

// source is a verified badge in the words of Open Badges 3.0.
type source struct {
	classID    string // of the achievement at its issuer
	details    openbadges.AchievementDetails
	picture    string // where the picture of the achievement is; may be a data URL
	credential openbadges.AchievementCredential
	email, id  string // the recipient, as far as it is said openly
	notes      []string
}

// read maps a report on a badge, or answers [ErrKind].
func read(r report.Report) (source, error) {
	var s source
	var err error
	if r.Edition == report.OpenBadges2 {
		s, err = fromAssertion(r)
	} else {
		s, err = fromCredential(r)
	}
	if err != nil {
		return source{}, ErrKind.With(err).Detailf("It does not have the form of a badge.")
	}
	if s.details.Name == "" {
		return source{}, ErrKind.Detailf("It is about no achievement.")
	}
	s.trace(r)
	return s, nil
}

// trace keeps where it came from: who awarded it first, when, and where that is seen.
func (s *source) trace(r report.Report) {
	by := r.Issuer.Name
	if by == "" {
		by = r.Issuer.ID
	}
	e := openbadges.Evidence{Type: []string{"Evidence"}, Name: "The original badge", Narrative: "First issued by " + by + " on " + day(s.credential.AwardedDate) + ", and imported from there.", Genre: "import"}
	if id := r.ID; strings.HasPrefix(id, "https://") || strings.HasPrefix(id, "http://") || strings.HasPrefix(id, "urn:") {
		e.ID = id
	}
	s.credential.Evidence = append(s.credential.Evidence, e)
}

func day(s string) string {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return at.UTC().Format("2 January 2006")
}

// stamp writes a date as Open Badges 3.0 has it; those of 2.0 may lack a zone.
func stamp(s string) string {
	for _, form := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(form, s); err == nil {
			return at.UTC().Truncate(time.Second).Format(time.RFC3339)
		}
	}
	return ""
}

// hosted is what is read of the documents of Open Badges 2.0.
type hosted struct {
	ID          string
	Type        texts
	Name        string
	Description string
	Image       reference
	Criteria    reference
	Tags        texts
	Alignment   several[alignment]
	Narrative   string
	IssuedOn    string
	Expires     string
	Evidence    several[reference]
	Recipient   struct {
		Type     texts
		Hashed   bool
		Identity string
	}
}

type alignment struct {
	TargetName, TargetDescription, TargetFramework, TargetCode string
	TargetURL                                                  string `json:"targetUrl"`
}

// reference is an address, or an object with one and more.
type reference struct{ ID, Narrative, Name, Description, Genre, Audience string }

// UnmarshalJSON implements [json.Unmarshaler].
func (r *reference) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &r.ID)
	}
	type plain reference
	return json.Unmarshal(data, (*plain)(r))
}

// texts is one text or several.
type texts []string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *texts) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(t))
	}
	*t = make(texts, 1)
	return json.Unmarshal(data, &(*t)[0])
}

// several is one value or several.
type several[T any] []T

// UnmarshalJSON implements [json.Unmarshaler].
func (s *several[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(s))
	}
	*s = make(several[T], 1)
	return json.Unmarshal(data, &(*s)[0])
}

// fromAssertion maps Open Badges 2.0.
func fromAssertion(r report.Report) (source, error) {
	var a, class hosted
	if err := json.Unmarshal(r.Documents["assertion"], &a); err != nil {
		return source{}, err
	}
	if err := json.Unmarshal(r.Documents["badge"], &class); err != nil {
		return source{}, err
	}
	s := source{classID: r.Achievement.ID, picture: class.Image.ID}
	s.details = openbadges.AchievementDetails{Name: class.Name, Description: class.Description, Tag: class.Tags,
		Criteria: openbadges.Criteria{ID: class.Criteria.ID, Narrative: class.Criteria.Narrative}}
	for _, l := range class.Alignment {
		s.details.Alignment = append(s.details.Alignment, openbadges.Alignment{TargetName: l.TargetName, TargetURL: l.TargetURL, TargetDescription: l.TargetDescription, TargetFramework: l.TargetFramework, TargetCode: l.TargetCode})
	}
	s.credential = openbadges.AchievementCredential{Name: class.Name, AwardedDate: stamp(a.IssuedOn), ValidUntil: stamp(a.Expires)}
	s.credential.CredentialSubject.Narrative = a.Narrative
	for _, e := range a.Evidence {
		s.credential.Evidence = append(s.credential.Evidence, openbadges.Evidence{Type: []string{"Evidence"}, ID: e.ID, Narrative: e.Narrative, Name: e.Name, Description: e.Description, Genre: e.Genre, Audience: e.Audience})
	}
	if !a.Recipient.Hashed {
		if slices.Contains(a.Recipient.Type, "email") {
			s.email = strings.TrimPrefix(a.Recipient.Identity, "mailto:")
		} else {
			s.id = a.Recipient.Identity
		}
	}
	return s, nil
}

// lists are the members of Open Badges 3.0 that are arrays, though JSON-LD writes one
// value without.
var lists = []string{"type", "identifier", "evidence", "result", "alignment", "tag", "resultDescription", "rubricCriterionLevel", "allowedValue", "related", "otherIdentifier", "termsOfUse", "endorsement", "endorsementJwt", "proof", "credentialSchema", "@context"}

// single are the members named like one of them that are a text in these classes.
var single = []string{"Image", "IdentityObject", "IdentifierEntry", "GeoCoordinates"}

// plain writes arrays where they are due.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			value = plain(value)
			text, isText := value.(string)
			// An IdentifierEntry has a text by the name of a subject's list.
			alone := isText && (name == "identifier" || name == "type" && slices.Contains(single, text))
			if _, isList := value.([]any); !isList && !alone && slices.Contains(lists, name) {
				value = []any{value}
			}
			v[name] = value
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

// fromCredential maps Open Badges 3.0, of VC Data Model 2.0 or 1.1.
func fromCredential(r report.Report) (source, error) {
	text := r.Credential
	if r.Refreshed != nil {
		text = r.Refreshed
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return source{}, err
	}
	for former, name := range map[string]string{"issuanceDate": "validFrom", "expirationDate": "validUntil"} {
		if value, there := tree[former]; there && tree[name] == nil {
			tree[name] = value
		}
	}
	for _, name := range [...]string{"@context", "proof", "credentialStatus", "credentialSchema", "refreshService", "issuer", "type"} {
		delete(tree, name) // ours will be others
	}
	if subject, ok := tree["credentialSubject"].(map[string]any); ok {
		for _, kind := range [...]string{"type", "image"} {
			delete(subject, kind)
		}
		if achievement, ok := subject["achievement"].(map[string]any); ok {
			delete(achievement, "creator")
		}
	}
	whole, err := json.Marshal(plain(tree))
	if err != nil {
		return source{}, err
	}
	var doc openbadges.AchievementCredential
	if err := json.Unmarshal(whole, &doc); err != nil {
		return source{}, err
	}
	achievement := doc.CredentialSubject.Achievement
	s := source{classID: achievement.ID, details: achievement.AchievementDetails, id: doc.CredentialSubject.ID}
	if achievement.Image != nil {
		s.picture = achievement.Image.ID
	}
	if len(s.details.Endorsement)+len(s.details.EndorsementJwt)+len(doc.Endorsement)+len(doc.EndorsementJwt) > 0 {
		s.notes = append(s.notes, "Endorsements are of the original and were left out.")
		s.details.Endorsement, s.details.EndorsementJwt = nil, nil
	}
	for _, i := range doc.CredentialSubject.Identifier {
		if i.IdentityType == openbadges.IdentityTypeEmail && !i.Hashed {
			s.email = i.IdentityHash
		}
	}
	if address, ok := strings.CutPrefix(s.id, "mailto:"); ok && s.email == "" {
		s.email, s.id = address, ""
	}
	awarded := doc.AwardedDate
	if awarded == "" {
		awarded = doc.ValidFrom
	}
	subject := doc.CredentialSubject
	s.credential = openbadges.AchievementCredential{
		Name: doc.Name, Description: doc.Description, AwardedDate: stamp(awarded), ValidUntil: stamp(doc.ValidUntil), Evidence: doc.Evidence,
		CredentialSubject: openbadges.AchievementSubject{
			ActivityStartDate: subject.ActivityStartDate, ActivityEndDate: subject.ActivityEndDate, CreditsEarned: subject.CreditsEarned, LicenseNumber: subject.LicenseNumber,
			Narrative: subject.Narrative, Role: subject.Role, Term: subject.Term, Source: subject.Source, Result: subject.Result,
		},
	}
	return s, nil
}
