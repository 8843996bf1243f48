package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// importedAtOnce is how many lines go into one request, and importedBytes how many bytes:
// so few that what is interrupted is soon done again.
const (
	importedAtOnce = 100
	importedBytes  = 8 << 20
)

func importCommand() *cobra.Command {
	var at serving
	var issuer, achievement, report string
	var from int
	var dryRun bool
	take := &cobra.Command{
		Use:   "import FILE --issuer ID --token-file FILE [--dry-run]",
		Short: "Take over badges of elsewhere and issue them again, and say what came of each",
		Long: "Reads NDJSON: on each line a badge, its token or its address, or {\"url\": …, \"recipient\": …}. Each is verified, its achievement is made here once, and it is issued " +
			"again with the date of the first award. Standard output names those that cannot be taken over and says why; then the command ends with 1.\n\n" +
			"A badge is taken over once, however often it is sent: the command can be interrupted and run again.",
		Args: exactly(1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := read(cmd, args[0])
			if err != nil {
				return err
			}
			c, err := at.client(cmd)
			if err != nil {
				return err
			}
			query := url.Values{"issuerId": {issuer}, "achievementId": {achievement}, "dryRun": {fmt.Sprint(dryRun)}}
			i := importing{client: c, path: "/api/v1/import/batch?" + query.Encode(), out: cmd.OutOrStdout(), err: cmd.ErrOrStderr()}
			failure := i.all(cmd.Context(), file, from)
			if report != "" {
				failure = errors.Join(failure, write(cmd, report, i.report.Bytes()))
			}
			return failure
		},
	}
	at.flags(take, "credentials:issue, and achievements:write where achievements are to be made")
	take.Flags().StringVar(&issuer, "issuer", "", "id of the issuer profile that issues them again, for lines that name none")
	take.Flags().StringVar(&achievement, "achievement", "", "id of the achievement here that stands for theirs, for lines that name none; made of each badge when not given")
	take.Flags().BoolVar(&dryRun, "dry-run", false, "check every badge and issue none")
	take.Flags().IntVar(&from, "from", 1, "line to begin with, such as the one that an interrupted run named")
	take.Flags().StringVar(&report, "report", "", "where to write what came of each badge, as NDJSON")
	return take
}

// importing sends a file in pieces.
type importing struct {
	client                          *client
	path                            string
	out, err                        io.Writer
	report                          bytes.Buffer
	imported, before, valid, failed int
}

// all goes on to the end of the file.
func (i *importing) all(ctx context.Context, file []byte, from int) error {
	lines := bytes.Split(bytes.TrimRight(file, "\n"), []byte{'\n'})
	if from < 1 || from > len(lines) {
		return usage{fmt.Errorf("the file has the lines 1 to %d, and not %d", len(lines), from)}
	}
	for at := from - 1; at < len(lines); {
		end, size := at, 0
		for end < len(lines) && end-at < importedAtOnce && (end == at || size+len(lines[end]) < importedBytes) {
			size += len(lines[end]) + 1
			end++
		}
		piece := bytes.Join(lines[at:end], []byte{'\n'})
		if len(bytes.TrimSpace(piece)) == 0 {
			at = end
			continue
		}
		next, err := i.piece(ctx, piece, at)
		if err != nil {
			fmt.Fprintf(i.err, "interrupted; run the command again, as it was or with --from %d\n", at+1)
			return err
		}
		if at = end; next > 0 {
			at = next - 1
		}
		fmt.Fprintf(i.err, "%d of %d lines\n", at, len(lines))
	}
	fmt.Fprintf(i.err, "%d imported, %d before, %d would be imported, %d failed\n", i.imported, i.before, i.valid, i.failed)
	if i.failed > 0 {
		return errSilent
	}
	return nil
}

// piece sends some lines, of which skipped come before, and answers where to go on if
// not all were dealt with.
func (i *importing) piece(ctx context.Context, piece []byte, skipped int) (next int, err error) {
	data, err := i.client.do(ctx, http.MethodPost, i.path, "application/x-ndjson", piece)
	if err != nil {
		return 0, err
	}
	var out struct {
		Imported, Before, Valid, Failed, Next int
		Trouble                               string
		Rows                                  []map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return 0, fmt.Errorf("the server does not answer as expected: %w", err)
	}
	for _, row := range out.Rows {
		var line int
		if err := json.Unmarshal(row["line"], &line); err != nil {
			return 0, fmt.Errorf("the server does not answer as expected: %w", err)
		}
		line += skipped
		row["line"] = json.RawMessage(fmt.Sprint(line))
		text, err := json.Marshal(row)
		if err != nil {
			return 0, err
		}
		i.report.Write(append(text, '\n'))
		if problem := row["problem"]; problem != nil {
			fmt.Fprintf(i.out, "line %d: %s\n", line, refusal(problem))
		}
	}
	i.imported, i.before, i.valid, i.failed = i.imported+out.Imported, i.before+out.Before, i.valid+out.Valid, i.failed+out.Failed
	if out.Trouble != "" && len(out.Rows) == 0 {
		return 0, fmt.Errorf("the server cannot go on: %s", out.Trouble)
	}
	if out.Next > 0 {
		next = out.Next + skipped
	}
	return next, nil
}
