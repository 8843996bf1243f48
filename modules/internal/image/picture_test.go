package image_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	stdimage "image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/image"
)

// The helpers below build pictures by means of their own, so that they can
// serve as an oracle for the package.

const (
	credential = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"id":"urn:uuid:1","type":["VerifiableCredential","OpenBadgeCredential"],"name":"Käse & <Brot>"}`
	assertion  = `{"@context":"https://w3id.org/openbadges/v2","type":"Assertion","id":"https://example.org/assertions/1?a=1&b=2"}`
	plainSVG   = `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="20"><path d="M0 0h10v20z"/></svg>`
)

var jws = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT"}`)) + ".eyJhIjoxfQ.c2lnbmF0dXJl"

func chunk(kind, body string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(b, kind+body...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// noise is a PNG of size by size random pixels, about 4*size*size bytes.
func noise(t testing.TB, size int) []byte {
	t.Helper()
	m, r := stdimage.NewNRGBA(stdimage.Rect(0, 0, size, size)), rand.New(rand.NewPCG(1, uint64(size)))
	for y := range size {
		for x := range size {
			m.SetNRGBA(x, y, color.NRGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32())})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const signature = "\x89PNG\r\n\x1a\n"

func ihdr(width, height uint32, rest string) string {
	b := binary.BigEndian.AppendUint32(nil, width)
	return chunk("IHDR", string(binary.BigEndian.AppendUint32(b, height))+rest)
}

// pieces make up the smallest PNG: one grey pixel.
func pieces() (head, data, end string) {
	return ihdr(1, 1, "\x08\x00\x00\x00\x00"), chunk("IDAT", deflated("\x00\x80")), chunk("IEND", "")
}

// pixel is the smallest PNG with the chunks in between header and data.
func pixel(between ...string) []byte {
	head, data, end := pieces()
	return []byte(signature + head + strings.Join(between, "") + data + end)
}

func deflated(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}

// chunks takes a PNG apart into whole chunks.
func chunks(data []byte) []string {
	var all []string
	for rest := string(data[8:]); rest != ""; {
		n := 12 + int(binary.BigEndian.Uint32([]byte(rest)))
		all, rest = append(all, rest[:n]), rest[n:]
	}
	return all
}

func codeOf(err error) image.Code {
	var e *image.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return image.Code("foreign: " + err.Error())
	}
	return ""
}

// wantCode checks the code of an error and that it says what to do about it.
func wantCode(t *testing.T, err error, want image.Code) {
	t.Helper()
	if got := codeOf(err); got != want {
		t.Fatalf("code %q (%v), want %q", got, err, want)
	}
	var e *image.Error
	if errors.As(err, &e) && (e.Problem == "" || e.Remedy == "" || strings.HasSuffix(e.Problem, ".")) {
		t.Errorf("problem %q, remedy %q: both must be said, the problem without a full stop", e.Problem, e.Remedy)
	}
}
