package verification

import (
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/report"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
)

//go:embed templates/*.html
var templates embed.FS

// Pages are the pages of this module.
type Pages struct {
	service *Service
	page    *page.Renderer
	own     *page.Pages
}

// NewPages parses the templates of the pages.
func NewPages(s *Service, r *page.Renderer) (*Pages, error) {
	own, err := page.Parse(templates, "templates/*.html")
	return &Pages{service: s, page: r, own: own}, err
}

// shownPicture is the largest picture that is shown beside its report.
const shownPicture = 512 << 10

// verdict is what the page says.
type verdict struct {
	Report         *Report
	Refusal        *fault.Fault
	Verdict, Why   string
	Tone           string
	Checks         []shownCheck
	Picture        template.URL // what was uploaded, never what a badge points at
	URL, Recipient string
}

// shownCheck is a check in plain words.
type shownCheck struct {
	Check
	Title, Word, Sign, Tone string
}

// form shows the empty form; an address may be given beforehand, but nothing is
// fetched before somebody sends it.
func (p *Pages) form(c *fiber.Ctx) error {
	return p.show(c, http.StatusOK, verdict{URL: c.Query("url")})
}

// verify answers the form with a report, or with what is wrong with what was sent.
func (p *Pages) verify(c *fiber.Ctx) error {
	v := verdict{URL: httpserver.Form(c, "url"), Recipient: httpserver.Form(c, "recipient")}
	upload, err := sent(c)
	if err != nil {
		return err
	}
	var found Report
	switch o := (Options{Recipient: v.Recipient}); {
	case len(upload) > 0:
		found, err = p.service.Verify(c.UserContext(), upload, o)
	case v.URL != "":
		found, err = p.service.VerifyAt(c.UserContext(), v.URL, o)
	default:
		err = ErrNothing
	}
	if err != nil {
		f, declared := fault.From(err)
		if !declared || f.Kind() == fault.Internal || f.Kind() == fault.Unavailable {
			return err
		}
		v.Refusal = f
		return p.show(c, http.StatusUnprocessableEntity, v)
	}
	v.tell(found)
	if format, is := image.Sniff(upload); is && len(upload) <= shownPicture {
		v.Picture = template.URL("data:" + format.MediaType() + ";base64," + base64.StdEncoding.EncodeToString(upload)) //nolint:gosec // a picture is only drawn
	}
	return p.show(c, http.StatusOK, v)
}

// sent is the file of the form, or else the text that was pasted.
func sent(c *fiber.Ctx) ([]byte, error) {
	if httpserver.MediaType(c) == fiber.MIMEMultipartForm {
		if header, err := c.FormFile("file"); err == nil && header.Size > 0 {
			file, err := header.Open()
			if err != nil {
				return nil, err
			}
			defer file.Close()
			return io.ReadAll(file)
		}
	}
	return []byte(httpserver.Form(c, "badge")), nil
}

func (p *Pages) show(c *fiber.Ctx, status int, v verdict) error {
	title := "Check a badge"
	switch {
	case v.Report != nil:
		title = v.Verdict
	case v.Refusal != nil:
		title = "This badge could not be checked"
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return p.page.Render(c, status, page.View{
		Title: title, Description: "Learn whether a badge is genuine, whose it is, and what is wrong if something is.",
		Pages: p.own, Body: "verify.html", Data: v,
	})
}

// titles say in plain words what a check looks at, so that every outcome fits behind.
var titles = map[string]string{
	"parse": "Form", "context": "Vocabulary", "rules": "Rules of the standard", "hosted": "Publication by the issuer", "proof": "Signature",
	"issuer": "Identity of the issuer", "refresh": "Newer version", "dates": "Dates", "status": "Revocation", "schema": "Schema of its own",
	"recipient": "Recipient", "endorsements": "Endorsements",
}

var words = map[report.Outcome]struct {
	rank             int
	word, sign, tone string
}{
	report.Failed: {0, "failed", "✗", "bad"}, report.Unknown: {1, "could not be checked", "?", "warn"}, report.Warning: {2, "note", "!", "warn"},
	report.Passed: {3, "passed", "✓", "good"}, report.Skipped: {4, "nothing to check", "·", "quiet"},
}

// known says what a good signature proves of an issuer: that a web site stands behind
// it, or no more than that somebody holds a key, whatever name is beside it.
func known(issuer string) string {
	host := ""
	if u, err := url.Parse(issuer); err == nil && u.Scheme != "did" {
		host = u.Host
	} else if name, ok := strings.CutPrefix(issuer, "did:web:"); ok {
		host, _, _ = strings.Cut(name, ":")
	}
	if host != "" {
		return "It was issued by whoever runs the web site " + host + "."
	}
	return "Its issuer is known by a key alone: that the name beside it is true, the badge cannot prove."
}

// tell puts a report into words. What matters most comes first in the headline.
func (v *verdict) tell(found Report) {
	v.Report = &found
	v.Verdict, v.Tone = "This badge is verified", "good"
	v.Why = "Every check that applies to it passed. " + known(found.Issuer.ID)
	var failed, unknown, noted string
	for _, check := range found.Checks {
		w := words[check.Outcome]
		title := titles[check.Name]
		if title == "" {
			title = strings.ToUpper(check.Name[:1]) + check.Name[1:]
		}
		v.Checks = append(v.Checks, shownCheck{Check: check, Title: title, Word: w.word, Sign: w.sign, Tone: w.tone})
		switch {
		case check.Outcome == report.Failed && failed == "":
			failed = check.Detail
		case check.Outcome == report.Unknown && unknown == "":
			unknown = check.Detail
		case check.Outcome == report.Warning && noted == "":
			noted = check.Detail
		}
	}
	// What is wrong comes first; within the same outcome the order stays.
	slices.SortStableFunc(v.Checks, func(a, b shownCheck) int { return words[a.Outcome].rank - words[b.Outcome].rank })
	switch {
	case failed != "":
		v.Verdict, v.Tone, v.Why = "This badge is not verified", "bad", failed
	case unknown != "" || !found.Verified:
		v.Verdict, v.Tone, v.Why = "This badge could not be verified", "warn", unknown
	case noted != "":
		v.Why += " " + noted
	}
}
