package migrations

import (
	"context"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// Examine looks for migrations that are missing, for a schema that is newer than
// this program, and for indexes that somebody removed.
func Examine(r *Runner) diagnosis.Examination {
	return func(ctx context.Context, n *diagnosis.Notes) {
		const looked = "the version table of every module"
		list, err := r.Status(ctx)
		if err != nil {
			n.Skip("migrations.pending", looked, "The database cannot be asked.")
			return
		}
		var missing []string
		for _, s := range list {
			if !s.Applied {
				missing = append(missing, s.Module+"/"+s.Name)
			}
		}
		if len(missing) > 0 {
			n.Fail("migrations.pending", looked, "Missing: "+strings.Join(missing, ", ")+".",
				"badge-engine migrate up. If it fails, migration_errors.log in LOG_DIR, or the log, says at which statement.")
		} else {
			n.OK("migrations.pending", looked, "All %d are applied.", len(list))
		}
		if unknown, err := r.Unknown(ctx); err == nil && len(unknown) > 0 {
			n.Fail("migrations.newer", looked, "The schema has migrations that this program does not know: "+strings.Join(unknown, ", ")+".", newerRemedy)
		}
		if len(missing) == 0 {
			r.examineIndexes(ctx, n)
		}
	}
}

const newerRemedy = "Run the newer version of this program that made them, or take them back with it: badge-engine migrate down MODULE."

var indexWords = regexp.MustCompile(`(?i)\b(create)\s+(?:unique\s+)?index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?"?([a-z0-9_]+)"?|\b(drop)\s+index\s+(?:if\s+exists\s+)?"?([a-z0-9_]+)"?|\bdrop\s+table\s`)

// examineIndexes compares the indexes that the migrations made with those there are.
func (r *Runner) examineIndexes(ctx context.Context, n *diagnosis.Notes) {
	const looked = "the indexes that the migrations made"
	there, err := r.db.Indexes(ctx)
	if err != nil {
		n.Skip("database.index_missing", looked, "The database cannot be asked.")
		return
	}
	var missing []string
	wanted := r.indexes()
	for name := range wanted {
		if !slices.Contains(there, name) {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		n.Fail("database.index_missing", looked, "Missing or invalid: "+strings.Join(missing, ", ")+". Questions that use them read whole tables.",
			"Build it anew: "+wanted[missing[0]])
		return
	}
	n.OK("database.index_missing", looked, "All %d are there.", len(wanted))
}

// indexes are those that the migrations leave, with the statement that makes each.
func (r *Runner) indexes() map[string]string {
	wanted := map[string]string{}
	for _, set := range r.sets {
		names, _ := fs.Glob(set.Files, "migrations/"+r.db.Dialect()+"/*.sql") // the pattern is well formed
		slices.Sort(names)
		for _, name := range names {
			data, err := fs.ReadFile(set.Files, name)
			if err != nil || path.Ext(name) != ".sql" {
				continue
			}
			up, _, _ := strings.Cut(string(data), "-- +goose Down")
			for _, at := range indexWords.FindAllStringSubmatchIndex(up, -1) {
				group := func(i int) string {
					if at[2*i] < 0 {
						return ""
					}
					return up[at[2*i]:at[2*i+1]]
				}
				switch {
				case group(1) != "":
					statement, _, _ := strings.Cut(up[at[0]:], ";")
					wanted[group(2)] = strings.Join(strings.Fields(statement), " ") + ";"
				case group(3) != "":
					delete(wanted, group(4))
				}
			}
		}
	}
	return wanted
}
