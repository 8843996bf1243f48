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

func clientCommand() *cobra.Command {
	client := &cobra.Command{
		Use:   "client",
		Short: "Create, list, rotate and revoke OAuth clients",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	client.AddCommand(clientCreate(), clientList(), clientRotate(), clientRevoke())
	return client
}

// readied is tools with a schema that is up to date.
func readied(cmd *cobra.Command, run func(ctx context.Context, t *engine.Tools) error) error {
	return tools(cmd, func(ctx context.Context, cfg engine.Config, t *engine.Tools) error {
		if err := t.Ready(ctx, cfg); err != nil {
			return err
		}
		return run(ctx, t)
	})
}

func clientCreate() *cobra.Command {
	var name, expires string
	var scopes []string
	var binding auth.Binding
	create := &cobra.Command{
		Use:   "create --name N --scope S[,S] [--expires D | --assertion-tenant T --assertion-subject S --assertion-audience A]",
		Short: "Create a client and print its id and, this once, its secret",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			until, err := auth.ParseExpiry(expires, time.Now())
			if err != nil {
				return err
			}
			bound := &binding
			if binding == (auth.Binding{}) {
				bound = nil
			}
			return readied(cmd, func(ctx context.Context, t *engine.Tools) error {
				text, client, err := t.Clients.Create(ctx, name, scopes, until, bound)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "client_id=%s\n", client.ID)
				if text != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "client_secret=%s\n", text)
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "Client %s (%s) may ask for: %s. Its secret is shown this once; tokens come from /oauth/token or /scim/oauth/token.\n",
					client.ID, client.Name, strings.Join(client.Scopes, ", "))
				return nil
			})
		},
	}
	flags := create.Flags()
	flags.StringVar(&name, "name", "", "who will use it")
	flags.StringSliceVar(&scopes, "scope", nil, "the most that its tokens may do: "+strings.Join(principal.Scopes(), ", "))
	flags.StringVar(&expires, "expires", "", "how long the secret works, such as 90d, or until which date; for ever when not given")
	flags.StringVar(&binding.Tenant, "assertion-tenant", "", "the Entra tenant whose assertions take the place of a secret")
	flags.StringVar(&binding.Subject, "assertion-subject", "", "the object id of the service principal that signs in")
	flags.StringVar(&binding.Audience, "assertion-audience", "", "the aud of its assertions")
	flags.StringVar(&binding.Issuer, "assertion-issuer", "", "the iss of its assertions; that of the tenant when not given")
	flags.StringVar(&binding.Party, "assertion-party", "", "the azp of its assertions; not compared when not given")
	_ = create.MarkFlagRequired("name") // fails only for a flag that does not exist
	_ = create.MarkFlagRequired("scope")
	return create
}

func clientList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the clients and their secrets; what those are is not kept", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return readied(cmd, func(ctx context.Context, t *engine.Tools) error {
				list, err := t.Clients.List(ctx)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "CLIENT\tNAME\tSCOPES\tCREATED\tDISABLED\tLAST USED\tSECRET\tBEGINS\tEXPIRES\tREVOKED\tSECRET LAST USED")
				for _, c := range list {
					line := fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", c.ID, c.Name, strings.Join(c.Scopes, ","), shownTime(c.Created), shownTime(c.Disabled), shownTime(c.LastUsed))
					if len(c.Secrets) == 0 {
						fmt.Fprintf(w, "%s\t%s\t\t\t\t\n", line, "assertion")
					}
					for _, s := range c.Secrets {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", line, s.ID, s.Prefix, shownTime(s.Expires), shownTime(s.Revoked), shownTime(s.LastUsed))
					}
				}
				return w.Flush()
			})
		},
	}
}

func clientRotate() *cobra.Command {
	var expires string
	rotate := &cobra.Command{
		Use: "rotate CLIENT [--expires D]", Short: "Add a second secret and print it, alone and this once, on standard output", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			until, err := auth.ParseExpiry(expires, time.Now())
			if err != nil {
				return err
			}
			return readied(cmd, func(ctx context.Context, t *engine.Tools) error {
				text, secret, err := t.Clients.Rotate(ctx, args[0], until)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), text)
				fmt.Fprintf(cmd.ErrOrStderr(), "Secret %s expires: %s. It is shown this once; the one before works until you revoke it.\n", secret.ID, shownTime(secret.Expires))
				return nil
			})
		},
	}
	rotate.Flags().StringVar(&expires, "expires", "", "how long it works, such as 90d, or until which date; for ever when not given")
	return rotate
}

func clientRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke CLIENT [SECRET]", Short: "Revoke one secret, or disable the whole client, with the tokens that were granted", Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return readied(cmd, func(ctx context.Context, t *engine.Tools) error {
				if len(args) == 2 {
					if err := t.Clients.RevokeSecret(ctx, args[0], args[1]); err != nil {
						return err
					}
					fmt.Fprintf(cmd.OutOrStdout(), "The secret %s is revoked.\n", args[1])
					return nil
				}
				if err := t.Clients.Disable(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "The client %s is disabled.\n", args[0])
				return nil
			})
		},
	}
}
