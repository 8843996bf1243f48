package httpserver

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/paging"
)

// The refusals of the helpers that read requests.
var (
	ErrMediaType  = fault.New(fault.Unsupported, "httpserver.media_type", "This media type is not taken here.")
	ErrEmpty      = fault.New(fault.Malformed, "httpserver.empty", "The request has no body.")
	ErrUnreadable = fault.New(fault.Malformed, "httpserver.unreadable", "The body is not readable JSON.")
	ErrShape      = fault.New(fault.Invalid, "httpserver.shape", "The body does not have the form that is asked for.")
	ErrUpload     = fault.New(fault.Malformed, "httpserver.upload", "The upload cannot be read.")
	ErrQuery      = fault.New(fault.Malformed, "httpserver.query", "A query parameter cannot be used.")
)

// locator is an error of a strict JSON reader that knows the place of the
// mistake, and whether it is one of syntax or of form.
type locator interface {
	error
	Location() (pointer string, syntax bool, problem, remedy string)
}

// Decode reads the JSON body into v with the given reader of JSON. It answers
// [ErrMediaType] unless the body is declared as JSON, [ErrEmpty], [ErrUnreadable]
// or, with the place of the mistake, [ErrShape].
func Decode(c *fiber.Ctx, v any, unmarshal func([]byte, any) error) error {
	body := c.BodyRaw()
	if len(body) == 0 {
		return ErrEmpty.Detailf("Send JSON.")
	}
	if mediaType := MediaType(c); !isJSON(mediaType) {
		return ErrMediaType.Detailf("Send JSON with \"Content-Type: application/json\".")
	}
	err := unmarshal(body, v)
	if err == nil {
		return nil
	}
	if _, declared := fault.From(err); declared {
		return err
	}
	var l locator
	if !errors.As(err, &l) {
		return ErrUnreadable.With(err)
	}
	pointer, syntax, problem, remedy := l.Location()
	if syntax {
		return ErrUnreadable.With(err).Violating(fault.Violation{Pointer: pointer, Rule: "RFC 8259 (JSON)", Detail: problem, Remedy: remedy})
	}
	return ErrShape.With(err).Violating(fault.Violation{Pointer: pointer, Rule: "request schema", Detail: problem, Remedy: remedy})
}

func isJSON(mediaType string) bool {
	return mediaType == fiber.MIMEApplicationJSON ||
		strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
}

// MediaType is the media type of the body, in lower case and without parameters.
func MediaType(c *fiber.Ctx) string {
	t, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return ""
	}
	return t
}

// Upload reads bytes that came either as the body itself or, by a form, as the
// file of that field. The media type is what the sender says; look at the bytes
// before believing it.
func Upload(c *fiber.Ctx, field string) (data []byte, mediaType string, err error) {
	mediaType = MediaType(c)
	if mediaType != fiber.MIMEMultipartForm {
		if data = c.BodyRaw(); len(data) == 0 {
			return nil, "", ErrEmpty.Detailf("Send the file as the body, or as the field %q of a multipart form.", field)
		}
		return data, mediaType, nil
	}
	header, err := c.FormFile(field)
	if err != nil {
		return nil, "", ErrUpload.With(err).Detailf("The multipart form must have a file in the field %q.", field)
	}
	file, err := header.Open()
	if err != nil {
		return nil, "", fmt.Errorf("httpserver: open upload: %w", err)
	}
	data, err = io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, "", fmt.Errorf("httpserver: read upload: %w", err)
	}
	if len(data) == 0 {
		return nil, "", ErrEmpty.Detailf("The file in the field %q is empty.", field)
	}
	mediaType, _, err = mime.ParseMediaType(header.Header.Get(fiber.HeaderContentType))
	if err != nil {
		mediaType = ""
	}
	return data, mediaType, nil
}

// Form gives a field of a form, multipart or not, that is no file.
func Form(c *fiber.Ctx, field string) string { return strings.TrimSpace(c.FormValue(field)) }

// SetVersion answers with the version of a document as its ETag, which If-Match takes back.
// RFC 9110, 8.8.3 (ETag).
func SetVersion(c *fiber.Ctx, version int64) {
	c.Set(fiber.HeaderETag, `"`+strconv.FormatInt(version, 10)+`"`)
}

// IfMatch reads which version a change is meant for; 0 is whichever the current one is. ok
// is false for what [SetVersion] never wrote.
//
// RFC 9110, 13.1.1 (If-Match) compares strongly; a tag that a compressing proxy made weak
// names the same version of ours all the same.
func IfMatch(c *fiber.Ctx) (version int64, ok bool) {
	tag := strings.TrimSpace(c.Get(fiber.HeaderIfMatch))
	if tag == "" || tag == "*" {
		return 0, true
	}
	version, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`), 10, 64)
	return version, err == nil && version > 0
}

// PageQuery reads limit, cursor and sort. The sorts are the names that the list
// can be ordered by; the first is the default, a minus sign before it makes that descending.
func PageQuery(c *fiber.Ctx, sorts []string) (paging.Query, error) {
	q := paging.Query{Limit: paging.DefaultLimit, Cursor: c.Query("cursor")}
	if s := c.Query("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > paging.MaxLimit {
			return q, ErrQuery.Detailf("The limit must be a number from 1 to %d.", paging.MaxLimit)
		}
		q.Limit = n
	}
	var ok bool
	if q.Sort, q.Descending, ok = paging.ParseSort(c.Query("sort"), sorts); !ok {
		return q, ErrQuery.Detailf("Sort by one of: %s; a minus sign before the name means descending.", strings.Join(sortNames(sorts), ", "))
	}
	return q, nil
}

// PageParams describes what PageQuery reads, for the route table.
func PageParams(sorts ...string) []Param {
	var enum []string
	for _, name := range sortNames(sorts) {
		enum = append(enum, name, "-"+name)
	}
	limit := Query("limit", fmt.Sprintf("How many items a page holds: 1 to %d, %d when not given.", paging.MaxLimit, paging.DefaultLimit))
	limit.Schema = 0
	params := []Param{limit, Query("cursor", "Where the page begins: the member \"next\" of the page before.")}
	if len(enum) > 0 {
		params = append(params, Query("sort", "The order of the list; a minus sign means descending.", enum...))
	}
	return params
}

func sortNames(sorts []string) []string {
	names := make([]string, len(sorts))
	for i, s := range sorts {
		names[i] = strings.TrimPrefix(s, "-")
	}
	return names
}
