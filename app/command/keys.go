package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/modules/issuance"
)

func keysCommand() *cobra.Command {
	keys := &cobra.Command{
		Use:   "keys",
		Short: "List, make, rotate, retire, revoke and reseal the signing keys of issuers, and issue again what they signed",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	keys.AddCommand(keysList(), keysCreate(), keysRotate(), keysRetire(), keysRevoke(), keysReissue(), keysCompromise(), keysEncryptionKey(), keysReseal())
	return keys
}

// withKeys runs a command on the keys, in the name of the machine itself.
func withKeys(cmd *cobra.Command, run func(ctx context.Context, k *issuance.Keyring) error) error {
	return tools(cmd, func(ctx context.Context, cfg engine.Config, t *engine.Tools) error {
		if err := t.Ready(ctx, cfg); err != nil {
			return err
		}
		k, ctx, err := t.Keyring(ctx, cfg)
		if err != nil {
			return err
		}
		return run(ctx, k)
	})
}

func kindNames() string {
	var names []string
	for _, kind := range issuance.Kinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

func showKeys(w io.Writer, keys ...issuance.Key) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tKIND\tSTATE\tPURPOSES\tWHERE\tCREATED\tKEY")
	for _, key := range keys {
		jwk, err := key.JWK()
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", key.ID, key.Kind, key.State(), strings.Join(key.Purposes, ","), key.Provider, key.Created.Format(time.RFC3339), jwk.Kid)
	}
	return table.Flush()
}

func keysList() *cobra.Command {
	return &cobra.Command{
		Use: "list ISSUER", Short: "List the keys of an issuer, those that sign first", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withKeys(cmd, func(ctx context.Context, k *issuance.Keyring) error {
				keys, err := k.Keys(ctx, args[0])
				if err != nil {
					return err
				}
				return showKeys(cmd.OutOrStdout(), keys...)
			})
		},
	}
}

func keysCreate() *cobra.Command {
	var kind, provider string
	var purposes []string
	create := &cobra.Command{
		Use: "create ISSUER --kind K", Short: "Make a further key: from now on it signs what keys of its kind sign", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withKeys(cmd, func(ctx context.Context, k *issuance.Keyring) error {
				key, err := k.CreateKey(ctx, args[0], issuance.Wanted{Kind: issuance.Kind(kind), Purposes: purposes, Provider: provider})
				if err != nil {
					return err
				}
				return showKeys(cmd.OutOrStdout(), key)
			})
		},
	}
	create.Flags().StringVar(&kind, "kind", string(issuance.KindEd25519), "one of "+kindNames())
	create.Flags().StringVar(&provider, "provider", "", "where the private key is kept: local, or what the key vault calls itself, such as pkcs11")
	create.Flags().StringSliceVar(&purposes, "purpose", nil, issuance.Assertion+", which every key has, and "+issuance.Authentication)
	return create
}

func keysRotate() *cobra.Command {
	var kind, provider string
	rotate := &cobra.Command{
		Use: "rotate ISSUER --kind K", Short: "Make a new key and retire those of its kind; running servers follow within seconds", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withKeys(cmd, func(ctx context.Context, k *issuance.Keyring) error {
				key, err := k.Rotate(ctx, args[0], issuance.Wanted{Kind: issuance.Kind(kind), Provider: provider})
				if err != nil {
					return err
				}
				return showKeys(cmd.OutOrStdout(), key)
			})
		},
	}
	rotate.Flags().StringVar(&provider, "provider", "", "where the private key is kept; where that of the key before it is, unless given")
	rotate.Flags().StringVar(&kind, "kind", string(issuance.KindEd25519), "one of "+kindNames())
	return rotate
}

func keysRetire() *cobra.Command {
	return &cobra.Command{
		Use: "retire ISSUER KEY", Short: "Let a key sign no more; what it signed stays good", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withKeys(cmd, func(ctx context.Context, k *issuance.Keyring) error {
				key, err := k.Retire(ctx, args[0], args[1])
				if err != nil {
					return err
				}
				return showKeys(cmd.OutOrStdout(), key)
			})
		},
	}
}

func keysRevoke() *cobra.Command {
	var reason string
	revoke := &cobra.Command{
		Use: "revoke ISSUER KEY --reason R", Short: "Declare a key compromised: nothing that it signed must be believed", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withKeys(cmd, func(ctx context.Context, k *issuance.Keyring) error {
				key, err := k.RevokeKey(ctx, args[0], args[1], reason)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "Badges that it signed verify no more until they are issued again: badge-engine keys reissue, and see Keys in docs/OPERATIONS.md.")
				return showKeys(cmd.OutOrStdout(), key)
			})
		},
	}
	revoke.Flags().StringVar(&reason, "reason", "", "why, for those who will ask")
	_ = revoke.MarkFlagRequired("reason") // fails only for a flag that does not exist
	return revoke
}

func keysEncryptionKey() *cobra.Command {
	return &cobra.Command{
		Use: "encryption-key", Short: "Print a new key-encryption key that takes the place of the present one; nothing is changed", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return tools(cmd, func(ctx context.Context, cfg engine.Config, t *engine.Tools) error {
				key, err := t.NextKey()
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), key)
				fmt.Fprintln(cmd.ErrOrStderr(), "Give it to the servers in the place of the present key, and the present one as KEY_ENCRYPTION_KEY_PREVIOUS; then run keys reseal.")
				return nil
			})
		},
	}
}

func keysReseal() *cobra.Command {
	return &cobra.Command{
		Use: "reseal", Short: "Seal all signing keys by the present key-encryption key, so that earlier ones can be forgotten", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withKeys(cmd, func(ctx context.Context, k *issuance.Keyring) error {
				done, err := k.Reseal(ctx)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d keys sealed again, %d were already.\n", done.Changed, done.Current)
				if len(done.Lost) > 0 {
					return fmt.Errorf("no key-encryption key here opens %d signing keys: %s; give the earlier keys in KEY_ENCRYPTION_KEY_PREVIOUS and run this again", len(done.Lost), strings.Join(done.Lost, ", "))
				}
				return nil
			})
		},
	}
}
