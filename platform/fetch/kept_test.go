package fetch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/fetch"
)

// source counts how often it is asked, and may fail.
type source struct {
	*httptest.Server
	asked atomic.Int64
	fails atomic.Bool
	began chan struct{} // takes a word when a question waits
	waits chan struct{}
}

func serve(t *testing.T) *source {
	s := &source{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := s.asked.Add(1)
		if s.waits != nil {
			s.began <- struct{}{}
			<-s.waits
		}
		if s.fails.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprint(w, n)
	}))
	t.Cleanup(s.Close)
	return s
}

// keeping is a client that keeps, by a clock of the test.
func keeping(t *testing.T, shared cache.Cache, at *time.Time) *fetch.Client {
	cfg := open()
	cfg.CacheTTL = 5 * time.Minute
	c := fetch.New(cfg, shared).By(func() time.Time { return *at })
	t.Cleanup(c.Close)
	return c
}

func TestADocumentIsAskedForAgainByWhoWantsAYoungerOne(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	shared := memory.New(1<<20, func() time.Time { return at })
	here, there, s := keeping(t, shared, &at), keeping(t, shared, &at), serve(t)
	get := func(c *fetch.Client, atMost time.Duration, want string, old time.Duration) {
		t.Helper()
		data, age, err := c.GetWithin(t.Context(), s.URL, atMost)
		if err != nil || string(data) != want || age != old {
			t.Errorf("GetWithin = %q, %s old, %v; want %q, %s old", data, age, err, want, old)
		}
	}
	get(here, time.Minute, "1", 0)
	at = at.Add(40 * time.Second)
	get(here, time.Minute, "1", 40*time.Second)
	get(there, time.Minute, "1", 40*time.Second) // another replica knows how old it is
	at = at.Add(40 * time.Second)
	get(there, time.Minute, "2", 0)
	get(here, 2*time.Minute, "1", 80*time.Second)
	get(here, time.Minute, "2", 0)
	at = at.Add(5 * time.Minute)
	get(here, time.Hour, "3", 0)
}

func TestAFailureCountsForAMoment(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c, s := keeping(t, nil, &at), serve(t)
	s.fails.Store(true)
	for range 3 {
		if _, err := c.Get(t.Context(), s.URL); err == nil {
			t.Fatal("it did not fail")
		}
	}
	s.fails.Store(false)
	at = at.Add(9 * time.Second)
	if _, err := c.Get(t.Context(), s.URL); err == nil || s.asked.Load() != 1 {
		t.Errorf("%v, and it was asked %d times", err, s.asked.Load())
	}
	at = at.Add(time.Second)
	if data, err := c.Get(t.Context(), s.URL); err != nil || string(data) != "2" {
		t.Errorf("Get = %q, %v", data, err)
	}
	// That somebody gave up says nothing about the address.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(ctx, s.URL+"/other"); err == nil {
		t.Error("who gave up was answered")
	}
	if _, err := c.Get(t.Context(), s.URL+"/other"); err != nil {
		t.Error(err)
	}
}

func TestManyWhoAskAtOnceCauseOneRequest(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c, s := keeping(t, nil, &at), serve(t)
	s.began, s.waits = make(chan struct{}, 100), make(chan struct{})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if data, err := c.Get(t.Context(), s.URL); err != nil || string(data) != "1" {
				t.Errorf("Get = %q, %v", data, err)
			}
		})
	}
	impatient, cancel := context.WithCancel(t.Context())
	<-s.began
	cancel()
	if _, err := c.Get(impatient, s.URL); err == nil {
		t.Error("who gave up was answered")
	}
	close(s.waits)
	wg.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	large := strings.Repeat("x", 1<<19)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, large) }))
	defer server.Close()
	c := keeping(t, nil, &at)
	for i := range 100 {
		if _, err := c.Get(t.Context(), fmt.Sprint(server.URL, "/", i)); err != nil {
			t.Fatal(err)
		}
		if held := fetch.Held(c); held > 17<<20 {
			t.Fatalf("%d bytes are kept", held)
		}
	}
	if held := fetch.Held(c); held < 4<<20 {
		t.Errorf("only %d bytes are kept", held)
	}
}
