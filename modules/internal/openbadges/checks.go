package openbadges

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// The rules that lie between members. Each check may report and no more; what
// is not of the right type is skipped, since the table has reported it.

func objectAt(o *strictjson.Node, name string) *strictjson.Node {
	if inner := o.Get(name); inner.Is(strictjson.Object) {
		return inner
	}
	return nil
}

// textAt is a member that is a string.
func textAt(o *strictjson.Node, name string) (string, bool) {
	v := o.Get(name)
	return v.String(), v.Is(strictjson.String)
}

// objectsAt calls visit on each object of a list, with the place it is at.
func (c *checker) objectsAt(o *strictjson.Node, at, name string, visit func(at string, o *strictjson.Node)) {
	v := o.Get(name)
	if v == nil {
		return
	}
	at = c.member(at, name)
	switch v.Kind {
	case strictjson.Object:
		visit(at, v)
	case strictjson.Array:
		i := 0
		for item := v.First(); item != nil; item = item.Next() {
			if item.Kind == strictjson.Object {
				visit(c.index(at, i), item)
			}
			i++
		}
	}
}

func stringsAt(o *strictjson.Node, name string) []string {
	var found []string
	v := o.Get(name)
	switch {
	case v.Is(strictjson.String):
		found = append(found, v.Text)
	case v.Is(strictjson.Array):
		for item := v.First(); item != nil; item = item.Next() {
			if item.Kind == strictjson.String {
				found = append(found, item.Text)
			}
		}
	}
	return found
}

// context checks the contexts of a credential.
// VC Data Model 2.0, Contexts; OB 3.0, JSON-LD contexts.
func (c *checker) context(at string, v *strictjson.Node, class string) {
	const order = "OB 3.0, JSON-LD contexts: the first is that of VC Data Model 2.0, the second that of Open Badges 3.0"
	if v.Kind != strictjson.Array {
		c.report(at, rule(class, "@context is an array"), "found "+describe(v), "put the contexts into an array")
		return
	}
	var first, second string
	if one := v.First(); one != nil {
		first, second = one.String(), one.Next().String()
	}
	if first != CredentialsContext && (first != CredentialsContextV1 || c.strictness == Issuing) {
		c.report(c.index(at, 0), order, "the first context is not "+CredentialsContext, "put "+CredentialsContext+" first")
	}
	switch {
	case second == BadgesContext:
	case c.issuing():
		c.report(c.index(at, 1), order, "the second context is not "+BadgesContext, "put "+BadgesContext+" second")
	case !badgesContextPattern.MatchString(second):
		c.report(c.index(at, 1), order, "the second context is not one of Open Badges 3.0", "put "+BadgesContext+" second")
	}
	var seen nameSet
	i := 0
	for item := v.First(); item != nil; item = item.Next() {
		switch item.Kind {
		case strictjson.String:
			if i > 1 && !isURI(item.Text, c.issuing()) {
				c.report(c.index(at, i), "VC Data Model 2.0, Contexts: each context is a URL or an object",
					quote(item.Text)+" is not "+formatURI.name, "give the URL of a context")
			}
			if !seen.add(item.Text) && c.issuing() {
				c.report(c.index(at, i), "VC Data Model 2.0, Contexts: the contexts are an ordered set",
					quote(item.Text)+" is repeated", "remove the repetition")
			}
		case strictjson.Object:
		default:
			if i > 1 { // the first two were reported by name
				c.report(c.index(at, i), "VC Data Model 2.0, Contexts: each context is a URL or an object",
					"found "+describe(item), "give the URL of a context")
			}
		}
		i++
	}
}

func checkAchievementCredential(c *checker, at string, o *strictjson.Node) {
	c.credential(at, o, TypeAchievementCredential)
	// OB 3.0, AchievementCredential as VC Data Model 1.1 has it.
	if c.version1 && o.Get("name") == nil {
		c.report(c.member(at, "name"), rule(TypeAchievementCredential, "name is required with VC Data Model 1.1"),
			"name is missing", "give a string")
	}
	if c.issuing() {
		c.distinctIDs(at, o)
	}
}

func checkEndorsementCredential(c *checker, at string, o *strictjson.Node) {
	c.credential(at, o, TypeEndorsementCredential)
	// OB 3.0, EndorsementCredential: it is a claim about something else.
	if id := o.Member("id"); id != "" && objectAt(o, "credentialSubject").Member("id") == id {
		c.report(c.member(c.member(at, "credentialSubject"), "id"), rule(TypeEndorsementCredential, "its subject is what it endorses"),
			"the endorsement endorses itself", "give the id of the endorsed profile, achievement or credential")
	}
}

// credential checks what badges and endorsements have in common.
func (c *checker) credential(at string, o *strictjson.Node, class string) {
	if c.version1 {
		c.oldDates(at, o, class)
		c.period(at, o, "issuanceDate", "expirationDate")
	} else {
		// VC Data Model 2.0 does not define the names that 1.1 had.
		for _, name := range [][2]string{{"issuanceDate", "validFrom"}, {"expirationDate", "validUntil"}} {
			if o.Get(name[0]) != nil {
				c.report(c.member(at, name[0]), "VC Data Model 2.0, Validity Period: "+name[1]+" takes the place of "+name[0],
					name[0]+" is not a term of VC Data Model 2.0", "call it "+name[1])
			}
		}
		c.period(at, o, "validFrom", "validUntil")
	}
	if !c.issuing() {
		return
	}
	// VC Data Integrity 1.0, Proofs: the key belongs to the issuer. Verifiers
	// compare the controller in the verification method with issuer.id.
	issuer := objectAt(o, "issuer").Member("id")
	c.objectsAt(o, at, "proof", func(at string, proof *strictjson.Node) {
		method := proof.Member("verificationMethod")
		if controller, _, _ := strings.Cut(method, "#"); method != "" && controller != issuer {
			c.report(c.member(at, "verificationMethod"), "VC Data Integrity 1.0, Verification Methods: the controller is the issuer",
				quote(controller)+" is not the id of the issuer", "sign with a key whose URL is the issuer's id and a fragment")
		}
	})
}

// oldDates checks the dates under the names they had.
// VC Data Model 1.1, Issuance Date; Expiration.
func (c *checker) oldDates(at string, o *strictjson.Node, class string) {
	for _, name := range []string{"issuanceDate", "expirationDate"} {
		switch v := o.Get(name); {
		case v == nil:
			if name == "issuanceDate" {
				c.report(c.member(at, name), rule(class, name+" is required with VC Data Model 1.1"), name+" is missing", formatDateTime.remedy)
			}
		case v.Kind == strictjson.Null: // reported as null
		case v.Kind == strictjson.String:
			c.format(c.member(at, name), v.Text, class, name, &formatDateTime)
		default:
			c.report(c.member(at, name), rule(class, name+" is "+formatDateTime.name), "found "+describe(v), formatDateTime.remedy)
		}
	}
}

// period asks that the validity period does not end before it begins.
func (c *checker) period(at string, o *strictjson.Node, from, until string) {
	begin, ok := instant(o.Member(from))
	end, okEnd := instant(o.Member(until))
	if !ok || !okEnd {
		return
	}
	// VC Data Model 2.0, Validity Period: the end is not before the beginning.
	// A credential that is valid for no time at all is read but not issued.
	if end.Before(begin) || c.issuing() && !end.After(begin) {
		c.report(c.member(at, until), "VC Data Model 2.0, Validity Period: "+until+" is after "+from,
			until+" is not after "+from, "give a later "+until+", or leave it out")
	}
}

// owners tells what an id was the id of, for the few that most documents have without a map.
type owners struct {
	few  [8]struct{ id, what string }
	n    int
	many map[string]string
}

func (o *owners) of(id string) string {
	if what := o.many[id]; what != "" {
		return what
	}
	for i := o.n - 1; i >= 0; i-- { // the latest counts
		if o.few[i].id == id {
			return o.few[i].what
		}
	}
	return ""
}

func (o *owners) set(id, what string) {
	if o.n < len(o.few) {
		o.few[o.n].id, o.few[o.n].what = id, what
		o.n++
		return
	}
	if o.many == nil {
		o.many = make(map[string]string)
	}
	o.many[id] = what
}

// distinctIDs refuses one id for two things: in the graph they would become
// one thing with the members of both. JSON-LD 1.1, Node Identifiers.
func (c *checker) distinctIDs(at string, o *strictjson.Node) {
	subjectAt, subject := c.member(at, "credentialSubject"), objectAt(o, "credentialSubject")
	achievementAt, achievement := c.member(subjectAt, "achievement"), objectAt(subject, "achievement")
	var owner owners
	claim := func(at, id, what string, shared ...string) {
		other := owner.of(id)
		switch {
		case id == "":
		case other != "" && !slices.Contains(shared, other):
			c.report(at, "VC Data Model 2.0, Identifiers: an id names one thing",
				quote(id)+" is also the id of the "+other, "give the "+what+" an id of its own")
		default:
			owner.set(id, what)
		}
	}
	claim(c.member(at, "id"), o.Member("id"), "credential")
	claim(c.member(c.member(at, "issuer"), "id"), objectAt(o, "issuer").Member("id"), "issuer")
	claim(c.member(subjectAt, "id"), subject.Member("id"), "subject", "issuer") // who awards a badge to itself
	claim(c.member(achievementAt, "id"), achievement.Member("id"), "achievement")
	c.objectsAt(achievement, achievementAt, "resultDescription", func(at string, d *strictjson.Node) {
		// Among each other: see checkAchievement.
		claim(c.member(at, "id"), d.Member("id"), "result description", "result description", "rubric level")
		c.objectsAt(d, at, "rubricCriterionLevel", func(at string, l *strictjson.Node) {
			claim(c.member(at, "id"), l.Member("id"), "rubric level", "result description", "rubric level")
		})
	})
	claim(c.member(c.member(at, "credentialStatus"), "id"), objectAt(o, "credentialStatus").Member("id"), "status entry")
}

func checkAchievementSubject(c *checker, at string, o *strictjson.Node) {
	// OB 3.0, AchievementSubject: the recipient is named by id, identifier or both.
	identifiers := o.Get("identifier")
	if o.Member("id") == "" && !identifiers.Is(strictjson.Object) && !(identifiers.Is(strictjson.Array) && identifiers.Len() > 0) {
		c.report(at, rule(TypeAchievementSubject, "id or identifier is required"),
			"neither id nor identifier names the recipient", "give the recipient's id, or an identifier such as a hashed e-mail address")
	}
	if !c.issuing() {
		return
	}
	start, ok := instant(o.Member("activityStartDate"))
	end, okEnd := instant(o.Member("activityEndDate"))
	if ok && okEnd && end.Before(start) {
		c.report(c.member(at, "activityEndDate"), rule(TypeAchievementSubject, "activityEndDate is not before activityStartDate"),
			"the activity ends before it starts", "give an activityEndDate that is later, or the same")
	}
	c.results(at, o)
}

// A described result is what results are held against.
type described struct {
	resultType         string
	allowed, levels    map[string]bool
	lowest, highest    string
	hasLowest, hasHigh bool
}

// results holds each result to its description within the same achievement.
// OB 3.0, Result and ResultDescription.
func (c *checker) results(at string, subject *strictjson.Node) {
	if v := subject.Get("result"); v == nil || v.Kind == strictjson.Null {
		return
	}
	descriptions := make(map[string]described)
	everyLevel := make(map[string]bool)
	c.objectsAt(objectAt(subject, "achievement"), "", "resultDescription", func(_ string, o *strictjson.Node) {
		d := described{resultType: o.Member("resultType"), allowed: make(map[string]bool), levels: make(map[string]bool)}
		for _, s := range stringsAt(o, "allowedValue") {
			d.allowed[s] = true
		}
		c.objectsAt(o, "", "rubricCriterionLevel", func(_ string, l *strictjson.Node) {
			d.levels[l.Member("id")] = true
			everyLevel[l.Member("id")] = true
		})
		d.lowest, d.hasLowest = textAt(o, "valueMin")
		d.highest, d.hasHigh = textAt(o, "valueMax")
		descriptions[o.Member("id")] = d
	})
	c.objectsAt(subject, at, "result", func(at string, o *strictjson.Node) {
		level, hasLevel := textAt(o, "achievedLevel")
		id, named := textAt(o, "resultDescription")
		d, found := descriptions[id]
		switch {
		case !named:
			if hasLevel && !everyLevel[level] {
				c.report(c.member(at, "achievedLevel"), rule(TypeResult, "achievedLevel is the id of a RubricCriterionLevel of this achievement"),
					quote(level)+" is no level of this achievement", "name a level of one of its result descriptions")
			}
			return
		case !found:
			c.report(c.member(at, "resultDescription"), rule(TypeResult, "resultDescription is the id of a ResultDescription of this achievement"),
				quote(id)+" is no result description of this achievement", "name one of the achievement's own result descriptions")
			return
		}
		if hasLevel && !d.levels[level] {
			c.report(c.member(at, "achievedLevel"), rule(TypeResult, "achievedLevel is the id of a RubricCriterionLevel of its ResultDescription"),
				quote(level)+" is no level of the result description", "name one of its levels")
		}
		if o.Get("status") == nil && d.resultType == ResultTypeStatus {
			c.report(c.member(at, "status"), rule(TypeResult, "status is required when the resultType is Status"),
				"status is missing", "give one of "+strings.Join(ResultStatusTypes, ", "))
		}
		if value, ok := textAt(o, "value"); ok {
			c.within(c.member(at, "value"), TypeResult, "value", value, d)
		}
	})
}

// within holds a value to what its description allows. Values are strings; only
// when both sides read as numbers is there an order to speak of.
func (c *checker) within(at, class, name, value string, d described) {
	switch {
	case len(d.allowed) > 0 && !d.allowed[value]:
		c.report(at, rule(class, name+" is one of the allowedValue of its ResultDescription"),
			quote(value)+" is not among the allowed values", "give one of them")
	case d.hasLowest && less(value, d.lowest):
		c.report(at, rule(class, name+" is not below valueMin of its ResultDescription"),
			quote(value)+" is below "+quote(d.lowest), "give a value that is not below "+quote(d.lowest))
	case d.hasHigh && less(d.highest, value):
		c.report(at, rule(class, name+" is not above valueMax of its ResultDescription"),
			quote(value)+" is above "+quote(d.highest), "give a value that is not above "+quote(d.highest))
	}
}

var decimal = regexp.MustCompile(`^[+-]?([0-9]{1,64}(\.[0-9]{0,64})?|\.[0-9]{1,64})$`)

// less compares two decimal numbers; what is not a number is less than nothing.
func less(a, b string) bool {
	if !decimal.MatchString(a) || !decimal.MatchString(b) {
		return false
	}
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) < 0
}

// checkAchievement asks that results can name descriptions and levels without
// doubt: their ids are unique.
func checkAchievement(c *checker, at string, o *strictjson.Node) {
	if !c.issuing() {
		return
	}
	var seen nameSet
	unique := func(at string, o *strictjson.Node, class string) {
		id := o.Member("id")
		if !seen.add(id) && id != "" {
			c.report(c.member(at, "id"), rule(class, "id is unique in the achievement"), quote(id)+" is used twice", "give each its own id")
		}
	}
	c.objectsAt(o, at, "resultDescription", func(at string, d *strictjson.Node) {
		unique(at, d, TypeResultDescription)
		c.objectsAt(d, at, "rubricCriterionLevel", func(at string, l *strictjson.Node) {
			unique(at, l, TypeRubricCriterionLevel)
		})
	})
}

func checkResultDescription(c *checker, at string, o *strictjson.Node) {
	if !c.issuing() {
		return
	}
	var d described
	d.allowed = make(map[string]bool)
	for i, s := range stringsAt(o, "allowedValue") {
		if d.allowed[s] {
			c.report(c.index(c.member(at, "allowedValue"), i), rule(TypeResultDescription, "allowedValue lists each value once"),
				quote(s)+" is repeated", "remove the repetition")
		}
		d.allowed[s] = true
	}
	d.lowest, d.hasLowest = textAt(o, "valueMin")
	d.highest, d.hasHigh = textAt(o, "valueMax")
	if d.hasLowest && d.hasHigh && less(d.highest, d.lowest) {
		c.report(c.member(at, "valueMax"), rule(TypeResultDescription, "valueMax is not below valueMin"),
			quote(d.highest)+" is below "+quote(d.lowest), "give a valueMax that is not below valueMin")
	} else if required, ok := textAt(o, "requiredValue"); ok {
		c.within(c.member(at, "requiredValue"), TypeResultDescription, "requiredValue", required, d)
	}
	required, ok := textAt(o, "requiredLevel")
	known := false
	c.objectsAt(o, at, "rubricCriterionLevel", func(_ string, l *strictjson.Node) {
		known = known || l.Member("id") == required
	})
	if ok && !known {
		c.report(c.member(at, "requiredLevel"), rule(TypeResultDescription, "requiredLevel is the id of one of its RubricCriterionLevel"),
			quote(required)+" is no level of this result description", "name one of its levels")
	}
}

func checkCriteria(c *checker, at string, o *strictjson.Node) {
	if o.Get("id") == nil && strings.TrimSpace(o.Member("narrative")) == "" {
		c.report(at, rule("Criteria", "id or narrative is required"), "neither id nor narrative gives the criteria",
			"tell the criteria in narrative, or give the URL of a page as id")
	}
}

// checkIdentityObject checks the form of a hash. OB 3.0, IdentityHash. The
// value itself stays out of the message, since it may be the recipient's.
func checkIdentityObject(c *checker, at string, o *strictjson.Node) {
	hash, isText := textAt(o, "identityHash")
	if o.Get("hashed").Is(strictjson.True) && isText && !(c.issuing() && strings.TrimSpace(hash) == "") && !isIdentityHash(hash) {
		c.report(c.member(at, "identityHash"), rule(TypeIdentityObject, "identityHash names its algorithm when hashed is true"),
			"the value is not sha256$ or md5$ and a hash in hexadecimal", "write sha256$ and the SHA-256 of identifier and salt, or set hashed to false")
	}
}

func checkGeoCoordinates(c *checker, at string, o *strictjson.Node) {
	if !c.issuing() {
		return
	}
	for _, side := range []struct {
		name  string
		limit float64
	}{{"latitude", 90}, {"longitude", 180}} {
		if f, ok := number(o.Get(side.name)); ok && (f < -side.limit || f > side.limit) {
			limit := strconv.Itoa(int(side.limit))
			c.report(c.member(at, side.name), rule(TypeGeoCoordinates, side.name+" is from -"+limit+" to "+limit),
				strconv.FormatFloat(f, 'g', -1, 64)+" is not on the globe", "give degrees from -"+limit+" to "+limit)
		}
	}
}

func checkCredentialSchema(c *checker, at string, o *strictjson.Node) {
	// A slip of the standard's own text: its context defines the longer name.
	if c.issuing() && o.Member("type") == "JsonSchemaValidator2019" {
		c.report(c.member(at, "type"), rule("CredentialSchema", "type is "+TypeJSONSchemaValidator),
			"JsonSchemaValidator2019 is not defined", "write "+TypeJSONSchemaValidator)
	}
}

var listIndex = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)

func checkCredentialStatus(c *checker, at string, o *strictjson.Node) {
	if !slices.Contains(stringsAt(o, "type"), TypeBitstringStatusListEntry) {
		return
	}
	const entry = "Bitstring Status List 1.0, BitstringStatusListEntry: "
	for _, name := range []string{"statusPurpose", "statusListIndex", "statusListCredential"} {
		switch v := o.Get(name); {
		case v == nil:
			c.report(c.member(at, name), entry+name+" is required", name+" is missing", "give a string")
		case v.Kind == strictjson.Null: // reported as null
		case v.Kind == strictjson.String:
			if isBlank(v) {
				c.report(c.member(at, name), entry+name+" is required", name+" is empty", "give a string")
			}
		default:
			c.report(c.member(at, name), entry+name+" is a string", "found "+describe(v), "give a string")
		}
	}
	if s := o.Member("statusListIndex"); s != "" && !listIndex.MatchString(s) {
		c.report(c.member(at, "statusListIndex"), entry+"statusListIndex is a decimal number in a string",
			quote(s)+" is not a decimal number", "give a number from 0, in a string")
	}
	if s := o.Member("statusListCredential"); s != "" {
		if !isURI(s, c.issuing()) || c.issuing() && !IsSecureURL(s) {
			c.report(c.member(at, "statusListCredential"), entry+"statusListCredential is a URL",
				quote(s)+" is not an https URL", "give the https URL of the status list credential")
		}
		if o.Member("id") == s {
			c.report(c.member(at, "id"), entry+"id is not the URL of the list",
				"id and statusListCredential are the same", "append a fragment to id, such as #94567")
		}
	}
	c.statusMessages(at, o)
}

// statusMessages checks entries of more than one bit.
// Bitstring Status List 1.0, BitstringStatusListEntry (statusSize, statusMessage).
func (c *checker) statusMessages(at string, o *strictjson.Node) {
	const entry = "Bitstring Status List 1.0, BitstringStatusListEntry: "
	const mostBits = 16
	size := 1.0
	if v := o.Get("statusSize"); v != nil && v.Kind != strictjson.Null {
		f, ok := number(v)
		if !ok || f < 1 || f != float64(int64(f)) {
			c.report(c.member(at, "statusSize"), entry+"statusSize is a whole number above zero", "found "+describe(v), "give the number of bits, or leave it out")
			return
		}
		size = f
	}
	messages := o.Get("statusMessage")
	switch {
	case messages.Is(strictjson.Null): // reported as null
	case messages == nil && size == 1:
	case size > mostBits:
		c.report(c.member(at, "statusSize"), entry+"statusMessage explains each value", "no list explains so many values", "give a smaller statusSize")
	case !messages.Is(strictjson.Array) || messages.Len() != 1<<int(size):
		c.report(c.member(at, "statusMessage"), entry+"statusMessage explains each value",
			"statusMessage does not hold "+strconv.Itoa(1<<int(size))+" messages", "give one message for each value, or leave statusSize and statusMessage out")
	default:
		c.objectsAt(o, at, "statusMessage", func(at string, m *strictjson.Node) {
			for _, name := range []string{"status", "message"} {
				if strings.TrimSpace(m.Member(name)) == "" {
					c.report(c.member(at, name), entry+"each statusMessage has status and message", name+" is missing", "give a string")
				}
			}
		})
	}
}

// checkProof asks of a Data Integrity proof what it cannot be verified without.
// VC Data Integrity 1.0, Proofs.
func checkProof(c *checker, at string, o *strictjson.Node) {
	if !c.issuing() || o.Member("type") != TypeDataIntegrityProof {
		return
	}
	for _, name := range []string{"cryptosuite", "verificationMethod", "proofPurpose", "proofValue"} {
		if v := o.Get(name); v == nil || isBlank(v) {
			c.report(c.member(at, name), "VC Data Integrity 1.0, Proofs: "+name+" is required", name+" is missing", "give a string")
		}
	}
	if purpose := o.Member("proofPurpose"); purpose != "" && purpose != ProofPurposeAssertion {
		c.report(c.member(at, "proofPurpose"), "VC Data Integrity 1.0, Proof Purposes: a credential is issued for "+ProofPurposeAssertion,
			quote(purpose)+" is another purpose", "write "+ProofPurposeAssertion)
	}
}
