package verification_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/image"
)

func TestThePageSaysInPlainWordsWhatItFound(t *testing.T) {
	badge, _ := issued(t, "")
	changed := strings.Replace(badge, "Example Corp", `<script>alert(1)</script>`, 1)
	server := serving(t, documents{"https://example.org/badge.json": badge})
	file := func(content string, fields ...form) (string, string) { return multiparted(t, content, fields...) }
	typed := func(fields url.Values) (string, string) { return "application/x-www-form-urlencoded", fields.Encode() }
	type request struct{ mediaType, body string }
	of := func(mediaType, body string) request { return request{mediaType, body} }
	for name, row := range map[string]struct {
		request
		status          int
		contains, lacks []string
	}{
		"a picture":           {of(file(baked(t, pngBytes(t), badge, image.OpenBadges3))), 200, []string{"This badge is verified", `src="data:image/png;base64,`, "Signature", "known by a key alone", "eddsa-rdfc-2022", "Rule: Open Badges 3.0", "Teamwork"}, []string{"Do not rely on it"}},
		"an address":          {of(typed(url.Values{"url": {"https://example.org/badge.json"}})), 200, []string{"This badge is verified", `value="https://example.org/badge.json"`}, nil},
		"pasted text":         {of(typed(url.Values{"badge": {badge}, "recipient": {"b@example.com"}})), 200, []string{"This badge is not verified", "somebody else than whom you named", "What to do:", `value="b@example.com"`}, []string{"This badge is verified"}},
		"a changed badge":     {of(typed(url.Values{"badge": {changed}})), 200, []string{"This badge is not verified", "The signature does not fit", "Do not rely on it", "&lt;script&gt;alert(1)"}, []string{"<script>"}},
		"nothing":             {of(typed(url.Values{})), 422, []string{"There is nothing to check", "verification.nothing", `role="alert"`}, nil},
		"an empty file":       {of(file("")), 422, []string{"verification.nothing"}, nil},
		"a plain picture":     {of(file(pngBytes(t))), 422, []string{"There is no badge in the picture", "What to do:"}, nil},
		"an unknown address":  {of(typed(url.Values{"url": {"https://example.org/x"}})), 422, []string{"No badge could be fetched"}, nil},
		"words that are none": {of(typed(url.Values{"badge": {"hello"}})), 422, []string{"This cannot be read as a badge"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/verify", strings.NewReader(row.body))
			r.Header.Set("Content-Type", row.mediaType)
			r.Header.Set("Accept", "text/html")
			answer, err := server.Test(r)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			body := string(data)
			if answer.StatusCode != row.status || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %v: %.500s", answer.StatusCode, answer.Header, body)
			}
			if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("the policy is %q", policy)
			}
			for _, s := range row.contains {
				if !strings.Contains(body, s) {
					t.Errorf("the page lacks %q:\n%s", s, body)
				}
			}
			for _, s := range append(row.lacks, "<script", ` style="`, `src="http`) {
				if strings.Contains(body, s) {
					t.Errorf("the page holds %q", s)
				}
			}
		})
	}
}

func TestTheFormFetchesNothing(t *testing.T) {
	server := serving(t, nil)
	answer, err := server.Test(httptest.NewRequest(http.MethodGet, "/verify?url=https://example.org/%22%3E", nil))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"<h1 id=\"form\">Check a badge</h1>", `value="https://example.org/&#34;&gt;"`, `<label for="file">`, `<label for="url">`, `<label for="badge">`, `<label for="recipient">`} {
		if answer.StatusCode != 200 || !strings.Contains(string(data), s) {
			t.Errorf("%d, lacks %s: %s", answer.StatusCode, s, data)
		}
	}
}
