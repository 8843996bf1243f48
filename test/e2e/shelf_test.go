package e2e

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// stopped is a clock that goes only when it is told to, so that nothing becomes old by
// itself.
type stopped struct{ at atomic.Int64 }

func stop() *stopped {
	c := &stopped{}
	c.at.Store(time.Now().Unix())
	return c
}

func (c *stopped) now() time.Time        { return time.Unix(c.at.Load(), 0) }
func (c *stopped) pass(seconds int64)    { c.at.Add(seconds) }
func (c *stopped) before() (text string) { return c.now().Add(-time.Second).UTC().Format(time.RFC3339) }

// published is something of everything that the world reads.
type published struct {
	*house
	issuer, achievement, image, credential, endorsement, key string
	entry                                                    statusEntry
}

func drawn(width string) []byte {
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="` + width + `" height="1"/>`)
}

func publish(h *house) published {
	p := published{house: h}
	p.image = h.must(201, h.send("POST", "/api/v1/images", picture(h.t), "Content-Type", "image/png")).id(h.t)
	h.must(200, h.send("PUT", "/api/v1/images/"+p.image, drawn("1"), "Content-Type", "image/svg+xml"))
	p.issuer = h.must(201, h.send("POST", "/api/v1/issuers", map[string]any{"name": "Example Academy", "url": "https://academy.example.org", "email": "badges@academy.example.org"})).id(h.t)
	other := h.issuer()
	p.achievement = h.achievement(p.issuer, p.image)
	p.credential, _, p.entry = h.award(p.achievement, nil)
	p.endorsement = h.must(201, h.send("POST", "/api/v1/endorsements", map[string]string{"endorserId": other, "achievementId": p.achievement})).id(h.t)
	h.must(200, h.send("POST", "/api/v1/endorsements/"+p.endorsement+"/give", map[string]string{}))
	var keys struct{ Items []struct{ ID string } }
	h.must(200, h.send("GET", "/api/v1/issuers/"+p.issuer+"/keys", nil)).into(h.t, &keys)
	p.key = keys.Items[0].ID
	return p
}

// statements counts those that a request caused.
func (h *house) statements(request string) (n int) {
	for line := range strings.Lines(h.log.String()) {
		if strings.Contains(line, "statement executed") && strings.Contains(line, "request_id="+request+"\n") {
			n++
		}
	}
	return n
}

func TestWhatEverybodyReadsCostsNoDatabaseWhenItIsWarm(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			clock := stop()
			h := bootWith(t, clock.now, func(cfg *engine.Config) {
				cfg.Database.URL, cfg.Database.Echo, cfg.PublicURL = e.URL, true, "https://badges.example.org"
			})
			p := publish(h)
			clock.pass(5)
			list := strings.TrimPrefix(p.entry.StatusListCredential, "https://badges.example.org")
			for name, row := range map[string][]string{
				"credential":             {"/credentials/" + p.credential},
				"credential-vc":          {"/credentials/" + p.credential, "Accept", "application/vc"},
				"badge-png":              {"/credentials/" + p.credential + "/badge.png"},
				"badge-svg":              {"/credentials/" + p.credential + "/badge.svg"},
				"status-list":            {list},
				"status-list-vc":         {list, "Accept", "application/vc"},
				"status-list-jwt":        {list, "Accept", "application/vc+jwt"},
				"status-list-past":       {list + "?timestamp=" + clock.before()},
				"status-list-suspension": {strings.TrimSuffix(list, "revocation") + "suspension"},
				"revocations":            {"/issuers/" + p.issuer + "/revocations"},
				"did":                    {"/issuers/" + p.issuer + "/did.json"},
				"keys":                   {"/issuers/" + p.issuer + "/keys"},
				"key":                    {"/issuers/" + p.issuer + "/jwk/" + p.key},
				"host-keys":              {"/.well-known/jwks.json"},
				"issuer":                 {"/issuers/" + p.issuer},
				"achievement":            {"/achievements/" + p.achievement},
				"achievement-json":       {"/achievements/" + p.achievement, "Accept", "application/json"},
				"image":                  {"/images/" + p.image},
				"endorsement":            {"/endorsements/" + p.endorsement},
				"assertion":              {"/ob2/assertions/" + p.credential},
				"assertion-png":          {"/ob2/assertions/" + p.credential + "/badge.png"},
				"assertion-svg":          {"/ob2/assertions/" + p.credential + "/badge.svg"},
				"badge-class":            {"/ob2/achievements/" + p.achievement},
				"hosted-issuer":          {"/ob2/issuers/" + p.issuer},
			} {
				h.must(200, h.send("PUT", "/api/v1/issuers/"+p.issuer, map[string]any{"name": "Example Academy", "url": "https://academy.example.org", "email": "badges@academy.example.org"})) // the shelf is empty
				ask := func(request string, status int, headers ...string) answer {
					t.Helper()
					return h.must(status, h.send("GET", row[0], nil, append(append([]string{"Authorization", "", "X-Request-Id", request}, row[1:]...), headers...)...))
				}
				cold := ask("cold-"+name, 200)
				warm := ask("warm-"+name, 200)
				tag := cold.header.Get("ETag")
				if tag == "" || !strings.HasPrefix(cold.header.Get("Cache-Control"), "public, max-age=") || !bytes.Equal(cold.body, warm.body) || warm.header.Get("ETag") != tag {
					t.Errorf("%s is answered with %v, and then with %v", name, cold.header, warm.header)
				}
				for i, header := range []string{tag, `"other", W/` + tag, "*"} {
					request := fmt.Sprintf("known-%s-%d", name, i)
					if a := ask(request, 304, "If-None-Match", header); len(a.body) > 0 || a.header.Get("ETag") != tag || a.header.Get("Cache-Control") != cold.header.Get("Cache-Control") {
						t.Errorf("%s is answered as unchanged with %v", name, a.header)
					}
					if n := h.statements(request); n != 0 {
						t.Errorf("%s, which the caller had, cost %d statements", name, n)
					}
				}
				ask("other-"+name, 200, "If-None-Match", `"other"`)
				if n := h.statements("cold-" + name); n == 0 {
					t.Errorf("%s cost no statement when it was cold: they are not counted", name)
				}
				if n := h.statements("warm-"+name) + h.statements("other-"+name); n != 0 {
					t.Errorf("%s cost %d statements when it was warm", name, n)
				}
			}
		})
	}
}

// TestAPageAboutACredentialAsksOnlyHowItStandsWithIt opens it as a browser does.
func TestAPageAboutACredentialAsksOnlyHowItStandsWithIt(t *testing.T) {
	clock := stop()
	h := bootWith(t, clock.now, func(cfg *engine.Config) { cfg.Database.Echo, cfg.PublicURL = true, "https://badges.example.org" })
	p := publish(h)
	for _, request := range []string{"page-cold", "page-warm"} {
		a := h.must(200, h.send("GET", "/credentials/"+p.credential, nil, "Authorization", "", "Accept", "text/html", "X-Request-Id", request))
		if !bytes.Contains(a.body, []byte("badge.png")) {
			t.Fatalf("the page shows no picture: %s", a.body)
		}
	}
	if cold, warm := h.statements("page-cold"), h.statements("page-warm"); cold < 2 || warm != 1 {
		t.Errorf("the page costs %d statements, and then %d", cold, warm)
	}
}

// TestAChangeIsPublishedAtOnceHereAndSoonElsewhere changes everything that can be at one
// replica and reads it at both, with clocks that stand still: nothing becomes old, so
// that only the word of the other replica takes it off the shelf.
func TestAChangeIsPublishedAtOnceHereAndSoonElsewhere(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			clock, key := stop(), filepath.Join(t.TempDir(), "key")
			replica := func() *house {
				return bootWith(t, clock.now, func(cfg *engine.Config) {
					cfg.Database.URL, cfg.Cache.URL, cfg.Issuance.KeyFile, cfg.PublicURL = e.URL, dbtest.Redis(t), key, "https://badges.example.org"
				})
			}
			here, there := replica(), replica()
			p := publish(here)
			list := strings.TrimPrefix(p.entry.StatusListCredential, "https://badges.example.org")
			says := func(a answer) string { return fmt.Sprintf("%d %s", a.status, a.body) }
			for _, change := range []struct {
				name, method, path string
				body               any
				pages              []string
			}{
				{"a profile", "PUT", "/api/v1/issuers/" + p.issuer, map[string]any{"name": "Other Academy", "url": "https://academy.example.org", "email": "badges@academy.example.org"},
					[]string{"/issuers/" + p.issuer, "/achievements/" + p.achievement, "/ob2/issuers/" + p.issuer}},
				{"an achievement", "PUT", "/api/v1/achievements/" + p.achievement, map[string]any{"issuerId": p.issuer, "name": "Teamwork again", "description": "d", "criteria": map[string]any{"narrative": "n"}, "imageId": p.image},
					[]string{"/achievements/" + p.achievement, "/ob2/achievements/" + p.achievement}},
				{"a picture", "PUT", "/api/v1/images/" + p.image, drawn("2"),
					[]string{"/credentials/" + p.credential + "/badge.svg", "/ob2/assertions/" + p.credential + "/badge.svg", "/images/" + p.image + "?format=svg"}},
				{"a new key", "POST", "/api/v1/issuers/" + p.issuer + "/keys", map[string]any{"kind": "Ed25519"},
					[]string{"/issuers/" + p.issuer + "/did.json", "/issuers/" + p.issuer + "/keys", "/.well-known/jwks.json", "/issuers/" + p.issuer}},
				{"a new version", "PUT", "/api/v1/credentials/" + p.credential, map[string]any{"narrative": "More."},
					[]string{"/credentials/" + p.credential}},
				{"a suspension", "POST", "/api/v1/credentials/" + p.credential + "/suspend", map[string]any{},
					[]string{strings.TrimSuffix(list, "revocation") + "suspension", "/ob2/assertions/" + p.credential}},
				{"a revocation", "POST", "/api/v1/credentials/revoke", map[string]any{"ids": []string{p.credential}, "expected": 1},
					[]string{list}},
				{"a withdrawal", "DELETE", "/api/v1/credentials/" + p.credential, nil,
					[]string{"/credentials/" + p.credential, "/credentials/" + p.credential + "/badge.png", "/ob2/assertions/" + p.credential}},
			} {
				clock.pass(2) // versions follow one another by whole seconds
				public := func(h *house, path string) answer {
					return h.send("GET", path, nil, "Authorization", "", "Accept", "*/*")
				}
				before := make([]string, len(change.pages))
				for i, path := range change.pages {
					before[i] = says(public(here, path))
					if other := says(public(there, path)); other != before[i] {
						t.Fatalf("%s differs before %s: %s and %s", path, change.name, before[i], other)
					}
				}
				body, headers := change.body, []string(nil)
				if _, is := body.([]byte); is {
					headers = []string{"Content-Type", "image/svg+xml"}
				}
				if a := here.send(change.method, change.path, body, headers...); a.status >= 300 {
					t.Fatalf("%s: %s", change.name, says(a))
				}
				asked := time.Now()
				for i, path := range change.pages {
					now := says(public(here, path))
					if now == before[i] {
						t.Errorf("%s does not show %s at once: %s", path, change.name, now)
					}
					for says(public(there, path)) == before[i] {
						if time.Since(asked) > 20*time.Second {
							t.Fatalf("%s does not show %s at the other replica", path, change.name)
						}
						time.Sleep(20 * time.Millisecond)
					}
				}
				t.Logf("%s was to be seen at the other replica after %v", change.name, time.Since(asked).Round(time.Millisecond))
			}
		})
	}
}
