package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
)

func backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the SQLite database as it is at one moment, while the server runs",
		Long:  "Copies the SQLite database into a new file, consistently, and checks the copy. The key-encryption key is not in it: back that up apart. For PostgreSQL it says which tool to use.",
		Args:  exactly(1, "the file that the backup goes into"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return tools(cmd, func(ctx context.Context, _ engine.Config, t *engine.Tools) error {
				if err := t.Backup(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is a whole copy. Back the key-encryption key up too, apart from it.\n", args[0])
				return nil
			})
		},
	}
}

func restoreCommand() *cobra.Command {
	var replace bool
	restore := &cobra.Command{
		Use:   "restore FILE [--replace]",
		Short: "Put a backup of the SQLite database in its place; the server must not run",
		Args:  exactly(1, "the file of the backup"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := configured()
			if err != nil {
				return err
			}
			if err := engine.Restore(cmd.Context(), cfg, args[0], replace); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "The backup is in place. Start the server, then: badge-engine audit verify.")
			return nil
		},
	}
	restore.Flags().BoolVar(&replace, "replace", false, "also where there is a database already; the old file stays beside it")
	return restore
}
