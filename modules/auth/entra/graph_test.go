package entra_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
)

const checkPath = "/v1.0/users/" + userID + "/checkMemberGroups"

// graph is a Graph over a tenant that lives in the time of the bubble.
type graph struct {
	*tenant
	*entra.Graph

	mu      sync.Mutex
	member  []string
	batches []int
}

func newGraph(t *testing.T) *graph {
	s := newTenant(t, time.Now)
	g := &graph{tenant: s, Graph: entra.NewGraph(settings(), s.client(), time.Now, slog.New(slog.NewTextHandler(io.Discard, nil)))}
	issued := 0
	s.handle(tokenPath, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("scope") != "https://graph.microsoft.com/.default" || r.PostForm.Get("client_secret") == "" {
			reply(w, 400, set{"error": "invalid_request"})
			return
		}
		g.mu.Lock()
		issued++
		g.mu.Unlock()
		reply(w, 200, set{"access_token": fmt.Sprintf("graph-%d", issued), "token_type": "Bearer", "expires_in": 3600})
	})
	s.handle(checkPath, g.check)
	return g
}

func (g *graph) check(w http.ResponseWriter, r *http.Request) {
	var q struct{ GroupIDs []string }
	if json.NewDecoder(r.Body).Decode(&q) != nil || r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer graph-") {
		reply(w, 400, set{"error": set{"code": "BadRequest"}})
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.batches = append(g.batches, len(q.GroupIDs))
	found := slices.DeleteFunc(q.GroupIDs, func(id string) bool { return !slices.Contains(g.member, id) })
	reply(w, 200, set{"@odata.context": "x", "@odata.nextLink": "https://evil.example/next", "value": found})
}

func (g *graph) ask(ids ...string) ([]string, error) { return g.MemberOf(g.t.Context(), userID, ids) }

func groups(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("8a2c0d92-6f0c-4a55-9b0e-%012d", i))
	}
	return ids
}

func TestMemberOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraph(t)
		if found, err := g.ask(); err != nil || found != nil || len(g.calls) != 0 {
			t.Errorf("asked for nothing: %v %v %v", found, err, g.calls)
		}
		ids := groups(45)
		g.member = []string{ids[3], ids[44], groupID} // the last is not asked for
		found, err := g.ask(append(ids, ids[3], strings.ToUpper(ids[44]))...)
		if err != nil || !slices.Equal(found, []string{ids[3], ids[44]}) || !slices.Equal(g.batches, []int{20, 20, 5}) {
			t.Errorf("%v %v %v", found, err, g.batches)
		}
		if slices.Contains(g.hosts(), "evil.example") {
			t.Errorf("followed a link: %v", g.hosts())
		}
		if g.count(tokenPath) != 1 {
			t.Errorf("%d tokens", g.count(tokenPath))
		}
		time.Sleep(54 * time.Minute)
		_, _ = g.ask(groupID)
		if g.count(tokenPath) != 1 {
			t.Errorf("%d tokens within the hour", g.count(tokenPath))
		}
		time.Sleep(2 * time.Minute)
		_, _ = g.ask(groupID)
		if g.count(tokenPath) != 2 {
			t.Errorf("%d tokens after it", g.count(tokenPath))
		}
	})
}

func TestManyAskersShareOneToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraph(t)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := g.ask(groupID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if g.count(tokenPath) != 1 {
			t.Errorf("%d tokens", g.count(tokenPath))
		}
	})
}

func TestIdentifiersAreNoPaths(t *testing.T) {
	g := newGraph(t)
	for _, id := range []string{"", "../me", userID + "/x", userID + "?", "{" + userID + "}"} {
		if _, err := g.MemberOf(t.Context(), id, []string{groupID}); err == nil {
			t.Errorf("asked for user %q", id)
		}
		if _, err := g.MemberOf(t.Context(), userID, []string{groupID, id}); err == nil {
			t.Errorf("asked for group %q", id)
		}
	}
	if len(g.calls) != 0 {
		t.Errorf("called %v", g.calls)
	}
}

// times answers the first n requests by one handler and the rest by another.
func times(n int, first, rest http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if n--; n >= 0 {
			first(w, r)
		} else {
			rest(w, r)
		}
	}
}

func retryAfter(code int, header string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		reply(w, code, set{"error": set{"code": "TooManyRequests"}})
	}
}

func graphFault(code int, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, code, set{"error": set{"code": name}}) }
}

func TestGraphInTrouble(t *testing.T) {
	const unavailable = "unavailable"
	for _, row := range []struct {
		name     string
		answer   func(g *graph) http.HandlerFunc
		want     string // "", unavailable, or a code of Graph
		asked    int
		from, to time.Duration
	}{
		{"one 500 is asked again", func(g *graph) http.HandlerFunc { return times(1, status(500), g.check) }, "", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"500 for ever is given up on", func(*graph) http.HandlerFunc { return status(500) }, unavailable, 4, 1750 * time.Millisecond, 2500 * time.Millisecond},
		{"HTML with 502 is given up on", func(*graph) http.HandlerFunc { return html(502) }, unavailable, 4, 0, 3 * time.Second},
		{"429 is obeyed", func(g *graph) http.HandlerFunc { return times(1, retryAfter(429, "3"), g.check) }, "", 2, 3 * time.Second, 3 * time.Second},
		{"503 with Retry-After is obeyed", func(g *graph) http.HandlerFunc { return times(1, retryAfter(503, "2"), g.check) }, "", 2, 2 * time.Second, 2 * time.Second},
		{"429 without Retry-After is asked again", func(g *graph) http.HandlerFunc { return times(1, retryAfter(429, ""), g.check) }, "", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"429 with a date is obeyed", func(g *graph) http.HandlerFunc {
			return times(1, func(w http.ResponseWriter, r *http.Request) {
				retryAfter(429, time.Now().Add(4*time.Second).UTC().Format(http.TimeFormat))(w, r)
			}, g.check)
		}, "", 2, 3 * time.Second, 4 * time.Second},
		{"429 for too long is not waited for", func(*graph) http.HandlerFunc { return retryAfter(429, "30") }, unavailable, 1, 0, 0},
		{"429 with nonsense is asked again", func(g *graph) http.HandlerFunc { return times(1, retryAfter(429, "-1 soon"), g.check) }, "", 2, 250 * time.Millisecond, 500 * time.Millisecond},
		{"429 again and again ends with the patience", func(*graph) http.HandlerFunc { return retryAfter(429, "4") }, unavailable, 3, 8 * time.Second, 8 * time.Second},
		{"no answer is given up on", func(*graph) http.HandlerFunc { return stall }, unavailable, 4, 5 * time.Second, 25 * time.Second},
		{"403 says what is missing", func(*graph) http.HandlerFunc { return graphFault(403, "Authorization_RequestDenied") }, "Authorization_RequestDenied", 1, 0, 0},
		{"404 says who is missing", func(*graph) http.HandlerFunc { return graphFault(404, "Request_ResourceNotFound") }, "Request_ResourceNotFound", 1, 0, 0},
		{"401 is tried once with a new token", func(g *graph) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") == "Bearer graph-1" {
					graphFault(401, "InvalidAuthenticationToken")(w, r)
				} else {
					g.check(w, r)
				}
			}
		}, "", 2, 0, 0},
		{"401 twice is an error", func(*graph) http.HandlerFunc { return graphFault(401, "InvalidAuthenticationToken") }, "InvalidAuthenticationToken", 2, 0, 0},
		{"a code with markup is not repeated", func(*graph) http.HandlerFunc { return graphFault(400, "<script>") }, unavailable, 1, 0, 0},
		{"200 with HTML is no answer", func(*graph) http.HandlerFunc { return html(200) }, unavailable, 1, 0, 0},
		{"200 without value is no answer", func(*graph) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, set{}) }
		}, unavailable, 1, 0, 0},
		{"more than a megabyte is no answer", func(*graph) http.HandlerFunc { return huge }, unavailable, 4, 0, 3 * time.Second},
		{"a redirect is not followed", func(*graph) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
			}
		}, unavailable, 1, 0, 0},
		{"groups that nobody asked for do not count", func(*graph) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				reply(w, 200, set{"value": []string{clientID, groupID}})
			}
		}, "", 1, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGraph(t)
				g.member = []string{groupID}
				g.handle(checkPath, row.answer(g))
				start := time.Now()
				found, err := g.ask(groupID)
				took := time.Since(start)
				var fault *entra.GraphError
				switch {
				case row.want == "" && (err != nil || !slices.Equal(found, []string{groupID})):
					t.Errorf("%v %v", found, err)
				case row.want == unavailable && !errors.Is(err, entra.ErrUnavailable):
					t.Errorf("%v", err)
				case row.want != "" && row.want != unavailable && (!errors.As(err, &fault) || fault.Code != row.want || fault.Hint == ""):
					t.Errorf("%v", err)
				}
				if err != nil && (found != nil || strings.Contains(err.Error(), "script")) {
					t.Errorf("%v %v", found, err)
				}
				if n := g.count(checkPath); n != row.asked || slices.Contains(g.hosts(), "evil.example") {
					t.Errorf("asked %d times, %v", n, g.hosts())
				}
				if took < row.from || took > row.to {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestThrottlingHoldsEverybodyOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraph(t)
		g.handle(checkPath, times(1, retryAfter(429, "30"), g.check))
		for range 3 {
			if _, err := g.ask(groupID); !errors.Is(err, entra.ErrUnavailable) {
				t.Error(err)
			}
		}
		if n := g.count(checkPath); n != 1 {
			t.Errorf("asked %d times", n)
		}
		time.Sleep(25 * time.Second)
		start := time.Now()
		if _, err := g.ask(groupID); err != nil || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestGraphNeedsAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraph(t)
		g.handle(tokenPath, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 401, set{"error": "invalid_client", "error_codes": []int{7000222}})
		})
		_, err := g.ask(groupID)
		var e *entra.AuthorityError
		if !errors.As(err, &e) || e.Number != 7000222 || g.count(checkPath) != 0 {
			t.Error(err)
		}
		g.handle(tokenPath, stall)
		if _, err := g.ask(groupID); !errors.Is(err, entra.ErrUnavailable) {
			t.Error(err)
		}
	})
}
