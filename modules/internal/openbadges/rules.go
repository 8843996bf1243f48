package openbadges

import (
	"iter"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
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
	return CheckCredentialOf(strictjson.NodeOf(doc), s)
}

// CheckCredentialOf is [CheckCredential] of a document that was read into nodes. It may hold objects, these very ones, that
// stood in another one at the same places, under the same contexts, and were found in order as strictly. They are looked at
// again only for what lies between them and the rest.
func CheckCredentialOf(doc *strictjson.Node, s Strictness, known ...*strictjson.Node) []Violation {
	return check(doc, TypeAchievementCredential, s, known...)
}

// CheckEndorsement judges an EndorsementCredential as [CheckCredential] judges
// a badge.
func CheckEndorsement(doc map[string]any, s Strictness) []Violation {
	return CheckEndorsementOf(strictjson.NodeOf(doc), s)
}

// CheckEndorsementOf is [CheckEndorsement] of a document that was read into nodes.
func CheckEndorsementOf(doc *strictjson.Node, s Strictness) []Violation {
	return check(doc, TypeEndorsementCredential, s)
}

// check goes through a document without noting places and in its own order, since most have nothing wrong, and again with
// places and in the order of the table where something is.
func check(doc *strictjson.Node, class string, s Strictness, known ...*strictjson.Node) []Violation {
	if !doc.Is(strictjson.Object) {
		return []Violation{{Rule: "RFC 8259 (JSON)", Detail: "the document is no JSON object", Remedy: "give an object of JSON values"}}
	}
	quiet := checker{strictness: s, quiet: true, known: known}
	if quiet.judge(doc, class); len(quiet.found) == 0 {
		return nil
	}
	loud := checker{strictness: s, known: known}
	loud.judge(doc, class)
	return loud.found
}

func (c *checker) judge(doc *strictjson.Node, class string) {
	if !doc.Solid() {
		c.emptiness("", doc)
	}
	c.object("", doc, classes[class])
}

// A class is one row of the table: what the members of an object must be.
type class struct {
	name       string
	closed     bool // members that are not in the table are refused
	credential bool // has an @context of its own
	properties []property
	// check looks at what lies between members; it may report and no more.
	check func(c *checker, at string, o *strictjson.Node)

	byName   strictjson.Index[*property]
	required uint64 // which of the properties may be required
}

// A property is one member of a class.
type property struct {
	name  string
	need  necessity
	many  bool // 0..* or 1..*: an array
	value value
	place int // in its class
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
	of     *class     // the same
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
	quiet      bool               // places are not noted
	known      []*strictjson.Node // objects in which nothing was wrong before
	found      []Violation

	// What holds for the credential that encloses the place we are at.
	contexts *strictjson.Node
	version1 bool // VC Data Model 1.1
	foreign  bool // signed by somebody else and only carried along
	enclosed bool // in a credential
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
func (c *checker) emptiness(at string, v *strictjson.Node) {
	const rule = "OB 3.0, JSON serialization: nulls and empty arrays are omitted"
	switch v.Kind {
	case strictjson.Null:
		c.report(at, rule, "the value is null", "leave the member out")
	case strictjson.Array:
		// A schema accepts an empty array, so a reader does too.
		if v.Len() == 0 && c.issuing() {
			c.report(at, rule, "the array is empty", "leave the member out")
		}
		i := 0
		for item := v.First(); item != nil; item = item.Next() {
			c.emptiness(c.index(at, i), item)
			i++
		}
	case strictjson.Object:
		if c.isKnown(v) {
			return
		}
		if c.quiet {
			for m := v.First(); m != nil; m = m.Next() {
				c.memberEmptiness(at, m)
			}
			return
		}
		for _, m := range sortedMembers(v) {
			c.memberEmptiness(at, m)
		}
	}
}

func (c *checker) memberEmptiness(at string, v *strictjson.Node) {
	switch v.Kind {
	case strictjson.Null, strictjson.Array, strictjson.Object:
	default:
		return
	}
	// Inside a context null has a meaning: it undefines a term.
	if v.Name == "@context" && v.Kind != strictjson.Null {
		return
	}
	outer := c.foreign
	c.foreign = outer || v.Name == "endorsement"
	c.emptiness(c.member(at, v.Name), v)
	c.foreign = outer
}

// object holds an object to its class.
func (c *checker) object(at string, o *strictjson.Node, k *class) {
	if k.credential {
		outer := *c
		c.contexts = o.Get("@context")
		if !c.contexts.Is(strictjson.Array) {
			c.contexts = nil
		}
		c.version1 = c.contexts.First().String() == CredentialsContextV1
		c.foreign = outer.foreign || at != "" || c.enclosed
		c.enclosed = true
		defer func() {
			c.contexts, c.version1, c.foreign, c.enclosed = outer.contexts, outer.version1, outer.foreign, outer.enclosed
		}()
	}
	if c.quiet {
		c.quietly(o, k)
	} else {
		c.inOrder(at, o, k)
	}
	if k.closed {
		for m := range c.members(o) {
			if k.byName.Of(m) == nil {
				c.report(c.member(at, m.Name), rule(k.name, "no other members are allowed"),
					quote(m.Name)+" is not a member of "+k.name, "remove it")
			}
		}
	}
	if k.check != nil {
		k.check(c, at, o)
	}
}

// quietly holds the members of an object to its class as they come.
func (c *checker) quietly(o *strictjson.Node, k *class) {
	var present uint64
	for v := o.First(); v != nil; v = v.Next() {
		p := k.byName.Of(v)
		if p == nil {
			continue
		}
		if p.need == optional || !(c.issuing() && isBlank(v) && c.needs(p)) {
			present |= 1 << p.place
			c.property("", v, k, p)
		}
	}
	for missing := k.required &^ present; missing != 0; missing &= missing - 1 {
		if p := &k.properties[bits.TrailingZeros64(missing)]; c.needs(p) {
			c.missing("", k, p)
		}
	}
}

// inOrder holds the members of an object to its class in the order of the table.
func (c *checker) inOrder(at string, o *strictjson.Node, k *class) {
	for i := range k.properties {
		p := &k.properties[i]
		v := o.Get(p.name)
		needed := c.needs(p)
		if v == nil || needed && c.issuing() && isBlank(v) {
			if needed {
				c.missing(at, k, p)
			}
			continue
		}
		c.property(c.member(at, p.name), v, k, p)
	}
}

func (c *checker) missing(at string, k *class, p *property) {
	if c.quiet {
		c.report("", "", "", "")
		return
	}
	c.report(c.member(at, p.name), rule(k.name, p.name+" is required"), p.name+" is missing", "give "+p.value.name)
}

// members are those of an object, where it matters in the order of their names.
func (c *checker) members(o *strictjson.Node) iter.Seq[*strictjson.Node] {
	return func(yield func(*strictjson.Node) bool) {
		if !c.quiet {
			for _, m := range sortedMembers(o) {
				if !yield(m) {
					return
				}
			}
			return
		}
		for m := o.First(); m != nil; m = m.Next() {
			if !yield(m) {
				return
			}
		}
	}
}

func (c *checker) isKnown(o *strictjson.Node) bool {
	for _, known := range c.known {
		if known.Same(o) {
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

func (c *checker) property(at string, v *strictjson.Node, k *class, p *property) {
	if !p.many {
		c.value(at, v, k, p)
		return
	}
	switch v.Kind {
	case strictjson.Null: // reported as null
	case strictjson.Array:
		i := 0
		for item := v.First(); item != nil; item = item.Next() {
			c.value(c.index(at, i), item, k, p)
			i++
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

func (c *checker) value(at string, v *strictjson.Node, k *class, p *property) {
	if v.Kind == strictjson.Null {
		return // reported as null
	}
	want := &p.value
	ok := true
	switch want.kind {
	case ofText:
		if ok = v.Kind == strictjson.String; ok {
			c.text(at, v.Text, k, p)
		}
	case ofNumber:
		_, ok = number(v)
	case ofBool:
		ok = v.Kind == strictjson.True || v.Kind == strictjson.False
	case ofMap:
		ok = v.Kind == strictjson.Object
	case ofContext:
		c.context(at, v, k.name)
	case ofTypes:
		c.types(at, v, k, p)
	case ofType:
		c.typeName(at, v, k, p)
	case ofClass:
		if v.Kind == strictjson.String && want.orURI && !c.issuing() {
			c.format(at, v.Text, k.name, p.name, &formatURI)
			return
		}
		if ok = v.Kind == strictjson.Object; ok && !c.isKnown(v) {
			c.object(at, v, want.of)
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
func (c *checker) types(at string, v *strictjson.Node, k *class, p *property) {
	list := v.Kind == strictjson.Array
	if !list && !(v.Kind == strictjson.String && c.strictness == Reading) {
		c.report(at, rule(k.name, "type is an array"), "found "+describe(v), "put the names of the types into an array, even a single one")
		return
	}
	var seen nameSet
	one := func(i int, name *strictjson.Node) {
		s := name.String()
		switch {
		case name.Kind == strictjson.Null: // reported as null
		case strings.TrimSpace(s) == "" || strings.ContainsAny(s, " \t\r\n"):
			c.report(c.index(at, i), rule(k.name, "type holds names of types"), "found "+describe(name), "give the name of a type")
		case !seen.add(s) && c.issuing():
			c.report(c.index(at, i), rule(k.name, "type names each type once"), quote(s)+" is repeated", "remove the repetition")
		default:
			c.extensionType(c.index(at, i), s)
		}
	}
	if list {
		i := 0
		for name := v.First(); name != nil; name = name.Next() {
			one(i, name)
			i++
		}
	} else {
		one(0, v)
	}
	for _, group := range p.value.types {
		if !slices.ContainsFunc(group, seen.has) {
			c.report(at, rule(k.name, "type contains "+strings.Join(group, " or ")), strings.Join(group, " or ")+" is missing from type", "add "+group[0]+" to type")
		}
	}
}

// typeName checks a type member that is one string.
func (c *checker) typeName(at string, v *strictjson.Node, k *class, p *property) {
	name := v
	if v.Kind == strictjson.Array && c.strictness == Reading {
		name = v.First()
	}
	held := false
	for ; name != nil; name = name.Next() {
		if name.Kind != strictjson.String {
			c.report(at, rule(k.name, "type is a string"), "found "+describe(v), "give the name of the type as a string, not as an array")
			return
		}
		held = held || len(p.value.enum) == 0 || name.Text == p.value.enum[0]
		c.extensionType(at, name.Text)
		if name == v {
			break
		}
	}
	if !held && len(p.value.enum) > 0 {
		c.report(at, rule(k.name, "type is "+quote(p.value.enum[0])), "found "+describe(v), "write "+quote(p.value.enum[0]))
	}
}

// extensionType asks for the context that defines the types of 1EdTech's own.
func (c *checker) extensionType(at, name string) {
	if !c.issuing() || !isExtensionType(name) {
		return
	}
	for url := c.contexts.First(); url != nil; url = url.Next() {
		if url.String() == ExtensionsContext {
			return
		}
	}
	c.report(at, "OB 3.0, JSON-LD contexts: types that begin with 1EdTech are defined by the extensions context",
		quote(name)+" is used, but @context does not name the context that defines it", "add "+ExtensionsContext+" to @context")
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

func sortedMembers(o *strictjson.Node) []*strictjson.Node {
	members := make([]*strictjson.Node, 0, o.Len())
	for m := o.First(); m != nil; m = m.Next() {
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b *strictjson.Node) int { return strings.Compare(a.Name, b.Name) })
	return members
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

func isBlank(v *strictjson.Node) bool {
	return v.Is(strictjson.String) && strings.TrimSpace(v.Text) == ""
}

// number reads a JSON number; one beyond the range of a float is none.
func number(v *strictjson.Node) (float64, bool) {
	if !v.Is(strictjson.Number) {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// quote shows a value in a message, shortened.
func quote(s string) string {
	const most = 80
	if runes := []rune(strings.ToValidUTF8(s[:min(len(s), 4*most)], "?")); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(s)
}

func describe(v *strictjson.Node) string {
	switch v.Kind {
	case strictjson.Null:
		return "null"
	case strictjson.String:
		return "a string"
	case strictjson.True, strictjson.False:
		return "a boolean"
	case strictjson.Array:
		return "an array"
	case strictjson.Object:
		return "an object"
	}
	return "the number " + quote(v.Text)
}
