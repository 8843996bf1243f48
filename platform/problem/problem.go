package problem

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// MediaType is that of RFC 9457, 3 (The Problem Details JSON Object).
const MediaType = "application/problem+json"

const urn = "urn:badge-engine:problem:"

// patience is what a caller of an unavailable part is asked for when the fault says nothing.
const patience = 5 * time.Second

// Problem is the answer of RFC 9457 with our extension members.
type Problem struct {
	Type      string            `json:"type" doc:"A URN made of the code."`
	Title     string            `json:"title" doc:"What this kind of problem is, in one sentence."`
	Status    int               `json:"status"`
	Detail    string            `json:"detail,omitempty" doc:"What is special about this occurrence."`
	Instance  string            `json:"instance,omitempty" doc:"The path that was asked for."`
	Code      string            `json:"code" doc:"The stable name of this kind of problem; compare this."`
	Help      string            `json:"help" doc:"The section of the documentation that says what to do about it."`
	RequestID string            `json:"requestId,omitempty" doc:"Names the request in the server's log."`
	TraceID   string            `json:"traceId,omitempty" doc:"Names the trace of the request, where requests are traced."`
	Errors    []fault.Violation `json:"errors,omitempty" doc:"The broken rules, each with its place and its remedy."`

	wait time.Duration
}

// Wait is how long the caller is asked to wait; zero says nothing.
func (p Problem) Wait() time.Duration { return p.wait }

var statuses = map[fault.Kind]int{
	fault.Malformed:       http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Gone:            http.StatusGone,
	fault.Precondition:    http.StatusPreconditionFailed,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unsupported:     http.StatusUnsupportedMediaType,
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Internal:        http.StatusInternalServerError,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// machinery is what fiber and fasthttp refuse by themselves.
var machinery = map[int]struct{ code, title string }{
	http.StatusBadRequest:                  {"httpserver.bad_request", "The request cannot be read."},
	http.StatusNotFound:                    {"httpserver.not_found", "There is nothing at this address."},
	http.StatusMethodNotAllowed:            {"httpserver.method_not_allowed", "This address does not take this method."},
	http.StatusRequestTimeout:              {"httpserver.request_timeout", "The request did not arrive in time."},
	http.StatusRequestEntityTooLarge:       {"httpserver.too_large", "The body is larger than what is taken here."},
	http.StatusUnsupportedMediaType:        {"httpserver.media_type", "This media type is not taken here."},
	http.StatusRequestHeaderFieldsTooLarge: {"httpserver.header_too_large", "The header of the request is too large."},
	http.StatusNotImplemented:              {"httpserver.not_implemented", "This server does not do that."},
	http.StatusServiceUnavailable:          {"httpserver.unavailable", "The server cannot answer right now."},
}

var (
	errInternal = fault.New(fault.Internal, "httpserver.internal", "The server could not answer this request.").
			Detailf("The cause stands in the server's log under the request id.")
	errDeadline = fault.New(fault.Unavailable, "httpserver.deadline", "The answer took longer than it may.")
)

// Of says what the answer to err is, apart from what only the request knows.
func Of(err error) Problem {
	var fiberError *fiber.Error
	f, ok := fault.From(err)
	switch {
	case ok:
	case errors.As(err, &fiberError):
		if p, ok := ofMachinery(fiberError.Code); ok {
			return p
		}
		f = errInternal
	// A canceled context is the server's own doing: fiber cancels none when a client hangs up.
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f = errDeadline
	default:
		f = errInternal
	}
	p := Problem{
		Type:   urn + f.Code(),
		Title:  f.Message(),
		Status: statuses[f.Kind()],
		Detail: f.Detail(),
		Code:   f.Code(),
		Help:   help(f.Code()),
		Errors: f.Violations(),
		wait:   f.Wait(),
	}
	if p.Status == 0 {
		p.Status = http.StatusInternalServerError
	}
	if p.Status == http.StatusServiceUnavailable && p.wait <= 0 {
		p.wait = patience
	}
	return p
}

func ofMachinery(status int) (Problem, bool) {
	m, known := machinery[status]
	if !known && (status < 400 || status >= 500 || http.StatusText(status) == "") {
		return Problem{}, false
	}
	if !known {
		m.code = "httpserver." + strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
		m.title = http.StatusText(status) + "."
	}
	p := Problem{Type: urn + m.code, Title: m.title, Status: status, Code: m.code, Help: help(m.code)}
	if status == http.StatusServiceUnavailable {
		p.wait = patience
	}
	return p, true
}

// help names the section of docs/TROUBLESHOOTING.md, which has one for each code. Its
// anchor is the code without its dots, as Markdown makes them of headings.
func help(code string) string { return "docs/TROUBLESHOOTING.md#" + strings.ReplaceAll(code, ".", "") }

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }
