package jsonld

import (
	"embed"
	"fmt"
	"slices"
	"sync"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

//go:embed contexts/*.json
var contextFiles embed.FS

// embedded names the file of each context. Open Badges credentials of every version stay verifiable only if every version
// of its context stays, as their quads differ.
var embedded = map[string]string{
	"https://www.w3.org/2018/credentials/v1":                         "credentials-v1",
	"https://www.w3.org/ns/credentials/v2":                           "credentials-v2",
	"https://www.w3.org/ns/credentials/examples/v2":                  "credentials-examples-v2",
	"https://www.w3.org/ns/credentials/undefined-terms/v2":           "undefined-terms-v2",
	"https://www.w3.org/ns/did/v1":                                   "did-v1",
	"https://w3id.org/security/data-integrity/v1":                    "data-integrity-v1",
	"https://w3id.org/security/data-integrity/v2":                    "data-integrity-v2",
	"https://w3id.org/security/multikey/v1":                          "multikey-v1",
	"https://w3id.org/security/suites/ed25519-2020/v1":               "ed25519-2020-v1",
	"https://purl.imsglobal.org/spec/ob/v3p0/context.json":           "ob-3.0",
	"https://purl.imsglobal.org/spec/ob/v3p0/context/ob_v3p0.jsonld": "ob-3.0",
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json":     "ob-3.0.1",
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json":     "ob-3.0.2",
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json":     "ob-3.0.3",
	"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json":        "ob-extensions",
}

// ContextURLs are the URLs of the embedded contexts, sorted.
func ContextURLs() []string {
	urls := make([]string, 0, len(embedded))
	for url := range embedded {
		urls = append(urls, url)
	}
	slices.Sort(urls)
	return urls
}

// Context is the JSON text of an embedded context; its white space is not that of the published file.
func Context(url string) ([]byte, bool) {
	name, ok := embedded[url]
	if !ok {
		return nil, false
	}
	data, err := contextFiles.ReadFile("contexts/" + name + ".json")
	return data, err == nil
}

// loaders parse each context when it is first used.
var loaders = func() map[string]func() (any, error) {
	m := make(map[string]func() (any, error), len(embedded))
	for url := range embedded {
		m[url] = sync.OnceValues(func() (any, error) {
			data, _ := Context(url)
			doc, err := strictjson.Parse(data)
			if err != nil {
				return nil, fmt.Errorf("jsonld: embedded context %s: %w", url, err)
			}
			object, _ := doc.(map[string]any)
			return object["@context"], nil
		})
	}
	return m
}()
