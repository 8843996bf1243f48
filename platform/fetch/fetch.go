package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

const maxRedirects = 3

// Accept asks for JSON first, and for tokens.
const Accept = "application/json, application/ld+json;q=0.9, application/vc+ld+json;q=0.9, application/vc+jwt;q=0.8, text/plain;q=0.5, */*;q=0.1"

// The reasons for which nothing is fetched.
var (
	ErrAddress  = errors.New("fetch: this address is not fetched from")
	ErrRedirect = errors.New("fetch: this redirect is not followed")
	ErrTooLarge = errors.New("fetch: the document is too large")
	ErrStatus   = errors.New("fetch: the server has no such document")
)

// maxRefusal is how much is read of an answer that is no document.
const maxRefusal = 64 << 10

// Refusal is an answer other than 200, an [ErrStatus]. Some say more than a number:
// Open Badges 2.0 has a revoked assertion answered with 410 and a reason.
type Refusal struct {
	Status int
	Body   []byte
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("%v: it answers %d", ErrStatus, r.Status) }

// Unwrap makes it an [ErrStatus].
func (r *Refusal) Unwrap() error { return ErrStatus }

// Gone reports whether there was such a document, and what is said instead of it.
// RFC 9110, 15.5.11 (410 Gone).
func (r *Refusal) Gone() (body []byte, gone bool) { return r.Body, r.Status == http.StatusGone }

// Client fetches documents. It is safe for concurrent use.
type Client struct {
	cfg   Config
	http  *http.Client
	wire  *http.Transport // below what follows requests
	cache cache.Cache
	now   func() time.Time
	shelf shelf
}

// New makes a client. The cache may be nil.
func New(cfg Config, kept cache.Cache) *Client {
	c := &Client{cfg: cfg, cache: kept, now: time.Now}
	dialer := &net.Dialer{Timeout: cfg.Timeout, KeepAlive: 15 * time.Second, Control: c.control}
	c.wire = &http.Transport{
		Proxy:                  nil, // a proxy would connect in our stead, unguarded
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    cfg.Timeout,
		ResponseHeaderTimeout:  cfg.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           32,
		MaxIdleConnsPerHost:    2,
		MaxConnsPerHost:        8,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
	}
	c.http = &http.Client{Timeout: cfg.Timeout, Transport: tracing.Transport(c.wire), CheckRedirect: c.redirect}
	return c
}

// By makes the client go by another clock than that of the machine.
func (c *Client) By(now func() time.Time) *Client {
	c.now = now
	return c
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// control sees every connection before it is made, with the address that the name
// led to. There is no second look-up behind it.
func (c *Client) control(network, address string, _ syscall.RawConn) error {
	if c.cfg.AllowPrivate {
		return nil
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") || !public(ap.Addr()) {
		return fmt.Errorf("%w: it is not public", ErrAddress)
	}
	return nil
}

func (c *Client) redirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: there are more than %d", ErrRedirect, maxRedirects)
	}
	if r.URL.Scheme != via[0].URL.Scheme {
		return fmt.Errorf("%w: it changes the scheme", ErrRedirect)
	}
	r.Header.Del("Referer")
	return c.allowed(r.URL)
}

func (c *Client) allowed(u *url.URL) error {
	if u.Scheme != "https" && (u.Scheme != "http" || !c.cfg.AllowHTTP) {
		return fmt.Errorf("%w: it is not https", ErrAddress)
	}
	if u.Hostname() == "" || u.User != nil {
		return fmt.Errorf("%w: it has no host, or a user", ErrAddress)
	}
	return nil
}

// Get fetches a document, or answers it as it was within its time. It answers with
// [ErrAddress], [ErrRedirect], [ErrTooLarge], [ErrStatus], or what went wrong on the way.
// The document must not be altered.
func (c *Client) Get(ctx context.Context, address string) ([]byte, error) {
	data, _, err := c.GetWithin(ctx, address, whatever)
	return data, err
}

// GetWithin is [Client.Get] of a document that is no older than atMost, and tells how old
// it is. A failure counts for ten seconds, so that an address which does not answer is not
// waited for by everybody anew.
func (c *Client) GetWithin(ctx context.Context, address string, atMost time.Duration) (data []byte, age time.Duration, err error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > 4096 {
		return nil, 0, fmt.Errorf("%w: it is no URL", ErrAddress)
	}
	if err := c.allowed(u); err != nil {
		return nil, 0, err
	}
	u.Fragment, u.RawFragment = "", ""
	if c.cfg.CacheTTL == 0 {
		d, err := c.ask(ctx, u)
		return d.data, 0, err
	}
	key := keyOf(u)
	if d, age := c.known(key, atMost); d != nil {
		return d.data, age, d.err
	}
	done, waited, err := c.shelf.turn(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	if waited {
		if d, age := c.known(key, atMost); d != nil {
			return d.data, age, d.err
		}
	}
	if d := c.shared(ctx, key, atMost); d != nil {
		c.shelf.put(key, d)
		return d.data, max(c.now().Sub(d.made), 0), nil
	}
	d, err := c.ask(ctx, u)
	now := c.now()
	if err != nil {
		if lasting(ctx, err) {
			c.shelf.put(key, &document{err: err, made: now, ends: now.Add(min(failureTTL, c.cfg.CacheTTL))})
		}
		return nil, 0, err
	}
	if ttl := d.ends.Sub(now); ttl > 0 {
		c.shelf.put(key, d)
		if c.cache != nil {
			// That the cache is away only makes the next call slower.
			_ = c.cache.Set(ctx, key, d.wire(), ttl)
		}
	}
	return d.data, max(now.Sub(d.made), 0), nil
}

// known is what this process keeps, if it is young enough, and its age.
func (c *Client) known(key string, atMost time.Duration) (*document, time.Duration) {
	now := c.now()
	d := c.shelf.find(key, now)
	if d == nil || d.err == nil && now.Sub(d.made) > atMost {
		return nil, 0
	}
	return d, now.Sub(d.made)
}

// shared is what the cache keeps, if it is young enough.
func (c *Client) shared(ctx context.Context, key string, atMost time.Duration) *document {
	if c.cache == nil {
		return nil
	}
	text, ok, err := c.cache.Get(ctx, key)
	if err != nil || !ok {
		return nil
	}
	d, now := unwire(text), c.now()
	if d == nil || !now.Before(d.ends) || now.Sub(d.made) > atMost {
		return nil
	}
	return d
}

func (c *Client) ask(ctx context.Context, u *url.URL) (*document, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return &document{}, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	request.Header.Set("Accept", Accept)
	request.Header.Set("User-Agent", "BadgeEngine")
	response, err := c.http.Do(request)
	if err != nil {
		return &document{}, fmt.Errorf("fetch: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, min(c.cfg.MaxBytes, maxRefusal))) // what cannot be read says nothing
		return &document{}, &Refusal{Status: response.StatusCode, Body: body}
	}
	if response.ContentLength > c.cfg.MaxBytes {
		return &document{}, ErrTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, c.cfg.MaxBytes+1))
	if err != nil {
		return &document{}, fmt.Errorf("fetch: read: %w", err)
	}
	if int64(len(data)) > c.cfg.MaxBytes {
		return &document{}, ErrTooLarge
	}
	now, age := c.now(), age(response.Header)
	return &document{data: data, made: now.Add(-age), ends: now.Add(c.ttl(response.Header) - age)}, nil
}

// age is how long ago the server answered, if others kept it since. RFC 9111, 5.1 (Age).
func age(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Age"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// ttl is how long an answer is kept: at most as long as configured, less if its
// server says so. RFC 9111, 5.2.2 (Response Directives).
func (c *Client) ttl(h http.Header) time.Duration {
	ttl := c.cfg.CacheTTL
	for directive := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch name {
		case "no-store", "no-cache", "private":
			return 0
		case "max-age":
			if seconds, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 32); err == nil && seconds >= 0 {
				ttl = min(ttl, time.Duration(seconds)*time.Second)
			}
		}
	}
	return ttl
}

func keyOf(u *url.URL) string {
	sum := sha256.Sum256([]byte(u.String()))
	return "fetch:2:" + hex.EncodeToString(sum[:]) // the second form of what is kept
}
