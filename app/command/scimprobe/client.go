package scimprobe

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MediaType is what Entra sends and what every answer must be.
// RFC 7644, 3.1 (Background): application/scim+json.
const MediaType = "application/scim+json"

// flag chooses the dialect of Entra that keeps to the standard. Entra takes it out of
// the address before it calls.
const flag = "aadOptscim062020"

// most of an answer that is read. A group of half a million members is not asked for.
const most = 8 << 20

// Client sends requests as Entra's provisioning service does.
type Client struct {
	// Base is the address with neither a query nor a slash at the end.
	Base *url.URL
	// Token is sent as bearer token; none when empty.
	Token string
	// Flagged says that the address bears the flag aadOptscim062020: requests then keep to
	// the standard more closely.
	Flagged bool
	// HTTP sends. It must not follow redirects; [NewClient] makes such a one.
	HTTP *http.Client
}

// NewClient reads an address as an administrator pastes it into Entra. The transport
// may be nil.
func NewClient(address, token string, transport http.RoundTripper) (*Client, error) {
	base, err := url.Parse(strings.TrimSpace(address))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, fmt.Errorf("%q is no address: give the Tenant URL of Entra, such as https://badges.example.org/scim/v2", address)
	}
	if base.User != nil || base.Fragment != "" {
		return nil, errors.New("the address must hold neither a user nor a fragment: the token is given apart")
	}
	c := &Client{Base: base, Token: token, Flagged: base.Query().Has(flag)}
	base.RawQuery = ""
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = ""
	c.HTTP = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Answer is what came back for one request.
type Answer struct {
	Method, Target string // Target is the path and query below the address
	Status         int
	Header         http.Header
	Body           []byte
	Took           time.Duration
	TLS            *tls.ConnectionState // nil without TLS
}

// String is short enough for a line of a report.
func (a Answer) String() string {
	text := fmt.Sprintf("%s %s: %d", a.Method, a.Target, a.Status)
	if body := strings.Join(strings.Fields(string(a.Body)), " "); body != "" {
		text += " " + clip(body, 300)
	}
	return text
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// Document is the body as an object; nil when it is none. Numbers keep their text.
func (a Answer) Document() map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(a.Body))
	decoder.UseNumber()
	var document map[string]any
	if decoder.Decode(&document) != nil {
		return nil
	}
	return document
}

// Send sends one request. The body may be nil, bytes or text as they are, or anything
// that becomes JSON. Headers come in pairs and replace the usual ones; an empty value
// leaves one out.
func (c *Client) Send(ctx context.Context, method, target string, body any, headers ...string) (Answer, error) {
	a := Answer{Method: method, Target: target}
	var data []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		data = b
	case string:
		data = []byte(b)
	default:
		var err error
		if data, err = json.Marshal(b); err != nil {
			return a, err
		}
	}
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.Base.String()+target, reader)
	if err != nil {
		return a, err
	}
	request.Header.Set("User-Agent", "badge-engine-scim-probe")
	request.Header.Set("Accept", MediaType)
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if body != nil {
		request.Header.Set("Content-Type", MediaType+"; charset=utf-8")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
		} else {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	begin := time.Now()
	response, err := c.HTTP.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a.Status, a.Header, a.TLS = response.StatusCode, response.Header, response.TLS
	a.Body, err = io.ReadAll(io.LimitReader(response.Body, most))
	a.Took = time.Since(begin)
	return a, err
}

// Query is a target with parameters, escaped as Entra does it: a space is a plus sign.
// The parameters come in pairs.
func Query(path string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(path)
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(pairs[i] + "=" + url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}

// Quote is a text as a value of a filter. RFC 7644, 3.4.2.2 (Filtering): a JSON string.
func Quote(s string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// GUID is a random identifier, as Entra asks for to see that nothing is found.
func GUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
