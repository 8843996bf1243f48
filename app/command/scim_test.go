package command

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

// TestScimProbeSaysWhatIsWrongAndEndsSo calls the command for a server that answers
// everything with a page, as a proxy does in front of nothing.
func TestScimProbeSaysWhatIsWrongAndEndsSo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(404)
		_, _ = w.Write([]byte("<html>nothing here</html>"))
	}))
	defer server.Close()
	for _, row := range []struct {
		name string
		args []string
		code int
		out  string
	}{
		{"for people", []string{server.URL + "/scim/v2", "token"}, 1, "✗ test-connection"},
		{"for programs", []string{server.URL + "/scim/v2", "token", "--json"}, 1, `"kind": "not-json"`},
		{"without a token", []string{server.URL + "/scim/v2"}, 2, ""},
		{"with fewer look-ups than none", []string{server.URL + "/scim/v2", "token", "--lookups", "-1"}, 2, ""},
		{"without an address", []string{"badges", "token"}, 2, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := Run(t.Context(), append([]string{"scim", "probe"}, row.args...), &out, &errs)
			if code != row.code || !strings.Contains(out.String(), row.out) || strings.Contains(out.String(), "token\n") {
				t.Errorf("ended with %d: %s%s", code, &out, &errs)
			}
			if row.name == "for programs" && (!json.Valid(out.Bytes()) || errs.Len() > 0) {
				t.Errorf("no JSON alone: %s%s", &out, &errs)
			}
		})
	}
}

// TestScimProbeTellsWarningsFromFailures: a report without a failure is not a clean one.
func TestScimProbeTellsWarningsFromFailures(t *testing.T) {
	for _, row := range []struct {
		name      string
		outcome   scimprobe.Outcome
		must, not string
	}{
		{"all passed", scimprobe.Passed, "would not stumble", "needs a look"},
		{"a warning", scimprobe.Warning, "needs a look", "would not stumble"},
		{"left out", scimprobe.Skipped, "would not stumble", "needs a look"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := &cobra.Command{}
			cmd.SetOut(&out)
			showProbe(cmd, scimprobe.Report{Ready: true, Results: []scimprobe.Result{{Check: "speed", Outcome: row.outcome}}})
			if !strings.Contains(out.String(), row.must) || strings.Contains(out.String(), row.not) {
				t.Errorf("it says %s", &out)
			}
		})
	}
}
