package entrasim

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Sim is the simulated tenant. All methods may be called at any time, by any
// goroutine.
type Sim struct {
	Authority    string // for ENTRA_AUTHORITY
	GraphURL     string // for GRAPH_URL
	ElsewhereURL string // a host that nobody may call
	TenantID     string
	ClientID     string // of the app registration under test, which is client and API at once
	ClientSecret string
	AppIDURI     string // names the API in scopes and in tokens of version 1: "api://" and the client id
	RedirectURI  string // registered from the start; others by RegisterRedirectURI
	Issuer       string // of tokens of version 2
	IssuerV1     string // of tokens of version 1
	AuthorizeURL string
	TokenURL     string
	LogoutURL    string
	KeysURL      string

	User        User // who signs in unless the test says otherwise
	Daemon      App  // another application of the tenant, with a role on the API
	Provisioner App  // the service principal that calls with MintAssertion

	t      testing.TB
	now    func() time.Time
	picker bool

	mu          sync.Mutex
	users       map[string]*User // by object id
	apps        map[string]*App  // by client id
	permissions []string         // of ClientID on Graph
	redirects   []string
	postLogout  []string
	frontLogout string
	certs       []*x509.Certificate
	keys        []*Key
	spare       []*Key // made for the test, never published
	current     *Key
	codes       map[string]*grant
	queue       []string // object ids
	refusals    []int    // AADSTS numbers for the next sign-ins
	altered     []Override
	graphTokens map[string]graphToken
	secretEnds  time.Time
	groupClaims any
	nextLink    func(string) string
	faults      map[Endpoint]fault
	calls       map[Endpoint]int
}

// Option changes how the simulator starts.
type Option func(*Sim)

// WithClock makes every time stamp and every expiry follow now.
func WithClock(now func() time.Time) Option { return func(s *Sim) { s.now = now } }

// WithAccountPicker shows a page with a button for every user instead of signing
// somebody in at once.
func WithAccountPicker() Option { return func(s *Sim) { s.picker = true } }

// WithTenant sets the tenant id, which is otherwise random.
func WithTenant(id string) Option { return func(s *Sim) { s.TenantID = id } }

// WithClient sets the client id and secret, which are otherwise random.
func WithClient(id, secret string) Option {
	return func(s *Sim) { s.ClientID, s.ClientSecret = id, secret }
}

// New starts a tenant with one user, the app registration under test and two
// other applications. It ends with the test.
func New(t testing.TB, options ...Option) *Sim {
	t.Helper()
	s := &Sim{
		TenantID:     guid(),
		ClientID:     guid(),
		ClientSecret: "sim~" + random(30),
		RedirectURI:  "http://localhost:8000/auth/callback",
		t:            t,
		now:          time.Now,
		users:        map[string]*User{},
		apps:         map[string]*App{},
		permissions:  []string{"GroupMember.Read.All", "User.Read.All"},
		codes:        map[string]*grant{},
		graphTokens:  map[string]graphToken{},
		faults:       map[Endpoint]fault{},
		calls:        map[Endpoint]int{},
	}
	for _, option := range options {
		option(s)
	}
	s.secretEnds, s.groupClaims = s.now().AddDate(1, 0, 0), "SecurityGroup"
	s.Authority = s.serve(s.authority())
	s.GraphURL = s.serve(s.graph())
	s.ElsewhereURL = s.serve(s.on(http.NotFound, Elsewhere))

	tenant := s.Authority + "/" + s.TenantID
	s.AppIDURI = "api://" + s.ClientID
	s.Issuer = tenant + "/v2.0"
	s.IssuerV1 = "https://sts.windows.net/" + s.TenantID + "/"
	s.AuthorizeURL = tenant + "/oauth2/v2.0/authorize"
	s.TokenURL = tenant + "/oauth2/v2.0/token"
	s.LogoutURL = tenant + "/oauth2/v2.0/logout"
	s.KeysURL = tenant + "/discovery/v2.0/keys"
	s.redirects = []string{s.RedirectURI}

	t.Cleanup(s.returnKeys)
	s.current = s.AddKey()
	s.AddKey() // Entra publishes several keys at all times.

	s.User = s.AddUser(User{Name: "Dana Kim", Username: "dana.kim@contoso.example"})
	s.Daemon = s.AddApp(App{Name: "Course Records", Roles: []string{"Badges.Issue.All"}})
	s.Provisioner = s.AddApp(App{Name: "Provisioning"})
	s.apps[s.ClientID] = &App{ClientID: s.ClientID, ObjectID: guid(), Name: "Badges", Secret: s.ClientSecret}
	return s
}

// Env are the settings by which a server finds the simulator.
func (s *Sim) Env() map[string]string {
	return map[string]string{
		"ENTRA_AUTHORITY":     s.Authority,
		"GRAPH_URL":           s.GraphURL,
		"ENTRA_TENANT_ID":     s.TenantID,
		"ENTRA_CLIENT_ID":     s.ClientID,
		"ENTRA_CLIENT_SECRET": s.ClientSecret,
		"ENTRA_REDIRECT_URI":  s.RedirectURI,
	}
}

// Now is the simulator's time, in whole seconds.
func (s *Sim) Now() time.Time { return s.now().UTC().Truncate(time.Second) }

// RegisterRedirectURI adds addresses to which sign-in may lead back.
func (s *Sim) RegisterRedirectURI(uris ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redirects = append(s.redirects, uris...)
}

// RegisterPostLogoutURI adds addresses to which sign-out may lead back.
func (s *Sim) RegisterPostLogoutURI(uris ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.postLogout = append(s.postLogout, uris...)
}

// RegisterFrontChannelLogout makes the sign-out page load uri with sid and iss
// in an iframe.
func (s *Sim) RegisterFrontChannelLogout(uri string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frontLogout = uri
}

// RegisterCertificate lets the app registration under test prove itself with
// assertions that cert's key signed.
func (s *Sim) RegisterCertificate(cert *x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.certs = append(s.certs, cert)
}

// serve starts one more host. Its address is known before the first request.
func (s *Sim) serve(handler http.Handler) string {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // broken connections are intended here
	server.Start()
	s.t.Cleanup(func() {
		server.CloseClientConnections() // lets go of whoever waits in Stall
		server.Close()
	})
	return server.URL
}

// Endpoint is a part of Entra that can fail and is counted on its own.
type Endpoint string

// The endpoints. Graph stands for all of Graph together.
const (
	Discovery         Endpoint = "discovery"
	Keys              Endpoint = "keys"
	Authorize         Endpoint = "authorize"
	Token             Endpoint = "token"
	Logout            Endpoint = "logout"
	Graph             Endpoint = "graph"
	CheckMemberGroups Endpoint = "checkMemberGroups"
	MemberObjects     Endpoint = "getMemberObjects"
	TransitiveMembers Endpoint = "transitiveMemberOf"
	Elsewhere         Endpoint = "elsewhere"
)

// Fault answers in place of an endpoint. Any handler will do.
type Fault = http.HandlerFunc

type fault struct {
	answer Fault
	left   int // requests still to fail; negative for all
}

// Fail makes an endpoint answer with f until Heal.
func (s *Sim) Fail(e Endpoint, f Fault) { s.FailNext(e, -1, f) }

// FailNext makes an endpoint answer its next n requests with f.
func (s *Sim) FailNext(e Endpoint, n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[e] = fault{f, n}
}

// Heal ends what Fail and FailNext began.
func (s *Sim) Heal(e Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.faults, e)
}

// Calls counts the requests an endpoint has had, failed ones included.
func (s *Sim) Calls(e Endpoint) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[e]
}

// on counts a handler's requests and puts faults in its place.
func (s *Sim) on(handler http.HandlerFunc, endpoints ...Endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := handler
		s.mu.Lock()
		for _, e := range endpoints {
			s.calls[e]++
			if f, broken := s.faults[e]; broken && f.left != 0 {
				answer = f.answer
				f.left--
				s.faults[e] = f
			}
		}
		s.mu.Unlock()
		answer(w, r)
	})
}

// ServerError is a plain 500.
func ServerError(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "The service is unavailable.", http.StatusInternalServerError)
}

// HTML is a page with status 200 where JSON belongs, as a proxy in between makes
// it. Its text is nothing to show to anybody.
func HTML(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, `<!doctype html><title>Sorry</title><script>alert("AADSTS90033")</script>`)
}

// Stall accepts the request and never answers, until the caller gives up or the
// test ends.
func Stall(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body) // only then does the server notice that the caller is gone
	<-r.Context().Done()
}

// Hangup closes the connection without an answer.
func Hangup(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// Huge is a JSON document of several megabytes.
func Huge(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"keys":[],"value":[],"padding":"`)
	for block := strings.Repeat("a", 1<<16); ; {
		if _, err := io.WriteString(w, block); err != nil {
			return
		}
		if block = block + block; len(block) > 4<<20 {
			break
		}
	}
	io.WriteString(w, `"}`)
}

// Garbage is half a JSON document.
func Garbage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"keys":[{"kty":`)
}

// RedirectTo sends the caller to another address, body and all.
func RedirectTo(address string) Fault {
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, address, http.StatusTemporaryRedirect)
	}
}

// Throttled is 429 with Retry-After, in Graph's shape.
func Throttled(seconds int) Fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", fmt.Sprint(seconds))
		graphError(w, http.StatusTooManyRequests, "TooManyRequests", "Too many requests.")
	}
}

// GraphError is an error in Graph's shape, such as 404 Request_ResourceNotFound.
func GraphError(status int, code string) Fault {
	return func(w http.ResponseWriter, _ *http.Request) { graphError(w, status, code, "Simulated failure.") }
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value)
}

// guid is a random identifier as Entra writes them.
func guid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// random is a text for addresses, of n bytes.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// without answers list less every value in gone.
func without(list []string, gone ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(v string) bool { return slices.Contains(gone, v) })
}
