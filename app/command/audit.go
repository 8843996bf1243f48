package command

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/platform/paging"
)

func auditCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "audit",
		Short: "Check and list the audit trail",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(auditVerify(), auditList())
	return root
}

// trail opens the audit trail for a command.
func trail(cmd *cobra.Command, run func(ctx context.Context, service *audit.Service) error) error {
	return tools(cmd, func(ctx context.Context, _ engine.Config, t *engine.Tools) error {
		if err := t.Migrations.Check(ctx); err != nil {
			return err
		}
		service, err := t.Audit()
		if err != nil {
			return err
		}
		return run(ctx, service)
	})
}

func auditVerify() *cobra.Command {
	var heads []string
	verify := &cobra.Command{
		Use:   "verify [--head N:HASH]",
		Short: "Check that nothing in the audit trail was changed, removed or put in",
		Long: "Checks every event, and ends with 0 if nothing is wrong, with 1 if something is or if it could not be checked. It names the first event " +
			"that is wrong or missing.\n\nIt prints the head of the trail. Kept elsewhere and given as --head another time, it also shows that nobody has put " +
			"back an earlier state of the whole database. Servers write the head into their log once an hour.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var earlier []audit.Head
			for _, s := range heads {
				head, err := audit.ParseHead(s)
				if err != nil {
					return usage{fmt.Errorf("--head: %s", explain(err))}
				}
				earlier = append(earlier, head)
			}
			return trail(cmd, func(ctx context.Context, service *audit.Service) error {
				report, err := service.Verify(ctx, earlier...)
				if err != nil {
					return err
				}
				w := cmd.OutOrStdout()
				waiting := strconv.FormatInt(report.Waiting, 10)
				if report.Waiting >= audit.MostWaiting {
					waiting += " or more"
				}
				fmt.Fprintf(w, "Events found right: %d\nEvents not sealed yet: %s\n", report.Checked, waiting)
				if report.Breach != nil {
					return fmt.Errorf("the audit trail is broken: %s", report.Breach)
				}
				if report.Head.Sequence > 0 {
					fmt.Fprintf(w, "Head: %s\n", report.Head)
				}
				return nil
			})
		},
	}
	verify.Flags().StringSliceVar(&heads, "head", nil, "a head from earlier that the trail must still hold")
	return verify
}

func auditList() *cobra.Command {
	var f audit.Filter
	var outcome, from, to string
	var limit int
	list := &cobra.Command{
		Use:   "list",
		Short: "List the newest events of the audit trail, the oldest of them first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > paging.MaxLimit {
				return usage{fmt.Errorf("--limit must be a number from 1 to %d", paging.MaxLimit)}
			}
			f.Outcome = audit.Outcome(outcome)
			for _, bound := range []struct {
				flag, text string
				into       *time.Time
			}{{"--from", from, &f.From}, {"--to", to, &f.To}} {
				if bound.text == "" {
					continue
				}
				var err error
				if *bound.into, err = time.Parse(time.RFC3339, bound.text); err != nil {
					return usage{fmt.Errorf("%s: give a time such as 2030-12-31T00:00:00Z", bound.flag)}
				}
			}
			return trail(cmd, func(ctx context.Context, service *audit.Service) error {
				page, err := service.Events(ctx, f, paging.Query{Limit: limit, Sort: "sequence", Descending: true})
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "NUMBER\tAT\tPRINCIPAL\tACTION\tTARGET\tOUTCOME\tREASON OR DETAIL\tFROM\tREQUEST\tCOUNT")
				for i := range page.Items {
					e := page.Items[len(page.Items)-1-i]
					who := e.Principal
					if who == "" {
						who = e.Kind
					}
					fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", e.Sequence, e.At.Format(time.RFC3339), who, e.Action, dash(e.Target), e.Outcome,
						dash(e.Reason+e.Detail), dash(e.RemoteIP), dash(e.RequestID), e.Count)
				}
				return w.Flush()
			})
		},
	}
	flags := list.Flags()
	flags.StringVar(&f.Action, "action", "", "only actions that begin so, such as issuance. or auth.token.created")
	flags.StringVar(&f.Principal, "principal", "", "only what this principal did")
	flags.StringVar(&f.Target, "target", "", "only what was done to the thing of this identifier")
	flags.StringVar(&outcome, "outcome", "", "only deeds that ended so: succeeded, refused or failed")
	flags.StringVar(&from, "from", "", "only events at or after this time")
	flags.StringVar(&to, "to", "", "only events before this time")
	flags.IntVar(&limit, "limit", paging.DefaultLimit, "how many at most")
	return list
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
