package status

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Code is the name of an error. Bitstring Status List 1.0, 3.5 (Processing Errors).
type Code string

// The names; the last is of VC Data Model 2.0.
const (
	RetrievalError    Code = "STATUS_RETRIEVAL_ERROR"
	VerificationError Code = "STATUS_VERIFICATION_ERROR"
	ListLengthError   Code = "STATUS_LIST_LENGTH_ERROR"
	RangeError        Code = "RANGE_ERROR"
	MalformedValue    Code = "MALFORMED_VALUE_ERROR"
)

// Error is every error of this package: what is wrong and how to mend it.
type Error struct {
	Code    Code
	Problem string // a sentence without its full stop
	Remedy  string // a sentence that says what would be right; may be empty
}

// Error implements error.
func (e *Error) Error() string { return "status: " + e.Problem }

// Type is the URL that names the error in problem details.
func (e *Error) Type() string {
	if e.Code == MalformedValue || e.Code == RangeError {
		return "https://www.w3.org/TR/vc-data-model#" + string(e.Code)
	}
	return "https://www.w3.org/ns/credentials/status-list#" + string(e.Code)
}

func trouble(code Code, remedy, format string, args ...any) *Error {
	return &Error{Code: code, Problem: fmt.Sprintf(format, args...), Remedy: remedy}
}

const (
	// minBits is the herd that a holder hides in: 3.2 (Validate Algorithm).
	minBits = 131072
	// maxBytes bounds what a list unpacks to; gzip can make a thousandfold of it.
	maxBytes = 16 << 20
	// defaultTTL is that of a list that does not say how long it may be kept.
	defaultTTL = 5 * time.Minute
)

// Entry is a place in a status list. Bitstring Status List 1.0, 2.1 (BitstringStatusListEntry).
type Entry struct {
	Purpose  string
	List     string // URL of the list
	Index    uint64
	Size     uint64 // bits per entry
	Messages map[string]string
}

// ReadEntry reads a credentialStatus of the type BitstringStatusListEntry.
func ReadEntry(member map[string]any) (Entry, error) {
	const remedy = "Give statusPurpose, statusListIndex and statusListCredential as strings."
	e := Entry{Size: 1, Messages: map[string]string{}}
	e.Purpose, _ = member["statusPurpose"].(string)
	e.List, _ = member["statusListCredential"].(string)
	if e.Purpose == "" || e.List == "" {
		return Entry{}, trouble(MalformedValue, remedy, "the status entry lacks its purpose or its list")
	}
	var index string
	switch v := member["statusListIndex"].(type) {
	case string:
		index = v
	case json.Number: // against the standard, and common
		index = v.String()
	}
	var err error
	if e.Index, err = strconv.ParseUint(index, 10, 48); err != nil {
		return Entry{}, trouble(MalformedValue, remedy, "the index of the status entry is no number")
	}
	if size, there := member["statusSize"]; there {
		number, _ := size.(json.Number)
		if e.Size, err = strconv.ParseUint(number.String(), 10, 6); err != nil || e.Size == 0 {
			return Entry{}, trouble(MalformedValue, "Give a whole number of at least 1.", "the statusSize of the status entry is not usable")
		}
	}
	messages, _ := member["statusMessage"].([]any)
	for _, m := range messages {
		entry, _ := m.(map[string]any)
		value, _ := entry["status"].(string)
		if text, ok := entry["message"].(string); ok && len(e.Messages) < 256 {
			e.Messages[strings.ToLower(value)] = text
		}
	}
	return e, nil
}

// Message is what a value of the entry means, as the issuer put it; it may be empty.
func (e Entry) Message(value uint64) string { return e.Messages[fmt.Sprintf("0x%x", value)] }

// Lookup reads the value of the entry out of a list, which is the credentialSubject
// of a BitstringStatusListCredential. Zero means that nothing is the matter.
//
// Bitstring Status List 1.0, 3.2 (Validate Algorithm).
func (e Entry) Lookup(list map[string]any) (uint64, error) { return e.In(Unpack(list)) }

// Unpacked is a list whose bits can be read at once. It is not altered any more.
type Unpacked struct {
	TTL      time.Duration // how long it may be kept
	purposes []any
	bits     []byte
	err      error // why there are no bits
}

// Weight is how many bytes it holds.
func (u Unpacked) Weight() int { return len(u.bits) }

// Unpack reads the credentialSubject of a BitstringStatusListCredential. What is wrong
// with its bits is told by [Entry.In].
func Unpack(list map[string]any) Unpacked {
	u := Unpacked{TTL: defaultTTL}
	u.purposes, _ = list["statusPurpose"].([]any)
	if one, ok := list["statusPurpose"].(string); ok {
		u.purposes = []any{one}
	}
	if number, ok := list["ttl"].(json.Number); ok {
		// Bitstring Status List 1.0, 2.2 (BitstringStatusListCredential): in milliseconds.
		if ms, err := strconv.ParseFloat(number.String(), 64); err == nil && ms >= 0 {
			u.TTL = time.Duration(min(ms, 1e12) * float64(time.Millisecond))
		}
	}
	encoded, _ := list["encodedList"].(string)
	u.bits, u.err = unpack(encoded)
	return u
}

// In is [Entry.Lookup] in a list that was unpacked before.
func (e Entry) In(list Unpacked) (uint64, error) {
	if !slices.Contains(list.purposes, any(e.Purpose)) {
		return 0, trouble(VerificationError, "Point at a list of the same purpose.", "the list is not about %s", strconv.Quote(short(e.Purpose)))
	}
	if list.err != nil {
		return 0, list.err
	}
	bits := list.bits
	if uint64(len(bits))*8/e.Size < minBits {
		return 0, trouble(ListLengthError, "Publish a list of at least 131072 entries.", "the list has only %d bits", len(bits)*8)
	}
	first := e.Index * e.Size
	if first+e.Size > uint64(len(bits))*8 {
		return 0, trouble(RangeError, "Give an index that is in the list.", "the index %d lies behind the end of the list", e.Index)
	}
	var value uint64
	for i := first; i < first+e.Size; i++ {
		// The first bit is the highest of the first byte.
		value = value<<1 | uint64(bits[i/8]>>(7-i%8)&1)
	}
	return value, nil
}

// unpack: 3.4 (Bitstring Expansion Algorithm).
func unpack(encoded string) ([]byte, error) {
	const remedy = "Give encodedList as u and the base64url of the gzipped bits."
	packed := encoded
	if strings.HasPrefix(encoded, "u") {
		packed = encoded[1:]
	} // else a list from before the multibase prefix
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(packed, "="))
	if err != nil {
		return nil, trouble(MalformedValue, remedy, "the encodedList is no base64url")
	}
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, trouble(MalformedValue, remedy, "the encodedList is not gzipped")
	}
	bits, err := io.ReadAll(io.LimitReader(reader, maxBytes+1))
	if err != nil {
		return nil, trouble(MalformedValue, remedy, "the encodedList does not unpack")
	}
	if len(bits) > maxBytes {
		return nil, trouble(ListLengthError, "Split the list.", "the list has more than %d bytes", maxBytes)
	}
	return bits, nil
}

// Revoked looks a credential up in a 1EdTech revocation list. Its reason may be empty.
//
// The standard calls the member revokedCredential; some lists say revokedCredentials.
func Revoked(list map[string]any, credentialID string) (revoked bool, reason string) {
	for _, name := range [...]string{"revokedCredential", "revokedCredentials"} {
		entries, ok := list[name].([]any)
		if one, is := list[name].(map[string]any); is && !ok {
			entries = []any{one}
		}
		for _, entry := range entries {
			if id, ok := entry.(string); ok && id == credentialID {
				return true, ""
			}
			e, _ := entry.(map[string]any)
			if id, _ := e["id"].(string); id == "" || id != credentialID {
				continue
			}
			if still, ok := e["revoked"].(bool); ok && !still {
				continue
			}
			reason, _ := e["revocationReason"].(string)
			return true, short(reason)
		}
	}
	return false, ""
}

func short(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// Standing is what a list says of one of its entries, where more is known than a bit.
type Standing struct {
	Purpose   string // what the list is about
	Revoked   bool
	Suspended bool
	Reason    string // as its issuer put it; may be empty
}
