package image

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf8"
)

// PNG (Third Edition), 5.2 (PNG signature) and 5.3 (Chunk layout).
const (
	pngSignature  = "\x89PNG\r\n\x1a\n"
	chunkOverhead = 12                     // length, type, CRC
	afterIHDR     = 8 + chunkOverhead + 13 // the header's place and size are fixed
	maxChunk      = 1<<31 - 1
)

// keyword names the chunk of an edition: Open Badges 3.0, 5.3.1.1 (PNG: Baking);
// Open Badges 2.0, Baked Badges (PNG).
var keyword = [...]string{OpenBadges3: "openbadgecredential", OpenBadges2: "openbadges"}

// span is a run of bytes of the file, from start up to but not including end.
type span struct{ start, end int }

// pngFile is what one walk over the chunks tells. It refers to the bytes given.
type pngFile struct {
	data          []byte
	width, height int
	baked         [len(versions)][]span // whole chunks that carry a credential, in order
	end           int                   // just behind IEND
}

// parsePNG walks the chunks and checks their framing, CRCs and order.
func parsePNG(data []byte) (*pngFile, error) { return walkPNG(data, true) }

func walkPNG(data []byte, checksums bool) (*pngFile, error) {
	p := &pngFile{data: data}
	var seenData, dataEnded, seenPalette, indexed bool
	for at := len(pngSignature); ; {
		if len(data)-at < chunkOverhead {
			return nil, trouble(Damaged, at, "Send the whole file.", "the PNG ends before its IEND chunk")
		}
		length := int64(binary.BigEndian.Uint32(data[at:]))
		kind := kindOf(data[at+4 : at+8])
		if !isChunkType(kind) {
			return nil, trouble(Damaged, at+4, "Send the file as it was saved.", "%q is no type of a PNG chunk", kind)
		}
		// Compared as int64, so that a length of 4 GB neither wraps nor allocates.
		if length > maxChunk || length > int64(len(data)-at-chunkOverhead) {
			return nil, trouble(Damaged, at, "Send the whole file.", "the PNG chunk %s claims %d bytes, and %d are left", kind, length, len(data)-at-chunkOverhead)
		}
		end := at + chunkOverhead + int(length)
		body := data[at+8 : end-4]
		if checksums && crc32.ChecksumIEEE(data[at+4:end-4]) != binary.BigEndian.Uint32(data[end-4:]) {
			return nil, trouble(Damaged, at, "Send the file as it was saved; a transfer has altered it.", "the checksum of the PNG chunk %s is wrong", kind)
		}
		first := at == len(pngSignature)
		if first != (kind == "IHDR") {
			return nil, trouble(Damaged, at, "Save the picture again with a drawing program.", "a PNG begins with its one IHDR chunk, but here stands %s", kind)
		}
		switch kind {
		case "IHDR":
			if err := p.header(body); err != nil {
				return nil, err
			}
			indexed = body[9] == 3
		case "PLTE":
			if seenPalette || seenData || length == 0 || length%3 != 0 || length > 768 {
				return nil, trouble(Damaged, at, "Save the picture again with a drawing program.", "the PLTE chunk is out of place or of a wrong length")
			}
			seenPalette = true
		case "IDAT":
			if dataEnded || indexed && !seenPalette {
				return nil, trouble(Damaged, at, "Save the picture again with a drawing program.", "an IDAT chunk is out of place")
			}
			seenData = true
		case "IEND":
			if length != 0 || !seenData {
				return nil, trouble(Damaged, at, "Save the picture again with a drawing program.", "the PNG ends without a picture in it")
			}
			p.end = end
			return p, nil
		case "iTXt", "zTXt", "tEXt":
			if v, ok := carries(body); ok {
				p.baked[v] = append(p.baked[v], span{at, end})
			}
		default:
			// PNG, 5.4 (Chunk naming conventions): upper case first means no reader may skip it.
			if kind[0] < 'a' {
				return nil, trouble(Damaged, at, "Save the picture again with a drawing program.", "the critical PNG chunk %s is unknown", kind)
			}
		}
		dataEnded = seenData && kind != "IDAT"
		at = end
	}
}

// header checks IHDR (PNG, 11.2.1).
func (p *pngFile) header(body []byte) error {
	const remedy = "Save the picture again with a drawing program."
	if len(body) != 13 {
		return trouble(Damaged, len(pngSignature), remedy, "the IHDR chunk has %d bytes instead of 13", len(body))
	}
	width, height := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
	if width == 0 || height == 0 || width > maxChunk || height > maxChunk {
		return trouble(Damaged, 16, remedy, "the PNG claims to be %d by %d pixels", width, height)
	}
	depth, colour := body[8], body[9]
	depths := [7]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10"}
	if int(colour) >= len(depths) || strings.IndexByte(depths[colour], depth) < 0 || body[10] != 0 || body[11] != 0 || body[12] > 1 {
		return trouble(Damaged, 24, remedy, "the IHDR chunk names a bit depth, colour type or method that does not exist")
	}
	p.width, p.height = int(width), int(height)
	return nil
}

// strict adds what an upload has to keep beyond being readable.
func (p *pngFile) strict() error {
	if p.width > MaxSide || p.height > MaxSide {
		return trouble(TooLarge, 16, "Make the picture smaller.", "the PNG is %d by %d pixels, and %d a side are the limit", p.width, p.height, MaxSide)
	}
	if p.end < len(p.data) {
		// What stands behind IEND is invisible in the picture: a second file travels there.
		return trouble(Damaged, p.end, "Save the picture again with a drawing program.", "%d bytes follow the end of the PNG", len(p.data)-p.end)
	}
	return nil
}

// kindOf is the type of a chunk as a string; the kinds that pictures consist of cost no
// memory.
func kindOf(b []byte) string {
	for _, kind := range [...]string{"IDAT", "IHDR", "IEND", "PLTE", "iTXt"} {
		if string(b) == kind {
			return kind
		}
	}
	return string(b)
}

func isChunkType(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// carries tells whether a text chunk has the keyword of an edition.
func carries(body []byte) (Version, bool) {
	key, _, ok := bytes.Cut(body[:min(len(body), 80)], []byte{0})
	if ok {
		for _, v := range versions {
			if string(key) == keyword[v] {
				return v, true
			}
		}
	}
	return 0, false
}

// bakePNG places the chunk behind IHDR, where also readers that stop at the
// first IDAT meet it. It allocates the answer and nothing of the picture's size besides.
func bakePNG(data, credential []byte, o Options) ([]byte, error) {
	p, err := walkPNG(data, !o.Checked)
	if err == nil {
		err = p.strict()
	}
	if err != nil {
		return nil, err
	}
	old := p.baked[o.Version]
	if len(old) > 0 && !o.Overwrite {
		return nil, alreadyBaked(o.Version, old[0].start)
	}
	// PNG, 11.3.3.4 (iTXt): keyword, null, uncompressed, method 0, no language, no translation.
	head := keyword[o.Version] + "\x00\x00\x00\x00\x00"
	length := len(head) + len(credential)
	size := len(data) + chunkOverhead + length
	for _, s := range old {
		size -= s.end - s.start
	}
	if size > MaxBytes {
		return nil, trouble(TooLarge, 0, "Make the picture smaller.", "the baked PNG would have %d bytes, and %d are the limit", size, MaxBytes)
	}
	out := make([]byte, 0, size)
	out = append(out, data[:afterIHDR]...)
	out = binary.BigEndian.AppendUint32(out, uint32(length))
	typed := len(out)
	out = append(out, "iTXt"...)
	out = append(out, head...)
	out = append(out, credential...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[typed:]))
	return appendWithout(out, data, afterIHDR, old), nil
}

// appendWithout appends data from start on, leaving out the spans.
func appendWithout(out, data []byte, start int, spans []span) []byte {
	for _, s := range spans {
		out = append(out, data[start:s.start]...)
		start = s.end
	}
	return append(out, data[start:]...)
}

// extractPNG takes the first chunk of the edition, preferring the kind the
// standard asks for, and also reads the kinds it forbids.
func extractPNG(p *pngFile, v Version) (string, []string, error) {
	chosen := p.baked[v][0]
	for _, s := range p.baked[v] {
		if string(p.data[s.start+4:s.start+8]) == "iTXt" {
			chosen = s
			break
		}
	}
	var warnings []string
	kind := string(p.data[chosen.start+4 : chosen.start+8])
	body := p.data[chosen.start+8 : chosen.end-4][len(keyword[v])+1:]
	broken := trouble(Damaged, chosen.start, "Ask whoever baked the picture to bake it anew.", "the %s chunk %q cannot be read", kind, keyword[v])
	compressed := kind == "zTXt"
	switch kind {
	case "iTXt":
		if len(body) < 4 || body[0] > 1 || body[1] != 0 {
			return "", nil, broken
		}
		compressed = body[0] == 1
		_, body, _ = bytes.Cut(body[2:], []byte{0}) // language tag
		_, rest, ok := bytes.Cut(body, []byte{0})   // translated keyword
		if !ok {
			return "", nil, broken
		}
		body = rest
	case "zTXt":
		if len(body) < 1 || body[0] != 0 {
			return "", nil, broken
		}
		body = body[1:]
	}
	if kind != "iTXt" {
		warnings = append(warnings, "the credential stands in a "+kind+" chunk instead of iTXt")
	}
	if compressed {
		warnings = append(warnings, "the credential is compressed, which the standard forbids")
		var err error
		if body, err = inflate(body, broken); err != nil {
			return "", nil, err
		}
	}
	if kind != "iTXt" && !utf8.Valid(body) {
		// PNG, 11.3.3.2 (tEXt): the text is Latin-1, although most bakers put UTF-8 there.
		runes := make([]rune, len(body))
		for i, c := range body {
			runes[i] = rune(c)
		}
		return string(runes), warnings, nil
	}
	return string(body), warnings, nil
}

// inflate decompresses within the limit; broken is its answer to a bad stream.
func inflate(body []byte, broken error) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, broken
	}
	out, err := io.ReadAll(io.LimitReader(z, MaxCredentialBytes+1))
	if len(out) > MaxCredentialBytes {
		return nil, trouble(TooLarge, 0, "Bake a smaller credential.", "the credential unfolds to more than %d bytes", MaxCredentialBytes)
	}
	if err != nil {
		return nil, broken
	}
	return out, nil
}
