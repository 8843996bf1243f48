package issuance

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/issuance/statuslist"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// Order is what somebody asks to be issued.
type Order struct {
	AchievementID string
	Recipient     Recipient
	Form          Form
	Award

	// IdempotencyKey makes the order safe to repeat: the same key from the same
	// caller issues once. RequestHash tells a repetition from another order.
	IdempotencyKey string
	RequestHash    string

	id      string  // of the credential; a new one where it is empty
	entries entries // where its entry in a status list comes from; the register where it is nil
}

// Award is what is special about one award of an achievement: the members of the
// credential and of its subject that neither the achievement nor the recipient give.
type Award struct {
	Name              string                  `json:"name,omitempty" doc:"Name of the credential; the achievement's unless given."`
	Description       string                  `json:"description,omitempty"`
	ValidFrom         string                  `json:"validFrom,omitempty" format:"date-time" doc:"Now unless given; RFC 3339 with a zone."`
	ValidUntil        string                  `json:"validUntil,omitempty" format:"date-time"`
	AwardedDate       string                  `json:"awardedDate,omitempty" format:"date-time"`
	ActivityStartDate string                  `json:"activityStartDate,omitempty" format:"date-time"`
	ActivityEndDate   string                  `json:"activityEndDate,omitempty" format:"date-time"`
	CreditsEarned     *float64                `json:"creditsEarned,omitempty"`
	LicenseNumber     string                  `json:"licenseNumber,omitempty"`
	Narrative         string                  `json:"narrative,omitempty" doc:"Markdown: how the recipient earned it."`
	Role              string                  `json:"role,omitempty"`
	Term              string                  `json:"term,omitempty"`
	Source            *openbadges.Profile     `json:"source,omitempty" doc:"Who assessed it, when that is not the issuer."`
	Result            []openbadges.Result     `json:"result,omitempty"`
	Evidence          []openbadges.Evidence   `json:"evidence,omitempty"`
	TermsOfUse        []openbadges.TermsOfUse `json:"termsOfUse,omitempty"`
	Endorsement       []json.RawMessage       `json:"endorsement,omitempty" doc:"Endorsement credentials with their own proofs."`
	EndorsementJwt    []string                `json:"endorsementJwt,omitempty"`
	Refreshable       *bool                   `json:"refreshable,omitempty" doc:"Whether the credential names the address where its newest version can be had: no unless said, and as the version before."`
	EndorsementIDs    []string                `json:"endorsementIds,omitempty" doc:"Endorsements given here, of this credential, its achievement or its issuer, to be embedded; as the version before unless given."`
	EndorsementJwtIDs []string                `json:"endorsementJwtIds,omitempty" doc:"The same as tokens, where the endorser makes them."`
	StatusPurpose     string                  `json:"statusPurpose,omitempty" enum:"revocation,suspension,1EdTechRevocationList" doc:"What the credential's one status entry speaks of: revocation, unless given. With suspension the world sees it when the credential is suspended or revoked, but validators that ask for revocations alone see neither. 1EdTechRevocationList names a plain list for validators that know no other."`
}

// purpose is the side of the status list that the credential names: what it named
// before, unless the award says otherwise.
//
// Open Badges 3.0, AchievementCredential: there is one credentialStatus. Bitstring
// Status List 1.0, 2.1 (BitstringStatusListEntry): a revocation is for good, so that
// one entry cannot speak of suspension as well.
func (a Award) purpose(before string) (string, error) {
	switch a.StatusPurpose {
	case statuslist.Revocation, statuslist.Suspension, statuslist.Plain:
		return a.StatusPurpose, nil
	case "":
		return cmp.Or(before, statuslist.Revocation), nil
	}
	return "", refuse("/statusPurpose", "Bitstring Status List 1.0, BitstringStatusListEntry: statusPurpose", "This purpose is not known here.", "Give revocation, suspension or "+statuslist.Plain+", or leave it out.")
}

// Recipient is who receives a credential; at least one member must be given.
type Recipient struct {
	Email      string       `json:"email,omitempty" format:"email" doc:"Neither stored nor published: the credential holds its salted hash."`
	ID         string       `json:"id,omitempty" doc:"A DID or another absolute URI of the recipient."`
	Identifier []Identifier `json:"identifier,omitempty" doc:"Further identifiers."`

	UserID     string `json:"userId,omitempty" doc:"In place of the e-mail address: the id of a provisioned user, who has one."`
	ExternalID string `json:"externalId,omitempty" doc:"The same by the external id of the user, such as the object id in Entra."`
	UserName   string `json:"userName,omitempty" doc:"The same by the userName."`
}

// Identifier is another way to name the recipient.
type Identifier struct {
	Identifier     string `json:"identifier"`
	IdentifierType string `json:"identifierType"`
	Hashed         *bool  `json:"hashed,omitempty" doc:"Published as a salted hash unless this is false."`
}

func refuse(pointer, rule, detail, remedy string) error {
	return ErrInvalid.Violating(fault.Violation{Pointer: pointer, Rule: rule, Detail: detail, Remedy: remedy})
}

const (
	subjectRule = "Open Badges 3.0, AchievementSubject: id or identifier is required"
	emailRule   = "Open Badges 3.0, IdentityObject: an identity of type emailAddress is an e-mail address"
)

// noAchievement refuses an order for an achievement that does not exist.
func noAchievement() error {
	return refuse("/achievementId", "Open Badges 3.0, AchievementSubject: achievement is required", "There is no such achievement.", "Define one with POST /api/v1/achievements and give its id.")
}

// plain is an identifier as it is hashed and looked up: e-mail addresses are the
// same however they are written, everything else is taken as it stands.
func plain(identifier string) string {
	if email, ok := openbadges.NormalizeEmail(identifier); ok {
		return email
	}
	return identifier
}

// identities makes the subject's identity objects and tells by which text the
// recipient can be looked up later: the e-mail address, else the id, else the first
// of the other identifiers.
func (r Recipient) identities() (identities []openbadges.IdentityObject, lookup string, err error) {
	if r.Email == "" && r.ID == "" && len(r.Identifier) == 0 {
		return nil, "", refuse("/recipient", subjectRule, "Nobody receives the credential.", `Give the recipient's e-mail address: {"recipient":{"email":"person@example.org"}}.`)
	}
	lookup = r.ID
	if r.Email != "" {
		email, ok := openbadges.NormalizeEmail(r.Email)
		if !ok {
			return nil, "", refuse("/recipient/email", emailRule, "This is not an e-mail address.", "Give an address such as person@example.org.")
		}
		identities = append(identities, openbadges.NewEmailIdentity(email, newSalt()))
		lookup = email
	}
	for i, other := range r.Identifier {
		at := fmt.Sprintf("/recipient/identifier/%d", i)
		if strings.TrimSpace(other.Identifier) == "" {
			return nil, "", refuse(at+"/identifier", "Open Badges 3.0, IdentityObject: identityHash is required", "The identifier is empty.", "Give the identifier, or leave the entry out.")
		}
		identity := openbadges.IdentityObject{Type: "IdentityObject", IdentityType: other.IdentifierType, IdentityHash: other.Identifier}
		if other.Hashed == nil || *other.Hashed {
			text := other.Identifier
			if other.IdentifierType == openbadges.IdentityTypeEmail {
				var ok bool
				if text, ok = openbadges.NormalizeEmail(text); !ok {
					return nil, "", refuse(at+"/identifier", emailRule, "This is not an e-mail address.", "Give an address such as person@example.org, or another identifierType.")
				}
			}
			identity.Hashed, identity.Salt = true, newSalt()
			identity.IdentityHash = openbadges.HashIdentity(text, identity.Salt)
		}
		if lookup == "" {
			lookup = other.Identifier
		}
		identities = append(identities, identity)
	}
	return identities, plain(lookup), nil
}

// newSalt is 128 random bits: enough that equal addresses never share a hash.
func newSalt() string {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	return hex.EncodeToString(salt)
}

// fill puts the award into a credential that already has achievement and recipient.
func (a Award) fill(doc *openbadges.AchievementCredential, now time.Time) {
	doc.Name = a.Name
	if doc.Name == "" {
		doc.Name = doc.CredentialSubject.Achievement.Name
	}
	doc.Description = a.Description
	doc.ValidFrom, doc.ValidUntil, doc.AwardedDate = whole(a.ValidFrom), whole(a.ValidUntil), whole(a.AwardedDate)
	if doc.ValidFrom == "" {
		doc.ValidFrom = now.UTC().Format(time.RFC3339)
	}
	doc.Evidence, doc.TermsOfUse = a.Evidence, a.TermsOfUse
	doc.Endorsement, doc.EndorsementJwt = a.Endorsement, a.EndorsementJwt
	s := &doc.CredentialSubject
	s.ActivityStartDate, s.ActivityEndDate = whole(a.ActivityStartDate), whole(a.ActivityEndDate)
	s.CreditsEarned, s.LicenseNumber, s.Narrative = a.CreditsEarned, a.LicenseNumber, a.Narrative
	s.Role, s.Term, s.Source, s.Result = a.Role, a.Term, a.Source, a.Result
	if a.Refreshable != nil && *a.Refreshable {
		// 1EdTech Credential Refresh 1.0: its type is why the extensions context is needed.
		doc.RefreshService = &openbadges.RefreshService{ID: doc.ID + "/refresh", Type: openbadges.TypeCredentialRefresh}
	}
	doc.Complete(newURN)
}

// whole drops fractions of a second from a valid time; what is no time stays as it
// is, so that the lint names it.
func whole(text string) string {
	if text == "" {
		return ""
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return t.Truncate(time.Second).Format(time.RFC3339)
}

// requestPointer leads from a place in the credential to the place in the request
// that put it there, if the request gave this recipient.
func requestPointer(pointer string, recipient Recipient) string {
	rest, ok := strings.CutPrefix(pointer, "/credentialSubject")
	switch {
	case !ok || strings.HasPrefix(rest, "/achievement/") || rest == "/achievement":
		return pointer // what module achievements keeps is not in the request
	case rest == "" || rest == "/id" || rest == "/identifier":
		return "/recipient" + rest
	}
	if entry, ok := strings.CutPrefix(rest, "/identifier/"); ok {
		return "/recipient" + identifierPointer(entry, recipient)
	}
	return rest
}

// identifierPointer leads from an identity object, such as "0/identityType", to
// where it came from: the e-mail address goes before the other identifiers.
func identifierPointer(entry string, recipient Recipient) string {
	number, member, _ := strings.Cut(entry, "/")
	i, err := strconv.Atoi(number)
	if err != nil {
		return "/identifier"
	}
	if recipient.Email != "" {
		if i == 0 {
			return "/email"
		}
		i--
	}
	at := "/identifier/" + strconv.Itoa(i)
	switch member {
	case "identityHash":
		return at + "/identifier"
	case "identityType":
		return at + "/identifierType"
	case "hashed":
		return at + "/hashed"
	}
	return at
}
