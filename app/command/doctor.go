package command

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

func doctorCommand() *cobra.Command {
	var asJSON bool
	var scimToken string
	doctor := &cobra.Command{
		Use:   "doctor",
		Short: "Check everything that the troubleshooting guide knows, and say what to do",
		Long: "Looks at the configuration, the database, its schema, Redis, PUBLIC_URL and its certificate, Entra, the signing keys, baking, disks and memory; says of " +
			"each what it looked at, what it found, and the remedy. It changes nothing. It ends with 1 if anything is broken.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			environ, err := config.Environment(".")
			if err != nil {
				return err
			}
			var token []byte
			if scimToken != "" {
				if token, err = read(cmd, scimToken); err != nil {
					return err
				}
			}
			return tell(cmd, engine.Examine(cmd.Context(), environ, config.Sources("."), config.Secret(strings.TrimSpace(string(token)))), asJSON)
		},
	}
	doctor.Flags().StringVar(&scimToken, "scim-token", "", "file with the token of a provisioning service, or - for standard input; it is shown to PUBLIC_URL")
	doctor.PersistentFlags().BoolVar(&asJSON, "json", false, "for machines")
	doctor.AddCommand(doctorToken(&asJSON), doctorBundle())
	return doctor
}

func doctorToken(asJSON *bool) *cobra.Command {
	return &cobra.Command{
		Use:   "token FILE",
		Short: "Explain an access token of Entra claim by claim; - reads standard input",
		Args:  exactly(1, "one file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := read(cmd, args[0])
			if err != nil {
				return err
			}
			raw := strings.TrimSpace(string(data))
			raw = strings.TrimPrefix(strings.TrimPrefix(raw, "Authorization: "), "Bearer ")
			if strings.HasPrefix(raw, "be_") {
				return fmt.Errorf("this is an API token of this server, which means nothing by itself: badge-engine token list shows its scopes and whether it is revoked")
			}
			environ, err := config.Environment(".")
			if err != nil {
				return err
			}
			return tell(cmd, engine.ExamineToken(cmd.Context(), environ, raw), *asJSON)
		},
	}
}

// tell shows a report, and ends with 1 if anything is broken.
func tell(cmd *cobra.Command, r diagnosis.Report, asJSON bool) error {
	w := cmd.OutOrStdout()
	if asJSON {
		text, err := marshal(r)
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	} else if _, err := io.WriteString(w, shown(r)); err != nil {
		return err
	}
	if r.Status == diagnosis.Failure {
		return errSilent
	}
	return nil
}

// signs stand before each finding.
var signs = map[string]string{diagnosis.OK: "✓", diagnosis.Skipped: "–", diagnosis.Warning: "!", diagnosis.Failure: "✗"}

func shown(r diagnosis.Report) string {
	var b strings.Builder
	count := map[string]int{}
	for _, f := range r.Findings {
		count[f.Status]++
		fmt.Fprintf(&b, "%s %-22s %s\n", signs[f.Status], f.Check, f.Looked)
		indented(&b, "  ", f.Found)
		if f.Remedy != "" {
			indented(&b, "→ ", f.Remedy)
			indented(&b, "  ", f.Help)
		}
	}
	fmt.Fprintf(&b, "\n%d broken, %d to look at, %d fine, %d not checked.\n", count[diagnosis.Failure], count[diagnosis.Warning], count[diagnosis.OK], count[diagnosis.Skipped])
	return b.String()
}

func indented(w io.Writer, before, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "    %s%s\n", before, strings.TrimRight(line, "\n"))
		before = "  "
	}
}
