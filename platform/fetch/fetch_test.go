package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/fetch"
)

// open fetches from the servers of a test, which are on the loopback without TLS.
func open() fetch.Config {
	c := fetch.Default()
	c.AllowPrivate, c.AllowHTTP, c.CacheTTL = true, true, 0
	return c
}

func TestGetAsksForJSON(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Accept"), "application/json") || r.Header.Get("Authorization") != "" {
			t.Errorf("the request has the headers %v", r.Header)
		}
		_, _ = w.Write([]byte(`{"path":"` + r.URL.RequestURI() + `"}`))
	}))
	defer server.Close()
	c := fetch.New(open(), nil)
	defer c.Close()
	data, err := c.Get(t.Context(), server.URL+"/a?b=c#fragment")
	if err != nil || string(data) != `{"path":"/a?b=c"}` {
		t.Errorf("Get = %s, %v", data, err)
	}
}

func TestGetRefusesAddresses(t *testing.T) {
	c := fetch.New(fetch.Default(), nil)
	defer c.Close()
	for name, address := range map[string]string{
		"loopback":                   "https://127.0.0.1/",
		"another loopback":           "https://127.8.9.10:8443/",
		"loopback by name":           "https://localhost/",
		"this host":                  "https://0.0.0.0/",
		"private ten":                "https://10.1.2.3/",
		"private 172":                "https://172.16.0.1/",
		"private 192":                "https://192.168.1.1/",
		"carrier-grade NAT":          "https://100.100.100.200/",
		"the metadata service":       "https://169.254.169.254/latest/meta-data/",
		"multicast":                  "https://224.0.0.1/",
		"broadcast":                  "https://255.255.255.255/",
		"IPv6 loopback":              "https://[::1]/",
		"IPv6 unspecified":           "https://[::]/",
		"IPv6 link-local":            "https://[fe80::1]/",
		"IPv6 unique local":          "https://[fd00:ec2::254]/",
		"IPv6 multicast":             "https://[ff02::1]/",
		"loopback mapped":            "https://[::ffff:127.0.0.1]/",
		"metadata mapped":            "https://[::ffff:a9fe:a9fe]/",
		"private through NAT64":      "https://[64:ff9b::10.0.0.1]/",
		"private through 6to4":       "https://[2002:0a00:0001::1]/",
		"an IPv4-compatible address": "https://[::10.0.0.1]/",
		"documentation":              "https://[2001:db8::1]/",
		"no TLS":                     "http://example.org/",
		"a file":                     "file:///etc/passwd",
		"another protocol":           "gopher://example.org/",
		"no host":                    "https:///path",
		"a user":                     "https://me:secret@example.org/",
		"no URL":                     "https://exa mple.org/",
		"something endless":          "https://example.org/" + strings.Repeat("a", 5000),
		"nothing":                    "",
	} {
		t.Run(name, func(t *testing.T) {
			if data, err := c.Get(t.Context(), address); !errors.Is(err, fetch.ErrAddress) {
				t.Errorf("Get = %q, %v", data, err)
			}
		})
	}
}

// A name that first leads to the open net and then to the loopback gains nothing:
// what counts is the address at the moment of connecting.
func TestGetLooksAtTheAddressAndNotAtTheName(t *testing.T) {
	hit := atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit.Store(true) }))
	defer server.Close()
	cfg := open()
	cfg.AllowPrivate = false
	resolver := nameServer(t, netip.MustParseAddr("127.0.0.1"))
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := fetch.New(cfg, nil)
	defer c.Close()
	fetch.SetResolver(c, resolver)
	if data, err := c.Get(t.Context(), "http://rebinding.example:"+port+"/"); !errors.Is(err, fetch.ErrAddress) {
		t.Errorf("Get = %q, %v", data, err)
	}
	if hit.Load() {
		t.Error("the server on the loopback was asked")
	}
	cfg.AllowPrivate = true
	c2 := fetch.New(cfg, nil)
	defer c2.Close()
	fetch.SetResolver(c2, resolver)
	if _, err := c2.Get(t.Context(), "http://rebinding.example:"+port+"/"); err != nil || !hit.Load() {
		t.Errorf("with private addresses allowed: %v; the name server of the test may be at fault", err)
	}
}

// nameServer answers one address for every name.
func nameServer(t *testing.T, address netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(dnsAnswer(buffer[:n], address), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// dnsAnswer answers the single question of a query: RFC 1035, 4.1.
func dnsAnswer(query []byte, address netip.Addr) []byte {
	end := 12
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5
	kind := int(query[end-4])<<8 | int(query[end-3])
	out := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[12:end]...)
	if kind == 1 {
		out[7] = 1
		out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		out = append(out, address.AsSlice()...)
	}
	return out
}

func TestGetFollowsFewRedirects(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/round" {
			http.Redirect(w, r, "/and", http.StatusMovedPermanently)
			return
		}
		if r.URL.Path == "/and" {
			http.Redirect(w, r, "/round", http.StatusMovedPermanently)
			return
		}
		if left, _ := strconv.Atoi(r.URL.Path[1:]); left > 0 {
			http.Redirect(w, r, "/"+strconv.Itoa(left-1), http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("arrived"))
	}))
	defer server.Close()
	c := fetch.New(open(), nil)
	defer c.Close()
	if data, err := c.Get(t.Context(), server.URL+"/3"); err != nil || string(data) != "arrived" {
		t.Errorf("three redirects: %q, %v", data, err)
	}
	if data, err := c.Get(t.Context(), server.URL+"/4"); !errors.Is(err, fetch.ErrRedirect) {
		t.Errorf("four redirects: %q, %v", data, err)
	}
	if data, err := c.Get(t.Context(), server.URL+"/round"); !errors.Is(err, fetch.ErrRedirect) {
		t.Errorf("round and round: %q, %v", data, err)
	}
}

func TestGetChecksWhereARedirectLeads(t *testing.T) {
	hit := atomic.Bool{}
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit.Store(true) }))
	defer inner.Close()
	for name, row := range map[string]struct {
		to   string
		want error
	}{
		"to a private address": {inner.URL, fetch.ErrAddress},
		"to another scheme":    {"https://example.org/", fetch.ErrRedirect},
		"to a file":            {"file:///etc/passwd", fetch.ErrRedirect},
		"to a user":            {"http://me@example.org/", fetch.ErrAddress},
	} {
		t.Run(name, func(t *testing.T) {
			outer := httptest.NewServer(http.RedirectHandler(row.to, http.StatusMovedPermanently))
			defer outer.Close()
			cfg := open()
			cfg.AllowPrivate = false
			c := fetch.New(cfg, nil)
			defer c.Close()
			fetch.Trust(c, outer.Listener.Addr().String()) // as if it were public
			if data, err := c.Get(t.Context(), outer.URL); !errors.Is(err, row.want) {
				t.Errorf("Get = %q, %v; want %v", data, err, row.want)
			}
		})
	}
	if hit.Load() {
		t.Error("the private server was asked")
	}
}

func TestGetReadsNoMoreThanItsLimit(t *testing.T) {
	for name, row := range map[string]struct {
		size   int
		length bool
		want   error
	}{
		"at the limit":                   {2048, true, nil},
		"a byte more":                    {2049, true, fetch.ErrTooLarge},
		"a byte more, without saying so": {2049, false, fetch.ErrTooLarge},
		"endless":                        {1 << 24, false, fetch.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if row.length {
					w.Header().Set("Content-Length", strconv.Itoa(row.size))
				}
				for left := row.size; left > 0; left -= 1024 {
					if _, err := w.Write(make([]byte, min(left, 1024))); err != nil {
						return
					}
				}
			}))
			defer server.Close()
			cfg := open()
			cfg.MaxBytes = 2048
			c := fetch.New(cfg, nil)
			defer c.Close()
			if data, err := c.Get(t.Context(), server.URL); !errors.Is(err, row.want) || err == nil && len(data) != row.size {
				t.Errorf("Get = %d bytes, %v; want %v", len(data), err, row.want)
			}
		})
	}
}

func TestGetGivesUpOnAServerThatDoesNotAnswer(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	cfg := open()
	cfg.Timeout = 100 * time.Millisecond
	c := fetch.New(cfg, nil)
	defer c.Close()
	if data, err := c.Get(t.Context(), server.URL); err == nil {
		t.Errorf("Get = %q", data)
	}
}

func TestGetTakesNothingButSuccess(t *testing.T) {
	for _, status := range []int{201, 204, 206, 304, 404, 500} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		c := fetch.New(open(), nil)
		if data, err := c.Get(t.Context(), server.URL); !errors.Is(err, fetch.ErrStatus) {
			t.Errorf("%d: %q, %v", status, data, err)
		}
		c.Close()
		server.Close()
	}
}

func TestGetTellsWhatIsSaidOfADocumentThatIsGone(t *testing.T) {
	status := http.StatusGone
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(bytes.Repeat([]byte("revoked "), 100_000))
	}))
	defer server.Close()
	c := fetch.New(open(), nil)
	defer c.Close()
	var refusal *fetch.Refusal
	_, err := c.Get(t.Context(), server.URL)
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	if body, gone := refusal.Gone(); !gone || !bytes.HasPrefix(body, []byte("revoked ")) || len(body) > 64<<10 {
		t.Errorf("%d bytes, %t", len(body), gone)
	}
	status = http.StatusForbidden
	if _, err := c.Get(t.Context(), server.URL); !errors.As(err, &refusal) || refusal.Status != http.StatusForbidden {
		t.Error(err)
	} else if _, gone := refusal.Gone(); gone {
		t.Error("what is forbidden counts as gone")
	}
}

func TestGetAsksNoProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	cfg := open()
	cfg.Timeout = time.Second
	c := fetch.New(cfg, nil)
	defer c.Close()
	fetch.SetResolver(c, nameServer(t, netip.MustParseAddr("127.0.0.1")))
	if data, err := c.Get(t.Context(), "http://direct.example:1/"); err == nil {
		t.Errorf("Get = %q", data)
	}
}

func TestGetKeepsAnswersAsLongAsTheirServerAllows(t *testing.T) {
	for name, row := range map[string]struct {
		control string
		after   time.Duration
		want    int64
	}{
		"a moment later":             {"", time.Second, 1},
		"after the configured time":  {"", 6 * time.Minute, 2},
		"after the server's time":    {"max-age=30", time.Minute, 2},
		"within the server's time":   {"public, max-age=3600", time.Minute, 1},
		"beyond the configured time": {"max-age=3600", 6 * time.Minute, 2},
		"when others kept it before": {"max-age=60", 31 * time.Second, 2},
		"when nothing may be kept":   {"no-store", 0, 2},
		"when it is stale at once":   {"max-age=0", 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				if row.control != "" {
					w.Header().Set("Cache-Control", row.control)
				}
				if strings.HasPrefix(name, "when others") {
					w.Header().Set("Age", "30")
				}
				_, _ = w.Write([]byte("x"))
			}))
			defer server.Close()
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			kept, err := cache.New(cache.Default(), func() time.Time { return at }, memory.Driver{})
			if err != nil {
				t.Fatal(err)
			}
			defer kept.Close()
			cfg := open()
			cfg.CacheTTL = 5 * time.Minute
			c := fetch.New(cfg, kept).By(func() time.Time { return at })
			defer c.Close()
			for range 2 {
				if data, err := c.Get(t.Context(), server.URL); err != nil || string(data) != "x" {
					t.Fatalf("Get = %q, %v", data, err)
				}
				at = at.Add(row.after)
			}
			if asked.Load() != row.want {
				t.Errorf("the server was asked %d times, want %d", asked.Load(), row.want)
			}
		})
	}
}

func TestConfigCheck(t *testing.T) {
	if err := fetch.Default().Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*fetch.Config){
		"FETCH_TIMEOUT":   func(c *fetch.Config) { c.Timeout = 0 },
		"FETCH_MAX_BYTES": func(c *fetch.Config) { c.MaxBytes = -1 },
		"FETCH_CACHE_TTL": func(c *fetch.Config) { c.CacheTTL = -time.Second },
	} {
		c := fetch.Default()
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}
