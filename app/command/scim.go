package command

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/command/scimprobe"
)

func scimCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "scim",
		Short: "Check a deployment of the directory",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(scimProbe())
	return root
}

func scimProbe() *cobra.Command {
	var write, asJSON bool
	var lookups int
	probe := &cobra.Command{
		Use:   "probe URL TOKEN [--write] [--lookups N] [--json]",
		Short: "Say what Entra's provisioning service would stumble over at an address",
		Long: "Asks a SCIM server what Microsoft Entra's provisioning service would ask it, through every proxy and firewall in between, and ends with 0 if " +
			"Entra gets by, with 1 if it would stumble. URL and TOKEN are those that are pasted into Entra as Tenant URL and Secret Token; a TOKEN of - is read " +
			"from standard input, where no other process can see it. Any server may be asked, at a private address too. Run it from outside your " +
			"network: that is where Entra calls from.\n\n" +
			"Without --write it changes nothing: it reads, and looks up, changes and deletes what does not exist. With it, it creates three users and a group whose names " +
			"begin with " + scimprobe.Mark + ", and deletes them again.",
		Args: exactly(2, "the address and the token"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lookups < 0 || lookups > 10_000 {
				return usage{errors.New("--lookups must be a number from 0 to 10000")}
			}
			token := args[1]
			if token == "-" {
				data, err := read(cmd, "-")
				if err != nil {
					return err
				}
				token = strings.TrimSpace(string(data))
			}
			report, err := scimprobe.Probe(cmd.Context(), scimprobe.Options{Address: args[0], Token: token, Write: write, Lookups: lookups})
			if cmd.Context().Err() != nil {
				return err
			}
			if err != nil {
				return usage{err}
			}
			if asJSON {
				text, err := marshal(report)
				if err != nil {
					return err
				}
				if _, err := cmd.OutOrStdout().Write(text); err != nil {
					return err
				}
			} else {
				showProbe(cmd, report)
			}
			if !report.Ready {
				if asJSON {
					return errSilent
				}
				return fmt.Errorf("%d of %d checks failed: Entra would stumble there", report.Failed, len(report.Results))
			}
			return nil
		},
	}
	probe.Flags().BoolVar(&write, "write", false, "also create, change and delete three users and a group of its own")
	probe.Flags().IntVar(&lookups, "lookups", 2*scimprobe.Rate, "how many look-ups to send at the pace of Entra, 25 a second; 0 for none")
	probe.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return probe
}

// showProbe prints a report for people.
func showProbe(cmd *cobra.Command, report scimprobe.Report) {
	w := cmd.OutOrStdout()
	fmt.Fprintln(w, report.Address)
	warned := false
	for _, r := range report.Results {
		fmt.Fprintf(w, "  %s %-15s %s\n", outcomeSigns[string(r.Outcome)], r.Check, r.Detail)
		warned = warned || r.Outcome == scimprobe.Warning
		for _, p := range r.Problems {
			fmt.Fprintf(w, "      %s: %s\n", p.Kind, p.Detail)
			if p.Remedy != "" {
				fmt.Fprintf(w, "      → %s\n", p.Remedy)
			}
		}
	}
	if !report.Ready {
		return
	}
	verdict := "Entra would not stumble here."
	if warned {
		verdict = "Nothing failed. What is marked with ! needs a look before Entra is sent here."
	}
	fmt.Fprintf(w, "%s The slowest answer took %s.\n", verdict, report.Slowest.Round(time.Millisecond))
}
