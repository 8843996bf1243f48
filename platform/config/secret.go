package config

import "log/slog"

const mask = "***"

// Secret is a value that never prints: every formatting verb, JSON and slog
// show "***" for it, or nothing where it is empty.
type Secret string

// Reveal gives the value itself. Call it where the value is used, never where it is shown.
func (s Secret) Reveal() string { return string(s) }

// String implements [fmt.Stringer].
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// GoString implements [fmt.GoStringer].
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// MarshalText implements [encoding.TextMarshaler].
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
