package command

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/platform/principal"
)

func tokenCommand() *cobra.Command {
	token := &cobra.Command{
		Use:   "token",
		Short: "Create, list and revoke API tokens",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	token.AddCommand(tokenCreate(), tokenList(), tokenRevoke())
	return token
}

func tokenCreate() *cobra.Command {
	var name, expires string
	var scopes []string
	create := &cobra.Command{
		Use:   "create --name N --scope S[,S] [--expires D]",
		Short: "Create a token and print it, alone and this once, on standard output",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			until, err := auth.ParseExpiry(expires, time.Now())
			if err != nil {
				return err
			}
			return tools(cmd, func(ctx context.Context, cfg engine.Config, t *engine.Tools) error {
				if err := t.Ready(ctx, cfg); err != nil {
					return err
				}
				text, created, err := t.Tokens.Create(ctx, name, scopes, until)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), text)
				fmt.Fprintf(cmd.ErrOrStderr(), "Token %s (%s) may do: %s. It expires: %s. It is shown this once.\n",
					created.ID, created.Name, strings.Join(created.Scopes, ", "), shownTime(created.Expires))
				return nil
			})
		},
	}
	create.Flags().StringVar(&name, "name", "", "who will use it")
	create.Flags().StringSliceVar(&scopes, "scope", nil, "what it may do: "+strings.Join(principal.Scopes(), ", "))
	create.Flags().StringVar(&expires, "expires", "", "how long it works, such as 90d or 12h, or until which date; for ever when not given")
	_ = create.MarkFlagRequired("name") // fails only for a flag that does not exist
	_ = create.MarkFlagRequired("scope")
	return create
}

func shownTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

func tokenList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the tokens; what they are is not kept", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return tools(cmd, func(ctx context.Context, cfg engine.Config, t *engine.Tools) error {
				if err := t.Ready(ctx, cfg); err != nil {
					return err
				}
				list, err := t.Tokens.List(ctx)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tNAME\tBEGINS\tSCOPES\tCREATED\tEXPIRES\tREVOKED\tLAST USED")
				for _, token := range list {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", token.ID, token.Name, token.Prefix, strings.Join(token.Scopes, ","),
						shownTime(token.Created), shownTime(token.Expires), shownTime(token.Revoked), shownTime(token.LastUsed))
				}
				return w.Flush()
			})
		},
	}
}

func tokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke TOKEN", Short: "Revoke the token of this id, name or beginning", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return tools(cmd, func(ctx context.Context, cfg engine.Config, t *engine.Tools) error {
				if err := t.Ready(ctx, cfg); err != nil {
					return err
				}
				revoked, err := t.Tokens.Revoke(ctx, args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "Token %s (%s) is revoked.\n", revoked.ID, revoked.Name)
				return nil
			})
		},
	}
}
