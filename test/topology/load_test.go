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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/test/topology"
)

// client does not reuse connections: each request meets nginx as a new caller's does.
var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// call sends one request through nginx, or to a replica.
func call(base, method, path, key string, body []byte) (int, []byte, error) {
	request, err := http.NewRequest(method, base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+topology.Admin)
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
	t     *testing.T
	base  string
	order []byte

	mu    sync.Mutex
	acked map[string][]byte // the credential by the key of its order
	open  map[string]bool   // sent and not acknowledged
	held  map[string]bool   // those of them that are reserved
	bad   []string          // answers that are neither an acknowledgement nor "later"
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
	return &load{
		t: t, base: base, acked: map[string][]byte{}, open: map[string]bool{}, held: map[string]bool{},
		order: fmt.Appendf(nil, `{"achievementId":%q,"recipient":{"email":"ada@example.org"}}`, achievement),
	}
}

// later are the answers after which an order is repeated.
var later = map[int]bool{0: true, 429: true, 502: true, 503: true, 504: true}

// attempt sends an order once and says whether it was acknowledged.
func (l *load) attempt(key string) bool {
	status, data, err := call(l.base, "POST", "/api/v1/credentials", key, l.order)
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
	if listed != len(l.acked) {
		l.t.Errorf("%d credentials are there for %d orders", listed, len(l.acked))
	}
}
