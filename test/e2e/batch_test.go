package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/test/dbtest"
)

// batchState is how far a batch is.
type batchState struct {
	ID, State                           string
	Total, Processed, Succeeded, Failed int
}

func (h *house) batch(id string) (b batchState) {
	h.t.Helper()
	h.must(200, h.send("GET", "/api/v1/batches/"+id, nil)).into(h.t, &b)
	return b
}

// wait asks until a batch is so far.
func (h *house) wait(id string, far func(batchState) bool) batchState {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		b := h.batch(id)
		if far(b) {
			return b
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("the batch is at %+v", b)
		}
		<-time.After(20 * time.Millisecond) // the server limits its callers
	}
}

func completed(b batchState) bool { return b.State == "completed" }

func TestABatchIsIssued(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		achievement := h.achievement(h.issuer(), "")
		file := []byte("email,narrative\nada@example.org,One\nnobody,Two\nbob@example.org,Three\n")
		send := func(query, key string) answer {
			return h.send("POST", "/api/v1/batches?achievementId="+achievement+query, file, "Content-Type", "text/csv", "Idempotency-Key", key)
		}
		var dry, real batchState
		h.must(202, send("&dryRun=true", "dry")).into(t, &dry)
		if b := h.wait(dry.ID, completed); b.Succeeded != 2 || b.Failed != 1 {
			t.Errorf("the dry run came to %+v", b)
		}
		first := h.must(202, send("", "real"))
		first.into(t, &real)
		if first.header.Get("Location") != "/api/v1/batches/"+real.ID {
			t.Errorf("it is at %s", first.header.Get("Location"))
		}
		again := h.must(202, send("", "real"))
		if again.header.Get("Idempotent-Replay") != "true" || !bytes.Contains(again.body, []byte(real.ID)) {
			t.Errorf("repeated as %s", again.body)
		}
		if a := send("&dryRun=true", "real"); a.status != 409 {
			t.Errorf("another request of the same key: %d", a.status)
		}
		h.wait(real.ID, completed)
		var report struct {
			Items []struct {
				Line                           int
				State, CredentialID, PublicURL string
				Problem                        struct{ Code string }
			}
		}
		h.must(200, h.send("GET", "/api/v1/batches/"+real.ID+"/lines", nil)).into(t, &report)
		if len(report.Items) != 3 || report.Items[0].State != "issued" || report.Items[1].Problem.Code != "issuance.invalid" || report.Items[2].PublicURL == "" {
			t.Errorf("the report is %+v", report)
		}
		h.verified(h.must(200, h.send("GET", "/credentials/"+report.Items[2].CredentialID, nil)).body, "application/json", "bob@example.org", true)
		var list struct{ Items []batchState }
		h.must(200, h.send("GET", "/api/v1/batches?state=completed", nil)).into(t, &list)
		if len(list.Items) != 2 || list.Items[0].Succeeded != 2 || list.Items[0].ID != real.ID && list.Items[1].ID != real.ID {
			t.Errorf("the list of batches is %+v", list)
		}
		if a := h.send("GET", "/api/v1/batches?limit=0", nil); a.status != 400 {
			t.Errorf("pages of nothing: %d", a.status)
		}
		if a := h.send("POST", "/api/v1/batches/"+real.ID+"/cancel", nil); a.status != 409 {
			t.Errorf("cancelling what is over: %d", a.status)
		}
		for name, row := range map[string]struct {
			query, kind, body string
			status            int
		}{
			"another media type":  {"", "application/json", "{}", 415},
			"a dry run or not":    {"&dryRun=perhaps", "text/csv", "email\n", 400},
			"an unknown column":   {"", "text/csv", "shoeSize\n44\n", 422},
			"nothing":             {"", "text/csv", "", 400},
			"another achievement": {"0", "text/csv", "email\na@b.org\n", 422},
		} {
			if a := h.send("POST", "/api/v1/batches?achievementId="+achievement+row.query, []byte(row.body), "Content-Type", row.kind); a.status != row.status {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}

// recipients is a file for so many recipients.
func recipients(n int) []byte {
	var file bytes.Buffer
	file.WriteString("email\n")
	for i := range n {
		fmt.Fprintf(&file, "person-%d@example.org\n", i)
	}
	return file.Bytes()
}

// issued counts what there is of the credentials that the reports of batches name, each
// of which must be there once, with an entry in a status list that no other has.
func (h *house) issued(batches ...string) (n int) {
	h.t.Helper()
	entries, ids, cursor := map[string]bool{}, map[string]string{}, ""
	for {
		var page struct {
			Items []struct {
				ID, BatchID string
				Status      struct {
					List  string
					Index *int64
				}
			}
			Next string
		}
		h.must(200, h.send("GET", "/api/v1/credentials?limit=500&cursor="+cursor, nil)).into(h.t, &page)
		for _, c := range page.Items {
			if c.Status.Index == nil {
				h.t.Fatalf("%s has no entry", c.ID)
			}
			ids[c.ID], entries[fmt.Sprint(c.Status.List, *c.Status.Index)] = c.BatchID, true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(entries) != len(ids) {
		h.t.Errorf("%d credentials have %d entries", len(ids), len(entries))
	}
	named := map[string]bool{}
	for _, batch := range batches {
		for cursor = ""; ; {
			var page struct {
				Items []struct {
					Line                int
					State, CredentialID string
				}
				Next string
			}
			h.must(200, h.send("GET", "/api/v1/batches/"+batch+"/lines?limit=500&cursor="+cursor, nil)).into(h.t, &page)
			for _, l := range page.Items {
				if l.State != "issued" || ids[l.CredentialID] != batch || named[l.CredentialID] {
					h.t.Fatalf("the report says %+v", l)
				}
				named[l.CredentialID] = true
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
	}
	if len(named) != len(ids) {
		h.t.Errorf("the reports name %d of %d credentials", len(named), len(ids))
	}
	return len(ids)
}

// TestKillingTheServerInABatchIssuesNothingTwice kills it again and again while it works on
// one, and counts what there is in the end.
func TestKillingTheServerInABatchIssuesNothingTwice(t *testing.T) {
	const total = 10000
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			s := start(t, dir, e.URL, "PUBLIC_URL=http://localhost:9", "RATE_LIMIT=0")
			achievement := s.achievement(s.issuer(), "")
			send := func() (b batchState) {
				s.must(202, s.send("POST", "/api/v1/batches?achievementId="+achievement, recipients(total), "Content-Type", "text/csv", "Idempotency-Key", "all")).into(t, &b)
				return b
			}
			b := send()
			kills := 0
			for at := 1; kills < 2; at += total / 2 {
				if got := s.wait(b.ID, func(b batchState) bool { return b.Processed >= at || b.State == "completed" }); got.State == "completed" {
					break
				}
				s.cmd.Process.Signal(syscall.SIGKILL)
				s.cmd.Wait()
				kills++
				s = start(t, dir, e.URL, "PUBLIC_URL=http://localhost:9", "RATE_LIMIT=0")
				if again := send(); again.ID != b.ID {
					t.Errorf("sent again it is %s", again.ID)
				}
			}
			if got := s.wait(b.ID, completed); got.Total != total || got.Succeeded != total || got.Failed != 0 || kills == 0 {
				t.Errorf("after %d kills it came to %+v", kills, got)
			}
			if n := s.issued(b.ID); n != total {
				t.Errorf("%d credentials for %d orders", n, total)
			}
		})
	}
}

// TestAnotherServerEndsTheBatchesOfOneThatDied has two servers work on ten batches at once,
// and kills one of them in the middle.
func TestAnotherServerEndsTheBatchesOfOneThatDied(t *testing.T) {
	const each, batches = 1200, 10
	for _, e := range dbtest.Engines(t) {
		if e.Name == "sqlite" {
			continue // is for one server
		}
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			first := start(t, dir, e.URL, "PUBLIC_URL=http://localhost:9", "RATE_LIMIT=0")
			second := start(t, dir, e.URL, "PUBLIC_URL=http://localhost:9", "RATE_LIMIT=0")
			achievement := first.achievement(first.issuer(), "")
			var ids []string
			for i := range batches {
				var b batchState
				s := []*server{first, second}[i%2]
				s.must(202, s.send("POST", "/api/v1/batches?achievementId="+achievement, recipients(each), "Content-Type", "text/csv")).into(t, &b)
				ids = append(ids, b.ID)
			}
			second.wait(ids[0], func(b batchState) bool { return b.Processed > 0 })
			first.cmd.Process.Signal(syscall.SIGKILL)
			first.cmd.Wait()
			for _, id := range ids {
				if b := second.wait(id, completed); b.Succeeded != each || b.Failed != 0 {
					t.Errorf("it came to %+v", b)
				}
			}
			if n := second.issued(ids...); n != each*batches {
				t.Errorf("%d credentials for %d orders", n, each*batches)
			}
		})
	}
}

func TestACommandIssuesToEverybodyInAFile(t *testing.T) {
	h := boot(t, nil)
	achievement := h.achievement(h.issuer(), "")
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token := file("token", admin+"\n")
	good := file("good.csv", "email\nada@example.org\nbob@example.org\n")
	mixed := file("mixed.NDJSON", `{"recipient":{"email":"ada@example.org"}}`+"\n"+`{"recipient":{"email":"nobody"}}`+"\n")
	report := filepath.Join(dir, "report.ndjson")
	issue := func(code int, more ...string) string {
		t.Helper()
		return string(run(t, code, append([]string{"issue", "--server", h.base, "--token-file", token, "--achievement", achievement}, more...)...))
	}
	if out := issue(1, mixed, "--dry-run"); out != "line 2: The credential would break rules of its standards, so it was not signed.\n  /recipient/email: This is not an e-mail address. Give an address such as person@example.org.\n" {
		t.Errorf("it says %q", out)
	}
	issue(0, good, "--report", report)
	issue(0, good) // the same file is issued once
	if lines, err := os.ReadFile(report); err != nil || bytes.Count(lines, []byte(`"state":"issued"`)) != 2 {
		t.Errorf("the report is %s, %v", lines, err)
	}
	var page struct{ Items []struct{ ID string } }
	h.must(200, h.send("GET", "/api/v1/credentials", nil)).into(t, &page)
	if len(page.Items) != 2 {
		t.Errorf("%d credentials", len(page.Items))
	}
	issue(1, file("bad.csv", "shoeSize\n44\n"))
	issue(1, filepath.Join(dir, "nothing-there.csv"))
	issue(2, file("list.txt", "email\n"))
	issue(2)
	run(t, 1, "issue", good, "--server", h.base, "--token-file", file("other", "nobody knows"), "--achievement", achievement)
	run(t, 2, "issue", good)
}
