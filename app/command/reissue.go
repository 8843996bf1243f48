package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func keysReissue() *cobra.Command {
	var at serving
	var after string
	var dryRun bool
	reissue := &cobra.Command{
		Use:   "reissue ISSUER KEY --token-file FILE [--dry-run]",
		Short: "Issue again what a key signed that signs no more: same ids, recipients and dates of award, signed by the keys of today",
		Long: "Asks a running server, some badges at a time, and says how far it is. It can be interrupted and run again at any time: what was issued again is no longer " +
			"signed by the key. What is revoked stays as it is. Standard output names the badges that could not be issued again and says why; then the command ends with 1.",
		Args: exactly(2, "an issuer and a key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := at.client(cmd)
			if err != nil {
				return err
			}
			r := reissuing{client: c, issuer: args[0], key: args[1], out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
			toDo, revoked, err := r.survey(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(r.err, "%d badges to be issued again; %d are revoked and stay as they are\n", toDo, revoked)
			if dryRun {
				return nil
			}
			return r.all(cmd.Context(), after, toDo)
		},
	}
	at.flags(reissue, "credentials:issue")
	reissue.Flags().BoolVar(&dryRun, "dry-run", false, "say how many there are and issue none")
	reissue.Flags().StringVar(&after, "after", "", "begin behind this badge, such as the last one that an interrupted run named; at the beginning when not given")
	return reissue
}

func keysCompromise() *cobra.Command {
	var at serving
	var since, reason string
	var expected int64
	compromise := &cobra.Command{
		Use:   "compromise ISSUER KEY --since TIME --reason R --token-file FILE [--expected N]",
		Short: "After a theft: revoke the key and the badges that it signed since a moment, and issue the earlier ones again",
		Long: "For a key that somebody else may have used. The badges that are kept here and were issued since the moment, and whose current version the key signed, are revoked " +
			"for good; those from before are issued again under the same ids, with the dates of their award, signed by the keys of today.\n\n" +
			"Without --expected nothing is changed, and the command says how many badges that would be; give the number that would be revoked as --expected to do it. It can be " +
			"interrupted and run again: what is done is not done again.",
		Args: exactly(2, "an issuer and a key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			moment, err := time.Parse(time.RFC3339, since)
			if err != nil {
				return usage{fmt.Errorf("--since is no time: write it as 2006-01-02T15:04:05Z")}
			}
			c, err := at.client(cmd)
			if err != nil {
				return err
			}
			r := reissuing{client: c, issuer: args[0], key: args[1], out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
			return r.compromised(cmd.Context(), moment, reason, expected)
		},
	}
	at.flags(compromise, "admin")
	compromise.Flags().StringVar(&since, "since", "", "from when on somebody else may have used the key, as 2006-01-02T15:04:05Z")
	compromise.Flags().StringVar(&reason, "reason", "", "why, for those who will ask; it is kept with the key and with each badge")
	compromise.Flags().Int64Var(&expected, "expected", -1, "how many badges will be revoked, as the command said without it")
	for _, name := range []string{"since", "reason"} {
		_ = compromise.MarkFlagRequired(name) // fails only for a flag that does not exist
	}
	return compromise
}

// reissuing has what a key signed issued again.
type reissuing struct {
	client      *client
	issuer, key string
	out, err    io.Writer
}

func (r reissuing) path(rest string) string {
	return "/api/v1/issuers/" + r.issuer + "/keys/" + r.key + rest
}

// survey tells how many badges there are to be issued again, and how many are revoked.
func (r reissuing) survey(ctx context.Context) (toDo, revoked int64, err error) {
	var out struct{ ToDo, Revoked int64 }
	err = r.client.post(ctx, r.path("/reissue"), map[string]any{"dryRun": true}, &out)
	return out.ToDo, out.Revoked, err
}

// all goes on to the end.
func (r reissuing) all(ctx context.Context, after string, toDo int64) error {
	done, failed := 0, 0
	for {
		var out struct {
			Reissued int
			Failed   []struct{ ID, Code, Detail string }
			Next     string
		}
		if err := r.client.post(ctx, r.path("/reissue"), map[string]any{"after": after}, &out); err != nil {
			if done+failed > 0 || after != "" {
				fmt.Fprintf(r.err, "interrupted after %d badges; run the command again, as it was or with --after %s\n", done, after)
			}
			return err
		}
		done += out.Reissued
		for _, f := range out.Failed {
			if f.Code == "issuance.revoked" { // as was said before
				continue
			}
			failed++
			fmt.Fprintln(r.out, strings.TrimSpace(fmt.Sprintf("%s: %s %s", f.ID, f.Code, f.Detail)))
		}
		fmt.Fprintf(r.err, "%d of %d issued again\n", done, toDo)
		if after = out.Next; after == "" {
			break
		}
	}
	if failed > 0 {
		fmt.Fprintf(r.err, "%d could not be issued again\n", failed)
		return errSilent
	}
	return nil
}

// compromised does what is to be done after a theft, or says what that would be.
func (r reissuing) compromised(ctx context.Context, since time.Time, reason string, expected int64) error {
	var key struct{ ID, State string }
	if err := r.client.getJSON(ctx, r.path(""), &key); err != nil {
		return err
	}
	query := map[string]any{"issuerId": r.issuer, "keyId": key.ID, "issuedSince": since.UTC().Format(time.RFC3339), "reason": reason}
	var found struct{ Affected int64 }
	if err := r.client.post(ctx, "/api/v1/credentials/revoke", query, &found); err != nil {
		return err
	}
	toDo, _, err := r.survey(ctx)
	if err != nil {
		return err
	}
	if expected < 0 {
		fmt.Fprintf(r.out, "The key is %s.\n%d badges that it signed since %s would be revoked for good.\n%d that it signed before would be issued again.\n", key.State, found.Affected, since.UTC().Format(time.RFC3339), toDo-found.Affected)
		fmt.Fprintf(r.err, "Nothing was changed. Repeat the command with --expected %d to do it.\n", found.Affected)
		return nil
	}
	// The key first: while it is good, so is whatever the thief signs.
	if key.State != "revoked" {
		_, err := r.client.do(ctx, http.MethodPost, r.path("/revoke"), "application/json", mustJSON(map[string]any{"reason": reason}))
		var refused *refusedError
		if err != nil && !(errors.As(err, &refused) && refused.code == "issuance.key_state") { // revoked by somebody meanwhile
			return err
		}
		fmt.Fprintln(r.err, "the key is revoked")
	}
	if found.Affected > 0 { // else a run before this one did it
		query["expected"] = expected
		if err := r.client.post(ctx, "/api/v1/credentials/revoke", query, &found); err != nil {
			return err
		}
	}
	fmt.Fprintf(r.err, "%d badges are revoked\n", found.Affected)
	if toDo, _, err = r.survey(ctx); err != nil {
		return err
	}
	return r.all(ctx, "", toDo)
}

// mustJSON writes what is always written.
func mustJSON(v map[string]any) []byte {
	data, _ := json.Marshal(v) // texts and numbers alone
	return data
}
