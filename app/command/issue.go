package command

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
)

// fileKinds are the media types of the files that can be issued from, by their endings.
var fileKinds = map[string]string{".csv": "text/csv", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}

func issueCommand() *cobra.Command {
	var at serving
	var achievement, key, report string
	var dryRun bool
	issue := &cobra.Command{
		Use:   "issue FILE --achievement ID --token-file FILE [--dry-run]",
		Short: "Issue to everybody in a CSV or NDJSON file, and say what came of each",
		Long: "Sends the file to a running server and follows the batch to its end. An order that cannot be issued does not hinder the others: standard output " +
			"names it and says why, and the command ends with 1.\n\n" +
			"A CSV names its columns in the first line, such as email,name,validUntil; NDJSON has an order on each line. The same file sent twice is issued once, so the " +
			"command can be repeated when it was interrupted: it finds the batch again, which went on meanwhile. Another --key makes it another batch.",
		Args: exactly(1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			mediaType := fileKinds[strings.ToLower(filepath.Ext(args[0]))]
			if mediaType == "" {
				return usage{fmt.Errorf("%s is neither .csv nor .ndjson nor .jsonl", args[0])}
			}
			file, err := read(cmd, args[0])
			if err != nil {
				return err
			}
			c, err := at.client(cmd)
			if err != nil {
				return err
			}
			if key == "" {
				sum := sha256.Sum256(fmt.Appendf(nil, "%s %t %s", achievement, dryRun, file))
				key = "file-" + hex.EncodeToString(sum[:16])
			}
			b := &batchFollower{client: c, out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
			query := url.Values{"achievementId": {achievement}, "dryRun": {fmt.Sprint(dryRun)}}
			return b.follow(cmd.Context(), "/api/v1/batches?"+query.Encode(), mediaType, key, file, func(lines []byte) error {
				if report == "" {
					return nil
				}
				return write(cmd, report, lines)
			})
		},
	}
	issue.Flags().StringVar(&achievement, "achievement", "", "id of the achievement, for orders that name none")
	at.flags(issue, "credentials:issue")
	issue.Flags().BoolVar(&dryRun, "dry-run", false, "check every order and issue none")
	issue.Flags().StringVar(&key, "key", "", "names the batch: what was sent under the same key is not issued again; made of the file when not given")
	issue.Flags().StringVar(&report, "report", "", "where to write what came of each order, as NDJSON")
	return issue
}

// ownAddress is where the server of this configuration is.
func ownAddress() (string, error) {
	cfg, err := configured()
	if err != nil {
		return "", err
	}
	if cfg.PublicURL != "" {
		return cfg.PublicURL, nil
	}
	port := cfg.HTTP.Port
	if port == 0 {
		port = engine.Default().HTTP.Port
	}
	return fmt.Sprintf("http://localhost:%d", port), nil
}

// batchFollower sends a batch and watches it.
type batchFollower struct {
	client   *client
	out, err io.Writer
}

// batchProgress is how far a batch is.
type batchProgress struct {
	ID, State, Trouble                  string
	Total, Processed, Succeeded, Failed int
	DryRun                              bool
}

// followEvery is how often the server is asked how far it is.
const followEvery = 500 * time.Millisecond

func (f *batchFollower) follow(ctx context.Context, path, mediaType, key string, file []byte, keep func(lines []byte) error) error {
	data, err := f.client.do(ctx, http.MethodPost, path, mediaType, file, "Idempotency-Key", key)
	if err != nil {
		return err
	}
	var b batchProgress
	if err := json.Unmarshal(data, &b); err != nil {
		return fmt.Errorf("the server does not answer as expected: %w", err)
	}
	fmt.Fprintf(f.err, "batch %s with %d orders\n", b.ID, b.Total)
	told := -1
	for b.State == "running" {
		if b.Processed != told || b.Trouble != "" {
			told = b.Processed
			fmt.Fprintf(f.err, "%d of %d%s\n", b.Processed, b.Total, trouble(b.Trouble))
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted: the server goes on with the batch; run the command again to follow it")
		case <-time.After(followEvery):
		}
		if err := f.client.getJSON(ctx, "/api/v1/batches/"+b.ID, &b); err != nil && ctx.Err() == nil {
			return err
		}
	}
	lines, err := f.lines(ctx, b.ID)
	if err != nil {
		return err
	}
	if err := keep(lines); err != nil {
		return err
	}
	done := "issued"
	if b.DryRun {
		done = "would be issued"
	}
	fmt.Fprintf(f.err, "%s: %d %s, %d failed\n", b.State, b.Succeeded, done, b.Failed)
	if b.Failed > 0 || b.State != "completed" {
		return errSilent
	}
	return nil
}

func trouble(code string) string {
	if code == "" {
		return ""
	}
	return " (" + code + ", it is tried again)"
}

// lines reads the report, prints what failed, and answers all of it as NDJSON.
func (f *batchFollower) lines(ctx context.Context, id string) ([]byte, error) {
	var all bytes.Buffer
	for cursor := ""; ; {
		var page struct {
			Items []json.RawMessage
			Next  string
		}
		if err := f.client.getJSON(ctx, "/api/v1/batches/"+id+"/lines?limit=500&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			all.Write(item)
			all.WriteByte('\n')
			var line struct {
				Line    int
				State   string
				Problem json.RawMessage
			}
			if err := json.Unmarshal(item, &line); err != nil {
				return nil, err
			}
			if line.State == "failed" {
				fmt.Fprintf(f.out, "line %d: %s\n", line.Line, refusal(line.Problem))
			}
		}
		if cursor = page.Next; cursor == "" {
			return all.Bytes(), nil
		}
	}
}
