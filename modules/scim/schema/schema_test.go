package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/scim/schema"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const acme = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User"

func registry(t testing.TB, declarations string) *schema.Registry {
	t.Helper()
	list, err := schema.ParseDeclarations(declarations)
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewRegistry(list...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const declaration = `[{"resourceType":"User","id":"` + acme + `","name":"Acme","description":"What Acme adds","attributes":[
	{"name":"badgeLevel","type":"integer","description":"Level"},
	{"name":"department","type":"string"},
	{"name":"desk","type":"complex","multiValued":true,"subAttributes":[{"name":"floor","type":"integer"},{"name":"link","type":"reference","referenceTypes":["external"]}]}]}]`

// TestDiscoveryDocuments compares with golden files; go test ./modules/scim/schema -update rewrites them.
func TestDiscoveryDocuments(t *testing.T) {
	d := schema.Discovery{Base: "https://badges.example/scim/v2", Registry: registry(t, declaration)}
	offer := schema.Offer{
		DocumentationURI: "https://badges.example/docs/scim", BulkOperations: 1000, BulkPayload: 1 << 20, MaxResults: 200, DefaultResults: 100, CursorTimeout: time.Hour,
		AuthenticatedBy: []schema.AuthenticationScheme{{Type: "oauthbearertoken", Name: "OAuth Bearer Token", Description: "Bearer token issued by Badge Engine", SpecURI: "https://www.rfc-editor.org/rfc/rfc6750", Primary: true}},
	}
	for _, row := range []struct {
		name string
		doc  any
	}{
		{"schemas", d.Schemas()},
		{"resourcetypes", d.ResourceTypes()},
		{"serviceproviderconfig", d.ServiceProviderConfig(offer)},
		{"serviceproviderconfig_bare", d.ServiceProviderConfig(schema.Offer{})},
	} {
		t.Run(row.name, func(t *testing.T) {
			compact, err := json.Marshal(row.doc)
			if err != nil {
				t.Fatal(err)
			}
			// Entra decodes neither nulls nor empty addresses.
			for _, never := range []string{"null", `Uri":""`, `""`} {
				if bytes.Contains(compact, []byte(never)) && row.name != "schemas" {
					t.Errorf("it has %s", never)
				}
			}
			if bytes.Contains(compact, []byte("null")) {
				t.Error("it has a null")
			}
			var got bytes.Buffer
			if err := json.Indent(&got, compact, "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			path := filepath.Join("testdata", row.name+".golden.json")
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("it differs from %s:\n%s", path, got.Bytes())
			}
		})
	}
	ids := map[string]bool{}
	for _, doc := range append(d.Schemas(), d.ResourceTypes()...) {
		if ids[doc.DocumentID()] || doc.DocumentID() == "" {
			t.Errorf("the id %q is there twice", doc.DocumentID())
		}
		ids[doc.DocumentID()] = true
	}
}

// TestWhatMicrosoftReadsFromTheSchemas holds the rules by which the gallery's tests address attributes: canonical values of
// type where elements are found by type, none where they are found by primary.
func TestWhatMicrosoftReadsFromTheSchemas(t *testing.T) {
	user := registry(t, "").User.Schema
	for _, row := range []struct{ attribute, types string }{
		{"emails", "work home other"}, {"phoneNumbers", "work home mobile fax pager other"}, {"addresses", "work home other"},
		{"ims", "aim gtalk icq xmpp msn skype qq yahoo"}, {"photos", "photo thumbnail"}, {"roles", ""}, {"entitlements", ""}, {"x509Certificates", ""},
	} {
		if got := strings.Join(user.Attribute(row.attribute).Sub("type").CanonicalValues, " "); got != row.types {
			t.Errorf("%s: %q", row.attribute, got)
		}
	}
	if user.Attribute("password") != nil {
		t.Error("there is a password")
	}
	for _, name := range []string{"id", "externalId", "meta", "schemas"} {
		if user.Attribute(name) != nil {
			t.Errorf("the schema lists %s", name)
		}
	}
}

func TestResolve(t *testing.T) {
	r := registry(t, declaration)
	const ent = schema.EnterpriseUserURN
	for _, row := range []struct {
		text, want string
		fault      schema.Fault
	}{
		{"userName", "userName", schema.Found},
		{"USERNAME", "userName", schema.Found},
		{"name.GIVENNAME", "name.givenName", schema.Found},
		{"members", "", schema.Unknown},
		{"id", "id", schema.Found},
		{"meta.lastmodified", "meta.lastModified", schema.Found},
		{schema.UserURN + ":name.givenName", "name.givenName", schema.Found},
		{strings.ToLower(schema.UserURN) + ":id", "id", schema.Found},
		{schema.UserURN, "", schema.Unknown},
		{schema.UserURN + ":manager", "", schema.Unknown}, // it is named as the core's
		{ent, ent, schema.Found},
		{strings.ToUpper(ent), ent, schema.Found},
		{ent + ":", "", schema.Malformed},
		{ent + ":manager.value", ent + ":manager.value", schema.Found},
		{ent + ".manager", ent + ":manager", schema.Found},
		{ent + ".manager.value", ent + ":manager.value", schema.Found},
		{ent + ".", "", schema.Malformed},
		{ent + ":userName", "", schema.Unknown},
		{ent + "Name:manager", "", schema.Unknown},
		{"manager", ent + ":manager", schema.Found},
		{"Manager.VALUE", ent + ":manager.value", schema.Found},
		{"costCenter", ent + ":costCenter", schema.Found},
		{"department", "", schema.Unknown}, // two extensions have it
		{acme + ":department", acme + ":department", schema.Found},
		{"badgeLevel", acme + ":badgeLevel", schema.Found},
		{acme + ":desk.floor", acme + ":desk.floor", schema.Found},
		{"desk.$ref", "", schema.Unknown},
		{"userName.value", "", schema.Unknown},
		{"name.", "", schema.Malformed},
		{".givenName", "", schema.Malformed},
		{"a b", "", schema.Malformed},
		{"", "", schema.Malformed},
		{"name.given.x", "", schema.Malformed},
		{"urn:x", "", schema.Unknown},
	} {
		p, fault := r.User.Resolve(row.text)
		if fault != row.fault || p.String() != row.want {
			t.Errorf("%q is %q, %d", row.text, p, fault)
		}
		if fault == schema.Found {
			if same, _ := r.User.Resolve(p.String()); same != p {
				t.Errorf("%q is %q, which is %q", row.text, p, same)
			}
		}
	}
	if allocs := testing.AllocsPerRun(100, func() { r.User.Resolve("name.givenName") }); allocs > 0 {
		t.Errorf("a canonical name costs %v allocations", allocs)
	}
}

func TestDeclarationsAreCheckedAtTheStart(t *testing.T) {
	attribute := func(text string) string {
		return `[{"resourceType":"User","id":"` + acme + `","name":"A","description":"","attributes":[` + text + `]}]`
	}
	for _, row := range []struct{ name, text, want string }{
		{"no JSON", `{`, "extension schemas: "},
		{"no array", `{}`, "extension schemas: "},
		{"an unknown member", `[{"resourceType":"User","id":"` + acme + `","nam":"A","attributes":[]}]`, "nam"},
		{"an unknown characteristic", attribute(`{"name":"a","uniqueness":"server"}`), "uniqueness"},
		{"another resource type", strings.Replace(declaration, `"User"`, `"Device"`, 1), `resourceType must be User or Group, not "Device"`},
		{"no URN", strings.Replace(declaration, acme, "acme", 1), "id must be a URN"},
		{"a URN with a blank", strings.Replace(declaration, acme, "urn:x:a b", 1), "id must be a URN"},
		{"a URN of the protocol", strings.Replace(declaration, acme, "urn:ietf:params:scim:schemas:core:2.0:Device", 1), "belongs to the protocol"},
		{"a message's URN", strings.Replace(declaration, acme, "URN:IETF:params:scim:api:messages:2.0:PatchOp", 1), "belongs to the protocol"},
		{"the enterprise extension", strings.Replace(declaration, acme, schema.EnterpriseUserURN, 1), "there is such a schema already"},
		{"a URN that begins with another", strings.Replace(declaration, acme, schema.EnterpriseUserURN+":more", 1), "begins with the other"},
		{"twice", strings.TrimSuffix(declaration, "]") + "," + strings.TrimPrefix(declaration, "["), "there is such a schema already"},
		{"no name", strings.Replace(declaration, `"Acme"`, `""`, 1), "name is missing"},
		{"no attributes", attribute(``), "it has no attributes"},
		{"an attribute without a name", attribute(`{"name":""}`), "a name is a letter"},
		{"a name that is none", attribute(`{"name":"a.b"}`), "a name is a letter"},
		{"a name twice", attribute(`{"name":"a"},{"name":"A"}`), "there are two of this name"},
		{"a name of every resource", attribute(`{"name":"ID"}`), "every resource has an attribute of this name"},
		{"an unknown type", attribute(`{"name":"a","type":"text"}`), `not "text"`},
		{"an unknown mutability", attribute(`{"name":"a","mutability":"writeOnly"}`), `mutability must be readWrite or immutable`},
		{"an unknown returned", attribute(`{"name":"a","returned":"never"}`), `returned must be default, always or request`},
		{"a complex attribute without parts", attribute(`{"name":"a","type":"complex"}`), "needs subAttributes"},
		{"parts of what is not complex", attribute(`{"name":"a","subAttributes":[{"name":"b"}]}`), "only a complex attribute has subAttributes"},
		{"a complex part", attribute(`{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex","subAttributes":[{"name":"c"}]}]}`), "cannot be part of another"},
		{"a reference to nothing", attribute(`{"name":"a","type":"reference"}`), "referenceTypes"},
		{"references of what is none", attribute(`{"name":"a","referenceTypes":["User"]}`), "referenceTypes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			list, err := schema.ParseDeclarations(row.text)
			if err == nil {
				_, err = schema.NewRegistry(list...)
			}
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("refused with %v", err)
			}
		})
	}
	if list, err := schema.ParseDeclarations(" \n"); err != nil || list != nil {
		t.Errorf("nothing declares %v, %v", list, err)
	}
}

func TestRegistriesAreIndependent(t *testing.T) {
	a, b := registry(t, declaration), registry(t, "")
	if b.Schema(acme) != nil || len(b.User.Extensions) != 1 || a.User.Extension(strings.ToUpper(acme)) == nil {
		t.Error("an extension of one is known to the other")
	}
	if a.ResourceType("Device") != nil || a.Endpoint("/users") != nil || a.Endpoint("/Users") != a.User {
		t.Error("a resource type is found that is not there")
	}
}

func BenchmarkResolve(b *testing.B) {
	r := registry(b, declaration)
	for _, text := range []string{"userName", "Emails.Value", schema.EnterpriseUserURN + ":manager.value", "manager"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.User.Resolve(text)
			}
		})
	}
}
