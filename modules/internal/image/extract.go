package image

import "fmt"

// Extraction is what a picture carries. It is unverified.
type Extraction struct {
	Payload   []byte // a JSON object or a compact JWS; nil when there is only an address
	Format    Format
	Version   Version
	JWS       bool     // the payload is a compact JWS
	HostedURL string   // where an Open Badges 2.0 assertion is hosted, if the picture says
	Warnings  []string // what another baker did wrong without making the badge unreadable
}

// Extract takes the credential out of a picture: the first of Open Badges 3.0,
// else the first of 2.0. It reads what the standard forbids to write, as long
// as it is unambiguous, and warns of it.
//
// It answers with an [*Error] whose code is NotImage, Damaged, Unsafe (entity
// declarations only), NotBaked, TooLarge or NotCredential.
func Extract(data []byte) (Extraction, error) {
	format, err := recognise(data)
	if err != nil {
		return Extraction{}, err
	}
	if format == PNG {
		return fromPNG(data)
	}
	return fromSVG(data)
}

func fromPNG(data []byte) (Extraction, error) {
	p, err := parsePNG(data)
	if err != nil {
		return Extraction{}, err
	}
	for _, v := range versions {
		if len(p.baked[v]) == 0 {
			continue
		}
		text, warnings, err := extractPNG(p, v)
		if err != nil {
			return Extraction{}, err
		}
		x := Extraction{Format: PNG, Version: v, Warnings: append(several(len(p.baked[v]), "chunks"), warnings...)}
		if p.end < len(data) {
			x.Warnings = append(x.Warnings, fmt.Sprintf("%d bytes follow the end of the PNG", len(data)-p.end))
		}
		return x.holding(text)
	}
	return Extraction{}, notBaked("chunk")
}

func fromSVG(data []byte) (Extraction, error) {
	s, err := parseSVG(data, false)
	if err != nil {
		return Extraction{}, err
	}
	for _, v := range versions {
		if len(s.baked[v]) == 0 {
			continue
		}
		x := Extraction{Format: SVG, Version: v, Warnings: several(len(s.baked[v]), "elements")}
		first := s.baked[v][0]
		verify := string(trim([]byte(first.verify)))
		body := trim(first.body)
		if len(body) > 0 && v == OpenBadges3 && isCompactJWS([]byte(verify)) {
			// Open Badges 3.0, 5.3.2.2 (SVG: Extracting): verify comes before the body.
			x.Warnings = append(x.Warnings, "the element has both a verify attribute, which was taken, and a body")
			body = nil
		}
		if len(body) > 0 {
			if v == OpenBadges2 && webURL(verify) {
				x.HostedURL = verify
			}
			return x.holding(string(body))
		}
		return x.holding(verify)
	}
	return Extraction{}, notBaked("element")
}

// holding completes the extraction by the text that was found.
func (x Extraction) holding(text string) (Extraction, error) {
	if address := string(trim([]byte(text))); x.Version == OpenBadges2 && webURL(address) {
		x.HostedURL = address
		x.Warnings = append(x.Warnings, "the picture holds only the address of its assertion")
		return x, nil
	}
	var err error
	if x.Payload, x.JWS, err = Payload([]byte(text)); err != nil {
		return Extraction{}, err
	}
	return x, nil
}

func several(n int, what string) []string {
	if n < 2 {
		return nil
	}
	return []string{fmt.Sprintf("the picture holds %d %s of this edition, of which the first was taken", n, what)}
}

func notBaked(carrier string) *Error {
	return trouble(NotBaked, 0, "Give a picture into which a badge has been baked; messengers and image editors may have dropped it.", "the picture holds no %s with a credential", carrier)
}
