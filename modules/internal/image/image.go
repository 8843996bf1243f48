package image

import (
	"bytes"
	"fmt"
	"strings"
)

// Format is a kind of picture that may carry a badge.
type Format string

// Open Badges 3.0, 5.3 (Baked Badge): only these two may.
const (
	PNG Format = "png"
	SVG Format = "svg"
)

// MediaType is the registered media type of the format.
func (f Format) MediaType() string {
	switch f {
	case PNG:
		return "image/png"
	case SVG:
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

// Version is the edition of Open Badges a credential is baked as. Both may
// live in one picture, since each has a carrier of its own.
type Version int

// The editions; the zero value is the current one.
const (
	OpenBadges3 Version = iota
	OpenBadges2
)

var versions = [...]Version{OpenBadges3, OpenBadges2}

// ParseVersion reads "3.0", "3", "2.0" or "2".
func ParseVersion(s string) (Version, error) {
	switch s {
	case "3.0", "3":
		return OpenBadges3, nil
	case "2.0", "2":
		return OpenBadges2, nil
	}
	return 0, fmt.Errorf("image: %q is no version of Open Badges that can be baked; say 3.0 or 2.0", s)
}

// String is "3.0" or "2.0".
func (v Version) String() string {
	if v == OpenBadges2 {
		return "2.0"
	}
	return "3.0"
}

// The limits. A baked picture counts whole, so whatever [Bake] makes, [Extract] reads.
const (
	MaxBytes           = 16 << 20 // of a PNG
	MaxSVGBytes        = 8 << 20  // of an SVG, whose scan costs a hundred times more
	MaxCredentialBytes = 4 << 20  // of a credential, after decompression
	MaxSide            = 8192     // pixels; viewers decode what is uploaded here
)

// Info is what [Inspect] found.
type Info struct {
	Format        Format
	MediaType     string
	Width, Height int       // pixels; for an SVG its nominal size, 0 where it names none
	Baked         []Version // the editions of which the picture already carries a credential
}

// Sniff tells the format by the first bytes alone; it promises nothing about the rest.
func Sniff(data []byte) (Format, bool) {
	switch {
	case bytes.HasPrefix(data, []byte(pngSignature)):
		return PNG, true
	case sniffSVG(data):
		return SVG, true
	}
	return "", false
}

// Inspect checks that an upload is a sound and harmless picture. It answers
// with an [*Error] whose code is NotImage, Damaged, Unsafe or TooLarge.
func Inspect(data []byte) (Info, error) {
	format, err := recognise(data)
	if err != nil {
		return Info{}, err
	}
	info := Info{Format: format, MediaType: format.MediaType()}
	switch format {
	case PNG:
		p, err := parsePNG(data)
		if err == nil {
			err = p.strict()
		}
		if err != nil {
			return Info{}, err
		}
		info.Width, info.Height = p.width, p.height
		for _, v := range versions {
			if len(p.baked[v]) > 0 {
				info.Baked = append(info.Baked, v)
			}
		}
	case SVG:
		s, err := parseSVG(data, true)
		if err != nil {
			return Info{}, err
		}
		info.Width, info.Height = s.width, s.height
		for _, v := range versions {
			if len(s.baked[v]) > 0 {
				info.Baked = append(info.Baked, v)
			}
		}
	}
	return info, nil
}

// recognise sniffs and bounds the size, which goes before any other work.
func recognise(data []byte) (Format, error) {
	format, ok := Sniff(data)
	if !ok {
		return "", notImage(data)
	}
	limit := MaxBytes
	if format == SVG {
		limit = MaxSVGBytes
	}
	if len(data) > limit {
		return "", trouble(TooLarge, 0, "Make the picture smaller.", "the %s has %d bytes, and %d are the limit", strings.ToUpper(string(format)), len(data), limit)
	}
	return format, nil
}

// notImage names what was sent instead where that is plain to see.
func notImage(data []byte) *Error {
	const remedy = "Send a PNG or an SVG; no other format can carry a badge."
	if len(bytes.TrimLeft(data, " \t\r\n")) == 0 {
		return trouble(NotImage, 0, remedy, "there are no bytes in it")
	}
	for _, foreign := range [...]struct{ magic, name string }{
		{"\xff\xd8\xff", "a JPEG"}, {"GIF8", "a GIF"}, {"BM", "a BMP"}, {"%PDF", "a PDF"}, {"PK\x03\x04", "a ZIP archive"},
		{"\x1f\x8b", "compressed by gzip (an SVGZ, perhaps)"}, {"\xff\xfe", "text in UTF-16"}, {"\xfe\xff", "text in UTF-16"},
	} {
		if bytes.HasPrefix(data, []byte(foreign.magic)) {
			return trouble(NotImage, 0, remedy, "this is %s, neither a PNG nor an SVG", foreign.name)
		}
	}
	if len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP" {
		return trouble(NotImage, 0, remedy, "this is a WebP, neither a PNG nor an SVG")
	}
	return trouble(NotImage, 0, remedy, "this is neither a PNG (its signature is missing) nor an SVG (it has no root element svg)")
}
