package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// statusEntry is where a credential says its status can be asked for.
type statusEntry struct {
	ID, Type, StatusPurpose, StatusListIndex, StatusListCredential string
}

// award issues one credential and answers its id, its document and its status entry.
func (h *house) award(achievement string, more map[string]any) (id string, document []byte, entry statusEntry) {
	h.t.Helper()
	body := map[string]any{"achievementId": achievement, "recipient": map[string]any{"email": "ada@example.org"}}
	for name, value := range more {
		body[name] = value
	}
	var issued struct {
		ID         string
		Credential rawJSON
	}
	h.must(201, h.send("POST", "/api/v1/credentials", body)).into(h.t, &issued)
	var doc struct{ CredentialStatus statusEntry }
	if err := json.Unmarshal(issued.Credential, &doc); err != nil {
		h.t.Fatalf("the status is not one object: %v", err)
	}
	return issued.ID, issued.Credential, doc.CredentialStatus
}

// bit reads one entry out of the published list, knowing only the standard.
func (h *house) bit(e statusEntry) bool {
	h.t.Helper()
	at := strings.Index(e.StatusListCredential, "/status/")
	a := h.must(200, h.send("GET", e.StatusListCredential[at:], nil, "Authorization", ""))
	var list struct {
		ID                string
		Type              []string
		CredentialSubject struct {
			ID, Type, StatusPurpose, EncodedList string
			TTL                                  int
		}
	}
	a.into(h.t, &list)
	if list.ID != e.StatusListCredential || list.CredentialSubject.StatusPurpose != e.StatusPurpose || list.CredentialSubject.Type != "BitstringStatusList" {
		h.t.Fatalf("another list: %.300s", a.body)
	}
	if a.header.Get("ETag") == "" || a.header.Get("Cache-Control") != fmt.Sprintf("public, max-age=%d", list.CredentialSubject.TTL/1000) || a.header.Get("Content-Type") != "application/vc+ld+json" {
		h.t.Errorf("the list is served with %v", a.header)
	}
	packed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(list.CredentialSubject.EncodedList, "u"))
	if err != nil {
		h.t.Fatal(err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		h.t.Fatal(err)
	}
	bits, err := io.ReadAll(reader)
	if err != nil || len(bits) < 16384 {
		h.t.Fatalf("%d bytes, %v", len(bits), err)
	}
	var index int
	if _, err := fmt.Sscan(e.StatusListIndex, &index); err != nil {
		h.t.Fatal(err)
	}
	return bits[index/8]&(0x80>>(index%8)) != 0
}

func (h *house) state(id string) string {
	h.t.Helper()
	var c struct{ Status struct{ State string } }
	h.must(200, h.send("GET", "/api/v1/credentials/"+id, nil)).into(h.t, &c)
	return c.Status.State
}

// fraction finds times with a part of a second.
var fraction = regexp.MustCompile(`T\d\d:\d\d:\d\d\.\d`)

func TestACredentialIsRevokedSuspendedAndResumed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		achievement := h.achievement(h.issuer(), "")
		plain, document, entry := h.award(achievement, nil)
		if entry.Type != "BitstringStatusListEntry" || entry.StatusPurpose != "revocation" || entry.ID == entry.StatusListCredential {
			t.Fatalf("the entry is %+v", entry)
		}
		paused, pausable, other := h.award(achievement, map[string]any{"statusPurpose": "suspension"})
		if other.StatusPurpose != "suspension" {
			t.Fatalf("the entry is %+v", other)
		}
		h.verified(document, "application/json", "", true)
		h.verified(pausable, "application/json", "", true)

		for _, row := range []struct {
			id, act, state string
			document       []byte
			entry          statusEntry
			bit, verified  bool
		}{
			{paused, "suspend", "suspended", pausable, other, true, false},
			{paused, "resume", "valid", pausable, other, false, true},
			{plain, "suspend", "suspended", document, entry, false, false}, // its entry speaks of revocation alone, but this server knows
			{plain, "resume", "valid", document, entry, false, true},
			{plain, "revoke", "revoked", document, entry, true, false},
			{plain, "revoke", "revoked", document, entry, true, false},
			{paused, "revoke", "revoked", pausable, other, true, false},
		} {
			a := h.must(200, h.send("POST", "/api/v1/credentials/"+row.id+"/"+row.act, map[string]string{"reason": "as <agreed>"}))
			if got := h.state(row.id); got != row.state || !bytes.Contains(a.body, []byte(`"state":"`+row.state+`"`)) {
				t.Errorf("%s leaves it %s: %s", row.act, got, a.body)
			}
			if fraction.Match(a.body) {
				t.Errorf("times are in whole seconds: %s", a.body)
			}
			if got := h.bit(row.entry); got != row.bit {
				t.Errorf("%s leaves the published bit %t", row.act, got)
			}
			h.verified(row.document, "application/json", "", row.verified)
		}
		page := h.must(200, h.send("GET", "/credentials/"+plain, nil, "Authorization", "", "Accept", "text/html"))
		if !bytes.Contains(page.body, []byte("<strong>Revoked</strong>")) || !bytes.Contains(page.body, []byte("as &lt;agreed&gt;")) {
			t.Errorf("the page does not say that it is revoked: %s", page.body)
		}
		if a := h.send("POST", "/api/v1/credentials/"+plain+"/resume", nil); a.status != 409 || !bytes.Contains(a.body, []byte("issuance.revoked")) {
			t.Errorf("resuming what is revoked: %d %s", a.status, a.body)
		}
		if a := h.send("PUT", "/api/v1/credentials/"+plain, map[string]any{}); a.status != 409 {
			t.Errorf("issuing again what is revoked: %d %s", a.status, a.body)
		}

		// Erasure: the document goes, the status stays.
		gone, copied, last := h.award(achievement, nil)
		h.must(204, h.send("DELETE", "/api/v1/credentials/"+gone, nil))
		if a := h.send("GET", "/credentials/"+gone, nil, "Authorization", "", "Accept", "application/json"); a.status != 410 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("what is withdrawn answers %d %s", a.status, a.body)
		}
		h.verified(copied, "application/json", "", true)
		h.must(200, h.send("POST", "/api/v1/credentials/"+gone+"/revoke", nil))
		h.verified(copied, "application/json", "", false)
		if !h.bit(last) {
			t.Error("a copy of what is withdrawn cannot be revoked")
		}
	})
}

func TestCredentialsAreRevokedByAQuery(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		issuer := h.issuer()
		achievement, other := h.achievement(issuer, ""), h.achievement(issuer, "")
		var entries []statusEntry
		var id string
		for range 5 {
			var e statusEntry
			id, _, e = h.award(achievement, nil)
			entries = append(entries, e)
		}
		spared, _, sparedEntry := h.award(other, nil)
		var answer struct {
			DryRun            bool
			Matched, Affected int
			Operation         string
		}
		query := map[string]any{"achievementId": achievement, "recipient": "Ada@example.org", "reason": "the course was not accredited"}
		h.must(200, h.send("POST", "/api/v1/credentials/revoke", query)).into(t, &answer)
		if !answer.DryRun || answer.Affected != 5 || answer.Matched != 5 || h.bit(entries[0]) {
			t.Fatalf("without expected it is no dry run: %+v", answer)
		}
		query["expected"] = 4
		if a := h.send("POST", "/api/v1/credentials/revoke", query); a.status != 409 || h.bit(entries[0]) {
			t.Errorf("with another number: %d %s", a.status, a.body)
		}
		query["expected"] = 5
		answer.DryRun = true
		h.must(200, h.send("POST", "/api/v1/credentials/revoke", query)).into(t, &answer)
		if answer.DryRun || answer.Affected != 5 || answer.Operation == "" {
			t.Errorf("revoked %+v", answer)
		}
		// One event of the trail says how many and by what query; the history of each says
		// that it was among them.
		event := `"target":"operation:` + answer.Operation + `","outcome":"succeeded","detail":"credentials:5;achievement:` + achievement + `;recipient"`
		var trail []byte
		for end := time.Now().Add(20 * time.Second); !bytes.Contains(trail, []byte(event)) && time.Now().Before(end); {
			trail = h.must(200, h.send("GET", "/api/v1/audit?action=issuance.credentials.&limit=100", nil)).body
		}
		if bytes.Count(trail, []byte("issuance.credentials.revoked")) < 1 || !bytes.Contains(trail, []byte(event)) || bytes.Contains(trail, []byte("Ada")) {
			t.Errorf("the trail is %s", trail)
		}
		past := h.must(200, h.send("GET", "/api/v1/credentials/"+id+"/history", nil)).body
		for _, must := range []string{`"act":"revoke"`, `"reason":"the course was not accredited"`, `"by":"bootstrap"`, `"operation":"` + answer.Operation + `"`, `"credentials":5`, `"query":{"achievementId":"` + achievement + `","recipient":true}`} {
			if !bytes.Contains(past, []byte(must)) {
				t.Errorf("the history lacks %s: %s", must, past)
			}
		}
		if got := h.must(200, h.send("GET", "/api/v1/credentials/"+spared+"/history", nil)); string(got.body) != `{"items":[]}` {
			t.Errorf("one that was spared has the history %s", got.body)
		}
		h.must(404, h.send("GET", "/api/v1/credentials/x/history", nil))
		h.must(401, h.send("GET", "/api/v1/credentials/"+id+"/history", nil, "Authorization", ""))
		for _, e := range entries {
			if !h.bit(e) {
				t.Errorf("entry %s is not revoked", e.StatusListIndex)
			}
		}
		if h.bit(sparedEntry) || h.state(spared) != "valid" {
			t.Error("another one was revoked too")
		}
		for name, body := range map[string]string{
			"nothing asked for": `{}`, "a member nobody knows": `{"all":true}`, "an id that is none": `{"ids":["x"]}`, "an issuer that is none": `{"issuerId":"\u0000"}`,
			"a number that is none": `{"issuerId":"` + issuer + `","expected":"5"}`, "a time that is none": `{"issuedSince":"yesterday"}`, "an array": `[]`,
		} {
			if a := h.send("POST", "/api/v1/credentials/revoke", []byte(body), "Content-Type", "application/json"); a.status != 422 && a.status != 400 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}

func TestStatusListsAreServedToEverybody(t *testing.T) {
	h := boot(t, func(cfg *engine.Config) { cfg.PublicURL = "https://badges.example.org" })
	id, document, entry := h.award(h.achievement(h.issuer(), ""), nil)
	if !strings.HasPrefix(entry.StatusListCredential, "https://badges.example.org/status/") {
		t.Fatalf("the entry is %+v", entry)
	}
	path := strings.TrimPrefix(entry.StatusListCredential, "https://badges.example.org")
	first := h.must(200, h.send("GET", path, nil, "Authorization", "", "Accept", "application/json"))
	if kind := first.header.Get("Content-Type"); kind != "application/json" || first.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("served as %s to %s", kind, first.header.Get("Access-Control-Allow-Origin"))
	}
	tag := first.header.Get("ETag")
	if a := h.send("GET", path, nil, "If-None-Match", tag); a.status != 304 {
		t.Errorf("the same list again: %d", a.status)
	}
	h.must(200, h.send("POST", "/api/v1/credentials/"+id+"/revoke", nil))
	for _, kind := range []string{"application/vc+jwt", "application/jwt"} {
		a := h.must(200, h.send("GET", path, nil, "Authorization", "", "Accept", kind))
		if a.header.Get("Content-Type") != kind || bytes.Count(a.body, []byte(".")) != 2 || !strings.Contains(a.header.Get("Vary"), "Accept") {
			t.Errorf("as %s it is %s %.100s", kind, a.header.Get("Content-Type"), a.body)
		}
	}
	if a := h.must(200, h.send("GET", path, nil, "If-None-Match", tag)); a.header.Get("ETag") == tag {
		t.Error("the list has another content and the same tag")
	}
	h.verified(document, "application/json", "", false)
	for _, bad := range []string{"/status/x/revocation", "/status/" + id + "/revocation", path + "x", strings.TrimSuffix(path, "revocation") + "message"} {
		if a := h.send("GET", bad, nil, "Authorization", ""); a.status != 404 {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	for _, bad := range []string{"?timestamp=never", "?timestamp=2999-01-01T00:00:00Z", "?timestamp=1999-01-01T00:00:00Z"} {
		if a := h.send("GET", path+bad, nil, "Authorization", ""); a.status != 400 {
			t.Errorf("%s: %d %s", bad, a.status, a.body)
		}
	}
}

// TestKillingTheServerLosesNoRevocation kills it the moment a revocation is
// acknowledged, and looks after it is back.
func TestKillingTheServerLosesNoRevocation(t *testing.T) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			s := start(t, dir, e.URL, "PUBLIC_URL=http://localhost:9")
			achievement := s.achievement(s.issuer(), "")
			type kept struct {
				id    string
				entry statusEntry
			}
			var all []kept
			indexes := map[string]bool{}
			for round := range 3 {
				for range 4 {
					id, _, entry := s.award(achievement, nil)
					place := entry.StatusListCredential[strings.Index(entry.StatusListCredential, "/status/"):] + "#" + entry.StatusListIndex
					if indexes[place] {
						t.Errorf("the entry %s was given away twice", place)
					}
					indexes[place] = true
					all = append(all, kept{id, entry})
				}
				s.must(200, s.send("POST", "/api/v1/credentials/"+all[4*round].id+"/revoke", nil))
				s.must(200, s.send("POST", "/api/v1/credentials/revoke", map[string]any{"ids": []string{all[4*round+1].id, all[4*round+2].id}, "expected": 2}))
				s.cmd.Process.Signal(syscall.SIGKILL)
				s.cmd.Wait()
				s = start(t, dir, e.URL, "PUBLIC_URL=http://localhost:9")
				for i, k := range all {
					if want := i%4 != 3; s.bit(k.entry) != want || (s.state(k.id) == "revoked") != want {
						t.Errorf("round %d: credential %d is %s", round, i, s.state(k.id))
					}
				}
			}
		})
	}
}

func TestOldValidatorsReadAPlainList(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		issuer := h.issuer()
		achievement := h.achievement(issuer, "")
		plain := map[string]any{"statusPurpose": "1EdTechRevocationList"}
		id, document, entry := h.award(achievement, plain)
		spared, _, _ := h.award(achievement, plain)
		other, _, _ := h.award(achievement, nil)
		if entry.Type != "1EdTechRevocationList" || !strings.HasSuffix(entry.ID, "/issuers/"+issuer+"/revocations") || !bytes.Contains(document, []byte("/ob/v3p0/extensions.json")) {
			t.Fatalf("the entry is %+v", entry)
		}
		h.verified(document, "application/json", "", true)
		listed := func() string {
			t.Helper()
			var list struct {
				ID                string
				RevokedCredential []struct {
					ID               string
					Revoked          bool
					RevocationReason string
				}
			}
			h.must(200, h.send("GET", "/issuers/"+issuer+"/revocations", nil, "Authorization", "")).into(t, &list)
			if list.ID != entry.ID {
				t.Errorf("the list is %s", list.ID)
			}
			var all []string
			for _, c := range list.RevokedCredential {
				all = append(all, fmt.Sprint(c.ID[strings.LastIndex(c.ID, "/")+1:], c.Revoked, c.RevocationReason))
			}
			return strings.Join(all, " ")
		}
		h.must(200, h.send("POST", "/api/v1/credentials/"+other+"/revoke", nil)) // it names another list
		for _, row := range []struct {
			act, listed string
			verified    bool
		}{{"suspend", id + "trueasked", false}, {"resume", "", true}, {"revoke", id + "trueasked", false}} {
			if a := h.must(200, h.send("POST", "/api/v1/credentials/"+id+"/"+row.act, map[string]string{"reason": "asked"})); !bytes.Contains(a.body, []byte(`"published":true`)) {
				t.Errorf("%s: %s", row.act, a.body)
			}
			if got := listed(); got != row.listed {
				t.Errorf("after %s the list is %q", row.act, got)
			}
			h.verified(document, "application/json", "", row.verified)
		}
		if h.state(spared) != "valid" {
			t.Error("another one is revoked too")
		}
		if a := h.send("GET", "/issuers/"+id+"/revocations", nil, "Authorization", ""); a.status != 404 {
			t.Errorf("of no issuer: %d", a.status)
		}
	})
}

func TestThePageTellsResultsInTheWordsOfTheAchievement(t *testing.T) {
	h := boot(t, nil)
	const grade, level = "urn:uuid:0192f5a0-0000-7000-8000-000000000001", "urn:uuid:0192f5a0-0000-7000-8000-000000000002"
	achievement := h.must(201, h.send("POST", "/api/v1/achievements", map[string]any{
		"issuerId": h.issuer(), "name": "Welding", "description": "Welds.", "criteria": map[string]string{"narrative": "Weld."},
		"resultDescription": []map[string]any{{"id": grade, "name": "Seam", "resultType": "RubricCriterionLevel", "rubricCriterionLevel": []map[string]string{{"id": level, "name": "Mastered <well>"}}}},
	})).id(t)
	id, document, _ := h.award(achievement, map[string]any{
		"result":   []map[string]string{{"resultDescription": grade, "achievedLevel": level}, {"value": "17", "status": "Completed"}},
		"evidence": []map[string]string{{"name": "The seam", "narrative": "A picture of it."}},
	})
	h.verified(document, "application/json", "", true)
	page := h.must(200, h.send("GET", "/credentials/"+id, nil, "Authorization", "", "Accept", "text/html"))
	for _, want := range []string{"<dt>Seam</dt><dd>Mastered &lt;well&gt;</dd>", "<dt>Result</dt><dd>17, Completed</dd>", "<dt>Evidence</dt><dd>The seam"} {
		if !bytes.Contains(page.body, []byte(want)) {
			t.Errorf("the page does not say %s: %s", want, page.body)
		}
	}
	if a := h.send("POST", "/api/v1/credentials", map[string]any{"achievementId": achievement, "recipient": map[string]string{"email": "ada@example.org"}, "result": []map[string]string{{"resultDescription": grade, "achievedLevel": "urn:uuid:0192f5a0-0000-7000-8000-000000000009"}}}); a.status != 422 || !bytes.Contains(a.body, []byte("/result/0/achievedLevel")) {
		t.Errorf("a level that the achievement does not have: %d %s", a.status, a.body)
	}
}
