package ratelimit

import (
	"math"
	"strconv"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// ErrExceeded says that somebody asks too often. What [Decision.Err] answers
// wraps an [Exceeded].
var ErrExceeded = fault.New(fault.TooMany, "ratelimit.exceeded", "There are too many requests.")

// Decision is whether a request is within its limit.
type Decision struct {
	Rate      Rate
	Allowed   bool
	Remaining int           // how many may follow at once
	Wait      time.Duration // until the next is allowed; zero when this one is
}

// Err is nil when the request is allowed, and else [ErrExceeded] with the time to
// wait.
func (d Decision) Err() error {
	if d.Allowed {
		return nil
	}
	return d.Because(nil)
}

// Because is [ErrExceeded] with the time to wait, in place of the refusal cause.
func (d Decision) Because(cause error) error {
	return ErrExceeded.Detailf("Wait %d seconds, and send fewer.", seconds(d.Wait)).RetryAfter(d.Wait).With(Exceeded{d, cause})
}

// Exceeded is the cause inside [ErrExceeded]: it tells the edge the numbers.
type Exceeded struct {
	Decision Decision
	Cause    error // the refusal in whose place this one is; may be nil
}

// Error implements error.
func (e Exceeded) Error() string {
	text := "limit of " + e.Decision.Policy() + " exceeded"
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause to [errors.Is] and [errors.As].
func (e Exceeded) Unwrap() error { return e.Cause }

// Policy is the limit as the field RateLimit-Policy writes it: a quota and the
// seconds of its window.
func (d Decision) Policy() string {
	return strconv.Itoa(d.Rate.Burst) + ";w=" + strconv.Itoa(seconds(d.Rate.window()))
}

// Fields are the header fields that tell a caller of the limit, in pairs of name
// and value (draft-ietf-httpapi-ratelimit-headers-06, 3 (RateLimit fields)). The
// reset is when the next request is allowed, the same as Retry-After.
func (d Decision) Fields() [4][2]string {
	return [4][2]string{
		{"RateLimit-Limit", strconv.Itoa(d.Rate.Burst)},
		{"RateLimit-Remaining", strconv.Itoa(d.Remaining)},
		{"RateLimit-Reset", strconv.Itoa(seconds(d.Wait))},
		{"RateLimit-Policy", d.Policy()},
	}
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
