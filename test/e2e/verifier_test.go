package e2e

import (
	"bytes"
	"strings"
	"testing"
)

// TestTheVerifierFetchesWhatIsOursWithoutANetwork asks for badges of this very house by
// their addresses, which the guard would refuse: they are on a private one.
func TestTheVerifierFetchesWhatIsOursWithoutANetwork(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
		credential := h.must(201, h.send("POST", "/api/v1/credentials", order(h.achievement(h.issuer(), img)))).id(t)
		for _, row := range []struct {
			name, url string
			status    int
			must      []string
		}{
			{"a credential", h.base + "/credentials/" + credential, 200, []string{`"verified":true`, `"edition":"3.0"`}},
			{"a baked badge", h.base + "/credentials/" + credential + "/badge.png", 200, []string{`"verified":true`, `"picture":{"format":"png"}`}},
			{"a path that climbs", h.base + "/../../etc/passwd", 422, []string{"verification.unreachable"}},
			{"what needs a token", h.base + "/api/v1/credentials/" + credential, 422, []string{"verification.unreachable"}},
			{"another port of this machine", "http://127.0.0.1:1/", 422, []string{"verification.unreachable"}},
			{"our own address as a user's name", strings.Replace(h.base, "127.0.0.1", "127.0.0.1@169.254.169.254", 1) + "/", 422, []string{"verification.address"}},
			{"our own address as a beginning", h.base + "0/credentials/" + credential, 422, []string{"verification.unreachable"}},
			{"the metadata of a cloud", "http://169.254.169.254/latest/meta-data/", 422, []string{"verification.unreachable"}},
		} {
			t.Run(row.name, func(t *testing.T) {
				h := &house{t: t, base: h.base, log: h.log}
				a := h.send("POST", "/api/v1/verify", map[string]any{"url": row.url}, "Authorization", "")
				if a.status != row.status {
					t.Errorf("status %d instead of %d: %s", a.status, row.status, a.body)
				}
				for _, must := range row.must {
					if !bytes.Contains(a.body, []byte(must)) {
						t.Errorf("does not say %q: %s", must, a.body)
					}
				}
			})
		}
		page := h.send("POST", "/verify", []byte("url="+h.base+"/credentials/"+credential), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "", "Accept", "text/html")
		if page.status != 200 || !bytes.Contains(page.body, []byte("This badge is verified")) {
			t.Errorf("%d: %s", page.status, page.body)
		}
	})
}
