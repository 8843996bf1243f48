package command

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
)

// migrateUp waits for a database that comes up later, as a server does: it runs
// before one, unattended.
const migrateUp = "badge-engine migrate up"

func migrateCommand() *cobra.Command {
	migrate := &cobra.Command{
		Use:   "migrate",
		Short: "Move the schema of the database",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	migrate.AddCommand(
		&cobra.Command{
			Use: "up", Short: "Apply every migration that is missing", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return tools(cmd, func(ctx context.Context, _ engine.Config, t *engine.Tools) error {
					if err := t.Migrations.Up(ctx); err != nil {
						return err
					}
					fmt.Fprintln(cmd.OutOrStdout(), "The schema is up to date.")
					return nil
				})
			},
		},
		&cobra.Command{
			Use: "down MODULE", Short: "Take back the newest migration of one module; what it made room for is lost", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return tools(cmd, func(ctx context.Context, _ engine.Config, t *engine.Tools) error {
					return t.Migrations.Down(ctx, args[0])
				})
			},
		},
		&cobra.Command{
			Use: "status", Short: "List every migration and whether it is applied", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return tools(cmd, func(ctx context.Context, _ engine.Config, t *engine.Tools) error {
					list, err := t.Migrations.Status(ctx)
					if err != nil {
						return err
					}
					w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
					fmt.Fprintln(w, "MODULE\tMIGRATION\tAPPLIED")
					for _, m := range list {
						applied := "no"
						if m.Applied {
							applied = m.At.Format(time.RFC3339)
						}
						fmt.Fprintf(w, "%s\t%s\t%s\n", m.Module, m.Name, applied)
					}
					return w.Flush()
				})
			},
		},
	)
	return migrate
}
