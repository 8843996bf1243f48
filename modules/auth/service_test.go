package auth_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// shelf is tokens kept in a map; it counts what is looked up.
type shelf struct {
	tokens  map[string]auth.Token
	lookups int
	err     error
}

func (s *shelf) Insert(_ context.Context, t auth.Token) error { s.tokens[t.ID] = t; return s.err }

func (s *shelf) Find(_ context.Context, id string) (auth.Token, error) {
	s.lookups++
	t, found := s.tokens[id]
	if s.err == nil && !found {
		return auth.Token{}, auth.ErrNotFound
	}
	return t, s.err
}

func (s *shelf) List(context.Context) ([]auth.Token, error) {
	return slices.SortedFunc(maps.Values(s.tokens), func(a, b auth.Token) int { return cmp.Compare(b.ID, a.ID) }), s.err
}

func (s *shelf) Revoke(_ context.Context, id string, at time.Time) error {
	t := s.tokens[id]
	t.Revoked = at
	s.tokens[id] = t
	return s.err
}

// absent is a cache that is away.
type absent struct{ cache.Cache }

func (absent) Get(context.Context, string) ([]byte, bool, error) {
	return nil, false, cache.ErrUnavailable
}
func (absent) Set(context.Context, string, []byte, time.Duration) error { return cache.ErrUnavailable }
func (absent) Delete(context.Context, ...string) error                  { return cache.ErrUnavailable }

type unused struct{}

func (unused) Touch(context.Context, string, time.Time) error { return nil }

// house is the service with all that surrounds it.
type house struct {
	*auth.Service
	shelf *shelf
	log   *bytes.Buffer
	at    time.Time
}

const bootstrap = "0123456789abcdef0123456789abcdef"

func build(t testing.TB, cached bool) *house {
	t.Helper()
	h := &house{shelf: &shelf{tokens: map[string]auth.Token{}}, log: &bytes.Buffer{}, at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return h.at }
	var c cache.Cache = absent{}
	if cached {
		c = memory.New(1<<20, now)
	}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	var err error
	h.Service, err = auth.New(auth.Config{BootstrapAdminToken: bootstrap}, h.shelf, c, auth.NewUsage(unused{}, log), now, log)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) token(t testing.TB, name string, expires time.Time, scopes ...string) (string, auth.Token) {
	t.Helper()
	text, token, err := h.Create(t.Context(), name, scopes, expires)
	if err != nil {
		t.Fatal(err)
	}
	return text, token
}

func (h *house) knock(t testing.TB, authorization string) (principal.Principal, error) {
	t.Helper()
	return h.Authenticate(t.Context(), httpserver.Credentials{Authorization: authorization, RemoteIP: "192.0.2.7"})
}

func TestAuthenticateKnowsATokenByItsText(t *testing.T) {
	h := build(t, true)
	text, token := h.token(t, "course platform", time.Time{}, principal.ScopeCredentialsRead, principal.ScopeCredentialsIssue)
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
		p, err := h.knock(t, scheme+text)
		if err != nil {
			t.Fatal(err)
		}
		if p.ID != "token:"+token.ID || p.Name != "course platform" || !slices.Equal(p.Scopes, []string{principal.ScopeCredentialsIssue, principal.ScopeCredentialsRead}) {
			t.Errorf("principal is %+v", p)
		}
	}
}

func TestAuthenticateRefusesInOneSentenceAndLogsWhy(t *testing.T) {
	h := build(t, true)
	good, token := h.token(t, "good", time.Time{}, principal.ScopeAdmin)
	stranger, _ := build(t, true).token(t, "of another house", time.Time{}, principal.ScopeAdmin)
	expired, _ := h.token(t, "expired", h.at.Add(time.Hour), principal.ScopeAdmin)
	revoked, gone := h.token(t, "revoked", time.Time{}, principal.ScopeAdmin)
	if _, err := h.RevokeID(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	h.at = h.at.Add(time.Hour)
	// The id of one token with the secret of another, its checksum made anew.
	swapped := auth.Seal(strings.Join(append(strings.Split(good, "_")[:2], strings.Split(stranger, "_")[2]), "_"))

	for _, row := range []struct{ name, header, reason string }{
		{"another scheme", "Basic dXNlcjpwYXNz", "not of the form Bearer and a token"},
		{"no token behind the scheme", "Bearer ", "not of the form Bearer and a token"},
		{"no space behind the scheme", "Bearer" + good, "not of the form Bearer and a token"},
		{"two tokens", "Bearer " + good + " " + good, "not of the form Bearer and a token"},
		{"a text without end", "Bearer " + strings.Repeat("a", 4096), "not of the form Bearer and a token"},
		{"a text of another make", "Bearer ghp_0123456789", "not of the form of our tokens"},
		{"an id beyond 128 bits", "Bearer " + auth.Seal("be_"+strings.Repeat("Z", 22)+"_"+strings.Repeat("0", 43)), "not of the form of our tokens"},
		{"an id with a sign", "Bearer " + auth.Seal("be_+"+strings.Repeat("0", 21)+"_"+strings.Repeat("0", 43)), "not of the form of our tokens"},
		{"a typing error in the secret", "Bearer " + mistype(good), "the checksum does not match"},
		{"a token of another house", "Bearer " + stranger, auth.ErrNotFound.Message()},
		{"a known id with another secret", "Bearer " + swapped, "the secret does not match"},
		{"an expired token, in the second in which it expires", "Bearer " + expired, "reason=expired"},
		{"a revoked token", "Bearer " + revoked, "reason=revoked"},
		{"a bootstrap token with one more character", "Bearer " + bootstrap + "0", "not of the form of our tokens"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h.log.Reset()
			p, err := h.knock(t, row.header)
			if err != error(auth.ErrTokenInvalid) { // not errors.Is: it must carry no cause and no detail
				t.Fatalf("error is %v", err)
			}
			if !p.Anonymous() {
				t.Errorf("principal is %+v", p)
			}
			line := h.log.String()
			if !strings.Contains(line, row.reason) || !strings.Contains(line, "remote_ip=192.0.2.7") {
				t.Errorf("log lacks %q: %s", row.reason, line)
			}
			if strings.Contains(line, strings.Split(good, "_")[2]) || shows(line, row.header) {
				t.Errorf("log shows the token: %s", line)
			}
		})
	}
	if p, err := h.knock(t, "Bearer "+good); err != nil || p.ID != "token:"+token.ID {
		t.Errorf("the good token is refused after all that: %v", err)
	}
}

// shows reports whether a line of the log has the token of the header.
func shows(line, header string) bool {
	_, text, _ := strings.Cut(header, " ")
	return text != "" && strings.Contains(line, text)
}

// mistype changes one character of the secret.
func mistype(text string) string {
	at := len(text) - 20
	wrong := byte('a')
	if text[at] == wrong {
		wrong = 'b'
	}
	return text[:at] + string(wrong) + text[at+1:]
}

func TestAuthenticateKnowsNobodyWithoutAHeader(t *testing.T) {
	h := build(t, true)
	if p, err := h.knock(t, ""); err != nil || !p.Anonymous() {
		t.Errorf("principal is %+v, error %v", p, err)
	}
}

func TestAuthenticateSaysSoWhenItCannotTell(t *testing.T) {
	h := build(t, true)
	text, _ := h.token(t, "good", time.Time{}, principal.ScopeAdmin)
	h.shelf.err = database.ErrUnavailable
	if _, err := h.knock(t, "Bearer "+text); !errors.Is(err, database.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
}

func TestATokenOnceKnownIsNotLookedUpForAMoment(t *testing.T) {
	h := build(t, true)
	text, _ := h.token(t, "busy", time.Time{}, principal.ScopeAdmin)
	for range 100 {
		if _, err := h.knock(t, "Bearer "+text); err != nil {
			t.Fatal(err)
		}
	}
	if h.shelf.lookups != 1 {
		t.Errorf("a hundred requests looked the token up %d times", h.shelf.lookups)
	}
	h.at = h.at.Add(auth.Remembered)
	if _, err := h.knock(t, "Bearer "+text); err != nil || h.shelf.lookups != 2 {
		t.Errorf("after a while the token was looked up %d times, error %v", h.shelf.lookups, err)
	}
	if auth.Remembered > 10*time.Second {
		t.Errorf("tokens are remembered for %v", auth.Remembered)
	}
}

func TestARememberedTokenExpiresOnTime(t *testing.T) {
	h := build(t, true)
	text, _ := h.token(t, "brief", h.at.Add(2*time.Second), principal.ScopeAdmin)
	if _, err := h.knock(t, "Bearer "+text); err != nil {
		t.Fatal(err)
	}
	h.at = h.at.Add(2 * time.Second)
	if _, err := h.knock(t, "Bearer "+text); !errors.Is(err, auth.ErrTokenInvalid) || h.shelf.lookups != 1 {
		t.Errorf("error is %v after %d look-ups", err, h.shelf.lookups)
	}
}

func TestRevokingForgetsTheTokenAtOnce(t *testing.T) {
	h := build(t, true)
	text, token := h.token(t, "leaked", time.Time{}, principal.ScopeAdmin)
	if _, err := h.knock(t, "Bearer "+text); err != nil {
		t.Fatal(err)
	}
	if _, err := h.RevokeID(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.knock(t, "Bearer "+text); !errors.Is(err, auth.ErrTokenInvalid) {
		t.Errorf("error is %v", err)
	}
}

func TestWithoutACacheEverythingWorks(t *testing.T) {
	h := build(t, false)
	text, token := h.token(t, "slow", time.Time{}, principal.ScopeAdmin)
	if _, err := h.knock(t, "Bearer "+text); err != nil {
		t.Fatal(err)
	}
	if _, err := h.RevokeID(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.knock(t, "Bearer "+text); !errors.Is(err, auth.ErrTokenInvalid) {
		t.Errorf("error is %v", err)
	}
}

func TestTheBootstrapTokenMayDoEverythingAndWarns(t *testing.T) {
	h := build(t, true)
	p, err := h.knock(t, "Bearer "+bootstrap)
	if err != nil || p.ID != "bootstrap" || !p.May(principal.ScopeSCIM) || h.shelf.lookups != 0 {
		t.Errorf("principal is %+v, error %v, %d look-ups", p, err, h.shelf.lookups)
	}
	h.Start(t.Context())
	if line := h.log.String(); !strings.Contains(line, "level=WARN") || !strings.Contains(line, "BOOTSTRAP_ADMIN_TOKEN") || strings.Contains(line, bootstrap) {
		t.Errorf("log is %q", line)
	}
}

func TestConfigRefusesABootstrapTokenThatDoesNotServe(t *testing.T) {
	for _, row := range []struct {
		name, token string
		ok          bool
	}{
		{"none is fine", "", true},
		{"32 characters are fine", bootstrap, true},
		{"31 characters can be guessed", bootstrap[1:], false},
		{"a space cannot be sent", bootstrap + " x", false},
		{"a line break cannot be sent", bootstrap + "\n", false},
		{"more than a header takes", strings.Repeat("a", 513), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := auth.Config{BootstrapAdminToken: config.Secret(row.token)}
			err := cfg.Check()
			if (err == nil) != row.ok {
				t.Fatalf("error is %v", err)
			}
			if err != nil && (!strings.Contains(err.Error(), "BOOTSTRAP_ADMIN_TOKEN") || strings.Contains(err.Error(), row.token)) {
				t.Errorf("error is %v", err)
			}
			if _, err := auth.New(cfg, nil, nil, nil, time.Now, slog.New(slog.DiscardHandler)); (err == nil) != row.ok {
				t.Errorf("New answers %v", err)
			}
		})
	}
}

func TestCreateRefusesWhatIsNoToken(t *testing.T) {
	h := build(t, true)
	admin := []string{principal.ScopeAdmin}
	for _, row := range []struct {
		name    string
		called  string
		scopes  []string
		expires time.Time
		pointer string
		must    string
	}{
		{"no name", "  ", admin, time.Time{}, "/name", "has no name"},
		{"a name of 101 characters", strings.Repeat("ä", 101), admin, time.Time{}, "/name", "too long"},
		{"a name with a line break", "a\nb", admin, time.Time{}, "/name", "cannot be shown"},
		{"a name that is not UTF-8", "a\xff", admin, time.Time{}, "/name", "cannot be shown"},
		{"no scope", "x", nil, time.Time{}, "/scopes", "The scopes are: issuers:write, achievements:write, credentials:issue, credentials:read, credentials:sign, audit:read, metrics:read, scim, admin."},
		{"an unknown scope", "x", []string{"admin", "root"}, time.Time{}, "/scopes/1", `There is no scope "root". The scopes are: issuers:write,`},
		{"an expiry that has come", "x", admin, h.at, "/expires", "not in the future"},
		{"an expiry far away", "x", admin, h.at.AddDate(101, 0, 0), "/expires", "hundred years"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := h.Create(t.Context(), row.called, row.scopes, row.expires)
			f, ok := fault.From(err)
			if !ok || !errors.Is(err, auth.ErrInvalid) {
				t.Fatalf("error is %v", err)
			}
			if v := f.Violations(); len(v) != 1 || v[0].Pointer != row.pointer || !strings.Contains(f.Detail(), row.must) {
				t.Errorf("violations are %+v", v)
			}
		})
	}
	if len(h.shelf.tokens) != 0 {
		t.Errorf("%d tokens were stored", len(h.shelf.tokens))
	}
}

func TestATokenIsRecognisableAndShownOnce(t *testing.T) {
	h := build(t, true)
	text, token := h.token(t, "  one  ", time.Time{}, principal.ScopeSCIM, principal.ScopeSCIM)
	other, _ := h.token(t, "two", time.Time{}, principal.ScopeSCIM)
	parts := strings.Split(text, "_")
	if len(parts) != 4 || len(text) != 76 || parts[0] != "be" || token.Prefix != "be_"+parts[1] {
		t.Errorf("token has %d characters and prefix %s", len(text), token.Prefix)
	}
	if parts[2] == strings.Split(other, "_")[2] {
		t.Error("two tokens share a secret")
	}
	if token.Name != "one" || !slices.Equal(token.Scopes, []string{principal.ScopeSCIM}) || !token.Created.Equal(h.at) {
		t.Errorf("token is %+v", token)
	}
	if strings.Contains(h.log.String(), parts[2]) {
		t.Error("the log shows the secret")
	}
}

func TestRevokeFindsTheTokenThatIsMeant(t *testing.T) {
	h := build(t, true)
	ci, ciToken := h.token(t, "ci", time.Time{}, principal.ScopeAdmin)
	_, deploy := h.token(t, "ci deploy", time.Time{}, principal.ScopeAdmin)
	_, east := h.token(t, "school east", time.Time{}, principal.ScopeAdmin)
	_, west := h.token(t, "school west", time.Time{}, principal.ScopeAdmin)
	for _, row := range []struct {
		name, reference string
		want            auth.Token
		err             error
	}{
		{"the beginning of two names", "school", auth.Token{}, auth.ErrAmbiguous},
		{"nothing", "", auth.Token{}, auth.ErrNotFound},
		{"a name nobody has", "nobody", auth.Token{}, auth.ErrNotFound},
		{"an id nobody has", "0192f0c0-0000-7000-8000-000000000000", auth.Token{}, auth.ErrNotFound},
		{"a whole name that begins another", "ci", ciToken, nil},
		{"the name of a token already revoked means the other", "ci", deploy, nil},
		{"the whole text of a token", ci, ciToken, nil},
		{"the beginning of a token as lists show it", west.Prefix, west, nil},
		{"the beginning of one name", "school", east, nil},
		{"an id", east.ID, east, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := h.Revoke(t.Context(), row.reference)
			if !errors.Is(err, row.err) {
				t.Fatalf("error is %v", err)
			}
			if got.ID != row.want.ID || row.err == nil && got.Revoked.IsZero() {
				t.Errorf("revoked %+v", got)
			}
		})
	}
	list, err := h.List(t.Context())
	if err != nil || len(list) != 4 {
		t.Errorf("list has %d tokens, error %v", len(list), err)
	}
}

func TestRevokeKeepsTheFirstTime(t *testing.T) {
	h := build(t, true)
	_, token := h.token(t, "x", time.Time{}, principal.ScopeAdmin)
	first, err := h.RevokeID(t.Context(), token.ID)
	if err != nil {
		t.Fatal(err)
	}
	h.at = h.at.Add(time.Hour)
	again, err := h.RevokeID(t.Context(), strings.ToUpper(token.ID))
	if err != nil || !again.Revoked.Equal(first.Revoked) {
		t.Errorf("revoked at %v and again at %v, error %v", first.Revoked, again.Revoked, err)
	}
}

func TestParseExpiryReadsWhatPeopleWrite(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 30, 15, 500, time.FixedZone("", 3600))
	for _, row := range []struct{ name, in, want string }{
		{"nothing is never", "", ""},
		{"days", "90d", "2027-02-21T11:30:15Z"},
		{"weeks", "2w", "2026-12-07T11:30:15Z"},
		{"hours", "12h", "2026-11-23T23:30:15Z"},
		{"hours and minutes", " 1h30m ", "2026-11-23T13:00:15Z"},
		{"a date ends with its day", "2026-12-31", "2027-01-01T00:00:00Z"},
		{"today works to its end", "2026-11-23", "2026-11-24T00:00:00Z"},
		{"an instant", "2026-12-31T10:00:00+02:00", "2026-12-31T08:00:00Z"},
		{"no days", "0d", "!not in the future"},
		{"a negative number of days", "-3d", "!neither a duration nor a date"},
		{"a negative duration", "-3h", "!not in the future"},
		{"yesterday", "2026-11-22", "!not in the future"},
		{"a day that does not exist", "2027-02-30", "!neither a duration nor a date"},
		{"more than a hundred years", "40000d", "!hundred years"},
		{"the end of the calendar", "9999-12-31", "!hundred years"},
		{"more days than a number holds", "99999999999999999999d", "!neither a duration nor a date"},
		{"a unit nobody knows", "3 fortnights", "!neither a duration nor a date"},
		{"a text without end", strings.Repeat("é", 1000), "!neither a duration nor a date"},
	} {
		t.Run(row.name, func(t *testing.T) {
			at, err := auth.ParseExpiry(row.in, now)
			if must, refused := strings.CutPrefix(row.want, "!"); refused {
				if !errors.Is(err, auth.ErrInvalid) || !strings.Contains(err.Error(), must) || len(err.Error()) > 400 {
					t.Errorf("error is %v", err)
				}
				return
			}
			got := ""
			if !at.IsZero() {
				got = at.Format(time.RFC3339Nano)
			}
			if err != nil || got != row.want {
				t.Errorf("%q is %s, error %v", row.in, got, err)
			}
		})
	}
}

func BenchmarkAuthenticateRemembered(b *testing.B) {
	h := build(b, true)
	text, _ := h.token(b, "busy", time.Time{}, principal.ScopeAdmin)
	c := httpserver.Credentials{Authorization: "Bearer " + text}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Authenticate(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}
