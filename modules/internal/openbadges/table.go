package openbadges

import "github.com/badge-engine/badge-engine/modules/internal/strictjson"

// The table of the Open Badges 3.0 data model. Each class stands as the
// standard's own table of it does; a row is need (1 or 1..*), may (0..1) or
// list (0..*).

func need(name string, v value) property {
	return property{name: name, need: required, value: v}
}

func may(name string, v value) property {
	return property{name: name, value: v}
}

func list(name string, v value) property {
	return property{name: name, many: true, value: v}
}

var (
	text         = value{kind: ofText, name: "a string"}
	uri          = formatted(&formatURI)
	webURL       = formatted(&formatURL)
	pictureURL   = formatted(&formatPictureURL)
	dateTime     = formatted(&formatDateTime)
	date         = formatted(&formatDate)
	languageCode = formatted(&formatLanguageCode)
	compactJWS   = formatted(&formatCompactJWS)
	email        = formatted(&formatEmail)
	phone        = formatted(&formatPhone)
	countryCode  = formatted(&formatCountryCode)
	numeric      = value{kind: ofNumber, name: "a number"}
	boolean      = value{kind: ofBool, name: "true or false"}
	contextList  = value{kind: ofContext, name: "the list of contexts"}
	anyType      = value{kind: ofType, name: "the name of a type"}

	identifierType      = value{kind: ofText, name: "an IdentifierType", enum: IdentifierTypes, open: true}
	achievementType     = value{kind: ofText, name: "an AchievementType", enum: AchievementTypes, open: true}
	alignmentTargetType = value{kind: ofText, name: "an AlignmentTargetType", enum: AlignmentTargetTypes, open: true}
	resultType          = value{kind: ofText, name: "a ResultType", enum: ResultTypes, open: true}
	resultStatusType    = value{kind: ofText, name: "a ResultStatusType", enum: ResultStatusTypes}
)

func formatted(f *format) value { return value{kind: ofText, name: f.name, format: f} }

func object(class string) value {
	return value{kind: ofClass, class: class, name: "an object of class " + class}
}

// profileRef is a Profile for which a URI may stand. OB 3.0, ProfileRef.
func profileRef() value {
	v := object(TypeProfile)
	v.orURI = true
	return v
}

func types(groups ...[]string) value {
	return value{kind: ofTypes, types: groups, name: "an array of type names"}
}

func typed(name string) property { return need("type", types([]string{name})) }

func typedAs(name string) property {
	return need("type", value{kind: ofType, name: "the string " + name, enum: []string{name}})
}

// table lists the classes; classes finds them by name.
var table = []class{
	{name: TypeAchievementCredential, credential: true, check: checkAchievementCredential, properties: []property{
		need("@context", contextList),
		need("id", uri),
		need("type", types([]string{TypeVerifiableCredential}, []string{TypeOpenBadgeCredential, TypeAchievementCredential})),
		may("name", text),
		may("description", text),
		may("image", object(TypeImage)),
		may("awardedDate", dateTime),
		need("credentialSubject", object(TypeAchievementSubject)),
		list("endorsement", object(TypeEndorsementCredential)),
		list("endorsementJwt", compactJWS),
		list("evidence", object(TypeEvidence)),
		need("issuer", profileRef()),
		{name: "validFrom", need: requiredIn2, value: dateTime},
		may("validUntil", dateTime),
		list("proof", object("Proof")),
		list("credentialSchema", object("CredentialSchema")),
		may("credentialStatus", object("CredentialStatus")),
		may("refreshService", object("RefreshService")),
		list("termsOfUse", object("TermsOfUse")),
	}},
	{name: TypeEndorsementCredential, credential: true, check: checkEndorsementCredential, properties: []property{
		need("@context", contextList),
		need("id", uri),
		need("type", types([]string{TypeVerifiableCredential}, []string{TypeEndorsementCredential})),
		need("name", text),
		may("description", text),
		need("credentialSubject", object(TypeEndorsementSubject)),
		may("awardedDate", dateTime),
		list("evidence", object(TypeEvidence)),
		need("issuer", profileRef()),
		{name: "validFrom", need: requiredIn2, value: dateTime},
		may("validUntil", dateTime),
		list("proof", object("Proof")),
		list("credentialSchema", object("CredentialSchema")),
		may("credentialStatus", object("CredentialStatus")),
		may("refreshService", object("RefreshService")),
		list("termsOfUse", object("TermsOfUse")),
	}},
	{name: TypeEndorsementSubject, properties: []property{
		need("id", uri),
		typed(TypeEndorsementSubject),
		may("endorsementComment", text),
	}},
	{name: TypeAchievementSubject, check: checkAchievementSubject, properties: []property{
		may("id", uri),
		typed(TypeAchievementSubject),
		may("activityEndDate", dateTime),
		may("activityStartDate", dateTime),
		may("creditsEarned", numeric),
		need("achievement", object(TypeAchievement)),
		list("identifier", object(TypeIdentityObject)),
		may("image", object(TypeImage)),
		may("licenseNumber", text),
		may("narrative", text),
		list("result", object(TypeResult)),
		may("role", text),
		may("source", object(TypeProfile)),
		may("term", text),
	}},
	{name: TypeAchievement, check: checkAchievement, properties: []property{
		need("id", uri),
		typed(TypeAchievement),
		list("alignment", object(TypeAlignment)),
		may("achievementType", achievementType),
		may("creator", object(TypeProfile)),
		may("creditsAvailable", numeric),
		need("criteria", object("Criteria")),
		need("description", text),
		list("endorsement", object(TypeEndorsementCredential)),
		list("endorsementJwt", compactJWS),
		may("fieldOfStudy", text),
		may("humanCode", text),
		may("image", object(TypeImage)),
		may("inLanguage", languageCode),
		need("name", text),
		list("otherIdentifier", object(TypeIdentifierEntry)),
		list("related", object(TypeRelated)),
		list("resultDescription", object(TypeResultDescription)),
		may("specialization", text),
		list("tag", text),
		may("version", text),
	}},
	{name: TypeProfile, properties: []property{
		need("id", uri),
		typed(TypeProfile),
		may("name", text),
		may("url", webURL),
		may("phone", phone),
		may("description", text),
		list("endorsement", object(TypeEndorsementCredential)),
		list("endorsementJwt", compactJWS),
		may("image", object(TypeImage)),
		may("email", email),
		may("address", object(TypeAddress)),
		list("otherIdentifier", object(TypeIdentifierEntry)),
		may("official", text),
		may("parentOrg", object(TypeProfile)),
		may("familyName", text),
		may("givenName", text),
		may("additionalName", text),
		may("patronymicName", text),
		may("honorificPrefix", text),
		may("honorificSuffix", text),
		may("familyNamePrefix", text),
		may("dateOfBirth", date),
	}},
	{name: "Criteria", check: checkCriteria, properties: []property{
		may("id", uri),
		may("narrative", text),
	}},
	{name: TypeImage, closed: true, properties: []property{
		need("id", pictureURL),
		typedAs(TypeImage),
		may("caption", text),
	}},
	{name: TypeIdentityObject, closed: true, check: checkIdentityObject, properties: []property{
		typedAs(TypeIdentityObject),
		need("hashed", boolean),
		need("identityHash", text),
		need("identityType", identifierType),
		may("salt", text),
	}},
	{name: TypeIdentifierEntry, closed: true, properties: []property{
		typedAs(TypeIdentifierEntry),
		need("identifier", text),
		need("identifierType", identifierType),
	}},
	{name: TypeAlignment, properties: []property{
		typed(TypeAlignment),
		may("targetCode", text),
		may("targetDescription", text),
		need("targetName", text),
		may("targetFramework", text),
		may("targetType", alignmentTargetType),
		need("targetUrl", webURL),
	}},
	{name: TypeEvidence, properties: []property{
		may("id", uri),
		typed(TypeEvidence),
		may("narrative", text),
		may("name", text),
		may("description", text),
		may("genre", text),
		may("audience", text),
	}},
	{name: TypeRelated, properties: []property{
		need("id", uri),
		typed(TypeRelated),
		may("inLanguage", languageCode),
		may("version", text),
	}},
	{name: TypeResult, properties: []property{
		typed(TypeResult),
		may("achievedLevel", uri),
		list("alignment", object(TypeAlignment)),
		may("resultDescription", uri),
		may("status", resultStatusType),
		may("value", text),
	}},
	{name: TypeResultDescription, check: checkResultDescription, properties: []property{
		need("id", uri),
		typed(TypeResultDescription),
		list("alignment", object(TypeAlignment)),
		list("allowedValue", text),
		need("name", text),
		may("requiredLevel", uri),
		may("requiredValue", text),
		need("resultType", resultType),
		list("rubricCriterionLevel", object(TypeRubricCriterionLevel)),
		may("valueMax", text),
		may("valueMin", text),
	}},
	{name: TypeRubricCriterionLevel, properties: []property{
		need("id", uri),
		typed(TypeRubricCriterionLevel),
		list("alignment", object(TypeAlignment)),
		may("description", text),
		may("level", text),
		need("name", text),
		may("points", text),
	}},
	{name: TypeAddress, properties: []property{
		typed(TypeAddress),
		may("addressCountry", text),
		may("addressCountryCode", countryCode),
		may("addressRegion", text),
		may("addressLocality", text),
		may("streetAddress", text),
		may("postOfficeBoxNumber", text),
		may("postalCode", text),
		may("geo", object(TypeGeoCoordinates)),
	}},
	{name: TypeGeoCoordinates, check: checkGeoCoordinates, properties: []property{
		typedAs(TypeGeoCoordinates),
		need("latitude", numeric),
		need("longitude", numeric),
	}},
	{name: "CredentialSchema", check: checkCredentialSchema, properties: []property{
		need("id", webURL),
		need("type", anyType),
	}},
	{name: "CredentialStatus", check: checkCredentialStatus, properties: []property{
		{name: "id", need: toIssue, value: uri},
		need("type", anyType),
	}},
	{name: "RefreshService", properties: []property{
		need("id", webURL),
		need("type", anyType),
	}},
	{name: "TermsOfUse", properties: []property{
		may("id", uri),
		need("type", anyType),
	}},
	{name: "Proof", check: checkProof, properties: []property{
		need("type", anyType),
		may("created", dateTime),
		may("cryptosuite", text),
		may("challenge", text),
		may("domain", text),
		may("nonce", text),
		may("proofPurpose", text),
		may("proofValue", text),
		may("verificationMethod", uri),
	}},
}

var classes = func() map[string]*class {
	byName := make(map[string]*class, len(table))
	for i := range table {
		byName[table[i].name] = &table[i]
	}
	for i := range table {
		k := &table[i]
		properties := make(map[string]*property, len(k.properties))
		for place := range k.properties {
			p := &k.properties[place]
			p.place, p.value.of = place, byName[p.value.class]
			properties[p.name] = p
			if p.need != optional {
				k.required |= 1 << place
			}
		}
		k.byName = strictjson.NewIndex(properties)
	}
	return byName
}()
