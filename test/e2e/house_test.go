package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"github.com/badge-engine/badge-engine/test/houses"
)

const admin = houses.Admin

// house is a booted engine and how to talk to it.
type house struct {
	t    testing.TB
	base string
	log  *houses.Log
}

// each boots the house once for every database engine: SQLite with the cache in the
// process, PostgreSQL with Redis.
func each(t *testing.T, run func(t *testing.T, h *house)) {
	for _, e := range dbtest.Engines(t) {
		t.Run(e.Name, func(t *testing.T) {
			run(t, boot(t, houses.On(t, e, nil)))
		})
	}
}

func boot(t testing.TB, change func(*engine.Config)) *house {
	t.Helper()
	return bootWith(t, nil, change)
}

// bootWith boots the house by another clock.
func bootWith(t testing.TB, now func() time.Time, change func(*engine.Config)) *house {
	t.Helper()
	base, log := houses.Boot(t, now, change)
	return &house{t: t, base: base, log: log}
}

// until waits for an address to answer a status.
func (h *house) until(path string, status int) {
	h.t.Helper()
	houses.Until(h.t, h.base, path, status)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send asks as the administrator, unless the headers say otherwise. Headers come in pairs.
func (h *house) send(method, path string, body any, headers ...string) answer {
	h.t.Helper()
	var reader io.Reader
	kind := ""
	switch b := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(b)
	case string:
		reader, kind = strings.NewReader(b), "application/json"
	default:
		data, err := json.Marshal(b)
		if err != nil {
			h.t.Fatal(err)
		}
		reader, kind = bytes.NewReader(data), "application/json"
	}
	request, err := http.NewRequestWithContext(h.t.Context(), method, h.base+path, reader)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+admin)
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			request.Header.Del(headers[i])
		} else {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, data}
}

// must fails the test unless the answer has the status.
func (h *house) must(status int, a answer) answer {
	h.t.Helper()
	if a.status != status {
		h.t.Fatalf("status %d instead of %d: %s", a.status, status, a.body)
	}
	return a
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

// id of what was just created.
func (a answer) id(t testing.TB) string {
	t.Helper()
	var v struct{ ID string }
	a.into(t, &v)
	if v.ID == "" {
		t.Fatalf("no id in %s", a.body)
	}
	return v.ID
}

func (h *house) issuer() string {
	h.t.Helper()
	return h.must(201, h.send("POST", "/api/v1/issuers", map[string]any{"name": "Example Academy", "url": "https://academy.example.org"})).id(h.t)
}

func (h *house) achievement(issuerID, imageID string) string {
	h.t.Helper()
	body := map[string]any{
		"issuerId": issuerID, "name": "Teamwork", "description": "Worked well with others.",
		"criteria": map[string]any{"narrative": "Nominated by peers."},
	}
	if imageID != "" {
		body["imageId"] = imageID
	}
	return h.must(201, h.send("POST", "/api/v1/achievements", body)).id(h.t)
}

func order(achievementID string) map[string]any {
	return map[string]any{"achievementId": achievementID, "recipient": map[string]any{"email": "ada@example.org"}}
}

func TestMain(m *testing.M) { os.Exit(houses.Main(m)) }
