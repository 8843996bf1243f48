package scimprobe

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serve starts a tidy server behind something that may spoil its answers.
func serve(t *testing.T, spoil func(http.Handler) http.Handler) (*tidy, string) {
	t.Helper()
	s := &tidy{kept: map[string]map[string]any{}}
	var handler http.Handler = s
	if spoil != nil {
		handler = spoil(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s.base = server.URL + "/scim/v2"
	return s, s.base
}

func probe(t *testing.T, o Options) Report {
	t.Helper()
	if o.Token == "" {
		o.Token = secret
	}
	if o.Slow == 0 {
		o.Slow, o.TooSlow = time.Minute, time.Minute // however busy this machine is
	}
	report, err := Probe(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (r Report) problem(check string, kind Kind) *Problem {
	for _, result := range r.Results {
		for _, p := range result.Problems {
			if result.Check == check && p.Kind == kind {
				return &p
			}
		}
	}
	return nil
}

func (r Report) String() string {
	var b strings.Builder
	for _, result := range r.Results {
		if result.Outcome != Passed {
			fmt.Fprintf(&b, "\n%s %s %+v", result.Check, result.Outcome, result.Problems)
		}
	}
	return b.String()
}

func TestATidyServerIsReady(t *testing.T) {
	s, address := serve(t, nil)
	report := probe(t, Options{Address: address, Write: true, Lookups: 5})
	if !report.Ready || report.Slowest == 0 || len(report.Results) != len(checks) {
		t.Errorf("it is not ready: %s", report)
	}
	for _, r := range report.Results {
		if want := map[string]Outcome{"address": Warning, "certificate": Warning}[r.Check]; r.Outcome != Passed && r.Outcome != want {
			t.Errorf("%+v", r)
		}
	}
	if len(s.kept) != 0 || s.last == 0 {
		t.Errorf("of %d created are left: %v", s.last, s.kept)
	}

	s, address = serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				t.Errorf("it writes without being asked to: %s", r.URL)
			}
			h.ServeHTTP(w, r)
		})
	})
	s.kept["/Users/1"] = doc{"schemas": []string{UserSchema}, "id": "1", "userName": "somebody"}
	if report := probe(t, Options{Address: address + "/?aadOptscim062020"}); !report.Ready || len(s.kept) != 1 || report.Results[len(report.Results)-2].Outcome != Skipped {
		t.Errorf("it is not ready: %s", report)
	}
}

// recorded lets a handler answer into memory, changes the answer and sends it on.
func recorded(change func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, r)
			r.Body = io.NopCloser(bytes.NewReader(body))
			recorder = change(r, recorder)
			for name, values := range recorder.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(recorder.Code)
			_, _ = w.Write(recorder.Body.Bytes())
		})
	}
}

func another(status int, kind, body string, headers ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Code = status
	w.Header().Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	w.Body.WriteString(body)
	return w
}

// replaced changes the text of answers that a condition chooses.
func replaced(when func(r *http.Request, status int) bool, from, to string) func(http.Handler) http.Handler {
	return recorded(func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
		if when(r, w.Code) {
			text := strings.ReplaceAll(w.Body.String(), from, to)
			w.Body.Reset()
			w.Body.WriteString(text)
		}
		return w
	})
}

func always(*http.Request, int) bool { return true }

// TestEveryStumbleIsFound has a broken server in each row, and the check that must see it.
func TestEveryStumbleIsFound(t *testing.T) {
	const page = "<html><body><h1>404 Not Found</h1></body></html>"
	on := func(condition func(r *http.Request, w *httptest.ResponseRecorder) bool, instead *httptest.ResponseRecorder) func(http.Handler) http.Handler {
		return recorded(func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			if condition(r, w) {
				return instead
			}
			return w
		})
	}
	filter := func(r *http.Request) string { return r.URL.Query().Get("filter") }
	var lookups atomic.Int32 // by userName; the other checks send fewer than 30
	for _, row := range []struct {
		name  string
		spoil func(http.Handler) http.Handler
		check string
		kind  Kind
		mild  bool // a warning
	}{
		{"a proxy has its own page for 404", on(func(_ *http.Request, w *httptest.ResponseRecorder) bool { return w.Code == 404 }, another(404, "text/html", page)), "not-found", NotJSON, false},
		{"a proxy has its own page for 401", on(func(_ *http.Request, w *httptest.ResponseRecorder) bool { return w.Code == 401 }, another(401, "text/html", page)), "authentication", NotJSON, false},
		{"an error is plain text", on(func(_ *http.Request, w *httptest.ResponseRecorder) bool { return w.Code == 404 }, another(404, "text/plain", "Not Found")), "not-found", NotJSON, false},
		{"an error is empty", on(func(_ *http.Request, w *httptest.ResponseRecorder) bool { return w.Code == 404 }, another(404, "text/plain", "")), "not-found", NotJSON, false},
		{"an error is a problem document", on(func(_ *http.Request, w *httptest.ResponseRecorder) bool { return w.Code == 404 }, another(404, "application/problem+json", `{"title":"gone"}`)), "not-found", ErrorShape, false},
		{"every answer is application/json", recorded(func(_ *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			w.Header().Set("Content-Type", "application/json")
			return w
		}), "test-connection", WrongMediaType, false},
		{"the status of an error is a number", replaced(always, `"status":"404"`, `"status":404`), "not-found", NumericStatus, false},
		{"the status of an error is another", replaced(always, `"status":"404"`, `"status":"400"`), "not-found", ErrorShape, false},
		{"an unknown scimType", replaced(always, `"status":"404"`, `"status":"404","scimType":"notFound"`), "not-found", ErrorShape, false},
		{"a member twice", replaced(always, `"status":"404"`, `"status":"404","status":"404"`), "not-found", DuplicateKey, false},
		{"401 without WWW-Authenticate", recorded(func(_ *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			w.Header().Del("WWW-Authenticate")
			return w
		}), "authentication", MissingHeader, false},
		{"a sign-in page stands before it", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool { return true }, another(302, "text/html", "", "Location", "/login")), "test-connection", Redirected, false},
		{"only who has no token is sent to a page", on(func(r *http.Request, w *httptest.ResponseRecorder) bool { return w.Code == 401 }, another(302, "text/html", "", "Location", "/login")), "authentication", Redirected, false},
		{"the token is not taken", recorded(func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			return another(401, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"401"}`, "WWW-Authenticate", "Bearer")
		}), "test-connection", TokenRefused, false},
		{"a query that finds nobody is 404", on(func(r *http.Request, w *httptest.ResponseRecorder) bool { return filter(r) != "" }, another(404, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"404"}`)), "test-connection", WrongStatus, false},
		{"there are no groups", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool {
			return strings.HasPrefix(r.URL.Path, "/scim/v2/Groups")
		}, another(404, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"404"}`)), "groups", WrongStatus, false},
		{"a filter on externalId is left out", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool {
			return strings.HasPrefix(filter(r), "externalId")
		},
			another(200, MediaType, `{"schemas":["`+ListSchema+`"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"schemas":["`+UserSchema+`"],"id":"1"}]}`)), "matching", FilterIgnored, false},
		{"an e-mail filter is not understood", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool {
			return strings.Contains(filter(r), "emails[")
		},
			another(400, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"400","scimType":"invalidFilter"}`)), "matching", WrongStatus, false},
		{"an unknown parameter is refused", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool { return r.URL.Query().Has(flag) },
			another(400, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"400"}`)), "flag", WrongStatus, false},
		{"a list says it holds more than it does", replaced(always, `"itemsPerPage":0`, `"itemsPerPage":100`), "test-connection", ListShape, false},
		{"a list without resources", replaced(always, `"Resources":[],`, ``), "test-connection", ListShape, false},
		{"a list whose numbers are text", replaced(always, `"totalResults":0`, `"totalResults":"0"`), "test-connection", ListShape, false},
		{"an id that is none of its own is 400", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool { return r.URL.Path == "/scim/v2/Users/7" },
			another(400, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"400"}`)), "not-found", WrongStatus, false},
		{"a firewall blocks PATCH", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool { return r.Method == "PATCH" }, another(405, "text/html", page)), "methods", Blocked, false},
		{"a firewall blocks DELETE", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool { return r.Method == "DELETE" }, another(403, "text/html", page)), "methods", Blocked, false},
		{"a firewall takes a name for an attack", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool { return strings.Contains(filter(r), "1=1") }, another(403, "text/html", page)), "characters", Blocked, false},
		{"the door is open", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+secret)
				h.ServeHTTP(w, r)
			})
		}, "authentication", OpenDoor, false},
		{"a wrong token is 403", recorded(func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			if w.Code == 401 {
				return another(403, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"403"}`)
			}
			return w
		}), "authentication", WrongStatus, false},
		{"a page holds more than count", recorded(func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			if r.URL.Query().Get("count") == "1" {
				one := `{"schemas":["` + UserSchema + `"],"id":"1"}`
				return another(200, MediaType, `{"schemas":["`+ListSchema+`"],"totalResults":2,"startIndex":1,"itemsPerPage":2,"Resources":[`+one+`,`+one+`]}`)
			}
			return w
		}), "listing", Paging, false},
		{"a page begins elsewhere", replaced(func(r *http.Request, _ int) bool { return r.URL.Query().Has("count") }, `"startIndex":1`, `"startIndex":2`), "listing", Paging, false},
		{"a schema with a null", replaced(func(r *http.Request, _ int) bool { return strings.HasSuffix(r.URL.Path, "/Schemas") }, `"caseExact":false`, `"caseExact":null`), "discovery", NullValue, false},
		{"keywords in another case", replaced(always, `"multiValued"`, `"multivalued"`), "discovery", Discovery, false},
		{"no schema of groups", replaced(func(r *http.Request, _ int) bool { return strings.HasSuffix(r.URL.Path, "/Schemas") }, GroupSchema, "urn:x"), "discovery", Discovery, false},
		{"no PATCH", replaced(always, `"patch":{"supported":true}`, `"patch":{"supported":false}`), "discovery", Discovery, false},
		{"e-mail addresses cannot be discovered", replaced(always, `"canonicalValues":["work","home"],`, ``), "discovery", Discovery, true},
		{"it believes to be elsewhere", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.(*tidy).base = "http://badges.internal:8000/scim/v2"
				h.ServeHTTP(w, r)
			})
		}, "locations", Location, true},
		{"it limits below 25 a second", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool {
			return strings.Contains(filter(r), "userName") && lookups.Add(1) > 30
		},
			another(429, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"429"}`, "Retry-After", "1")), "rate", Throttled, false},
		{"it is slow", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(10 * time.Millisecond)
				h.ServeHTTP(w, r)
			})
		}, "speed", Slow, true},
		{"a connection is cut", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/scim/v2/Groups") {
					panic(http.ErrAbortHandler)
				}
				h.ServeHTTP(w, r)
			})
		}, "groups", NoAnswer, false},
		{"a gateway answers 502", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool {
			return strings.HasSuffix(r.URL.Path, "/Schemas")
		}, another(502, "text/html", page)), "discovery", NotJSON, false},
		{"the database is away", on(func(r *http.Request, _ *httptest.ResponseRecorder) bool {
			return strings.HasPrefix(r.URL.Path, "/scim/v2/Groups")
		},
			another(503, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"503"}`)), "groups", MissingHeader, false},

		{"a create is 200", recorded(func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			if w.Code == 201 {
				w.Code = 200
			}
			return w
		}), "user", WrongStatus, false},
		{"a create says no Location", recorded(func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			w.Header().Del("Location")
			return w
		}), "user", MissingHeader, false},
		{"a duplicate is taken", on(func(r *http.Request, w *httptest.ResponseRecorder) bool { return w.Code == 409 }, another(201, MediaType, `{"schemas":["`+UserSchema+`"],"id":"2","meta":{"location":"x"}}`, "Location", "x")), "user", WrongStatus, false},
		{"active stays a text", replaced(func(r *http.Request, _ int) bool { return r.Method == "POST" }, `"active":true`, `"active":"True"`), "user", ResourceShape, false},
		{"a disabled user is hidden", on(func(r *http.Request, w *httptest.ResponseRecorder) bool {
			return filter(r) != "" && strings.Contains(w.Body.String(), `"active":false`)
		}, another(200, MediaType, `{"schemas":["`+ListSchema+`"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`)), "user", Behaviour, false},
		{"names are found in their own case alone", on(func(r *http.Request, w *httptest.ResponseRecorder) bool {
			return strings.Contains(filter(r), "BADGE-ENGINE")
		},
			another(200, MediaType, `{"schemas":["`+ListSchema+`"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`)), "user", Behaviour, false},
		{"dotted names are kept as they are", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(`"name.familyName"`), []byte(`"name_familyName"`))))
				h.ServeHTTP(w, r)
			})
		}, "user", Behaviour, false},
		{"values are tidied up", replaced(always, "10-040-1308", "+10401308"), "user", Behaviour, false},
		{"one member that is removed takes all along", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if bytes.Contains(body, []byte(`"op":"Remove"`)) {
					delete(h.(*tidy).kept["/Groups/"+r.URL.Path[len("/scim/v2/Groups/"):]], "members")
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				h.ServeHTTP(w, r)
			})
		}, "group", Behaviour, false},
		{"a patch of a group is 200 and empty", recorded(func(r *http.Request, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
			if r.Method == "PATCH" && w.Code == 204 {
				w.Code = 200
			}
			return w
		}), "group", NotJSON, false},
		{"members cannot be excluded", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "excludedAttributes", "x")
				if r.Method == "GET" && strings.HasPrefix(r.URL.Path, "/scim/v2/Groups/") {
					if g := h.(*tidy).kept[strings.TrimPrefix(r.URL.Path, "/scim/v2")]; g != nil && r.URL.RawQuery != "" {
						g["members"] = []any{doc{"value": "x"}}
					}
				}
				h.ServeHTTP(w, r)
			})
		}, "group", Behaviour, false},
		{"deleting is refused", on(func(r *http.Request, w *httptest.ResponseRecorder) bool { return r.Method == "DELETE" && w.Code == 204 },
			another(403, MediaType, `{"schemas":["`+ErrorSchema+`"],"status":"403"}`)), "user", WrongStatus, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, address := serve(t, row.spoil)
			o := Options{Address: address, Write: true}
			switch row.kind {
			case Slow:
				o.Slow, o.TooSlow, o.Write = 5*time.Millisecond, time.Minute, false
			case Throttled:
				o.Lookups, o.Write = 30, false
			}
			report := probe(t, o)
			found := report.problem(row.check, row.kind)
			if found == nil || report.Ready != row.mild {
				t.Errorf("found is, ready %v:%s", report.Ready, report)
			} else if found.Detail == "" {
				t.Errorf("it does not say what: %+v", found)
			}
		})
	}
}

func TestWhatASpoiltDeletionLeavesIsNamed(t *testing.T) {
	s, address := serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "DELETE" && h.(*tidy).kept[strings.TrimPrefix(r.URL.Path, "/scim/v2")] != nil {
				h.(*tidy).refuse(w, 403, "")
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	report := probe(t, Options{Address: address, Write: true})
	if p := report.problem("user", LeftBehind); p == nil || !strings.Contains(p.Detail, "/Users/id-1") || len(s.kept) == 0 {
		t.Errorf("not named: %s", report)
	}
}

func TestAnInterruptedProbeLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, address := serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "PATCH" && h.(*tidy).last > 0 {
				cancel()
			}
			h.ServeHTTP(w, r)
		})
	})
	_, err := Probe(ctx, Options{Address: address, Token: secret, Write: true})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil || s.last == 0 || len(s.kept) != 0 {
		t.Errorf("%v; of %d created are left: %v", err, s.last, s.kept)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for _, o := range []Options{
		{Address: "badges.example.org/scim/v2", Token: "x"}, {Address: "ftp://x/scim/v2", Token: "x"}, {Address: "https://", Token: "x"}, {Address: "http://a b/", Token: "x"},
		{Address: "https://user:pass@badges.example.org/scim/v2", Token: "x"}, {Address: "https://badges.example.org/scim/v2#x", Token: "x"},
		{Address: "https://badges.example.org/scim/v2"}, {Address: "https://badges.example.org/scim/v2", Token: "a\nb"},
	} {
		if _, err := Probe(t.Context(), o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// authority certifies servers for these tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func (a *authority) sign(template *x509.Certificate, public, private any) *x509.Certificate {
	a.t.Helper()
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<60))
	template.SerialNumber = serial
	parent := a.cert
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, private)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func newAuthority(t *testing.T, under *authority) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "Authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(1000 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	if under == nil {
		a.cert = a.sign(template, key.Public(), key)
		a.pool = x509.NewCertPool()
		a.pool.AddCert(a.cert)
	} else {
		template.Subject.CommonName = "Between"
		a.cert, a.pool = under.sign(template, key.Public(), under.key), under.pool
	}
	return a
}

func TestCertificates(t *testing.T) {
	root := newAuthority(t, nil)
	between := newAuthority(t, root)
	ec := func() (any, any) {
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		return key.Public(), key
	}
	usual := func() *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(500 * time.Hour),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	}
	for _, row := range []struct {
		name   string
		make   func() tls.Certificate
		change func(*tls.Config)
		kind   Kind
		says   string
		mild   bool
	}{
		{"a whole chain", func() tls.Certificate {
			public, private := ec()
			return tls.Certificate{Certificate: [][]byte{between.sign(usual(), public, between.key).Raw, between.cert.Raw}, PrivateKey: private}
		}, nil, "", "", false},
		{"the certificate between is left out", func() tls.Certificate {
			public, private := ec()
			return tls.Certificate{Certificate: [][]byte{between.sign(usual(), public, between.key).Raw}, PrivateKey: private}
		}, nil, Certificate, "alone", false},
		{"it certifies itself", func() tls.Certificate {
			key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			own := usual()
			own.IsCA, own.BasicConstraintsValid, own.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
			return tls.Certificate{Certificate: [][]byte{(&authority{t: t}).sign(own, key.Public(), key).Raw}, PrivateKey: key}
		}, nil, Certificate, "itself", false},
		{"of an authority that nobody knows", func() tls.Certificate {
			public, private := ec()
			stranger := newAuthority(t, nil)
			return tls.Certificate{Certificate: [][]byte{stranger.sign(usual(), public, stranger.key).Raw, stranger.cert.Raw}, PrivateKey: private}
		}, nil, Certificate, "unknown authority", false},
		{"for another name", func() tls.Certificate {
			public, private := ec()
			other := usual()
			other.DNSNames = []string{"badges.example.org"}
			return tls.Certificate{Certificate: [][]byte{root.sign(other, public, root.key).Raw}, PrivateKey: private}
		}, nil, Certificate, "this name", false},
		{"expired", func() tls.Certificate {
			public, private := ec()
			old := usual()
			old.NotAfter = time.Now().Add(-time.Minute)
			return tls.Certificate{Certificate: [][]byte{root.sign(old, public, root.key).Raw}, PrivateKey: private}
		}, nil, Certificate, "expired", false},
		{"about to expire", func() tls.Certificate {
			public, private := ec()
			old := usual()
			old.NotAfter = time.Now().Add(48 * time.Hour)
			return tls.Certificate{Certificate: [][]byte{root.sign(old, public, root.key).Raw}, PrivateKey: private}
		}, nil, Certificate, "expires on", true},
		{"a weak key", func() tls.Certificate {
			t.Setenv("GODEBUG", "rsa1024min=0")
			key, err := rsa.GenerateKey(rand.Reader, 1024)
			if err != nil {
				t.Fatal(err)
			}
			return tls.Certificate{Certificate: [][]byte{root.sign(usual(), key.Public(), root.key).Raw}, PrivateKey: key}
		}, nil, Certificate, "weak", false},
		{"TLS 1.1 alone", func() tls.Certificate {
			public, private := ec()
			return tls.Certificate{Certificate: [][]byte{root.sign(usual(), public, root.key).Raw}, PrivateKey: private}
		}, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, Protocol, "TLS 1.2", false},
		{"TLS 1.3 alone", func() tls.Certificate {
			public, private := ec()
			return tls.Certificate{Certificate: [][]byte{root.sign(usual(), public, root.key).Raw}, PrivateKey: private}
		}, func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, Protocol, "TLS 1.2", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &tidy{kept: map[string]map[string]any{}}
			seen := false
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = seen || r.Header.Get("Authorization") != ""
				s.ServeHTTP(w, r)
			}))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{row.make()}, MinVersion: tls.VersionTLS12}
			if row.change != nil {
				row.change(server.TLS)
			}
			server.StartTLS()
			defer server.Close()
			_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
			s.base = "https://localhost:" + port + "/scim/v2"
			report := probe(t, Options{Address: s.base, Roots: root.pool})
			if row.kind == "" {
				if !report.Ready || report.problem("certificate", Certificate) != nil || report.problem("certificate", Protocol) != nil || !seen {
					t.Errorf("not ready: %s", report)
				}
				return
			}
			p := report.problem("certificate", row.kind)
			if p == nil || !strings.Contains(p.Detail, row.says) || report.Ready != row.mild {
				t.Errorf("ready %v: %s", report.Ready, report)
			}
			if !row.mild && seen {
				t.Error("the token went to a server that has not proved itself")
			}
		})
	}
}

func TestTheTokenIsNotSentInTheClear(t *testing.T) {
	report := probe(t, Options{Address: "http://192.0.2.1/scim/v2"}) // TEST-NET-1 is nowhere
	if report.Ready || report.problem("address", Protocol) == nil || report.Results[2].Outcome != Skipped {
		t.Errorf("%s", report)
	}
}
