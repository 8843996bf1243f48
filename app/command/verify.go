package command

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/modules/verification"
	"github.com/badge-engine/badge-engine/platform/fetch"
)

var outcomeSigns = map[string]string{"passed": "✓", "failed": "✗", "unknown": "?", "warning": "!", "skipped": "·"}

func verifyCommand() *cobra.Command {
	var recipient string
	var offline, asJSON bool
	verify := &cobra.Command{
		Use:   "verify FILE|ADDRESS [--recipient WHO] [--offline] [--json]",
		Short: "Check a badge from anywhere: JSON, compact JWS, PNG or SVG, of Open Badges 2 or 3",
		Long: "Checks a badge and ends with 0 if it is good, with 1 if it is not, cannot be read, or cannot be checked. Keys, status lists " +
			"and hosted assertions that the badge points at are fetched from public addresses, unless --offline is given.",
		Args: exactly(1, "one file, or an address, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			remote := strings.HasPrefix(args[0], "https://") || strings.HasPrefix(args[0], "http://")
			var data []byte
			if !remote {
				var err error
				if data, err = read(cmd, args[0]); err != nil {
					return err
				}
			}
			var documents verification.Documents
			if !offline {
				cfg, err := configured()
				if err != nil {
					return err
				}
				client := fetch.New(cfg.Fetch, nil)
				defer client.Close()
				documents = client
			}
			service := verification.New(documents, nil, time.Now)
			var report verification.Report
			var err error
			if o := (verification.Options{Recipient: recipient}); remote {
				report, err = service.VerifyAt(cmd.Context(), args[0], o)
			} else {
				report, err = service.Verify(cmd.Context(), data, o)
			}
			if err != nil {
				return err
			}
			if asJSON {
				text, err := marshal(report)
				if err != nil {
					return err
				}
				_, err = cmd.OutOrStdout().Write(text)
				if err != nil {
					return err
				}
			} else {
				show(cmd, report)
			}
			if !report.Verified {
				return fmt.Errorf("%s is not a good badge", args[0])
			}
			return nil
		},
	}
	verify.Flags().StringVar(&recipient, "recipient", "", "whose badge it should be: an e-mail address or another identifier")
	verify.Flags().BoolVar(&offline, "offline", false, "fetch nothing")
	verify.Flags().BoolVar(&asJSON, "json", false, "print the whole report")
	return verify
}

// show prints a report for people.
func show(cmd *cobra.Command, report verification.Report) {
	w := cmd.OutOrStdout()
	if report.Verified {
		fmt.Fprintf(w, "Verified: %q by %s\n", report.Achievement.Name, report.Issuer.Name)
	} else {
		fmt.Fprintln(w, "NOT verified")
		for _, problem := range report.Problems {
			if problem.Pointer != "" {
				fmt.Fprintf(w, "  at %s: %s\n", problem.Pointer, problem.Detail)
			}
		}
	}
	for _, check := range report.Checks {
		fmt.Fprintf(w, "  %s %-13s %s\n", outcomeSigns[string(check.Outcome)], check.Name, check.Detail)
		if check.Outcome == "passed" || check.Outcome == "skipped" {
			continue
		}
		if check.Remedy != "" {
			fmt.Fprintf(w, "    %-13s %s\n", "", check.Remedy)
		}
		for _, evidence := range check.Evidence {
			fmt.Fprintf(w, "    %-13s Seen: %s\n", "", evidence)
		}
		fmt.Fprintf(w, "    %-13s Rule: %s\n", "", check.Rule)
	}
}
