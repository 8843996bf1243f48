package openbadges

import "strings"

// URLs of the JSON-LD contexts.
const (
	// CredentialsContext is the first context of every credential we issue.
	// VC Data Model 2.0, Contexts.
	CredentialsContext = "https://www.w3.org/ns/credentials/v2"
	// CredentialsContextV1 is the first context of older credentials; it is
	// read and never written. VC Data Model 1.1, Contexts.
	CredentialsContextV1 = "https://www.w3.org/2018/credentials/v1"
	// BadgesContext is the second context of every credential we issue.
	BadgesContext = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
	// ExtensionsContext defines the types that begin with 1EdTech; it follows
	// the first two contexts, and only when such a type is used.
	ExtensionsContext = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
)

// Contexts returns the value of @context for a credential to be issued. The
// slice is the caller's own.
func Contexts() []any { return []any{CredentialsContext, BadgesContext} }

// Names of types, as they stand in the type member.
const (
	TypeVerifiableCredential  = "VerifiableCredential"
	TypeOpenBadgeCredential   = "OpenBadgeCredential"
	TypeAchievementCredential = "AchievementCredential" // an alias of OpenBadgeCredential
	TypeEndorsementCredential = "EndorsementCredential"
	TypeAchievementSubject    = "AchievementSubject"
	TypeEndorsementSubject    = "EndorsementSubject"
	TypeAchievement           = "Achievement"
	TypeProfile               = "Profile"
	TypeImage                 = "Image"
	TypeIdentityObject        = "IdentityObject"
	TypeIdentifierEntry       = "IdentifierEntry"
	TypeAlignment             = "Alignment"
	TypeEvidence              = "Evidence"
	TypeRelated               = "Related"
	TypeResult                = "Result"
	TypeResultDescription     = "ResultDescription"
	TypeRubricCriterionLevel  = "RubricCriterionLevel"
	TypeAddress               = "Address"
	TypeGeoCoordinates        = "GeoCoordinates"

	TypeDataIntegrityProof       = "DataIntegrityProof"
	TypeBitstringStatusListEntry = "BitstringStatusListEntry"
	TypeJSONSchemaValidator      = "1EdTechJsonSchemaValidator2019"
	TypeRevocationList           = "1EdTechRevocationList"
	TypeCredentialRefresh        = "1EdTechCredentialRefresh"
)

// ProofPurposeAssertion is the purpose of the proofs of an issued credential.
const ProofPurposeAssertion = "assertionMethod"

// IdentityTypeEmail is the identifier type of an e-mail address.
const IdentityTypeEmail = "emailAddress"

// ResultTypeStatus is the result type whose results carry a status.
const ResultTypeStatus = "Status"

// isExtensionType tells whether only the extensions context defines a type.
func isExtensionType(name string) bool { return strings.HasPrefix(name, "1EdTech") }

// IdentifierTypes is the IdentifierType enumeration; a value that begins with
// ext: extends it.
var IdentifierTypes = []string{
	"name", "sourcedId", "systemId", "productId", "userName", "accountId", "emailAddress",
	"nationalIdentityNumber", "isbn", "issn", "lisSourcedId", "oneRosterSourcedId", "sisSourcedId",
	"ltiContextId", "ltiDeploymentId", "ltiToolId", "ltiPlatformId", "ltiUserId", "identifier",
}

// AchievementTypes is the AchievementType enumeration; a value that begins with
// ext: extends it.
var AchievementTypes = []string{
	"Achievement", "ApprenticeshipCertificate", "Assessment", "Assignment", "AssociateDegree", "Award",
	"Badge", "BachelorDegree", "Certificate", "CertificateOfCompletion", "Certification",
	"CommunityService", "Competency", "Course", "CoCurricular", "Degree", "Diploma", "DoctoralDegree",
	"Fieldwork", "GeneralEducationDevelopment", "JourneymanCertificate", "LearningProgram", "License",
	"Membership", "ProfessionalDoctorate", "QualityAssuranceCredential", "MasterCertificate",
	"MasterDegree", "MicroCredential", "ResearchDoctorate", "SecondarySchoolDiploma",
}

// AlignmentTargetTypes is the AlignmentTargetType enumeration; a value that
// begins with ext: extends it.
var AlignmentTargetTypes = []string{
	"ceasn:Competency", "ceterms:Credential", "CFItem", "CFRubric", "CFRubricCriterion",
	"CFRubricCriterionLevel", "CTDL",
}

// ResultTypes is the ResultType enumeration; a value that begins with ext:
// extends it.
var ResultTypes = []string{
	"GradePointAverage", "LetterGrade", "Percent", "PerformanceLevel", "PredictedScore", "RawScore",
	"Result", "RubricCriterion", "RubricCriterionLevel", "RubricScore", "ScaledScore", "Status",
}

// ResultStatusTypes is the ResultStatusType enumeration; nothing extends it.
var ResultStatusTypes = []string{
	"Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew",
}
