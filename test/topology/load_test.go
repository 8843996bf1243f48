//go:build unix

package topology_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/test/topology"
)

// client does not reuse connections: each request meets nginx as a new caller's does.
var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// call sends one request through nginx, or to a replica, as the administrator.
func call(base, method, path, key string, body []byte) (int, []byte, error) {
	return callAs(topology.Admin, base, method, path, key, body)
}

func callAs(token, base, method, path, key string, body []byte) (int, []byte, error) {
	request, err := http.NewRequest(method, base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return answer.StatusCode, data, err
}

// load issues without pause, and repeats each order under its key until it is
// acknowledged.
type load struct {
	t      *testing.T
	base   string
	order  []byte
	tokens []string // of those who order; the replicas remember them in Redis

	mu    sync.Mutex
	acked map[string][]byte // the credential by the key of its order
	open  map[string]bool   // sent and not acknowledged
	held  map[string]bool   // those of them that are reserved
	bad   []string          // answers that are neither an acknowledgement nor "later"
	news  int               // credentials of newcomers
	tries atomic.Int64      // that failed

	next atomic.Int64
}

// prepare defines what is issued.
func prepare(t *testing.T, base string) *load {
	t.Helper()
	made := func(path, body string) string {
		t.Helper()
		status, data, err := call(base, "POST", path, "", []byte(body))
		var v struct{ ID string }
		if err != nil || status != 201 || json.Unmarshal(data, &v) != nil {
			t.Fatalf("%s: %d %s %v", path, status, data, err)
		}
		return v.ID
	}
	issuer := made("/api/v1/issuers", `{"name":"Example Academy"}`)
	achievement := made("/api/v1/achievements", fmt.Sprintf(`{"issuerId":%q,"name":"Teamwork","description":"d","criteria":{"narrative":"n"}}`, issuer))
	var tokens []string
	for i := range workers {
		status, data, err := call(base, "POST", "/api/v1/tokens", "", fmt.Appendf(nil, `{"name":"worker %d","scopes":["credentials:issue"]}`, i))
		var v struct{ Token string }
		if err != nil || status != 201 || json.Unmarshal(data, &v) != nil {
			t.Fatalf("token: %d %s %v", status, data, err)
		}
		tokens = append(tokens, v.Token)
	}
	return &load{
		t: t, base: base, tokens: tokens, acked: map[string][]byte{}, open: map[string]bool{}, held: map[string]bool{},
		order: fmt.Appendf(nil, `{"achievementId":%q,"recipient":{"email":"ada@example.org"}}`, achievement),
	}
}

// later are the answers after which an order is repeated.
var later = map[int]bool{0: true, 429: true, 502: true, 503: true, 504: true}

// attempt sends an order once and says whether it was acknowledged. Each order is sent
// by the same caller, or it would be another.
func (l *load) attempt(key string) bool {
	number, _ := strconv.Atoi(strings.TrimPrefix(key, "order-"))
	status, data, err := callAs(l.tokens[number%len(l.tokens)], l.base, "POST", "/api/v1/credentials", key, l.order)
	var v struct{ Credential json.RawMessage }
	if err == nil && (status == 200 || status == 201) && json.Unmarshal(data, &v) == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if before, twice := l.acked[key]; twice && !bytes.Equal(before, v.Credential) {
			l.bad = append(l.bad, key+" was issued twice")
		}
		l.acked[key] = v.Credential
		delete(l.open, key)
		return true
	}
	if err != nil {
		status = 0
	}
	if status == 409 {
		l.mu.Lock()
		l.held[key] = true
		l.mu.Unlock()
		return false
	}
	l.tries.Add(1)
	if !later[status] {
		l.mu.Lock()
		l.bad = append(l.bad, fmt.Sprintf("%s: %d %s", key, status, data))
		l.mu.Unlock()
	}
	return false
}

// newcomer orders once as somebody whom no replica remembers, so that the replica has
// to ask Redis, and the database where Redis does not say.
func (l *load) newcomer() {
	l.t.Helper()
	status, data, err := call(l.base, "POST", "/api/v1/tokens", "", fmt.Appendf(nil, `{"name":"newcomer %d","scopes":["credentials:issue"]}`, l.next.Add(1)))
	var v struct{ Token string }
	if err != nil || status != 201 || json.Unmarshal(data, &v) != nil {
		l.t.Fatalf("token: %d %s %v", status, data, err)
	}
	key := fmt.Sprintf("newcomer-%d", l.next.Add(1))
	begun := time.Now()
	status, data, err = callAs(v.Token, l.base, "POST", "/api/v1/credentials", key, l.order)
	var got struct{ Credential json.RawMessage }
	if err != nil || status != 201 || json.Unmarshal(data, &got) != nil {
		l.t.Errorf("a newcomer is answered %d %s %v after %s", status, data, err, time.Since(begun))
		return
	}
	l.t.Logf("a newcomer waited %s", time.Since(begun).Round(time.Millisecond))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.news++
}

const workers = 6

// during keeps the load on while a fault is there, and for some orders after it. An
// order whose reservation a fault left behind answers 409 until that counts as
// abandoned; it stays open, and settle sees to it.
func (l *load) during(fault func()) {
	l.t.Helper()
	stop := make(chan struct{})
	var crowd sync.WaitGroup
	for range workers {
		crowd.Go(func() {
			for {
				key := fmt.Sprintf("order-%d", l.next.Add(1))
				l.mu.Lock()
				l.open[key] = true
				l.mu.Unlock()
				for !l.attempt(key) {
					if l.reserved(key) || l.t.Failed() {
						break
					}
					time.Sleep(50 * time.Millisecond) // as Retry-After asks, only sooner
				}
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond): // steady, not a flood: every order is looked at again in the end
				}
			}
		})
	}
	l.more(20)
	fault()
	l.more(20)
	close(stop)
	crowd.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, what := range l.bad {
		l.t.Error(what)
	}
	l.bad = nil
}

// reserved reports whether the last answer to an order was that it is under way.
func (l *load) reserved(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open[key] && l.held[key]
}

// more waits for some acknowledgements.
func (l *load) more(n int) {
	l.t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.acked)
	}
	want := count() + n
	for deadline := time.Now().Add(30 * time.Second); count() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("nothing is acknowledged any more")
		}
	}
}

// settle checks the books: every acknowledged credential is there as it was
// acknowledged, and there is none besides.
func (l *load) settle() {
	l.t.Helper()
	l.t.Logf("%d orders acknowledged, %d still reserved, %d attempts failed meanwhile", len(l.acked), len(l.open), l.tries.Load())
	keys := make(chan string)
	var crowd sync.WaitGroup
	for range workers {
		crowd.Go(func() {
			for key := range keys { // attempt compares what it gets with what was acknowledged
				if !l.attempt(key) {
					l.t.Errorf("%s was acknowledged, and is lost", key)
				}
			}
		})
	}
	for _, key := range slices.Collect(maps.Keys(l.acked)) {
		keys <- key
	}
	close(keys)
	crowd.Wait()
	for _, key := range slices.Collect(maps.Keys(l.open)) {
		for deadline := time.Now().Add(90 * time.Second); !l.attempt(key); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				l.t.Fatalf("%s was never acknowledged: it did not mend itself", key)
			}
		}
	}
	for _, what := range l.bad {
		l.t.Error(what)
	}
	listed, cursor := 0, ""
	for {
		status, data, err := call(l.base, "GET", "/api/v1/credentials?limit=500&cursor="+cursor, "", nil)
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		if err != nil || status != 200 || json.Unmarshal(data, &page) != nil {
			l.t.Fatalf("list: %d %s %v", status, data, err)
		}
		listed += len(page.Items)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if listed != len(l.acked)+l.news {
		l.t.Errorf("%d credentials are there for %d orders", listed, len(l.acked)+l.news)
	}
}

// visitors send what is no order under a key: they read, verify, and issue without one,
// which nginx never sends twice.
type visitors struct {
	answered atomic.Int64
	stop     chan struct{}
	crowd    sync.WaitGroup
}

// visit lets them in; whoever is not answered as ever fails the test.
func (l *load) visit(t *testing.T) *visitors {
	t.Helper()
	l.mu.Lock()
	var badge []byte
	for _, badge = range l.acked {
		break
	}
	l.mu.Unlock()
	var v struct{ ID string }
	if err := json.Unmarshal(badge, &v); err != nil {
		t.Fatal(err)
	}
	page := strings.TrimPrefix(v.ID, l.base)
	crowd := &visitors{stop: make(chan struct{})}
	for _, kind := range []struct {
		method, path string
		body         []byte
		status       int
	}{
		{"GET", page, nil, 200},
		{"GET", "/api/v1/credentials?limit=1", nil, 200},
		{"POST", "/api/v1/verify", badge, 200},
		{"POST", "/api/v1/credentials", l.order, 201},
	} {
		crowd.crowd.Go(func() {
			for {
				status, data, err := call(l.base, kind.method, kind.path, "", kind.body)
				if status != kind.status {
					t.Errorf("%s %s is answered %d %s %v", kind.method, kind.path, status, data, err)
				} else {
					crowd.answered.Add(1)
				}
				if status == 201 {
					l.mu.Lock()
					l.news++
					l.mu.Unlock()
				}
				select {
				case <-crowd.stop:
					return
				case <-time.After(5 * time.Millisecond): // steady, not a flood
				}
			}
		})
	}
	return crowd
}

// leave waits until all are gone.
func (v *visitors) leave() {
	close(v.stop)
	v.crowd.Wait()
}
