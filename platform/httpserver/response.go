package httpserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// JSON answers with v as JSON.
func JSON(c *fiber.Ctx, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("httpserver: encode: %w", err)
	}
	return Bytes(c, status, fiber.MIMEApplicationJSON, body)
}

// JSONWith answers with v, an object that is not empty, as JSON, and with one more member
// at its end. The value of that is JSON already, and is written byte for byte; without
// a value there is no such member.
func JSONWith(c *fiber.Ctx, status int, v any, member string, value []byte) error {
	body, err := json.Marshal(v)
	if err == nil && (len(body) < len(`{"":0}`) || body[0] != '{') {
		err = errors.New("a member is added to what is no object, or an empty one")
	}
	if err != nil {
		return fmt.Errorf("httpserver: encode: %w", err)
	}
	c.Status(status).Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	if len(value) == 0 {
		return c.Send(body)
	}
	r := c.Response()
	r.ResetBody()
	r.AppendBody(body[:len(body)-1])
	r.AppendBodyString(`,"` + member + `":`)
	r.AppendBody(value)
	r.AppendBodyString("}")
	return nil
}

// Bytes answers with a body that is ready as it is.
func Bytes(c *fiber.Ctx, status int, mediaType string, body []byte) error {
	c.Status(status).Response().Header.SetContentType(mediaType)
	return c.Send(body)
}

// Fresh names the version of the answer and reports whether the caller has it
// already; the handler then returns at once, since the answer is 304. The tag is
// the opaque text alone, without quotes.
func Fresh(c *fiber.Ctx, tag string) bool {
	quoted := `"` + tag + `"`
	c.Set(fiber.HeaderETag, quoted)
	if m := c.Method(); m != fiber.MethodGet && m != fiber.MethodHead {
		return false
	}
	if !matches(c.Get(fiber.HeaderIfNoneMatch), quoted) {
		return false
	}
	c.Status(fiber.StatusNotModified)
	return true
}

// RFC 9110, 8.8.3.2 (Comparison): If-None-Match compares weakly.
func matches(header, quoted string) bool {
	for t := range strings.SplitSeq(header, ",") {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
		if t == "*" || t == quoted {
			return true
		}
	}
	return false
}

var vary, accept = []byte(fiber.HeaderVary), []byte(fiber.HeaderAccept)

// varies says that the answer depends on Accept.
func varies(c *fiber.Ctx) {
	header := &c.Response().Header
	switch said := header.PeekBytes(vary); {
	case len(said) == 0:
		header.SetCanonical(vary, accept)
	case !bytes.Equal(said, accept):
		c.Vary(fiber.HeaderAccept)
	}
}

// WantsHTML reports whether the caller prefers a page to JSON: only those that
// ask for text/html in their Accept header do, and only if they like it better.
func WantsHTML(c *fiber.Ctx) bool {
	varies(c)
	header := c.Get(fiber.HeaderAccept)
	if header == "" {
		return false
	}
	ranges := parseAccept(header)
	html := ranges.of(fiber.MIMETextHTML)
	if html.specificity == 0 || html.q == 0 {
		return false
	}
	for _, t := range []string{fiber.MIMEApplicationJSON, "application/ld+json", "application/vc+ld+json"} {
		data := ranges.of(t)
		if data.q > html.q || data.q == html.q && data.specificity >= html.specificity {
			return false
		}
	}
	return true
}

// Accepts chooses the media type that the caller likes best, the first of those
// it likes equally; empty when it takes none of them.
func Accepts(c *fiber.Ctx, offers ...string) string {
	varies(c)
	header := c.Get(fiber.HeaderAccept)
	if header == "" && len(offers) > 0 {
		return offers[0]
	}
	ranges := parseAccept(header)
	best, chosen := 0.0, ""
	for _, offer := range offers {
		if r := ranges.of(offer); r.q > best {
			best, chosen = r.q, offer
		}
	}
	return chosen
}

// A mediaRange is one element of an Accept header (RFC 9110, 12.5.1 (Accept)).
type mediaRange struct {
	pattern     string
	q           float64
	specificity int // 0 */*, 1 type/*, 2 type/subtype; the most specific range rules
}

type mediaRanges []mediaRange

func parseAccept(header string) mediaRanges {
	var ranges mediaRanges
	for element := range strings.SplitSeq(header, ",") {
		t, params, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		r := mediaRange{pattern: t, q: 1, specificity: 2}
		if s, given := params["q"]; given {
			if r.q, err = strconv.ParseFloat(s, 64); err != nil || r.q < 0 || r.q > 1 {
				continue
			}
		}
		if t == "*/*" {
			r.specificity = 0
		} else if strings.HasSuffix(t, "/*") {
			r.specificity = 1
		}
		ranges = append(ranges, r)
	}
	return ranges
}

func (ranges mediaRanges) of(mediaType string) mediaRange {
	best := mediaRange{specificity: -1}
	for _, r := range ranges {
		fits := r.specificity == 0 || r.pattern == mediaType ||
			r.specificity == 1 && strings.HasPrefix(mediaType, strings.TrimSuffix(r.pattern, "*"))
		if fits && r.specificity > best.specificity {
			best = r
		}
	}
	return best
}
