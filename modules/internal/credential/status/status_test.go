package status_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
)

// sample is a published list: 131072 bits, of which only bit 23 is set.
const sample = "uH4sIAAAAAAAA_-3BMQEAAAzDoMy_6cnoA9QFAAAAAAAAAAAAAAAAAAAAbD3uPa2cAEAAAA"

func pack(t *testing.T, bits []byte) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(bits); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(b.Bytes())
}

func entry(more map[string]any) map[string]any {
	e := map[string]any{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "23", "statusListCredential": "https://h/status/1"}
	for name, value := range more {
		e[name] = value
	}
	return e
}

func TestLookup(t *testing.T) {
	two := make([]byte, 32768)
	two[1] = 0b0010_0000 // the entry 5 of two bits
	for name, row := range map[string]struct {
		entry, list map[string]any
		want        uint64
		code        status.Code
	}{
		"the bit that is set":              {entry: entry(nil), list: map[string]any{"statusPurpose": "revocation", "encodedList": sample}, want: 1},
		"its neighbour":                    {entry: entry(map[string]any{"statusListIndex": "22"}), list: map[string]any{"statusPurpose": "revocation", "encodedList": sample}},
		"an index that is a number":        {entry: entry(map[string]any{"statusListIndex": json.Number("23")}), list: map[string]any{"statusPurpose": "revocation", "encodedList": sample}, want: 1},
		"a list of several purposes":       {entry: entry(nil), list: map[string]any{"statusPurpose": []any{"suspension", "revocation"}, "encodedList": sample}, want: 1},
		"entries of two bits":              {entry: entry(map[string]any{"statusListIndex": "5", "statusSize": json.Number("2")}), list: map[string]any{"statusPurpose": "revocation", "encodedList": pack(t, two)}, want: 2},
		"a list of another purpose":        {entry: entry(nil), list: map[string]any{"statusPurpose": "suspension", "encodedList": sample}, code: status.VerificationError},
		"the last bit":                     {entry: entry(map[string]any{"statusListIndex": "131071"}), list: map[string]any{"statusPurpose": "revocation", "encodedList": sample}},
		"an index behind the end":          {entry: entry(map[string]any{"statusListIndex": "131072"}), list: map[string]any{"statusPurpose": "revocation", "encodedList": sample}, code: status.RangeError},
		"an index that is enormous":        {entry: entry(map[string]any{"statusListIndex": "99999999999999999999"}), code: status.MalformedValue},
		"an index below zero":              {entry: entry(map[string]any{"statusListIndex": "-1"}), code: status.MalformedValue},
		"no index":                         {entry: entry(map[string]any{"statusListIndex": true}), code: status.MalformedValue},
		"a list that is too short":         {entry: entry(nil), list: map[string]any{"statusPurpose": "revocation", "encodedList": pack(t, make([]byte, 2048))}, code: status.ListLengthError},
		"too few entries of several bits":  {entry: entry(map[string]any{"statusSize": json.Number("4")}), list: map[string]any{"statusPurpose": "revocation", "encodedList": sample}, code: status.ListLengthError},
		"a list that unpacks to too much":  {entry: entry(nil), list: map[string]any{"statusPurpose": "revocation", "encodedList": pack(t, make([]byte, 17<<20))}, code: status.ListLengthError},
		"a list that unpacks to 1 GB":      {entry: entry(nil), list: map[string]any{"statusPurpose": "revocation", "encodedList": status.Encode(slices.Repeat([]status.Segment{status.Empty()}, 1<<16))}, code: status.ListLengthError},
		"a list that is not gzipped":       {entry: entry(nil), list: map[string]any{"statusPurpose": "revocation", "encodedList": "uAAAA"}, code: status.MalformedValue},
		"a list that is no base64url":      {entry: entry(nil), list: map[string]any{"statusPurpose": "revocation", "encodedList": "u!"}, code: status.MalformedValue},
		"an entry without a list":          {entry: entry(map[string]any{"statusListCredential": nil}), code: status.MalformedValue},
		"entries of no bits":               {entry: entry(map[string]any{"statusSize": json.Number("0")}), code: status.MalformedValue},
		"entries of more bits than a word": {entry: entry(map[string]any{"statusSize": json.Number("65")}), code: status.MalformedValue},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := status.ReadEntry(row.entry)
			var value uint64
			if err == nil {
				value, err = e.Lookup(row.list)
			}
			var problem *status.Error
			if errors.As(err, &problem) != (row.code != "") || problem != nil && problem.Code != row.code {
				t.Fatalf("err = %v, want %q", err, row.code)
			}
			if value != row.want {
				t.Errorf("value = %d, want %d", value, row.want)
			}
		})
	}
}

func TestMessage(t *testing.T) {
	e, err := status.ReadEntry(entry(map[string]any{"statusSize": json.Number("2"), "statusMessage": []any{map[string]any{"status": "0x2", "message": "under review"}}}))
	if err != nil || e.Message(2) != "under review" || e.Message(1) != "" {
		t.Errorf("messages = %v, %v", e.Messages, err)
	}
}

func TestRevoked(t *testing.T) {
	for name, row := range map[string]struct {
		list string
		want bool
	}{
		"listed":                         {`{"revokedCredential":[{"id":"urn:1","revocationReason":"a mistake"}]}`, true},
		"listed as revoked":              {`{"revokedCredential":[{"id":"urn:1","revoked":true}]}`, true},
		"listed as no longer revoked":    {`{"revokedCredential":[{"id":"urn:1","revoked":false}]}`, false},
		"listed under the plural":        {`{"revokedCredentials":[{"id":"urn:0"},{"id":"urn:1"}]}`, true},
		"listed alone, without an array": {`{"revokedCredential":{"id":"urn:1"}}`, true},
		"listed as a bare id":            {`{"revokedCredential":["urn:1"]}`, true},
		"not listed":                     {`{"revokedCredential":[{"id":"urn:2"},{"revoked":true}]}`, false},
		"an empty list":                  {`{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			var list map[string]any
			if err := json.Unmarshal([]byte(row.list), &list); err != nil {
				t.Fatal(err)
			}
			if got, _ := status.Revoked(list, "urn:1"); got != row.want {
				t.Errorf("Revoked = %t", got)
			}
		})
	}
}

// FuzzLookup reads any entry out of any list: it never panics, answers with an error
// of this package or a value that fits the entry, and what it reads of a good list
// is the bit.
func FuzzLookup(f *testing.F) {
	f.Add(sample, "23", uint8(1))
	f.Add(sample, "131072", uint8(2))
	f.Add("u", "0", uint8(0))
	f.Add("uH4sIAAAAAAAA", "1", uint8(63))
	f.Add(status.Encode([]status.Segment{status.Empty(), status.Empty()}), "99999999999999", uint8(1))
	f.Fuzz(func(t *testing.T, encoded, index string, size uint8) {
		e, err := status.ReadEntry(entry(map[string]any{"statusListIndex": index, "statusSize": json.Number(strconv.Itoa(int(size)))}))
		var value uint64
		if err == nil {
			value, err = e.Lookup(map[string]any{"statusPurpose": "revocation", "encodedList": encoded})
		}
		var problem *status.Error
		switch {
		case err != nil && !errors.As(err, &problem):
			t.Errorf("%v is no error of this package", err)
		case err == nil && e.Size < 64 && value>>e.Size != 0:
			t.Errorf("an entry of %d bits is %d", e.Size, value)
		case err == nil && encoded == sample && size == 1 && (value == 1) != (e.Index == 23):
			t.Errorf("entry %d is %d", e.Index, value)
		}
	})
}
