package image

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	svgNamespace   = "http://www.w3.org/2000/svg"
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
	bakedPrefix    = "openbadges"

	maxDepth      = 128
	maxAttributes = 128 // of one element
	maxBindings   = 64  // namespace declarations in force at one place
)

// carrier names the element of an edition: Open Badges 3.0, 5.3.2.1 (SVG: Baking);
// Open Badges 2.0, Baked Badges (SVG).
var carrier = [...]struct{ namespace, local string }{
	OpenBadges3: {"https://purl.imsglobal.org/ob/v3p0", "credential"},
	OpenBadges2: {"http://openbadges.org", "assertion"},
}

// element is one credential found in an SVG.
type element struct {
	span
	verify string
	body   []byte
}

// svgFile is what one walk over the tokens tells.
type svgFile struct {
	data          []byte
	width, height int
	root          span   // the start tag of the root element
	rootName      string // as written, with its prefix
	selfClosing   bool
	prefix        string // what the root binds the prefix openbadges to; "" if nothing
	baked         [len(versions)][]element
}

// frame is one open element.
type frame struct {
	name     xml.Name // as written: Space is the prefix
	bindings int      // how many bindings were in force outside it
	style    []byte   // the text of a style element, gathered over CDATA and comments
	isStyle  bool
}

type binding struct{ prefix, namespace string }

// svgWalk checks well-formedness and namespaces on top of encoding/xml's raw
// tokens, which by themselves let mismatched tags, two roots, repeated
// attributes and trailing text pass.
type svgWalk struct {
	svgFile
	hygiene    bool
	decoder    *xml.Decoder
	stack      []frame
	bindings   []binding
	rootClosed bool
	doctype    bool
	inside     *element // the credential element being read
	insideAt   int      // its depth
	version    Version
}

// parseSVG walks the whole document once. With hygiene it also refuses what could
// harm whoever opens the picture; reading a stranger's badge does without,
// since the picture is then not shown.
func parseSVG(data []byte, hygiene bool) (*svgFile, error) {
	if !utf8.Valid(data) {
		return nil, damagedSVG(0, "the SVG is not in UTF-8")
	}
	if at := forbiddenCharacter(data); at >= 0 {
		return nil, damagedSVG(at, "the SVG holds a character that XML does not know")
	}
	w := &svgWalk{svgFile: svgFile{data: data}, hygiene: hygiene, decoder: xml.NewDecoder(bytes.NewReader(data))}
	for {
		start := int(w.decoder.InputOffset())
		token, err := w.decoder.RawToken()
		end := int(w.decoder.InputOffset())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, damagedSVG(end, "the SVG is not well-formed XML: %s", plain(err))
		}
		if badReference(token, data[start:end]) {
			return nil, damagedSVG(start, "the SVG refers to a character that XML does not know")
		}
		if err := w.token(token, start, end); err != nil {
			return nil, err
		}
	}
	if !w.rootClosed {
		return nil, damagedSVG(len(data), "the SVG ends before its root element does")
	}
	return &w.svgFile, nil
}

func damagedSVG(offset int, format string, args ...any) *Error {
	return trouble(Damaged, offset, "Save the picture again with a drawing program, as plain SVG in UTF-8.", format, args...)
}

// plain strips what encoding/xml says around its finding.
func plain(err error) string {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Msg
	}
	if strings.Contains(err.Error(), "CharsetReader") {
		return "it declares an encoding other than UTF-8"
	}
	return strings.TrimPrefix(err.Error(), "xml: ")
}

func (w *svgWalk) token(token xml.Token, start, end int) error {
	switch t := token.(type) {
	case xml.StartElement:
		return w.open(t, start, end)
	case xml.EndElement:
		return w.close(t, start, end)
	case xml.CharData:
		return w.text(t, start)
	case xml.ProcInst:
		return w.instruction(t, start)
	case xml.Directive:
		return w.directive(start, end)
	}
	return nil // a comment
}

func (w *svgWalk) open(t xml.StartElement, start, end int) error {
	if w.rootClosed {
		return damagedSVG(start, "the SVG has a second root element %s", written(t.Name))
	}
	if len(w.stack) == maxDepth {
		return trouble(TooLarge, start, "Save the picture with fewer groups within groups.", "the SVG nests elements deeper than %d", maxDepth)
	}
	if len(t.Attr) > maxAttributes {
		return trouble(TooLarge, start, "Save the picture as plain SVG.", "an element of the SVG has more than %d attributes", maxAttributes)
	}
	if !spaced(w.data[start:end]) {
		return damagedSVG(start, "the SVG is not well-formed XML: no space before an attribute of %s", written(t.Name))
	}
	f := frame{name: t.Name, bindings: len(w.bindings)}
	if err := w.bind(t.Attr, start); err != nil {
		return err
	}
	namespace, ok := w.resolve(t.Name.Space)
	if !ok || strings.Contains(t.Name.Local, ":") {
		return damagedSVG(start, "the element %s has a prefix that nothing declares", written(t.Name))
	}
	if err := w.attributes(t.Attr, start); err != nil {
		return err
	}
	if len(w.stack) == 0 {
		if t.Name.Local != "svg" || namespace != svgNamespace {
			return damagedSVG(start, "the root element is %s in the namespace %q, not svg in %s", written(t.Name), namespace, svgNamespace)
		}
		w.root, w.rootName = span{start, end}, written(t.Name)
		w.selfClosing = w.data[end-2] == '/'
		w.prefix, _ = w.resolve(bakedPrefix)
		w.size(t.Attr)
	}
	if w.inside == nil {
		for _, v := range versions {
			if namespace == carrier[v].namespace && t.Name.Local == carrier[v].local && len(w.stack) > 0 {
				w.version, w.insideAt = v, len(w.stack)
				w.inside = &element{span: span{start: start}}
				w.inside.verify = attribute(t.Attr, "verify")
			}
		}
	}
	if w.hygiene {
		if err := harmless(t, namespace, start); err != nil {
			return err
		}
		f.isStyle = strings.EqualFold(t.Name.Local, "style")
	}
	w.stack = append(w.stack, f)
	return nil
}

func (w *svgWalk) close(t xml.EndElement, start, end int) error {
	if len(w.stack) == 0 || w.stack[len(w.stack)-1].name != t.Name {
		return damagedSVG(start, "the end tag %s closes no element that is open here", written(t.Name))
	}
	f := w.stack[len(w.stack)-1]
	w.stack = w.stack[:len(w.stack)-1]
	w.bindings = w.bindings[:f.bindings]
	if f.isStyle {
		if problem := harmfulCSS(string(f.style)); problem != "" {
			return unsafeSVG(start, "a style element %s", problem)
		}
	}
	if w.inside != nil && len(w.stack) == w.insideAt {
		w.inside.end = end
		w.baked[w.version] = append(w.baked[w.version], *w.inside)
		w.inside = nil
	}
	w.rootClosed = len(w.stack) == 0
	return nil
}

func (w *svgWalk) text(t xml.CharData, start int) error {
	if len(w.stack) == 0 {
		blank := len(bytes.Trim(t, " \t\r\n")) == 0 && w.data[start] != '<' // not even an empty CDATA section
		if !blank && !(start == 0 && bytes.HasPrefix(t, []byte(byteOrderMark)) && len(bytes.Trim(t[len(byteOrderMark):], " \t\r\n")) == 0) {
			return damagedSVG(start, "there is text outside the root element")
		}
		return nil
	}
	if w.inside != nil {
		if len(w.inside.body)+len(t) > MaxCredentialBytes {
			return credentialTooLarge()
		}
		w.inside.body = append(w.inside.body, t...)
	}
	if top := &w.stack[len(w.stack)-1]; top.isStyle {
		top.style = append(top.style, t...)
	}
	return nil
}

const byteOrderMark = "\ufeff"

// xmlDeclaration is XML 1.0, 2.8 (Prolog); encoding/xml asks for less.
var xmlDeclaration = regexp.MustCompile(`^version\s*=\s*["']1\.0["'](\s+encoding\s*=\s*["'][A-Za-z][\w.-]*["'])?(\s+standalone\s*=\s*["'](yes|no)["'])?\s*$`)

func (w *svgWalk) instruction(t xml.ProcInst, start int) error {
	switch {
	case strings.EqualFold(t.Target, "xml"):
		first := start == 0 || start == len(byteOrderMark) && bytes.HasPrefix(w.data, []byte(byteOrderMark))
		if !first || t.Target != "xml" || !xmlDeclaration.Match(t.Inst) {
			return damagedSVG(start, "the XML declaration is malformed or does not stand at the very beginning")
		}
	case strings.Contains(t.Target, ":"):
		return damagedSVG(start, "the processing instruction %s has a colon in its name", t.Target)
	case w.hygiene && t.Target == "xml-stylesheet":
		return unsafeSVG(start, "it loads a style sheet by <?xml-stylesheet?>")
	}
	return nil
}

// doctype is XML 1.0, 2.8 (Prolog) without the internal subset.
var doctype = regexp.MustCompile(`^<!DOCTYPE\s+[A-Za-z_:][\w:.-]*(\s+(PUBLIC\s+("[\w\s'()+,./:=?;!*#@$%-]*"|'[\w\s()+,./:=?;!*#@$%-]*')|SYSTEM)\s+("[^"]*"|'[^']*'))?\s*>$`)

// directive lets a DOCTYPE pass that merely names the SVG DTD, which nobody
// fetches. An internal subset could declare entities, so it never passes.
func (w *svgWalk) directive(start, end int) error {
	raw := w.data[start:end]
	switch {
	case w.doctype || w.root.end > 0 || !bytes.HasPrefix(raw, []byte("<!DOCTYPE")):
		return damagedSVG(start, "the SVG has a markup declaration where none may stand")
	case bytes.IndexByte(raw, '[') >= 0:
		return unsafeSVG(start, "its DOCTYPE has an internal subset, which can declare entities")
	case !doctype.Match(raw):
		return damagedSVG(start, "the DOCTYPE of the SVG is malformed")
	}
	w.doctype = true
	return nil
}

// bind takes the namespace declarations of a start tag into force.
func (w *svgWalk) bind(attributes []xml.Attr, start int) error {
	for _, a := range attributes {
		switch {
		case a.Name.Space == "xmlns":
			// Namespaces in XML 1.0, 3 (Declaring Namespaces): reserved prefixes, no undeclaring.
			reserved := a.Name.Local == "xmlns" || (a.Name.Local == "xml") != (a.Value == xmlNamespace) || a.Value == xmlnsNamespace
			if reserved || a.Value == "" {
				return damagedSVG(start, "the namespace declaration xmlns:%s=%q is not allowed", a.Name.Local, a.Value)
			}
			w.bindings = append(w.bindings, binding{a.Name.Local, a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			w.bindings = append(w.bindings, binding{"", a.Value})
		}
	}
	if len(w.bindings) > maxBindings {
		return trouble(TooLarge, start, "Save the picture as plain SVG.", "the SVG declares more than %d namespaces at one place", maxBindings)
	}
	return nil
}

func (w *svgWalk) resolve(prefix string) (string, bool) {
	for i := len(w.bindings) - 1; i >= 0; i-- {
		if w.bindings[i].prefix == prefix {
			return w.bindings[i].namespace, true
		}
	}
	if prefix == "xml" {
		return xmlNamespace, true
	}
	return "", prefix == ""
}

// attributes refuses undeclared prefixes and attributes given twice, also under two prefixes.
func (w *svgWalk) attributes(list []xml.Attr, start int) error {
	var room [16]xml.Name
	seen := room[:0]
	for _, a := range list {
		name := a.Name
		switch {
		case strings.Contains(name.Local, ":"):
			return damagedSVG(start, "%q is no name of an attribute", name.Local)
		case name.Space != "" && name.Space != "xmlns":
			namespace, ok := w.resolve(name.Space)
			if !ok {
				return damagedSVG(start, "the attribute %s has a prefix that nothing declares", written(name))
			}
			name.Space = namespace
		}
		for _, other := range seen {
			if other == name {
				return damagedSVG(start, "the attribute %s is given twice", written(a.Name))
			}
		}
		seen = append(seen, name)
	}
	return nil
}

// size reads the nominal size of the picture; what is relative counts as unknown.
func (w *svgWalk) size(attributes []xml.Attr) {
	w.width, w.height = pixels(attribute(attributes, "width")), pixels(attribute(attributes, "height"))
	sides := strings.FieldsFunc(attribute(attributes, "viewBox"), func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	if len(sides) == 4 && (w.width == 0 || w.height == 0) {
		w.width, w.height = pixels(sides[2]), pixels(sides[3])
	}
}

func pixels(s string) int {
	f, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "px"), 64)
	if err != nil || !(f >= 0 && f < 1e6) {
		return 0
	}
	return int(math.Ceil(f))
}

func attribute(list []xml.Attr, local string) string {
	for _, a := range list {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

func written(n xml.Name) string {
	if n.Space != "" {
		return n.Space + ":" + n.Local
	}
	return n.Local
}

// spaced reports whether whitespace parts the attributes of a start tag, which
// encoding/xml does not ask for and every other parser does.
func spaced(tag []byte) bool {
	for i := 0; i < len(tag); i++ {
		if c := tag[i]; c == '"' || c == '\'' {
			closing := bytes.IndexByte(tag[i+1:], c)
			if closing < 0 {
				return false
			}
			i += closing + 1
			if i+1 < len(tag) && strings.IndexByte(" \t\r\n/>", tag[i+1]) < 0 {
				return false
			}
		}
	}
	return true
}

// forbiddenCharacter finds what is outside XML 1.0, 2.2 (Characters), or -1.
// encoding/xml lets it pass in comments and instructions.
func forbiddenCharacter(data []byte) int {
	for i, c := range data {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0xef && i+2 < len(data) && data[i+1] == 0xbf && data[i+2] >= 0xbe {
			return i
		}
	}
	return -1
}

// badReference finds character references to surrogates, which encoding/xml
// replaces without a word.
func badReference(token xml.Token, raw []byte) bool {
	switch token.(type) {
	case xml.StartElement, xml.CharData:
	default:
		return false
	}
	if bytes.HasPrefix(raw, []byte("<![CDATA[")) {
		return false
	}
	for {
		_, rest, ok := bytes.Cut(raw, []byte("&#"))
		if !ok {
			return false
		}
		digits, _, _ := bytes.Cut(rest, []byte{';'})
		code, base := string(digits), 10
		if hex, ok := strings.CutPrefix(code, "x"); ok {
			code, base = hex, 16
		}
		if n, err := strconv.ParseUint(code, base, 32); err == nil && n >= 0xd800 && n <= 0xdfff {
			return true
		}
		raw = rest
	}
}

// sniffSVG looks behind byte order mark, prolog, comments and DOCTYPE for a root called svg.
func sniffSVG(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	for {
		data = bytes.TrimLeft(data, " \t\r\n")
		var end string
		switch {
		case bytes.HasPrefix(data, []byte("<?")):
			end = "?>"
		case bytes.HasPrefix(data, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(data, []byte("<!")):
			end = ">"
			if closing := bytes.IndexByte(data, '>'); closing >= 0 && bytes.IndexByte(data[:closing], '[') >= 0 {
				end = "]" // of the internal subset; the loop goes on behind the ">" that follows it
			}
		case bytes.HasPrefix(data, []byte("<")):
			name := data[1:min(len(data), 64)]
			if i := bytes.IndexAny(name, " \t\r\n/>"); i >= 0 {
				name = name[:i]
			}
			_, local, prefixed := strings.Cut(string(name), ":")
			return string(name) == "svg" || prefixed && local == "svg"
		default:
			return false
		}
		i := bytes.Index(data, []byte(end))
		if i < 0 {
			return false
		}
		data = data[i+len(end):]
		if end == "]" {
			i := bytes.IndexByte(data, '>')
			if i < 0 {
				return false
			}
			data = data[i+1:]
		}
	}
}

// bakeSVG places the element directly behind the root's start tag.
func bakeSVG(data, credential []byte, jws bool, o Options) ([]byte, error) {
	s, err := parseSVG(data, true)
	if err != nil {
		return nil, err
	}
	old := s.baked[o.Version]
	if len(old) > 0 && !o.Overwrite {
		return nil, alreadyBaked(o.Version, old[0].start)
	}
	out := make([]byte, 0, len(data)+len(credential)+len(credential)/16+512)
	namespace, name := carrier[o.Version].namespace, bakedPrefix+":"+carrier[o.Version].local
	declaration := " xmlns:" + bakedPrefix + `="` + namespace + `"`

	tail := 1 // the root's ">"
	if s.selfClosing {
		tail = 2
	}
	out = append(out, data[:s.root.end-tail]...)
	if s.prefix == "" {
		// Open Badges 3.0, 5.3.2.1 (SVG: Baking): the root declares the prefix.
		out, declaration = append(out, declaration...), ""
	} else if s.prefix == namespace {
		declaration = ""
	} // else the prefix means the other edition on the root: the element itself says what it means here.
	out = append(out, '>')

	out = append(out, "<"+name+declaration...)
	switch {
	case jws:
		out = append(append(append(out, ` verify="`...), credential...), `"/>`...)
	default:
		if hosted := o.HostedURL; o.Version == OpenBadges2 && hosted != "" {
			out = append(append(append(out, ` verify="`...), escapeAttribute(hosted)...), '"')
		}
		out = append(out, "><![CDATA["...)
		out = appendCDATA(out, credential)
		out = append(out, "]]></"+name+">"...)
	}
	if s.selfClosing {
		out = append(out, "</"+s.rootName+">"...)
	}
	spans := make([]span, len(old))
	for i, e := range old {
		spans[i] = e.span
	}
	out = appendWithout(out, data, s.root.end, spans)
	if len(out) > MaxSVGBytes {
		return nil, trouble(TooLarge, 0, "Make the picture smaller.", "the baked SVG would have %d bytes, and %d are the limit", len(out), MaxSVGBytes)
	}
	return out, nil
}

// appendCDATA appends JSON text so that it can stand in a CDATA section. What
// would end the section or is no XML character (XML 1.0, 2.2) can only stand
// within a JSON string, where an escape says the same. Splitting the section
// would keep the bytes, but readers that take only its first part exist.
func appendCDATA(out, json []byte) []byte {
	for i := 0; i < len(json); i++ {
		switch c := json[i]; {
		case c == '>' && i >= 2 && json[i-1] == ']' && json[i-2] == ']':
			out = append(out, `\u003e`...)
		case c == 0xef && i+2 < len(json) && json[i+1] == 0xbf && json[i+2] >= 0xbe:
			out = append(append(out, `\ufff`...), "ef"[json[i+2]-0xbe])
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

var attributeEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;")

func escapeAttribute(s string) string { return attributeEscapes.Replace(s) }
