package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/test/houses"
)

// TestManyBadgesAreTakenOver imports a file of badges in every form: over HTTP, in a dry
// run and twice, and on the command line from the middle on.
func TestManyBadgesAreTakenOver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		from := h.must(201, h.send("POST", "/api/v1/issuers", map[string]any{"name": "Old Academy", "url": "https://old.example.org", "email": "a@old.example.org"})).id(t)
		to := h.must(201, h.send("POST", "/api/v1/issuers", map[string]any{"name": "New Academy"})).id(t)
		achievement := h.achievement(from, h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t))
		issue := func(n int, changes map[string]any) (id string, document []byte, token string) {
			body := order(achievement)
			body["recipient"] = map[string]any{"email": fmt.Sprintf("p%d@example.org", n)}
			body["awardedDate"] = "2025-03-04T05:06:07Z"
			for name, value := range changes {
				body[name] = value
			}
			var out struct {
				ID, Jwt    string
				Credential json.RawMessage
			}
			h.must(201, h.send("POST", "/api/v1/credentials", body)).into(t, &out)
			return out.ID, out.Credential, out.Jwt
		}
		wrapped := func(badge any, n int) string {
			text, err := json.Marshal(map[string]any{"badge": badge, "recipient": fmt.Sprintf("p%d@example.org", n)})
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		_, first, _ := issue(1, nil)
		second, _, _ := issue(2, nil)
		third, _, _ := issue(3, nil)
		_, _, token := issue(4, map[string]any{"format": "vc+jwt", "recipient": map[string]any{"id": "did:example:p4"}})
		_, named, _ := issue(5, map[string]any{"recipient": map[string]any{"id": "did:example:p5"}})
		gone, revoked, _ := issue(6, nil)
		h.must(200, h.send("POST", "/api/v1/credentials/"+gone+"/revoke", nil))
		rows := []string{
			wrapped(json.RawMessage(first), 1),                                                 // 1
			`{"url":"` + h.base + "/credentials/" + second + `","recipient":"p2@example.org"}`, // 2
			"", // 3
			wrapped(h.base+"/ob2/assertions/"+third, 3), // 4: as Open Badges 2.0
			token,                                // 5
			string(named),                        // 6
			wrapped(json.RawMessage(revoked), 6), // 7 fails
			wrapped(json.RawMessage(first), 2),   // 8 fails: another recipient
			`{"badge":`,                          // 9 fails
			`{"badge":{},"colour":"red"}`,        // 10 fails
			`{"url":"http://127.0.0.1:1/x"}`,     // 11 fails
			`{"badge":{"@context":[]},"url":"https://x.example"}`, // 12 fails
			`[]`,                               // 13 fails
			wrapped(json.RawMessage(first), 1), // 14: the first once more
		}
		type outcomes struct {
			DryRun                          bool
			Imported, Before, Valid, Failed int
			Next                            int
			Rows                            []struct {
				Line                                          int
				State, CredentialID, URL, AchievementID, Name string
				Problem                                       struct{ Code string }
			}
		}
		send := func(query string, lines ...string) (out outcomes) {
			t.Helper()
			h.must(200, h.send("POST", "/api/v1/import/batch?issuerId="+to+query, []byte(strings.Join(lines, "\n")), "Content-Type", "application/x-ndjson")).into(t, &out)
			return out
		}
		count := func() int {
			var page struct{ Items []struct{ ID string } }
			h.must(200, h.send("GET", "/api/v1/credentials?issuerId="+to+"&limit=100", nil)).into(t, &page)
			return len(page.Items)
		}
		if dry := send("&dryRun=true", rows...); !dry.DryRun || dry.Valid != 6 || dry.Failed != 7 || dry.Imported+dry.Before != 0 || count() != 0 {
			t.Errorf("%+v", dry)
		}
		done := send("", rows...)
		if done.Imported != 5 || done.Before != 1 || done.Failed != 7 || done.Next != 0 || len(done.Rows) != 13 || count() != 5 {
			t.Errorf("%d here: %+v", count(), done)
		}
		want := map[int]string{1: "", 2: "", 4: "", 5: "", 6: "", 7: "intake.unverified", 8: "intake.unverified", 9: "intake.row", 10: "intake.row", 11: "verification.unreachable", 12: "intake.row", 13: "intake.row", 14: ""}
		achievements := map[string]bool{}
		for i, r := range done.Rows {
			if i > 0 && r.Line <= done.Rows[i-1].Line || r.Problem.Code != want[r.Line] || (r.State == "failed") != (want[r.Line] != "") || (r.CredentialID == "") != (r.State == "failed") {
				t.Errorf("%+v", r)
			}
			if r.AchievementID != "" {
				achievements[r.AchievementID] = true
			}
		}
		if len(achievements) != 2 { // one for what is 3.0 and one for what is 2.0
			t.Errorf("the achievements are %v", achievements)
		}
		if again := send("", rows...); again.Imported != 0 || again.Before != 6 || count() != 5 {
			t.Errorf("%+v", again)
		}

		dir := t.TempDir()
		file, tokenFile, report := filepath.Join(dir, "badges.ndjson"), filepath.Join(dir, "token"), filepath.Join(dir, "report.ndjson")
		_, late, _ := issue(7, nil)
		lines := append(rows[:6:6], wrapped(json.RawMessage(late), 7))
		for n := len(lines); n < 250; n++ { // more than one request
			lines = append(lines, "")
		}
		lines = append(lines, `{"badge":5}`)
		for path, text := range map[string]string{file: strings.Join(lines, "\n") + "\n", tokenFile: admin} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, errs, code := houses.Command(t, dir, nil, "import", file, "--issuer", to, "--server", h.base, "--token-file", tokenFile, "--report", report, "--from", "2")
		if code != 1 || !strings.HasPrefix(out, "line 251: ") || !strings.Contains(errs, "1 imported, 4 before, 0 would be imported, 1 failed") || count() != 6 {
			t.Errorf("%d: %s%s", code, out, errs)
		}
		if text, err := os.ReadFile(report); err != nil || bytes.Count(text, []byte("\n")) != 6 || !bytes.Contains(text, []byte(`"line":251`)) {
			t.Errorf("%v: %s", err, text)
		}
		if out, errs, code := houses.Command(t, dir, nil, "import", file, "--issuer", to, "--server", h.base, "--token-file", tokenFile, "--from", "252"); code != 2 {
			t.Errorf("%d: %s%s", code, out, errs)
		}

		many := strings.Repeat(`{"url":"https://x.example"}`+"\n", 501)
		for name, row := range map[string]struct {
			query, body, code string
			status            int
		}{
			"more than are taken":  {"", many, "intake.rows", 413},
			"nothing":              {"", "\n \n", "intake.nothing", 400},
			"no body":              {"", "", "httpserver.empty", 400},
			"a word for dryRun":    {"&dryRun=perhaps", rows[0], "intake.option", 400},
			"who may only read it": {"", rows[0], "", 401},
		} {
			auth := "Bearer " + admin
			if row.status == 401 {
				auth = ""
			}
			if a := h.send("POST", "/api/v1/import/batch?issuerId="+to+row.query, []byte(row.body), "Content-Type", "application/x-ndjson", "Authorization", auth); a.status != row.status || !bytes.Contains(a.body, []byte(row.code)) {
				t.Errorf("%s: %d: %s", name, a.status, a.body)
			}
		}
	})
}
