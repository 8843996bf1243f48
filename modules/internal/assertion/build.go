package assertion

import (
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// FormError says why something of Open Badges 3.0 has no form in 2.0.
type FormError struct {
	Problem string // a sentence without its full stop
	Remedy  string // a sentence that says what would help
}

// Error implements error.
func (e *FormError) Error() string { return "assertion: " + e.Problem }

// Assertion is an award. Open Badges 2.0, Assertion.
type Assertion struct {
	Context      string       `json:"@context"`
	Type         string       `json:"type" doc:"Assertion."`
	ID           string       `json:"id" doc:"Where it is hosted."`
	Recipient    Identity     `json:"recipient"`
	Badge        string       `json:"badge" doc:"Address of the badge class."`
	Verification Verification `json:"verification"`
	IssuedOn     string       `json:"issuedOn"`
	Expires      string       `json:"expires,omitempty"`
	Image        string       `json:"image,omitempty" doc:"Address of the baked picture."`
	Narrative    string       `json:"narrative,omitempty"`
	Evidence     []Evidence   `json:"evidence,omitempty"`
}

// Identity names a recipient. Open Badges 2.0, IdentityObject.
type Identity struct {
	Type     string `json:"type" doc:"email, or id for any other URI."`
	Hashed   bool   `json:"hashed"`
	Salt     string `json:"salt,omitempty"`
	Identity string `json:"identity" doc:"The identifier, or sha256$ and the hash of identifier and salt."`
}

// Verification says how an assertion is verified. Open Badges 2.0, VerificationObject.
type Verification struct {
	Type string `json:"type" doc:"HostedBadge."`
}

// Evidence is what shows that a badge was earned. Open Badges 2.0, Evidence.
type Evidence struct {
	Type        string `json:"type,omitempty"`
	ID          string `json:"id,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	Narrative   string `json:"narrative,omitempty"`
	Genre       string `json:"genre,omitempty"`
	Audience    string `json:"audience,omitempty"`
}

// BadgeClass is what can be earned. Open Badges 2.0, BadgeClass.
type BadgeClass struct {
	Context     string      `json:"@context"`
	Type        string      `json:"type" doc:"BadgeClass."`
	ID          string      `json:"id" doc:"Where it is hosted."`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Image       string      `json:"image"`
	Criteria    Criteria    `json:"criteria"`
	Issuer      string      `json:"issuer" doc:"Address of the issuer."`
	Alignment   []Alignment `json:"alignment,omitempty"`
	Tags        []string    `json:"tags,omitempty"`
}

// Criteria says how a badge is earned. Open Badges 2.0, Criteria.
type Criteria struct {
	ID        string `json:"id,omitempty"`
	Narrative string `json:"narrative,omitempty"`
}

// Alignment points at an entry of a framework. Open Badges 2.0, AlignmentObject.
type Alignment struct {
	TargetName        string `json:"targetName"`
	TargetURL         string `json:"targetUrl"`
	TargetDescription string `json:"targetDescription,omitempty"`
	TargetFramework   string `json:"targetFramework,omitempty"`
	TargetCode        string `json:"targetCode,omitempty"`
}

// Issuer is who issues. Open Badges 2.0, Profile.
type Issuer struct {
	Context     string `json:"@context"`
	Type        string `json:"type" doc:"Issuer."`
	ID          string `json:"id" doc:"Where it is hosted."`
	Name        string `json:"name"`
	URL         string `json:"url"`
	Email       string `json:"email"`
	Telephone   string `json:"telephone,omitempty"`
	Description string `json:"description,omitempty"`
	Image       string `json:"image,omitempty"`
}

// Withdrawn is what stands in the place of an assertion that was revoked, answered with
// 410. Open Badges 2.0, Assertion: revoked.
type Withdrawn struct {
	Context string `json:"@context"`
	Type    string `json:"type"`
	ID      string `json:"id"`
	Revoked bool   `json:"revoked"`
	Reason  string `json:"revocationReason,omitempty"`
}

// NewWithdrawn says that the assertion at an address was revoked.
func NewWithdrawn(id, reason string) Withdrawn {
	return Withdrawn{Context: Context, Type: typeAssertion, ID: id, Revoked: true, Reason: reason}
}

// New makes of a credential the assertion of the same award, hosted at id. It answers
// with a [*FormError] where 2.0 cannot say who received it.
func New(c openbadges.AchievementCredential, id, class, picture string) (Assertion, error) {
	recipient, ok := recipientOf(c.CredentialSubject)
	if !ok {
		return Assertion{}, &FormError{"Open Badges 2.0 names recipients by e-mail address or by URI, and this one is named otherwise", "Issue a credential with the e-mail address of the recipient."}
	}
	a := Assertion{
		Context: Context, Type: typeAssertion, ID: id, Recipient: recipient, Badge: class, Verification: Verification{Type: "HostedBadge"},
		IssuedOn: c.AwardedDate, Expires: c.ValidUntil, Image: picture, Narrative: c.CredentialSubject.Narrative,
	}
	if a.IssuedOn == "" {
		a.IssuedOn = c.ValidFrom
	}
	for _, e := range c.Evidence {
		a.Evidence = append(a.Evidence, Evidence{Type: "Evidence", ID: e.ID, Name: e.Name, Description: e.Description, Narrative: e.Narrative, Genre: e.Genre, Audience: e.Audience})
	}
	return a, nil
}

// recipientOf takes the e-mail address, hashed as it is, else the id.
func recipientOf(s openbadges.AchievementSubject) (Identity, bool) {
	for _, i := range s.Identifier {
		if i.IdentityType == openbadges.IdentityTypeEmail {
			return Identity{Type: "email", Hashed: i.Hashed, Salt: i.Salt, Identity: i.IdentityHash}, true
		}
	}
	return Identity{Type: "id", Identity: s.ID}, s.ID != ""
}

// NewBadgeClass makes of an achievement the badge class at id, of the issuer at an
// address. It answers with a [*FormError] where it has no picture.
func NewBadgeClass(a openbadges.Achievement, id, issuer string) (BadgeClass, error) {
	if a.Image == nil || a.Image.ID == "" {
		return BadgeClass{}, &FormError{"a badge class of Open Badges 2.0 has a picture, and this achievement has none that strangers could see", "Give the achievement an image."}
	}
	b := BadgeClass{
		Context: Context, Type: typeBadgeClass, ID: id, Name: a.Name, Description: a.Description, Image: a.Image.ID,
		Criteria: Criteria{ID: a.Criteria.ID, Narrative: a.Criteria.Narrative}, Issuer: issuer, Tags: a.Tag,
	}
	for _, l := range a.Alignment {
		b.Alignment = append(b.Alignment, Alignment{TargetName: l.TargetName, TargetURL: l.TargetURL, TargetDescription: l.TargetDescription, TargetFramework: l.TargetFramework, TargetCode: l.TargetCode})
	}
	return b, nil
}

// NewIssuer makes of a profile the issuer at id. It answers with a [*FormError] where it
// lacks what 2.0 asks of an issuer.
func NewIssuer(p openbadges.Profile, id string) (Issuer, error) {
	if p.Email == "" || p.URL == "" || p.Name == "" {
		return Issuer{}, &FormError{"an issuer of Open Badges 2.0 has a name, a web site and an e-mail address, and this one lacks some of them", "Give the issuer profile name, url and email."}
	}
	i := Issuer{Context: Context, Type: "Issuer", ID: id, Name: p.Name, URL: p.URL, Email: p.Email, Telephone: p.Phone, Description: p.Description}
	if p.Image != nil {
		i.Image = p.Image.ID
	}
	return i, nil
}
