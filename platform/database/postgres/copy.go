package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/badge-engine/badge-engine/platform/database"
)

// fewest is how many rows are worth a COPY, which takes two more ways to the server and
// back than a statement.
const fewest = 32

// copyRows stores rows by COPY in the binary format.
func copyRows(ctx context.Context, c *pgx.Conn, rows database.Rows) error {
	table, columns := `"`+rows.Table+`"`, `"`+strings.Join(rows.Columns, `", "`)+`"`
	ask, name := "SELECT "+columns+" FROM "+table, ""
	if c.Config().DefaultQueryExecMode == pgx.QueryExecModeCacheStatement {
		name = ask // once a connection
	}
	described, err := c.Prepare(ctx, name, ask)
	if err != nil {
		return err
	}
	rest := &copying{types: c.TypeMap(), columns: rows.Columns, fields: described.Fields, rows: rows.Values}
	rest.text = append(rest.text, copyHeader...)
	_, err = c.PgConn().CopyFrom(ctx, rest, "COPY "+table+" ("+columns+") FROM STDIN (FORMAT binary)")
	if rest.err != nil { // the server only knows that it was told to stop
		return rest.err
	}
	return err
}

// copyHeader begins a copy without flags and without an extension. PostgreSQL 16, COPY,
// Binary Format (File Header).
const copyHeader = "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000"

// copying are rows on their way to the server; at any time one of them is encoded.
type copying struct {
	types   *pgtype.Map
	columns []string
	fields  []pgconn.FieldDescription
	rows    [][]any

	text []byte // encoded
	read int    // of it
	over bool
	err  error
}

// Read implements [io.Reader].
func (c *copying) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if c.read == len(c.text) {
			if c.text, c.read = c.text[:0], 0; c.over {
				break
			}
			if c.err = c.next(); c.err != nil {
				return n, c.err
			}
		}
		moved := copy(p[n:], c.text[c.read:])
		n, c.read = n+moved, c.read+moved
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// next encodes the next row, or the end. PostgreSQL 16, COPY, Binary Format (Tuples).
func (c *copying) next() error {
	if len(c.rows) == 0 {
		c.over = true
		c.text = binary.BigEndian.AppendUint16(c.text, 1<<16-1)
		return nil
	}
	row := c.rows[0]
	c.rows = c.rows[1:]
	if len(row) != len(c.fields) {
		return fmt.Errorf("postgres: a row has %d values for %d columns", len(row), len(c.fields))
	}
	c.text = binary.BigEndian.AppendUint16(c.text, uint16(len(row)))
	for i, value := range row {
		if err := c.value(c.fields[i].DataTypeOID, value); err != nil {
			return fmt.Errorf("postgres: column %s: %w", c.columns[i], err)
		}
	}
	return nil
}

// epoch is what times are counted from, in microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

var errUnfit = errors.New("a value does not fit the type of its column") // without the value

// value encodes one value with its length before it. The kinds that rows consist of are
// written out here: the general way takes as long as all the rest of a copy.
func (c *copying) value(oid uint32, value any) error {
	switch v := value.(type) {
	case *string:
		if v == nil {
			return c.null()
		}
		return c.value(oid, *v)
	case string:
		switch oid {
		case pgtype.TextOID, pgtype.VarcharOID:
			c.text = append(binary.BigEndian.AppendUint32(c.text, uint32(len(v))), v...)
			return nil
		case pgtype.UUIDOID:
			id, err := uuid.Parse(v)
			if err != nil {
				return errUnfit
			}
			c.text = append(binary.BigEndian.AppendUint32(c.text, uint32(len(id))), id[:]...)
			return nil
		}
	case []byte:
		if v == nil {
			return c.null()
		}
		if oid == pgtype.ByteaOID {
			c.text = append(binary.BigEndian.AppendUint32(c.text, uint32(len(v))), v...)
			return nil
		}
	case *int64:
		if v == nil {
			return c.null()
		}
		return c.value(oid, *v)
	case int64:
		if oid == pgtype.Int8OID {
			c.text = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(c.text, 8), uint64(v))
			return nil
		}
	case *time.Time:
		if v == nil {
			return c.null()
		}
		return c.value(oid, *v)
	case time.Time:
		if oid == pgtype.TimestamptzOID {
			since := v.Unix() - epoch.Unix()
			c.text = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(c.text, 8), uint64(since*1e6+int64(v.Nanosecond())/1e3))
			return nil
		}
	case nil:
		return c.null()
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
		return c.null()
	}
	at := len(c.text)
	text, err := c.types.Encode(oid, pgtype.BinaryFormatCode, value, binary.BigEndian.AppendUint32(c.text, 0))
	if err != nil {
		return errUnfit
	}
	if text == nil {
		return c.null()
	}
	binary.BigEndian.PutUint32(text[at:], uint32(len(text)-at-4))
	c.text = text
	return nil
}

// null encodes that there is no value: the length -1.
func (c *copying) null() error {
	c.text = binary.BigEndian.AppendUint32(c.text, 1<<32-1)
	return nil
}
