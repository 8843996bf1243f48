package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/database/sqlite"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

func TestAFileThatCannotBeUsedIsUnavailable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	must(t, os.Mkdir(file, 0o700)) // a folder stands in its place
	cfg := database.Default()
	cfg.URL = "sqlite:" + file
	writer, reader, err := sqlite.Driver{}.Open(cfg)
	must(t, err)
	defer writer.Close()
	defer reader.Close()
	err = sqlite.Driver{}.Translate(writer.PingContext(t.Context()))
	if !errors.Is(err, database.ErrUnavailable) {
		t.Errorf("got %v, want database.ErrUnavailable", err)
	}
}

func TestFolderAndFileAreTheOwnersAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data", "x.db")
	dbtest.Open(t, "sqlite:"+file)
	for name, want := range map[string]os.FileMode{filepath.Dir(file): 0o700 | os.ModeDir, file: 0o600} {
		info, err := os.Stat(name)
		must(t, err)
		if runtime.GOOS != "windows" && info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", filepath.Base(name), info.Mode(), want)
		}
	}
}

func TestAFileThatSomebodyElseHoldsIsUnavailable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	db := dbtest.Open(t, "sqlite:"+file)
	must(t, db.Session(t.Context()).Exec("CREATE TABLE t (id text)").Error)
	must(t, db.Session(t.Context()).Exec("PRAGMA busy_timeout = 1").Error) // the one writing connection
	other, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate")
	must(t, err)
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	must(t, err)
	for name, err := range map[string]error{
		"a statement": db.Session(t.Context()).Exec("INSERT INTO t VALUES ('a')").Error,
		"a unit":      db.Do(t.Context(), func(context.Context) error { return nil }),
	} {
		if !errors.Is(err, database.ErrUnavailable) {
			t.Errorf("%s: got %v, want database.ErrUnavailable", name, err)
		}
	}
	must(t, tx.Rollback())
	must(t, db.Session(t.Context()).Exec("INSERT INTO t VALUES ('a')").Error)
}

func TestConnectionsAreSetUpAsPromised(t *testing.T) {
	db := dbtest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	for _, tt := range []struct {
		pragma string
		handle *gorm.DB
		want   string
	}{
		{pragma: "journal_mode", handle: db.Session(t.Context()), want: "wal"},
		{pragma: "synchronous", handle: db.Session(t.Context()), want: "2"},
		{pragma: "foreign_keys", handle: db.Session(t.Context()), want: "1"},
		{pragma: "foreign_keys", handle: db.Reader(t.Context()), want: "1"},
		{pragma: "query_only", handle: db.Reader(t.Context()), want: "1"},
		{pragma: "busy_timeout", handle: db.Reader(t.Context()), want: "5000"},
	} {
		var got string
		must(t, tt.handle.Raw("PRAGMA "+tt.pragma).Scan(&got).Error)
		if got != tt.want {
			t.Errorf("%s is %s, want %s", tt.pragma, got, tt.want)
		}
	}
}

func TestClausesThatSQLiteSpeaksDifferently(t *testing.T) {
	db := dbtest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	type row struct {
		ID    int64 `gorm:"primaryKey"`
		Order string
	}
	rows := func() *gorm.DB { return db.Session(t.Context()).Table("rows") }
	must(t, db.Session(t.Context()).Exec(`CREATE TABLE rows (id integer PRIMARY KEY, "order" text)`).Error)
	for _, order := range []string{"a", "b", "c"} {
		r := row{Order: order}
		must(t, rows().Create(&r).Error)
		if r.ID == 0 {
			t.Error("the row got no id")
		}
	}
	var list []row
	must(t, rows().Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"}).Where(clause.Eq{Column: "rows.order", Value: "b"}).Find(&list).Error)
	if len(list) != 1 || list[0].ID != 2 {
		t.Errorf("found %v", list)
	}
	must(t, rows().Offset(1).Order("id").Find(&list).Error)
	if len(list) != 2 {
		t.Errorf("an offset alone found %v", list)
	}
	must(t, rows().Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"order"})}).Create(&row{ID: 2, Order: "B"}).Error)
	must(t, rows().Where("id = ?", 2).Take(&list).Error)
	if list[0].Order != "B" {
		t.Errorf("the row was not replaced: %v", list)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
