package auth

import (
	"strconv"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/fault"
)

// farthest bounds expiry: what lies beyond is a typing error, or never.
const farthest = 100 * 365 * 24 * time.Hour

// ParseExpiry reads when a token shall expire, as people write it: days or weeks
// from now ("90d", "2w"), a duration of Go ("12h", "1h30m"), a date, whose whole
// day in UTC the token still works ("2030-12-31"), or an instant of RFC 3339.
// Nothing means never, the zero time. It answers with [ErrInvalid].
func ParseExpiry(s string, now time.Time) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	at, ok := expiry(s, now)
	if !ok {
		return time.Time{}, invalid(unfitExpiry("The expiry " + strconv.Quote(clip(s)) + " is neither a duration nor a date."))
	}
	at = at.UTC().Truncate(time.Second)
	if v := checkExpiry(at, now); len(v) > 0 {
		return time.Time{}, invalid(v...)
	}
	return at, nil
}

func expiry(s string, now time.Time) (time.Time, bool) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day.AddDate(0, 0, 1), true
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, true
	}
	for unit, days := range map[string]int{"d": 1, "w": 7} {
		if number, found := strings.CutSuffix(s, unit); found {
			n, err := strconv.ParseUint(number, 10, 16) // more than farthest, far from an overflow
			return now.UTC().AddDate(0, 0, days*int(n)), err == nil
		}
	}
	d, err := time.ParseDuration(s)
	return now.Add(d), err == nil
}

func checkExpiry(at, now time.Time) []fault.Violation {
	switch {
	case at.IsZero():
		return nil
	case !at.After(now):
		return []fault.Violation{unfitExpiry("The expiry " + at.Format(time.RFC3339) + " is not in the future.")}
	case at.After(now.Add(farthest)):
		return []fault.Violation{unfitExpiry("The expiry is more than a hundred years away.")}
	}
	return nil
}

func unfitExpiry(detail string) fault.Violation {
	return fault.Violation{
		Pointer: "/expires", Rule: "Badge Engine: a token expires at a time to come, or never",
		Detail: detail, Remedy: "Give a duration such as 90d or 12h, or a date such as 2030-12-31; leave it out for never.",
	}
}

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
