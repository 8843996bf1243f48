package migrations

import (
	"fmt"
	"io/fs"
	"regexp"
)

// Set is one module's migrations. Files holds migrations/<dialect>/NNNNN_name.sql.
type Set struct {
	Module string
	Files  fs.FS
}

// names are safe to stand in a statement and short enough for a table's name.
var names = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

func (s Set) check(dialect string) error {
	if !names.MatchString(s.Module) {
		return fmt.Errorf("migrations: %q is not a module's name", s.Module)
	}
	if s.Files == nil {
		return fmt.Errorf("migrations: module %s has no files", s.Module)
	}
	if found, err := fs.Glob(s.Files, "migrations/"+dialect+"/*.sql"); err != nil || len(found) == 0 {
		return fmt.Errorf("migrations: module %s has no files in migrations/%s", s.Module, dialect)
	}
	return nil
}

// table is where the versions applied of this set are written down.
func (s Set) table() string { return s.Module + "_schema_version" }
