package openbadges

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Violation is one broken rule: where, which one, what is wrong, what would be
// right.
type Violation struct {
	Pointer string // JSON Pointer (RFC 6901) into the document
	Rule    string // the rule, by document and section or class
	Detail  string // what is wrong
	Remedy  string // what would be right
}

// Strictness says how a document is judged.
type Strictness int

const (
	// Issuing holds a document to every rule that concerns an issuer: it must
	// be right for the strictest reader there is.
	Issuing Strictness = iota
	// Reading asks only what a reader must insist on. It takes the older
	// contexts and the dates of VC Data Model 1.1, and a single value in place
	// of an array, as JSON-LD compaction leaves it.
	Reading
)

// maxViolations bounds the answer to a document that is wrong everywhere.
const maxViolations = 100

// CheckCredential judges an AchievementCredential, given as parsed JSON (maps,
// slices, json.Number, string, bool), and returns what is wrong with it, in the
// order of the table. None means it keeps to the rules. It does not look at
// members that the data model does not know, except for nulls and empty arrays:
// whether a term is defined is for the JSON-LD check to say. No more than 100
// violations are returned.
func CheckCredential(doc map[string]any, s Strictness) []Violation {
	return check(doc, TypeAchievementCredential, s)
}

// CheckCredentialKnowing is [CheckCredential] of a document with objects, these very maps, that stood in another one at
// the same places, under the same contexts, and were found in order as strictly. They are looked at again only for what
// lies between them and the rest.
func CheckCredentialKnowing(doc map[string]any, s Strictness, known ...map[string]any) []Violation {
	return check(doc, TypeAchievementCredential, s, known...)
}

// CheckEndorsement judges an EndorsementCredential as [CheckCredential] judges
// a badge.
func CheckEndorsement(doc map[string]any, s Strictness) []Violation {
	return check(doc, TypeEndorsementCredential, s)
}

// check goes through a document without noting places, since most have nothing wrong, and again with places where
// something is.
func check(doc map[string]any, class string, s Strictness, known ...map[string]any) []Violation {
	for _, quiet := range []bool{true, false} {
		c := &checker{strictness: s, quiet: quiet, known: known}
		c.emptiness("", doc)
		c.object("", doc, classes[class])
		if len(c.found) == 0 || !quiet {
			return c.found
		}
	}
	return nil
}

// A class is one row of the table: what the members of an object must be.
type class struct {
	name       string
	closed     bool // members that are not in the table are refused
	credential bool // has an @context of its own
	properties []property
	// check looks at what lies between members; it may report and no more.
	check func(c *checker, at string, o map[string]any)
}

// A property is one member of a class.
type property struct {
	name  string
	need  necessity
	many  bool // 0..* or 1..*: an array
	value value
}

type necessity int

const (
	optional    necessity = iota
	required              // always
	requiredIn2           // but absent from VC Data Model 1.1
	toIssue               // by some editions of the published schema
)

// A value says what one value of a property must be.
type value struct {
	kind   kind
	name   string     // of the type, in the words of the standard
	class  string     // ofClass: which
	orURI  bool       // ofClass: a URI may stand for the object
	types  [][]string // ofTypes: one of each group is needed
	enum   []string   // ofText: the allowed values
	open   bool       // ofText: values that begin with ext: are allowed as well
	format *format    // ofText: what the string must look like
}

type kind int

const (
	ofText    kind = iota // a string
	ofTypes               // type, an array that must hold certain names
	ofType                // type, one string
	ofContext             // @context
	ofNumber
	ofBool
	ofClass // an object
	ofMap   // an object of no class of the table
)

type checker struct {
	strictness Strictness
	quiet      bool             // places are not noted
	known      []map[string]any // objects in which nothing was wrong before
	found      []Violation

	// What holds for the credential that encloses the place we are at.
	contexts []any
	version1 bool // VC Data Model 1.1
	foreign  bool // signed by somebody else and only carried along
}

// issuing tells whether the rules for our own writing hold here. An endorsement
// inside a badge was signed by its own issuer: it must fit the published schema
// but may be older than we would write it.
func (c *checker) issuing() bool { return c.strictness == Issuing && !c.foreign }

func (c *checker) report(at, rule, detail, remedy string) {
	if c.quiet && len(c.found) > 0 {
		return // one is enough to look again
	}
	if len(c.found) < maxViolations {
		c.found = append(c.found, Violation{Pointer: at, Rule: rule, Detail: detail, Remedy: remedy})
	}
}

// emptiness refuses nulls and empty arrays wherever they stand.
// OB 3.0, JSON Serialization: nulls and empty arrays are omitted.
func (c *checker) emptiness(at string, v any) {
	const rule = "OB 3.0, JSON serialization: nulls and empty arrays are omitted"
	switch v := v.(type) {
	case nil:
		c.report(at, rule, "the value is null", "leave the member out")
	case []any:
		// A schema accepts an empty array, so a reader does too.
		if len(v) == 0 && c.issuing() {
			c.report(at, rule, "the array is empty", "leave the member out")
		}
		for i, item := range v {
			c.emptiness(c.index(at, i), item)
		}
	case map[string]any:
		if c.isKnown(v) {
			return
		}
		if c.quiet {
			for name, value := range v {
				c.memberEmptiness(at, name, value)
			}
			return
		}
		for _, name := range sortedNames(v) {
			c.memberEmptiness(at, name, v[name])
		}
	}
}

func (c *checker) memberEmptiness(at, name string, v any) {
	switch v.(type) {
	case string, bool, json.Number:
		return
	}
	// Inside a context null has a meaning: it undefines a term.
	if name == "@context" && v != nil {
		return
	}
	outer := c.foreign
	c.foreign = outer || name == "endorsement"
	c.emptiness(c.member(at, name), v)
	c.foreign = outer
}

// object holds an object to its class.
func (c *checker) object(at string, o map[string]any, k *class) {
	if k.credential {
		outer := *c
		c.contexts, _ = o["@context"].([]any)
		c.version1 = len(c.contexts) > 0 && c.contexts[0] == CredentialsContextV1
		c.foreign = outer.foreign || at != ""
		defer func() { c.contexts, c.version1, c.foreign = outer.contexts, outer.version1, outer.foreign }()
	}
	for i := range k.properties {
		p := &k.properties[i]
		v, present := o[p.name]
		needed := c.needs(p)
		if !present || needed && c.issuing() && isBlank(v) {
			if needed {
				c.report(c.member(at, p.name), rule(k.name, p.name+" is required"), p.name+" is missing", "give "+p.value.name)
			}
			continue
		}
		c.property(c.member(at, p.name), v, k, p)
	}
	if k.closed {
		for _, name := range sortedNames(o) {
			if !slices.ContainsFunc(k.properties, func(p property) bool { return p.name == name }) {
				c.report(c.member(at, name), rule(k.name, "no other members are allowed"),
					quote(name)+" is not a member of "+k.name, "remove it")
			}
		}
	}
	if k.check != nil {
		k.check(c, at, o)
	}
}

func (c *checker) isKnown(o map[string]any) bool {
	for _, known := range c.known {
		if reflect.ValueOf(known).UnsafePointer() == reflect.ValueOf(o).UnsafePointer() {
			return true
		}
	}
	return false
}

func (c *checker) needs(p *property) bool {
	switch p.need {
	case required:
		return true
	case requiredIn2:
		return !c.version1
	case toIssue:
		return c.strictness == Issuing
	}
	return false
}

func (c *checker) property(at string, v any, k *class, p *property) {
	if !p.many {
		c.value(at, v, k, p)
		return
	}
	switch v := v.(type) {
	case nil: // reported as null
	case []any:
		for i, item := range v {
			c.value(c.index(at, i), item, k, p)
		}
	default:
		// OB 3.0, JSON-LD Serialization: compaction turns an array of one into
		// its element, which means the same.
		if c.strictness == Reading {
			c.value(at, v, k, p)
			return
		}
		c.report(at, rule(k.name, p.name+" is an array"), "found "+describe(v), "put the value into an array, even when it is the only one")
	}
}

func (c *checker) value(at string, v any, k *class, p *property) {
	if v == nil {
		return // reported as null
	}
	want := &p.value
	ok := true
	switch want.kind {
	case ofText:
		var s string
		if s, ok = v.(string); ok {
			c.text(at, s, k, p)
		}
	case ofNumber:
		_, ok = number(v)
	case ofBool:
		_, ok = v.(bool)
	case ofMap:
		_, ok = v.(map[string]any)
	case ofContext:
		c.context(at, v, k.name)
	case ofTypes:
		c.types(at, v, k, p)
	case ofType:
		c.typeName(at, v, k, p)
	case ofClass:
		if s, isText := v.(string); isText && want.orURI && !c.issuing() {
			c.format(at, s, k.name, p.name, &formatURI)
			return
		}
		var o map[string]any
		if o, ok = v.(map[string]any); ok && !c.isKnown(o) {
			c.object(at, o, classes[want.class])
		}
	}
	if !ok {
		c.report(at, rule(k.name, p.name+" is "+want.name), "found "+describe(v), "give "+want.name)
	}
}

func (c *checker) text(at, s string, k *class, p *property) {
	want := &p.value
	switch {
	case want.enum != nil:
		if slices.Contains(want.enum, s) || want.open && isExtensionValue(s, c.issuing()) {
			return
		}
		remedy := "give one of " + strings.Join(want.enum, ", ")
		if want.open {
			remedy += ", or a value of your own that begins with ext:"
		}
		c.report(at, rule(k.name, p.name+" is "+want.name), quote(s)+" is not one of the values", remedy)
	case want.format != nil:
		c.format(at, s, k.name, p.name, want.format)
	}
}

func (c *checker) format(at, s, class, name string, f *format) {
	if f.issuingOnly && !c.issuing() || f.matches(s, c.issuing()) {
		return
	}
	detail := quote(s) + " is not " + f.name
	if f.private {
		detail = "the value is not " + f.name
	}
	c.report(at, rule(class, name+" is "+f.name), detail, f.remedy)
}

// types checks a type member of cardinality 1..*.
func (c *checker) types(at string, v any, k *class, p *property) {
	if s, ok := v.(string); ok && c.strictness == Reading {
		v = []any{s}
	}
	names, ok := v.([]any)
	if !ok {
		c.report(at, rule(k.name, "type is an array"), "found "+describe(v), "put the names of the types into an array, even a single one")
		return
	}
	var seen nameSet
	for i, name := range names {
		s, ok := name.(string)
		switch {
		case name == nil: // reported as null
		case !ok || strings.TrimSpace(s) == "" || strings.ContainsAny(s, " \t\r\n"):
			c.report(c.index(at, i), rule(k.name, "type holds names of types"), "found "+describe(name), "give the name of a type")
		case !seen.add(s) && c.issuing():
			c.report(c.index(at, i), rule(k.name, "type names each type once"), quote(s)+" is repeated", "remove the repetition")
		default:
			c.extensionType(c.index(at, i), s)
		}
	}
	for _, group := range p.value.types {
		if !slices.ContainsFunc(group, seen.has) {
			c.report(at, rule(k.name, "type contains "+strings.Join(group, " or ")), strings.Join(group, " or ")+" is missing from type", "add "+group[0]+" to type")
		}
	}
}

// typeName checks a type member that is one string.
func (c *checker) typeName(at string, v any, k *class, p *property) {
	names := []any{v}
	if list, ok := v.([]any); ok && c.strictness == Reading {
		names = list
	}
	held := false
	for _, name := range names {
		s, ok := name.(string)
		if !ok {
			c.report(at, rule(k.name, "type is a string"), "found "+describe(v), "give the name of the type as a string, not as an array")
			return
		}
		held = held || len(p.value.enum) == 0 || s == p.value.enum[0]
		c.extensionType(at, s)
	}
	if !held && len(p.value.enum) > 0 {
		c.report(at, rule(k.name, "type is "+quote(p.value.enum[0])), "found "+describe(v), "write "+quote(p.value.enum[0]))
	}
}

// extensionType asks for the context that defines the types of 1EdTech's own.
func (c *checker) extensionType(at, name string) {
	if c.issuing() && isExtensionType(name) && !slices.Contains(c.contexts, any(ExtensionsContext)) {
		c.report(at, "OB 3.0, JSON-LD contexts: types that begin with 1EdTech are defined by the extensions context",
			quote(name)+" is used, but @context does not name the context that defines it", "add "+ExtensionsContext+" to @context")
	}
}

func rule(class, statement string) string { return "OB 3.0, " + class + ": " + statement }

// member extends a JSON Pointer by the name of a member. RFC 6901, 3 (Syntax).
func (c *checker) member(at, name string) string {
	if c.quiet {
		return ""
	}
	return at + "/" + pointerEscape.Replace(name)
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// index extends a JSON Pointer by a place in an array.
func (c *checker) index(at string, i int) string {
	if c.quiet {
		return ""
	}
	return at + "/" + strconv.Itoa(i)
}

func sortedNames(o map[string]any) []string {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// nameSet is a set of names, of which there are few.
type nameSet struct {
	few  [8]string
	n    int
	many map[string]bool
}

func (s *nameSet) has(name string) bool {
	return slices.Contains(s.few[:s.n], name) || s.many[name]
}

// add reports whether the name is new.
func (s *nameSet) add(name string) bool {
	switch {
	case s.has(name):
		return false
	case s.n < len(s.few):
		s.few[s.n] = name
		s.n++
		return true
	case s.many == nil:
		s.many = make(map[string]bool)
	}
	s.many[name] = true
	return true
}

func isBlank(v any) bool {
	s, ok := v.(string)
	return ok && strings.TrimSpace(s) == ""
}

// number reads a JSON number; one beyond the range of a float is none.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
	case float64:
		return v, !math.IsInf(v, 0) && !math.IsNaN(v)
	}
	return 0, false
}

// quote shows a value in a message, shortened.
func quote(s string) string {
	const most = 80
	if runes := []rune(strings.ToValidUTF8(s[:min(len(s), 4*most)], "?")); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(s)
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	case json.Number:
		return "the number " + quote(v.String())
	}
	return fmt.Sprintf("a %T", v)
}
