package baking_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/modules/baking"
	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

const (
	// Spaces and signs that a JSON encoder would write otherwise.
	credential = `{"@context": ["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"], "name": "A < B & C > D", "n": 1.50}`
	assertion  = `{"@context":"https://w3id.org/openbadges/v2","id":"https://example.org/1"}`
	svg        = `<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1"/></svg>`
	jpeg       = "\xff\xd8\xff\xe0 a JPEG"
)

var (
	jws       = encode(`{"alg":"ES256"}`) + "." + encode(`{"vc":`+credential+`}`) + ".c2ln"
	oldJWS    = encode(`{"alg":"RS256"}`) + "." + encode(assertion) + ".c2ln"
	picture   = mustDecode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
	someone   = principal.Principal{ID: "1", Name: "test"}
	encode    = func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	asDataURL = func(mediaType, data string) string {
		return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString([]byte(data))
	}
)

func mustDecode(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func bake(t *testing.T, picture, credential, version string) string {
	t.Helper()
	b, err := baking.New().Bake(t.Context(), []byte(picture), []byte(credential), false, version)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func codeOf(err error) string {
	if f, ok := fault.From(err); ok {
		return f.Code()
	}
	if err != nil {
		return "no fault: " + err.Error()
	}
	return ""
}

func TestBakeChoosesTheEditionByTheCredential(t *testing.T) {
	for _, test := range []struct{ name, credential, version, want, code string }{
		{"a credential is baked as 3.0", credential, "", "3.0", ""},
		{"an assertion is baked as 2.0", assertion, "", "2.0", ""},
		{"a JWS of a credential is baked as 3.0", jws, "", "3.0", ""},
		{"a JWS of an assertion is baked as 2.0", oldJWS, "", "2.0", ""},
		{"a document that names neither is baked as 3.0", `{}`, "", "3.0", ""},
		{"a document that names neither is baked as told", `{}`, "2.0", "2.0", ""},
		{"the credential of a baked picture is baked again", bake(t, svg, assertion, ""), "", "2.0", ""},
		{"a credential as 2.0 is refused", credential, "2.0", "", "baking.version"},
		{"a JWS of an assertion as 3.0 is refused", oldJWS, "3", "", "baking.version"},
		{"an unknown version is refused", credential, "1.1", "", "baking.version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := baking.New().Bake(t.Context(), []byte(picture), []byte(test.credential), false, test.version)
			if codeOf(err) != test.code {
				t.Fatalf("%v, want %q", err, test.code)
			}
			if err != nil {
				return
			}
			x, err := baking.New().Extract(t.Context(), b)
			if err != nil || x.Version != test.want || x.Format != "png" || len(x.Warnings) > 0 {
				t.Errorf("%+v (%v)", x, err)
			}
		})
	}
}

func TestExtractAnswersAsItWas(t *testing.T) {
	legacy := bake(t, svg, oldJWS, "")
	hosted := strings.Replace(legacy, oldJWS, "https://example.org/1", 1)
	mistaken, _ := image.Bake([]byte(picture), []byte(credential), image.Options{Version: image.OpenBadges2})
	unsound, _ := image.Bake([]byte(picture), []byte(`{"a":1,"a":2}`), image.Options{})
	for _, test := range []struct {
		name, given, format, version, form, payload string
		warnings                                    int
	}{
		{"a document out of a PNG", bake(t, picture, credential, ""), "png", "3.0", "json", credential, 0},
		{"a JWS out of an SVG", bake(t, svg, jws, ""), "svg", "3.0", "jws", jws, 0},
		{"a JWS of 2.0", legacy, "svg", "2.0", "jws", oldJWS, 0},
		{"the address of an assertion", hosted, "svg", "2.0", "url", "https://example.org/1", 1},
		{"a credential under the keyword of the other edition, with a warning", string(mistaken), "png", "2.0", "json", credential, 1},
		{"unsound JSON, with a warning", string(unsound), "png", "3.0", "json", `{"a":1,"a":2}`, 1},
		{"a document by itself", " " + credential + "\n", "json", "3.0", "json", credential, 0},
		{"an assertion by itself", assertion, "json", "2.0", "json", assertion, 0},
		{"a JWS by itself", jws + "\n", "jws", "3.0", "jws", jws, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			x, err := baking.New().Extract(t.Context(), []byte(test.given))
			if err != nil || x.Format != test.format || x.Version != test.version || x.Form != test.form || string(x.Payload) != test.payload || len(x.Warnings) != test.warnings {
				t.Errorf("%+v\n%s (%v)", x, x.Payload, err)
			}
		})
	}
}

func TestAnEndedContextStopsTheService(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := baking.New().Bake(ctx, []byte(picture), []byte(credential), false, ""); err != context.Canceled {
		t.Error(err)
	}
	if _, err := baking.New().Extract(ctx, []byte(credential)); err != context.Canceled {
		t.Error(err)
	}
}

type guard struct{}

func (guard) Authenticate(_ context.Context, c httpserver.Credentials) (principal.Principal, error) {
	if c.Authorization == "Bearer t" {
		return someone, nil
	}
	return principal.Principal{}, nil
}

func serve(t *testing.T) func(mediaType, path, body string) *http.Response {
	t.Helper()
	server, err := httpserver.New(httpserver.Default(), httpserver.Parts{Tables: []httpserver.Table{baking.Routes(baking.New())}, Guard: guard{}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return func(mediaType, path, body string) *http.Response {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer t")
		r.Header.Set("Content-Type", mediaType)
		answer, err := server.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// part is a field of a form; a file if it has a media type.
type part struct{ name, mediaType, content string }

func form(t *testing.T, parts ...part) (mediaType, content string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		header := textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + p.name + `"`}}
		if p.mediaType != "" {
			header = textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + p.name + `"; filename="file"`}, "Content-Type": {p.mediaType}}
		}
		field, err := w.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(field, p.content)
	}
	w.Close()
	return w.FormDataContentType(), b.String()
}

func asJSON(t *testing.T, members map[string]any) string {
	t.Helper()
	b, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBakeOverHTTP(t *testing.T) {
	post := serve(t)
	t.Run("a form with files", func(t *testing.T) {
		mediaType, content := form(t, part{"image", "image/png", picture}, part{"credential", "application/json", credential})
		answer := post(mediaType, "/api/v1/bake", content)
		got := body(t, answer)
		if answer.StatusCode != 200 || got != bake(t, picture, credential, "") {
			t.Fatalf("%d %q", answer.StatusCode, got)
		}
		for name, want := range map[string]string{"Content-Type": "image/png", "Content-Disposition": `attachment; filename="badge.png"`, "X-Content-Type-Options": "nosniff"} {
			if answer.Header.Get(name) != want {
				t.Errorf("%s: %s, want %s", name, answer.Header.Get(name), want)
			}
		}
	})
	t.Run("a form with text, of an SVG, which is sandboxed", func(t *testing.T) {
		mediaType, content := form(t, part{"image", "image/svg+xml", svg}, part{"credential", "", jws}, part{"overwrite", "", "on"}, part{"version", "", "3.0"})
		answer := post(mediaType, "/api/v1/bake", content)
		if got := body(t, answer); answer.StatusCode != 200 || got != bake(t, svg, jws, "") {
			t.Fatalf("%d %q", answer.StatusCode, got)
		}
		if csp := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox") || answer.Header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("%v", answer.Header)
		}
	})
	t.Run("JSON with a document keeps its bytes", func(t *testing.T) {
		answer := post("application/json", "/api/v1/bake", `{"credential":`+credential+`,"image":"`+asDataURL("image/png", picture)+`"}`)
		if got := body(t, answer); answer.StatusCode != 200 || got != bake(t, picture, credential, "") {
			t.Fatalf("%d %q", answer.StatusCode, got)
		}
	})
	t.Run("JSON with a JWS, overwriting", func(t *testing.T) {
		answer := post("application/json", "/api/v1/bake", asJSON(t, map[string]any{"credential": jws, "image": asDataURL("image/svg+xml", bake(t, svg, credential, "")), "overwrite": true}))
		if got := body(t, answer); answer.StatusCode != 200 || got != bake(t, svg, jws, "") {
			t.Fatalf("%d %q", answer.StatusCode, got)
		}
	})
	t.Run("JSON with a baked picture as the credential and a percent-encoded SVG", func(t *testing.T) {
		answer := post("application/json", "/api/v1/bake", asJSON(t, map[string]any{"credential": asDataURL("image/png", bake(t, picture, credential, "")), "image": "data:image/svg+xml;utf8," + strings.ReplaceAll(svg, "<", "%3C")}))
		if got := body(t, answer); answer.StatusCode != 200 || got != bake(t, svg, credential, "") {
			t.Fatalf("%d %q", answer.StatusCode, got)
		}
	})
}

func TestExtractOverHTTP(t *testing.T) {
	post := serve(t)
	type answer struct {
		Format, Version, Form string
		Warnings              []string
		Credential            json.RawMessage
	}
	formType, formBody := form(t, part{"image", "image/png", bake(t, picture, credential, "")})
	for _, test := range []struct{ name, mediaType, body, format, form, credential string }{
		{"a PNG as the body", "image/png", bake(t, picture, credential, ""), "png", "json", credential},
		{"an SVG without a declared type", "application/octet-stream", bake(t, svg, credential, ""), "svg", "json", credential},
		{"a PNG in a form", formType, formBody, "png", "json", credential},
		{"a JWS", "image/svg+xml", bake(t, svg, jws, ""), "svg", "jws", `"` + jws + `"`},
		{"a document by itself", "application/vc+ld+json", credential, "json", "json", credential},
		{"a JWS by itself", "text/plain", jws, "jws", "jws", `"` + jws + `"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := post(test.mediaType, "/api/v1/extract", test.body)
			text := body(t, r)
			var got answer
			if err := json.Unmarshal([]byte(text), &got); err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/json" {
				t.Fatalf("%d %s (%v)", r.StatusCode, text, err)
			}
			if got.Format != test.format || got.Form != test.form || string(got.Credential) != test.credential || got.Version != "3.0" || got.Warnings == nil {
				t.Errorf("%+v\n%s", got, got.Credential)
			}
		})
	}
}

func TestRefusalsOverHTTP(t *testing.T) {
	post := serve(t)
	wrong := func(members map[string]any) string { return asJSON(t, members) }
	png := asDataURL("image/png", picture)
	mustContain := func(parts ...string) []string { return parts }
	noImageType, noImage := form(t, part{"credential", "", credential})
	noCredentialType, noCredential := form(t, part{"image", "image/png", picture})
	badFlagType, badFlag := form(t, part{"image", "image/png", picture}, part{"credential", "", credential}, part{"overwrite", "", "perhaps"})
	jpegType, jpegForm := form(t, part{"image", "image/jpeg", jpeg}, part{"credential", "", credential})
	for _, test := range []struct {
		name, mediaType, path, body string
		status                      int
		want                        []string
	}{
		{"a picture without a badge", "image/png", "/extract", picture, 404, mustContain("baking.not_baked", "5.3.1.2", "remedy")},
		{"a JPEG declared as such", "image/jpeg", "/extract", jpeg, 415, mustContain("baking.media_type", "this is a JPEG")},
		{"a JPEG declared as a PNG", "image/png", "/extract", jpeg, 422, mustContain("baking.not_image", "this is a JPEG")},
		{"nothing", "image/png", "/extract", "", 400, mustContain("httpserver.empty")},
		{"a PNG that breaks off", "image/png", "/extract", picture[:40], 422, mustContain("baking.damaged", "at byte 33", "PNG (Third Edition)")},
		{"an SVG with an entity bomb", "image/svg+xml", "/extract", `<!DOCTYPE svg [<!ENTITY a "a">]>` + svg, 422, mustContain("baking.unsafe", "internal subset")},
		{"a document with a key given twice", "application/json", "/extract", `{"a":1,"a":2}`, 422, mustContain("baking.not_credential")},
		{"a document that breaks off", "application/json", "/extract", `{"a":`, 422, mustContain("baking.not_credential")},
		{"a document nested 10,000 deep", "application/json", "/extract", strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000), 422, mustContain("baking.not_credential")},
		{"a picture of 17 MiB", "image/png", "/extract", picture + strings.Repeat(" ", 17<<20), 413, mustContain("baking.too_large")},

		{"an upload of a type that is none of ours", "image/png", "/bake", picture, 415, mustContain("httpserver.media_type")},
		{"JSON without an image", "application/json", "/bake", wrong(map[string]any{"credential": json.RawMessage(credential)}), 422, mustContain("/image", "it is missing")},
		{"JSON without a credential", "application/json", "/bake", wrong(map[string]any{"image": png}), 422, mustContain("/credential", "it is missing")},
		{"JSON that is none", "application/json", "/bake", `{"image":`, 400, mustContain("httpserver.unreadable")},
		{"JSON with a member that is not known", "application/json", "/bake", wrong(map[string]any{"credential": jws, "image": png, "colour": 1}), 422, mustContain("httpserver.shape", "/colour")},
		{"an image that is no data URL", "application/json", "/bake", wrong(map[string]any{"credential": jws, "image": "https://example.org/a.png"}), 422, mustContain("baking.input", "/image", "RFC 2397")},
		{"an image in broken base64", "application/json", "/bake", wrong(map[string]any{"credential": jws, "image": "data:image/png;base64,***"}), 422, mustContain("baking.input", "base64")},
		{"a JPEG as data URL", "application/json", "/bake", wrong(map[string]any{"credential": jws, "image": asDataURL("image/jpeg", jpeg)}), 415, mustContain("baking.media_type")},
		{"a credential that is none", "application/json", "/bake", wrong(map[string]any{"credential": "hello", "image": png}), 422, mustContain("baking.not_credential", "/credential")},
		{"a credential that is a list", "application/json", "/bake", wrong(map[string]any{"credential": []int{1}, "image": png}), 422, mustContain("/credential")},
		{"a picture without a badge as the credential", "application/json", "/bake", wrong(map[string]any{"credential": png, "image": png}), 404, mustContain("baking.not_baked", "/credential")},
		{"a version that does not fit", "application/json", "/bake", wrong(map[string]any{"credential": json.RawMessage(assertion), "image": png, "version": "3.0"}), 422, mustContain("baking.version")},
		{"a picture that is baked already", "application/json", "/bake", wrong(map[string]any{"credential": jws, "image": asDataURL("image/png", bake(t, picture, credential, ""))}), 409, mustContain("baking.already_baked", "overwriting")},
		{"an SVG with a script", "application/json", "/bake", wrong(map[string]any{"credential": jws, "image": asDataURL("image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`)}), 422, mustContain("baking.unsafe", "script", "/image")},
		{"a form without an image", noImageType, "/bake", noImage, 400, mustContain("httpserver.upload", "image")},
		{"a form without a credential", noCredentialType, "/bake", noCredential, 422, mustContain("/credential", "it is missing")},
		{"a form with a flag that is none", badFlagType, "/bake", badFlag, 422, mustContain("/overwrite")},
		{"a form with a JPEG", jpegType, "/bake", jpegForm, 415, mustContain("baking.media_type")},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := post(test.mediaType, "/api/v1"+test.path, test.body)
			text := body(t, answer)
			if answer.StatusCode != test.status || answer.Header.Get("Content-Type") != "application/problem+json" || answer.Header.Get("Content-Disposition") != "" {
				t.Fatalf("%d %s", answer.StatusCode, text)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("%s lacks %q", text, want)
				}
			}
		})
	}
}

func TestBakingNeedsAToken(t *testing.T) {
	server, err := httpserver.New(httpserver.Default(), httpserver.Parts{Tables: []httpserver.Table{baking.Routes(baking.New())}, Guard: guard{}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/bake", "/api/v1/extract"} {
		answer, err := server.Test(httptest.NewRequest(http.MethodPost, path, strings.NewReader(picture)))
		if err != nil || answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %v (%v)", path, answer, err)
		}
	}
}

func TestModuleIsComplete(t *testing.T) {
	if err := fx.ValidateApp(baking.Module, fx.Invoke(func(*baking.Service) {})); err != nil {
		t.Error(err)
	}
}
