package jsonld_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

func TestCanonicalizeAFullCredential(t *testing.T) {
	eachWay(t, func(t *testing.T, p *jsonld.Processor) {
		got, err := p.Canonicalize(parse(t, string(read(t, "testdata", "full.json"))))
		if err != nil {
			t.Fatal(err)
		}
		if want := read(t, "testdata", "full.nq"); !bytes.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// TestCanonicalizeDocumentsWithInlineContexts reads documents that mix the features of contexts; independent
// implementations agree about each of the answers.
func TestCanonicalizeDocumentsWithInlineContexts(t *testing.T) {
	p := jsonld.New()
	lines := bufio.NewScanner(bytes.NewReader(read(t, "testdata", "agreed.jsonl")))
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		c := parse(t, lines.Text())
		got, err := p.Canonicalize(c["doc"].(map[string]any))
		if err != nil || string(got) != c["nquads"] {
			t.Errorf("line %d: %s: got %v\n%s\nwant\n%s", n+1, lines.Text(), err, got, c["nquads"])
		}
	}
	if n < 50 {
		t.Errorf("only %d documents", n)
	}
}

// inline wraps members into a document with a small context.
func inline(members string) string {
	return `{"@context":{"id":"@id","type":"@type","ex":"https://example.com/","T":"ex:T","name":"ex:name","gone":null,
	 "link":{"@id":"ex:link","@type":"@id"},"word":{"@id":"ex:word","@type":"@vocab"},"json":{"@id":"ex:json","@type":"@json"},
	 "float":{"@id":"ex:float","@type":"https://www.w3.org/2001/XMLSchema#float"},
	 "double":{"@id":"ex:double","@type":"http://www.w3.org/2001/XMLSchema#double"},
	 "string":{"@id":"ex:string","@type":"http://www.w3.org/2001/XMLSchema#string"},
	 "list":{"@id":"ex:list","@container":"@list"},"set":{"@id":"ex:set","@container":"@set"},
	 "lang":{"@id":"ex:lang","@container":"@language"},"graph":{"@id":"ex:graph","@container":"@graph"},
	 "back":{"@reverse":"ex:back"},"index":{"@id":"ex:index","@container":"@index"},
	 "rtl":{"@id":"ex:rtl","@direction":"rtl"}},"id":"urn:s",` + members + `}`
}

func TestQuadsOfValues(t *testing.T) {
	const xsd = "http://www.w3.org/2001/XMLSchema#"
	p := jsonld.New()
	for _, c := range []struct{ name, members, want string }{
		{"a string", `"name":"x"`, `<urn:s> <https://example.com/name> "x" .`},
		{"an empty string", `"name":""`, `<urn:s> <https://example.com/name> "" .`},
		{"a repeated string once", `"name":["x",["x"]]`, `<urn:s> <https://example.com/name> "x" .`},
		{"an integer", `"name":3`, `<urn:s> <https://example.com/name> "3"^^<` + xsd + `integer> .`},
		{"an integer written with a point", `"name":3.0`, `<urn:s> <https://example.com/name> "3"^^<` + xsd + `integer> .`},
		{"the largest exact integer", `"name":-9007199254740991`, `<urn:s> <https://example.com/name> "-9007199254740991"^^<` + xsd + `integer> .`},
		{"negative zero", `"name":-0`, `<urn:s> <https://example.com/name> "0"^^<` + xsd + `integer> .`},
		{"a double", `"name":0.1`, `<urn:s> <https://example.com/name> "1.0E-1"^^<` + xsd + `double> .`},
		{"a long double", `"name":123456.789012345678`, `<urn:s> <https://example.com/name> "1.234567890123457E5"^^<` + xsd + `double> .`},
		{"a whole float", `"float":3`, `<urn:s> <https://example.com/float> "3"^^<https://www.w3.org/2001/XMLSchema#float> .`},
		{"a broken float", `"float":3.5`, `<urn:s> <https://example.com/float> "3.5E0"^^<https://www.w3.org/2001/XMLSchema#float> .`},
		{"a whole double", `"double":4`, `<urn:s> <https://example.com/double> "4.0E0"^^<` + xsd + `double> .`},
		{"a double of zero", `"double":0`, `<urn:s> <https://example.com/double> "0.0E0"^^<` + xsd + `double> .`},
		{"a huge double", `"double":1e300`, `<urn:s> <https://example.com/double> "1.0E300"^^<` + xsd + `double> .`},
		{"a canonical double as a string", `"double":"4.0E0"`, `<urn:s> <https://example.com/double> "4.0E0"^^<` + xsd + `double> .`},
		{"a number as a string", `"string":7`, `<urn:s> <https://example.com/string> "7" .`},
		{"a boolean", `"name":false`, `<urn:s> <https://example.com/name> "false"^^<` + xsd + `boolean> .`},
		{"a link", `"link":"urn:o"`, `<urn:s> <https://example.com/link> <urn:o> .`},
		{"a compact link", `"link":"ex:o"`, `<urn:s> <https://example.com/link> <https://example.com/o> .`},
		{"a number for a link", `"link":1`, `<urn:s> <https://example.com/link> "1"^^<` + xsd + `integer> .`},
		{"a word", `"word":"T"`, `<urn:s> <https://example.com/word> <https://example.com/T> .`},
		{"a type", `"type":["T","https://example.com/U"]`, `<urn:s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://example.com/T> .
<urn:s> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://example.com/U> .`},
		{"a member named by an IRI", `"https://example.com/p":"x"`, `<urn:s> <https://example.com/p> "x" .`},
		{"JSON", `"json":{"b":[1e2,null,"é"],"a":{}}`, `<urn:s> <https://example.com/json> "{\"a\":{},\"b\":[100,null,\"é\"]}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON> .`},
		{"JSON null", `"json":null`, `<urn:s> <https://example.com/json> "null"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON> .`},
		{"JSON in a value", `"name":{"@type":"@json","@value":[true]}`, `<urn:s> <https://example.com/name> "[true]"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON> .`},
		{"a value with a language", `"name":{"@value":"x","@language":"pt-BR"}`, `<urn:s> <https://example.com/name> "x"@pt-br .`},
		{"a value with a type", `"name":{"@value":"x","@type":"T"}`, `<urn:s> <https://example.com/name> "x"^^<https://example.com/T> .`},
		{"a language map", `"lang":{"en":"x","@none":["y"]}`, `<urn:s> <https://example.com/lang> "x"@en .
<urn:s> <https://example.com/lang> "y" .`},
		{"an empty list", `"list":[]`, `<urn:s> <https://example.com/list> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil> .`},
		{"an empty set beside something", `"set":[],"name":"x"`, `<urn:s> <https://example.com/name> "x" .`},
		{"a list of one", `"list":"x"`, `<urn:s> <https://example.com/list> _:c14n0 .
_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> "x" .
_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil> .`},
		{"an empty list in a list", `"list":[[]]`, `<urn:s> <https://example.com/list> _:c14n0 .
_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil> .
_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> <http://www.w3.org/1999/02/22-rdf-syntax-ns#nil> .`},
		{"a node without an id", `"name":{}`, `<urn:s> <https://example.com/name> _:c14n0 .`},
		{"blank nodes by label", `"name":[{"id":"_:a"},{"name":{"id":"_:a"}}]`, `<urn:s> <https://example.com/name> _:c14n0 .
<urn:s> <https://example.com/name> _:c14n1 .
_:c14n0 <https://example.com/name> _:c14n1 .`},
		{"a graph", `"graph":{"id":"urn:o","name":"x"}`, `<urn:o> <https://example.com/name> "x" _:c14n0 .
<urn:s> <https://example.com/graph> _:c14n0 .`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Canonicalize(parse(t, inline(c.members)))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want+"\n" {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestQuadsRefuseWhatWouldNotBeSigned(t *testing.T) {
	p := jsonld.New()
	badge := func(old, new string) string {
		if !strings.Contains(teamwork, old) {
			t.Fatalf("no %s in the badge", old)
		}
		return strings.Replace(teamwork, old, new, 1)
	}
	context := func(context string) string { return `{"@context":` + context + `,"@id":"urn:s","urn:p":"x"}` }
	deep := strings.Repeat(`{"name":`, 70) + `"x"` + strings.Repeat("}", 70)
	for _, c := range []struct{ name, doc, code, pointer, term string }{
		{"an undefined member", badge(`"name":"Teamwork"`, `"title":"Teamwork"`), jsonld.CodeUndefinedTerm, "/credentialSubject/achievement/title", "title"},
		{"a member of another type", badge(`"criteria":{`, `"criteria":{"email":"x",`), jsonld.CodeUndefinedTerm, "/credentialSubject/achievement/criteria/email", "email"},
		{"an undefined type", badge(`["Achievement"]`, `["Achievement","Medal"]`), jsonld.CodeUndefinedType, "/credentialSubject/achievement/type/1", "Medal"},
		{"a type of the extensions without their context", badge(`"issuer":`, `"credentialSchema":[{"id":"urn:x","type":"1EdTechJsonSchemaValidator2019"}],"issuer":`), jsonld.CodeUndefinedType, "/credentialSchema/0/type", "1EdTechJsonSchemaValidator2019"},
		{"a member of the first data model", badge(`"validFrom"`, `"issuanceDate"`), jsonld.CodeUndefinedTerm, "/issuanceDate", "issuanceDate"},
		{"a relative id", badge(`"https://example.com/achievements/21st-century-skills/teamwork"`, `"/achievements/1"`), jsonld.CodeRelativeIRI, "/credentialSubject/achievement/id", "/achievements/1"},
		{"an empty id", badge(`"http://example.com/credentials/3527"`, `""`), jsonld.CodeRelativeIRI, "/id", ""},
		{"an id with a space", badge(`credentials/3527`, `credentials/35 27`), jsonld.CodeInvalidIRI, "/id", "http://example.com/credentials/35 27"},
		{"an id with a broken escape", badge(`credentials/3527`, `credentials/%2`), jsonld.CodeInvalidIRI, "/id", "http://example.com/credentials/%2"},
		{"an id with two fragments", badge(`credentials/3527`, `#a#b`), jsonld.CodeInvalidIRI, "/id", "http://example.com/#a#b"},
		{"an id that injects a statement", badge(`credentials/3527`, `x> <urn:p> <urn:o> .\n<urn:s`), jsonld.CodeInvalidIRI, "/id", "http://example.com/x> <urn:p> <urn:o> .\n<urn:s"},
		{"a relative link", badge(`"issuer":{"id":"https://example.com/issuers/876543","type":["Profile"],"name":"Example Corp"}`, `"issuer":"issuer"`), jsonld.CodeRelativeIRI, "/issuer", "issuer"},
		{"a null", badge(`"Teamwork Badge"`, `null`), jsonld.CodeDropped, "/name", ""},
		{"a null in an array", badge(`"Teamwork Badge"`, `["x",null]`), jsonld.CodeDropped, "/name/1", ""},
		{"a null id", badge(`"did:example:ebfeb1f712ebc6f1c276e12ec21"`, `null`), jsonld.CodeInvalid, "/credentialSubject/id", "id"},
		{"an id that is a number", badge(`"did:example:ebfeb1f712ebc6f1c276e12ec21"`, `7`), jsonld.CodeInvalid, "/credentialSubject/id", "id"},
		{"a type that is an object", badge(`["Achievement"]`, `[{}]`), jsonld.CodeInvalid, "/credentialSubject/achievement/type/0", "@type"},
		{"two ids", badge(`"id":"http://example.com/credentials/3527"`, `"id":"urn:a","@id":"urn:b"`), jsonld.CodeInvalid, "/id", "id"},
		{"an unknown context", badge(`"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"`, `"https://example.com/context"`), jsonld.CodeUnknownContext, "/@context/1", "https://example.com/context"},
		{"contexts that contradict", badge(`context-3.0.3.json"`, `context.json"`), jsonld.CodeProtectedTerm, "/@context/1", "description"},
		{"a redefinition of a protected term", badge(`context-3.0.3.json"`, `context-3.0.3.json",{"name":"urn:x"}`), jsonld.CodeProtectedTerm, "/@context/2/name", "name"},
		{"a redefinition within a node", badge(`"criteria":{`, `"criteria":{"@context":{"narrative":"urn:x"},`), jsonld.CodeProtectedTerm, "/credentialSubject/achievement/criteria/@context/narrative", "narrative"},
		{"a null context over protected terms", badge(`"criteria":{`, `"criteria":{"@context":null,`), jsonld.CodeProtectedTerm, "/credentialSubject/achievement/criteria/@context", "null"},
		{"a text direction", badge(`"Teamwork Badge"`, `{"@value":"x","@direction":"rtl"}`), jsonld.CodeDirection, "/name/@direction", "@direction"},
		{"no context", `{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022"}`, jsonld.CodeUndefinedTerm, "/cryptosuite", "cryptosuite"},
		{"an empty document", `{}`, jsonld.CodeDropped, "", ""},
		{"a document that is but an id", `{"@id":"urn:s"}`, jsonld.CodeDropped, "", ""},
		{"a document of empty sets", inline(`"set":[]`), jsonld.CodeDropped, "", ""},
		{"nesting beyond the limit", inline(`"name":` + deep), jsonld.CodeLimit, "", ""},

		{"a term set to null", inline(`"gone":"x"`), jsonld.CodeUndefinedTerm, "/gone", "gone"},
		{"a word that no context defines", inline(`"word":"nothing"`), jsonld.CodeUndefinedTerm, "/word", "nothing"},
		{"a keyword for an id", inline(`"link":"@type"`), jsonld.CodeRelativeIRI, "/link", "@type"},
		{"an unknown keyword", inline(`"@foo":"x"`), jsonld.CodeUndefinedTerm, "/@foo", "@foo"},
		{"a keyword of contexts", inline(`"@vocab":"x"`), jsonld.CodeInvalid, "/@vocab", "@vocab"},
		{"a reverse property", inline(`"back":"urn:o"`), jsonld.CodeUnsupported, "/back", "back"},
		{"@reverse", inline(`"@reverse":{}`), jsonld.CodeUnsupported, "/@reverse", "@reverse"},
		{"@included", inline(`"@included":[]`), jsonld.CodeUnsupported, "/@included", "@included"},
		{"@nest", inline(`"@nest":{}`), jsonld.CodeUnsupported, "/@nest", "@nest"},
		{"@index", inline(`"@index":"x"`), jsonld.CodeUnsupported, "/@index", "@index"},
		{"an index map", inline(`"index":{"a":"x"}`), jsonld.CodeUnsupported, "/index", "index"},
		{"a blank node as a property", inline(`"_:p":"x"`), jsonld.CodeUnsupported, "/_:p", "_:p"},
		{"a direction that is none", badge(`"Teamwork Badge"`, `{"@value":"x","@direction":"up"}`), jsonld.CodeInvalid, "/name/@direction", "@direction"},
		{"a term with a direction", inline(`"rtl":"x"`), jsonld.CodeDirection, "/rtl", "@direction"},
		{"an integer beyond exactness", inline(`"name":9007199254740993`), jsonld.CodeInvalid, "/name", ""},
		{"a number beyond all doubles", inline(`"name":1e999`), jsonld.CodeInvalid, "/name", ""},
		{"a number that is read differently", inline(`"name":1e-7`), jsonld.CodeInvalid, "/name", ""},
		{"a double in another form", inline(`"double":"4"`), jsonld.CodeInvalid, "/double", ""},
		{"JSON that no double can hold", inline(`"json":[1e999]`), jsonld.CodeInvalid, "/json", ""},
		{"a null value", inline(`"name":{"@value":null}`), jsonld.CodeDropped, "/name", ""},
		{"an object for a value", inline(`"name":{"@value":{}}`), jsonld.CodeInvalid, "/name", "@value"},
		{"a value with other members", inline(`"name":{"@value":"x","name":"y"}`), jsonld.CodeInvalid, "/name/name", "name"},
		{"a value with type and language", inline(`"name":{"@value":"x","@type":"T","@language":"en"}`), jsonld.CodeInvalid, "/name", "@language"},
		{"a number with a language", inline(`"name":{"@value":1,"@language":"en"}`), jsonld.CodeInvalid, "/name", "@language"},
		{"a language that is none", inline(`"name":{"@value":"x","@language":"e n"}`), jsonld.CodeInvalid, "/name/@language", "@language"},
		{"a value of an undefined type", inline(`"name":{"@value":"x","@type":"nothing"}`), jsonld.CodeUndefinedType, "/name/@type", "nothing"},
		{"a language map with a wrong tag", inline(`"lang":{"e n":"x"}`), jsonld.CodeInvalid, "/lang/e n", "e n"},
		{"a language map of numbers", inline(`"lang":{"en":1}`), jsonld.CodeInvalid, "/lang/en", "en"},
		{"a list with other members", inline(`"name":{"@list":[],"name":"x"}`), jsonld.CodeInvalid, "/name/name", "name"},
		{"a null in a list", inline(`"list":["x",null]`), jsonld.CodeDropped, "/list/1", ""},
		{"arrays in a list that some flatten", inline(`"name":{"@list":[["x"]]}`), jsonld.CodeUnsupported, "/name/@list/0", "name"},
		{"a string in a graph", inline(`"graph":"urn:o"`), jsonld.CodeDropped, "/graph", "graph"},
		{"a bare reference in a graph", inline(`"graph":{"id":"urn:o"}`), jsonld.CodeDropped, "/graph", ""},
		{"a value in @graph", inline(`"@graph":["x"]`), jsonld.CodeDropped, "/@graph/0", ""},

		{"a base", context(`{"@base":"https://example.com/"}`), jsonld.CodeUnsupported, "/@context", "@base"},
		{"an import", context(`{"@import":"https://www.w3.org/ns/did/v1"}`), jsonld.CodeUnsupported, "/@context", "@import"},
		{"a context that is a number", context(`7`), jsonld.CodeInvalidContext, "/@context", "@context"},
		{"version 1.0", context(`{"@version":1.0}`), jsonld.CodeInvalidContext, "/@context", "@version"},
		{"a relative vocabulary", context(`{"@vocab":"x"}`), jsonld.CodeInvalidContext, "/@context", "@vocab"},
		{"a term in a circle", context(`{"a":"b:x","b":"a:y"}`), jsonld.CodeInvalidContext, "/@context/b", "a"},
		{"a term without an IRI", context(`{"a":{}}`), jsonld.CodeInvalidContext, "/@context/a", "a"},
		{"an empty term", context(`{"":"urn:x"}`), jsonld.CodeInvalidContext, "/@context/", ""},
		{"a redefined keyword", context(`{"@id":"urn:x"}`), jsonld.CodeInvalidContext, "/@context/@id", "@id"},
		{"a redefined type", context(`{"@type":{"@id":"urn:x"}}`), jsonld.CodeInvalidContext, "/@context/@type", "@type"},
		{"an unknown entry of a definition", context(`{"a":{"@id":"urn:x","x":1}}`), jsonld.CodeInvalidContext, "/@context/a", "a"},
		{"an unknown container", context(`{"a":{"@id":"urn:x","@container":"@bag"}}`), jsonld.CodeInvalidContext, "/@context/a", "a"},
		{"impossible containers", context(`{"a":{"@id":"urn:x","@container":["@list","@set"]}}`), jsonld.CodeInvalidContext, "/@context/a", "a"},
		{"a relative coercion", context(`{"a":{"@id":"urn:x","@type":"y"}}`), jsonld.CodeInvalidContext, "/@context/a", "a"},
		{"an alias of @context", context(`{"a":"@context"}`), jsonld.CodeInvalidContext, "/@context/a", "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := p.Quads(parse2(t, c.doc))
			var e *jsonld.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a *jsonld.Error", err)
			}
			if e.Code != c.code || e.Pointer != c.pointer || e.Term != c.term || e.Problem == "" || e.Remedy == "" {
				t.Errorf("got %+v", *e)
			}
			if text := e.Error(); !strings.Contains(text, e.Problem) || !strings.Contains(text, e.Remedy) {
				t.Errorf("the text is %q", text)
			}
		})
	}
}

// parse2 reads documents deeper than strictjson allows.
func parse2(t testing.TB, text string) map[string]any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestQuadsAreBounded(t *testing.T) {
	p := jsonld.New()
	many := make([]any, jsonld.MaxQuads+1)
	for i := range many {
		many[i] = fmt.Sprint("x", i)
	}
	urls := make([]any, 20_000)
	for i := range urls {
		urls[i] = "https://www.w3.org/ns/credentials/v2"
	}
	for name, doc := range map[string]map[string]any{
		"statements": {"@id": "urn:s", "urn:p": many},
		"contexts":   {"@context": urls, "@id": "urn:s", "urn:p": "x"},
	} {
		var e *jsonld.Error
		if _, err := p.Quads(doc); !errors.As(err, &e) || e.Code != jsonld.CodeLimit {
			t.Errorf("too many %s: got %v", name, err)
		}
	}
}

func TestQuadsRefuseValuesThatAreNoJSON(t *testing.T) {
	p := jsonld.New()
	for name, v := range map[string]any{"a channel": make(chan int), "strings": []string{"x"}, "bad UTF-8": "\xff"} {
		if _, err := p.Quads(map[string]any{"@id": "urn:s", "urn:p": v}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestInlineContextsDoNotOutliveTheirDocument(t *testing.T) {
	p := jsonld.New()
	for i := range 3 {
		doc := parse(t, fmt.Sprintf(`{"@context":["https://www.w3.org/ns/did/v1",{"x":"urn:x%d#","T":{"@id":"urn:T","@context":{"y":"urn:y%d"}}}],"type":"T","y":"1","x":"2"}`, i, i))
		got, err := p.Canonicalize(doc)
		if err != nil || !strings.Contains(string(got), fmt.Sprintf("<urn:x%d#>", i)) || !strings.Contains(string(got), fmt.Sprintf("<urn:y%d>", i)) {
			t.Errorf("round %d: %v\n%s", i, err, got)
		}
	}
	if _, err := p.Quads(parse(t, `{"@context":"https://www.w3.org/ns/did/v1","id":"urn:s","x":"2"}`)); err == nil {
		t.Error("a term of another document is still known")
	}
}

func TestOneProcessorServesManyAtOnce(t *testing.T) {
	p := jsonld.New()
	full := read(t, "testdata", "full.json")
	want := read(t, "testdata", "full.nq")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if i%2 == 0 { // fill the memo with combinations that nobody needs again
				for j := range 200 {
					urls := []any{}
					for k, url := range jsonld.ContextURLs() {
						if (i*200+j)>>(k%9)&1 == 1 {
							urls = append(urls, url)
						}
					}
					_, _ = p.Quads(map[string]any{"@context": urls, "@id": "urn:s", "urn:p": "x"})
				}
			}
			doc, _ := strictjson.Parse(full)
			got, err := p.Canonicalize(doc.(map[string]any))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v\n%s", err, got)
			}
		})
	}
	group.Wait()
}

func TestQuadsLeaveTheDocumentAlone(t *testing.T) {
	text := read(t, "testdata", "full.json")
	doc := parse(t, string(text))
	before, _ := jsonld.JCS(doc)
	if _, err := jsonld.New().Quads(doc); err != nil {
		t.Fatal(err)
	}
	if after, _ := jsonld.JCS(doc); !bytes.Equal(before, after) {
		t.Error("the document was changed")
	}
}

// FuzzQuads holds that no document panics, that the refusals are whole, and that order and repetition of members do not
// matter to what is accepted.
func FuzzQuads(f *testing.F) {
	for _, seed := range []string{alumni, teamwork, teamworkProof, inline(`"name":[{"@value":1},{"@list":[[]]},"x"],"lang":{"en":"x"},"graph":{"name":1}`),
		`{"@context":[{"@vocab":"urn:v#","a":{"@id":"b:c","@context":{"@propagate":false}}},null,"https://www.w3.org/ns/did/v1"],"@graph":[{"a":{}}]}`,
		`{"@context":{"a:b":{"@id":"urn:x","@type":"@id","@container":["@set","@graph"],"@protected":true,"@prefix":true}},"a:b":{"@id":"_:x"}}`,
	} {
		f.Add(seed)
	}
	p := jsonld.New()
	f.Fuzz(func(t *testing.T, text string) {
		v, err := strictjson.Parse([]byte(text))
		if err != nil {
			t.Skip()
		}
		doc, ok := v.(map[string]any)
		if !ok {
			t.Skip()
		}
		quads, err := p.Quads(doc)
		if err != nil {
			var e *jsonld.Error
			if !errors.As(err, &e) || e.Code == "" || e.Problem == "" || e.Remedy == "" {
				t.Fatalf("poor refusal %#v", err)
			}
			return
		}
		got, err := jsonld.Canonicalize(quads, 5_000)
		if err != nil {
			return
		}
		for line := range strings.Lines(string(got)) {
			if _, err := parseNQuads(line); err != nil {
				t.Fatalf("%q is no N-Quads: %v", line, err)
			}
		}
		again, err := jsonld.New().Quads(doc)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(again)
		if other, err := jsonld.Canonicalize(again, 10_000); err == nil && !bytes.Equal(other, got) {
			t.Fatalf("got\n%sthen\n%s", got, other)
		}
	})
}

func BenchmarkQuads(b *testing.B) {
	for name, text := range documents(b) {
		b.Run(name, func(b *testing.B) {
			p, doc := jsonld.New(), parse(b, text)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Quads(doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCanonicalize(b *testing.B) {
	for name, text := range documents(b) {
		b.Run(name, func(b *testing.B) {
			quads, err := jsonld.New().Quads(parse(b, text))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jsonld.Canonicalize(quads, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkJCS(b *testing.B) {
	doc := parse(b, string(read(b, "testdata", "full.json")))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonld.JCS(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func documents(b *testing.B) map[string]string {
	return map[string]string{"minimal": teamwork, "full": string(read(b, "testdata", "full.json")), "proof": teamworkProof}
}

// BenchmarkBothWays takes documents to canonical N-Quads the direct and the general way.
func BenchmarkBothWays(b *testing.B) {
	for name, text := range documents(b) {
		doc := parse(b, text)
		for way, p := range map[string]*jsonld.Processor{"direct": jsonld.New(), "general": jsonld.NewGeneral()} {
			b.Run(name+"/"+way, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := p.Canonicalize(doc); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
