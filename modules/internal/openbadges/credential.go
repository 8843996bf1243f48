package openbadges

import "encoding/json"

// AchievementCredential is a badge as it is issued: who earned which
// achievement, says whom, since when. OB 3.0, AchievementCredential (also
// called OpenBadgeCredential).
type AchievementCredential struct {
	Context           []any              `json:"@context,omitempty" doc:"JSON-LD contexts: first the one of VC Data Model 2.0, then the one of Open Badges 3.0.3."`
	ID                string             `json:"id" doc:"Absolute URI that names this credential and nothing else."`
	Type              []string           `json:"type,omitempty" doc:"Holds VerifiableCredential and OpenBadgeCredential."`
	Name              string             `json:"name,omitempty" doc:"Name of the credential for display; often that of the achievement."`
	Description       string             `json:"description,omitempty" doc:"Short description of the credential for display."`
	Image             *Image             `json:"image,omitempty" doc:"Picture of the credential for display."`
	Issuer            Profile            `json:"issuer" doc:"Who issues the credential."`
	ValidFrom         string             `json:"validFrom" doc:"Date-time with zone from which the credential is valid; a newer one supersedes an older one of the same id."`
	ValidUntil        string             `json:"validUntil,omitempty" doc:"Date-time with zone after which the credential is no longer valid."`
	AwardedDate       string             `json:"awardedDate,omitempty" doc:"Date-time with zone of the original award; updates keep it."`
	CredentialSubject AchievementSubject `json:"credentialSubject" doc:"Who earned it, and what was earned."`
	Evidence          []Evidence         `json:"evidence,omitempty" doc:"What shows that the achievement was earned."`
	Endorsement       []json.RawMessage  `json:"endorsement,omitempty" doc:"Endorsement credentials with an embedded proof, kept byte for byte."`
	EndorsementJwt    []string           `json:"endorsementJwt,omitempty" doc:"Endorsement credentials as compact JWS."`
	CredentialSchema  []CredentialSchema `json:"credentialSchema,omitempty" doc:"Schemas that the credential keeps to."`
	CredentialStatus  *CredentialStatus  `json:"credentialStatus,omitempty" doc:"Where to ask whether the credential was revoked; one object."`
	RefreshService    *RefreshService    `json:"refreshService,omitempty" doc:"Where to get the newest version of the credential."`
	TermsOfUse        []TermsOfUse       `json:"termsOfUse,omitempty" doc:"Terms under which the credential was issued."`
	Proof             []json.RawMessage  `json:"proof,omitempty" doc:"Embedded proofs."`
}

// EndorsementCredential is a claim that somebody vouches for a profile, an
// achievement or a credential. OB 3.0, EndorsementCredential.
type EndorsementCredential struct {
	Context           []any              `json:"@context,omitempty" doc:"JSON-LD contexts, as in a badge."`
	ID                string             `json:"id" doc:"Absolute URI that names this endorsement."`
	Type              []string           `json:"type,omitempty" doc:"Holds VerifiableCredential and EndorsementCredential."`
	Name              string             `json:"name" doc:"Name of the endorsement for display."`
	Description       string             `json:"description,omitempty" doc:"Short description of the endorsement for display."`
	Issuer            Profile            `json:"issuer" doc:"Who endorses."`
	ValidFrom         string             `json:"validFrom" doc:"Date-time with zone from which the endorsement is valid."`
	ValidUntil        string             `json:"validUntil,omitempty" doc:"Date-time with zone after which the endorsement is no longer valid."`
	AwardedDate       string             `json:"awardedDate,omitempty" doc:"Date-time with zone of the original endorsement."`
	CredentialSubject EndorsementSubject `json:"credentialSubject" doc:"What is endorsed."`
	Evidence          []Evidence         `json:"evidence,omitempty" doc:"What the endorsement rests on."`
	CredentialSchema  []CredentialSchema `json:"credentialSchema,omitempty" doc:"Schemas that the endorsement keeps to."`
	CredentialStatus  *CredentialStatus  `json:"credentialStatus,omitempty" doc:"Where to ask whether the endorsement was revoked; one object."`
	RefreshService    *RefreshService    `json:"refreshService,omitempty" doc:"Where to get the newest version of the endorsement."`
	TermsOfUse        []TermsOfUse       `json:"termsOfUse,omitempty" doc:"Terms under which the endorsement was issued."`
	Proof             []json.RawMessage  `json:"proof,omitempty" doc:"Embedded proofs."`
}

// EndorsementSubject names the endorsed thing. OB 3.0, EndorsementSubject.
type EndorsementSubject struct {
	ID                 string   `json:"id" doc:"URI of the endorsed profile, achievement or credential."`
	Type               []string `json:"type,omitempty" doc:"Holds EndorsementSubject."`
	EndorsementComment string   `json:"endorsementComment,omitempty" doc:"What the endorser has to say, in Markdown."`
}

// AchievementSubject says who earned the achievement and with which results.
// OB 3.0, AchievementSubject.
type AchievementSubject struct {
	ID                string           `json:"id,omitempty" doc:"URI of the recipient; either this or identifier is needed."`
	Type              []string         `json:"type,omitempty" doc:"Holds AchievementSubject."`
	Identifier        []IdentityObject `json:"identifier,omitempty" doc:"Other ways to name the recipient, such as a hashed e-mail address."`
	Achievement       Achievement      `json:"achievement" doc:"What was earned."`
	ActivityStartDate string           `json:"activityStartDate,omitempty" doc:"Date-time with zone at which the activity began."`
	ActivityEndDate   string           `json:"activityEndDate,omitempty" doc:"Date-time with zone at which the activity ended."`
	CreditsEarned     *float64         `json:"creditsEarned,omitempty" doc:"How many credits were earned."`
	Image             *Image           `json:"image,omitempty" doc:"Picture of this one award, with the credential baked in."`
	LicenseNumber     string           `json:"licenseNumber,omitempty" doc:"Number of the licence that was issued with the credential."`
	Narrative         string           `json:"narrative,omitempty" doc:"How this recipient earned the achievement, in Markdown."`
	Result            []Result         `json:"result,omitempty" doc:"Results that the recipient reached."`
	Role              string           `json:"role,omitempty" doc:"The recipient's part in the activity."`
	Source            *Profile         `json:"source,omitempty" doc:"Who assessed the recipient, if not the issuer."`
	Term              string           `json:"term,omitempty" doc:"The academic term in which it was earned."`
}

// Result is one result the recipient reached. OB 3.0, Result.
type Result struct {
	Type              []string    `json:"type,omitempty" doc:"Holds Result."`
	AchievedLevel     string      `json:"achievedLevel,omitempty" doc:"Id of the rubric criterion level that was reached."`
	Alignment         []Alignment `json:"alignment,omitempty" doc:"Frameworks this result aligns with, beyond those of its description."`
	ResultDescription string      `json:"resultDescription,omitempty" doc:"Id of the result description, within this achievement, that this result answers."`
	Status            string      `json:"status,omitempty" doc:"Completed, Enrolled, Failed, InProgress, OnHold, Provisional or Withdrew; needed where the description asks for a Status."`
	Value             string      `json:"value,omitempty" doc:"The grade, score or other value reached."`
}

// Evidence is what shows that the achievement was earned. OB 3.0, Evidence.
type Evidence struct {
	ID          string   `json:"id,omitempty" doc:"URI of a page that presents the evidence."`
	Type        []string `json:"type,omitempty" doc:"Holds Evidence."`
	Narrative   string   `json:"narrative,omitempty" doc:"The evidence told in Markdown."`
	Name        string   `json:"name,omitempty" doc:"Title of the evidence."`
	Description string   `json:"description,omitempty" doc:"Longer description of the evidence."`
	Genre       string   `json:"genre,omitempty" doc:"Kind of evidence, such as Poetry or Prose."`
	Audience    string   `json:"audience,omitempty" doc:"For whom the evidence is meant."`
}

// CredentialSchema names a schema for the credential. OB 3.0, CredentialSchema.
type CredentialSchema struct {
	ID   string `json:"id" doc:"URL of the schema."`
	Type string `json:"type" doc:"Kind of schema, such as 1EdTechJsonSchemaValidator2019."`
}

// CredentialStatus says where to ask for the status of the credential. OB 3.0,
// CredentialStatus; the members after type are those of Bitstring Status List
// 1.0, BitstringStatusListEntry.
type CredentialStatus struct {
	ID                   string          `json:"id,omitempty" doc:"URI of this entry; not the URL of the list."`
	Type                 string          `json:"type" doc:"BitstringStatusListEntry or 1EdTechRevocationList."`
	StatusPurpose        string          `json:"statusPurpose,omitempty" doc:"What a set bit means, such as revocation or suspension."`
	StatusListIndex      string          `json:"statusListIndex,omitempty" doc:"Place of the bit in the list, as a decimal string."`
	StatusListCredential string          `json:"statusListCredential,omitempty" doc:"URL of the status list credential."`
	StatusSize           int             `json:"statusSize,omitempty" doc:"Bits per entry; 1 when absent."`
	StatusMessage        []StatusMessage `json:"statusMessage,omitempty" doc:"What each value means, when an entry has more than one bit."`
}

// StatusMessage gives a value of a status entry its meaning. Bitstring Status
// List 1.0, BitstringStatusListEntry.
type StatusMessage struct {
	Status  string `json:"status" doc:"The value in hexadecimal, such as 0x1."`
	Message string `json:"message" doc:"What the value means."`
}

// RefreshService says where to get a newer version. OB 3.0, RefreshService.
type RefreshService struct {
	ID   string `json:"id" doc:"URL that answers with the newest version."`
	Type string `json:"type" doc:"Kind of service, such as 1EdTechCredentialRefresh."`
}

// TermsOfUse states terms of use. OB 3.0, TermsOfUse.
type TermsOfUse struct {
	ID   string `json:"id,omitempty" doc:"URI of the terms."`
	Type string `json:"type" doc:"Kind of terms."`
}

// Proof is an embedded proof. OB 3.0, Proof; VC Data Integrity 1.0, Proofs.
type Proof struct {
	Type               string `json:"type" doc:"Kind of proof, such as DataIntegrityProof."`
	Created            string `json:"created,omitempty" doc:"Date-time with zone at which the proof was made."`
	Cryptosuite        string `json:"cryptosuite,omitempty" doc:"Name of the cryptosuite, such as eddsa-rdfc-2022."`
	Challenge          string `json:"challenge,omitempty" doc:"Value against replay, given by the verifier."`
	Domain             string `json:"domain,omitempty" doc:"Where the proof is meant to be used."`
	Nonce              string `json:"nonce,omitempty" doc:"Random value given by the maker of the proof."`
	ProofPurpose       string `json:"proofPurpose,omitempty" doc:"assertionMethod for an issued credential."`
	ProofValue         string `json:"proofValue,omitempty" doc:"The signature, in multibase."`
	VerificationMethod string `json:"verificationMethod,omitempty" doc:"URI of the public key."`
}
