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
}

// New makes a client. The cache may be nil.
func New(cfg Config, kept cache.Cache) *Client {
	c := &Client{cfg: cfg, cache: kept}
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

// Get fetches a document. It answers with [ErrAddress], [ErrRedirect],
// [ErrTooLarge], [ErrStatus], or what went wrong on the way.
func (c *Client) Get(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > 4096 {
		return nil, fmt.Errorf("%w: it is no URL", ErrAddress)
	}
	if err := c.allowed(u); err != nil {
		return nil, err
	}
	u.Fragment, u.RawFragment = "", ""
	key := keyOf(u)
	if data, ok := c.kept(ctx, key); ok {
		return data, nil
	}
	data, ttl, err := c.ask(ctx, u)
	if err != nil {
		return nil, err
	}
	if c.cache != nil && ttl > 0 {
		// That the cache is away only makes the next call slower.
		_ = c.cache.Set(ctx, key, data, ttl)
	}
	return data, nil
}

func (c *Client) kept(ctx context.Context, key string) ([]byte, bool) {
	if c.cache == nil || c.cfg.CacheTTL == 0 {
		return nil, false
	}
	data, ok, err := c.cache.Get(ctx, key)
	return data, ok && err == nil
}

func (c *Client) ask(ctx context.Context, u *url.URL) ([]byte, time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	request.Header.Set("Accept", Accept)
	request.Header.Set("User-Agent", "BadgeEngine")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("fetch: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, min(c.cfg.MaxBytes, maxRefusal))) // what cannot be read says nothing
		return nil, 0, &Refusal{Status: response.StatusCode, Body: body}
	}
	if response.ContentLength > c.cfg.MaxBytes {
		return nil, 0, ErrTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, c.cfg.MaxBytes+1))
	if err != nil {
		return nil, 0, fmt.Errorf("fetch: read: %w", err)
	}
	if int64(len(data)) > c.cfg.MaxBytes {
		return nil, 0, ErrTooLarge
	}
	return data, c.ttl(response.Header), nil
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
	return "fetch:" + hex.EncodeToString(sum[:])
}
