package scim

import (
	"regexp"
	"strconv"
	"time"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/modules/scim/refusal"
	"github.com/badge-engine/badge-engine/modules/scim/resource"
	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

// The kinds of resource, by the names of their types.
const (
	userKind  = "User"
	groupKind = "Group"
)

var (
	tableOf    = map[string]string{userKind: "users", groupKind: "groups"}
	endpointOf = map[string]string{userKind: "/Users", groupKind: "/Groups"}
)

// Record is a resource as it is kept: its attributes without id, meta, groups and
// members, which are known otherwise.
type Record struct {
	*resource.Resource
	ID       string
	Version  int64
	Created  int64 // microseconds since 1970, whole milliseconds
	Modified int64

	MemberCount int64 // of a group
	uniqueName  bool  // of a group: no other may bear its name
}

// Listed is a record and what it was sorted by.
type Listed struct {
	*Record
	Key *string
}

// Member is a member of a group: a user or another group.
type Member struct {
	ID   string
	Kind string
	Said Said
}

// Said is what a client said of a member beyond its id.
type Said uint8

// The parts of a member that a client may name, as bits.
const (
	SaidType Said = 1 << iota
	SaidRef
)

// GroupOf is a group that somebody is in.
type GroupOf struct{ ID, Display string }

// ETag names the version (RFC 7644, 3.14).
func (r *Record) ETag() string { return `W/"` + strconv.FormatInt(r.Version, 10) + `"` }

// next is the record after a change to it.
func (r *Record) next(to *resource.Resource, at int64) *Record {
	n := *r
	n.Resource, n.Version, n.Modified = to, r.Version+1, max(at, r.Modified)
	return &n
}

func (r *Record) text(name string) string { return r.Get(name).Text() }

// active reports whether somebody may come in. Who was never said to be inactive is not.
func (r *Record) active() bool {
	v := r.Get("active")
	return v.Kind() != tree.Bool || v.True()
}

// objectID is the form in which Entra writes identifiers.
var objectID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// object is the object id in Entra, or nothing where the external id is something else.
func (r *Record) object() string {
	if id := r.text("externalId"); objectID.MatchString(id) {
		return id
	}
	return ""
}

// email is the address by which somebody is reached: the primary one, else the one
// for work, else the first.
func (r *Record) email() string {
	best, rank := "", 0
	for _, item := range r.Get(emailsAttribute).Items() {
		value, _ := item.Object().Get("value")
		primary, _ := item.Object().Get("primary")
		kind, _ := item.Object().Get("type")
		of := 1
		switch {
		case primary.True():
			of = 3
		case filter.Fold(kind.Text()) == "work":
			of = 2
		}
		if value.Text() != "" && of > rank {
			best, rank = value.Text(), of
		}
	}
	return best
}

// called is what people call a user.
func (r *Record) called() string {
	name := r.Get("name").Object()
	part := func(of string) string { v, _ := name.Get(of); return v.Text() }
	for _, text := range []string{r.text("displayName"), part("formatted"), join(part("givenName"), part("familyName"))} {
		if text != "" {
			return text
		}
	}
	return r.text("userName")
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

func (r *Record) userRow() userRow {
	external := r.text("externalId")
	return userRow{
		ID: r.ID, UserName: r.text("userName"), UserNameFold: filter.Fold(r.text("userName")),
		ExternalID: optional(external), ExternalIDFold: optional(filter.Fold(external)),
		Email: optional(r.email()), Name: r.called(), IsActive: r.active(), IsLinked: r.object() != "",
		Doc: string(r.Append(nil)), Search: searchable(r.Type, r.Attributes),
		Version: r.Version, CreatedUS: r.Created, ModifiedUS: r.Modified,
	}
}

func (r *Record) groupRow() groupRow {
	external, name := r.text("externalId"), filter.Fold(r.text("displayName"))
	row := groupRow{
		ID: r.ID, DisplayName: r.text("displayName"), DisplayNameFold: name,
		ExternalID: optional(external), ExternalIDFold: optional(filter.Fold(external)),
		MemberCount: r.MemberCount, IsLinked: r.object() != "",
		Doc: string(r.Append(nil)), Search: searchable(r.Type, r.Attributes),
		Version: r.Version, CreatedUS: r.Created, ModifiedUS: r.Modified,
	}
	if r.uniqueName {
		row.NameKey = &row.DisplayNameFold
	}
	return row
}

// keyLength is how many bytes an index holds of a folded text, with room to spare.
const keyLength = 2000

// fits refuses what no index could hold. Formats are nobody's business here; Entra
// sends anything and wants it back as it was.
func (r *Record) fits() error {
	for _, name := range []string{"userName", "displayName", "externalId"} {
		if r.Type.ID == userKind && name == "displayName" {
			continue
		}
		if len(filter.Fold(r.text(name))) > keyLength {
			return refusal.New(refusal.InvalidValue, "%s is too long: at most %d bytes are taken.", name, keyLength)
		}
	}
	return nil
}

// stamp writes an instant as meta has it (RFC 7643, 2.3.5).
func stamp(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000Z")
}
