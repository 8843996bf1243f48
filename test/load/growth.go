package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// growth is how cost grows with one size.
type growth struct {
	file, title, x, y string
	lines             []series
}

// sizes reads benchmarks whose names end in a size, such as issue/20kB.
func (b bench) sizes(prefix, name string) series {
	s := series{name: name}
	for _, size := range []struct {
		label string
		value float64
	}{{"2kB", 2e3}, {"5kB", 5e3}, {"10kB", 1e4}, {"20kB", 2e4}, {"50kB", 5e4}, {"100kB", 1e5}, {"200kB", 2e5}, {"1MB", 1e6}, {"10MB", 1e7}} {
		if r, known := b[prefix+size.label]; known {
			s.x, s.y = append(s.x, size.value), append(s.y, r.time/1000)
		}
	}
	return s
}

// grow measures everything that the report draws.
func grow(ctx context.Context, l *lab, credentials int) ([]growth, []tableSize, error) {
	documents, err := l.benchmarks(ctx, "./modules/internal/credential", "^BenchmarkSizes$", 8)
	if err != nil {
		return nil, nil, err
	}
	pictures, err := l.benchmarks(ctx, "./modules/internal/image", "^BenchmarkBake$", 8)
	if err != nil {
		return nil, nil, err
	}
	drawn := []growth{
		{"documents.svg", "A credential of 2 to 200 kB", "bytes", "microseconds", []series{documents.sizes("Sizes/issue/", "issue, by a template"), documents.sizes("Sizes/verify/", "verify")}},
		{"pictures.svg", "A picture of 10 kB to 10 MB", "bytes", "microseconds", []series{pictures.sizes("Bake/PNG/", "bake a PNG"), pictures.sizes("Bake/SVG/", "bake an SVG")}},
	}
	batches, err := growBatches(ctx, l)
	if err != nil {
		return nil, nil, err
	}
	rows, sizes, err := growRows(ctx, l, credentials)
	if err != nil {
		return nil, nil, err
	}
	return append(drawn, batches, rows), sizes, nil
}

func growBatches(ctx context.Context, l *lab) (growth, error) {
	g := growth{file: "batches.svg", title: "A batch of 1 to 10,000 recipients, PostgreSQL", x: "recipients", y: "milliseconds to the last durable row"}
	_, postgres, err := l.engines(ctx, "batches")
	if err != nil {
		return g, err
	}
	w, err := l.workshop(ctx, postgres)
	if err != nil {
		return g, err
	}
	defer w.stop()
	s := series{name: "batch"}
	for _, recipients := range []int{1, 10, 100, 1000, 10000} {
		took, err := w.batch(ctx, recipients)
		if err != nil {
			return g, err
		}
		s.x, s.y = append(s.x, float64(recipients)), append(s.y, float64(took.Microseconds())/1000)
	}
	g.lines = []series{s}
	return g, nil
}

// tableSize is what PostgreSQL needs for so many credentials.
type tableSize struct {
	Rows                   int64
	Heap, Toast, Index     int64   // bytes
	PerHeap, PerIndex, All float64 // a credential
	Log                    float64 // bytes of write-ahead log an issue, before the first checkpoint's pages are due again
	PerEvent               float64 // an event of the audit trail, its indexes included; 0 where there are too few
}

// growRows fills the table of credentials with copies of one that was really issued, each with an id, a salt, a hash and
// a signature of its own, and measures what issuing and reading cost between so many others.
func growRows(ctx context.Context, l *lab, most int) (growth, []tableSize, error) {
	g := growth{file: "credentials.svg", title: fmt.Sprintf("A table of up to %s credentials, PostgreSQL", short(float64(most))), x: "credentials kept", y: "a second"}
	_, postgres, err := l.engines(ctx, "rows")
	if err != nil {
		return g, nil, err
	}
	w, err := l.workshop(ctx, postgres)
	if err != nil {
		return g, nil, err
	}
	defer w.stop()
	db, err := sql.Open("pgx", postgres)
	if err != nil {
		return g, nil, err
	}
	defer db.Close()
	var before, log float64
	const position = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
	if err := db.QueryRowContext(ctx, position).Scan(&before); err != nil {
		return g, nil, err
	}
	first, err := w.issue(ctx, l.span)
	if err != nil {
		return g, nil, err
	}
	time.Sleep(2 * time.Second) // until their events are sealed
	if err := db.QueryRowContext(ctx, position).Scan(&log); err != nil {
		return g, nil, err
	}
	log = (log - before) / float64(first.requests)
	columns, err := fill(ctx, db)
	if err != nil {
		return g, nil, err
	}
	issues, reads := series{name: "single issues"}, series{name: "reads of random credentials"}
	var sizes []tableSize
	for rows := 1000; rows <= most; rows *= 10 {
		var have int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM achievement_credentials").Scan(&have); err != nil {
			return g, nil, err
		}
		if _, err := db.ExecContext(ctx, columns, max(0, rows-have)); err != nil {
			return g, nil, fmt.Errorf("fill: %w", err)
		}
		if _, err := db.ExecContext(ctx, "VACUUM ANALYZE achievement_credentials"); err != nil {
			return g, nil, err
		}
		size, err := measureTable(ctx, db)
		if err != nil {
			return g, nil, err
		}
		size.Log = log
		sizes = append(sizes, size)
		ids, err := someIDs(ctx, db)
		if err != nil {
			return g, nil, err
		}
		issued, err := w.issue(ctx, l.span)
		if err != nil {
			return g, nil, err
		}
		read, err := drive(ctx, w.process, clients, l.span, fasthttp.StatusOK, func(client, n int, r *fasthttp.Request) {
			r.URI().SetPath("/credentials/" + ids[(client*7919+n)%len(ids)])
		})
		if err != nil {
			return g, nil, err
		}
		issues.x, issues.y = append(issues.x, float64(size.Rows)), append(issues.y, issued.rate)
		reads.x, reads.y = append(reads.x, float64(size.Rows)), append(reads.y, read.rate)
	}
	g.lines = []series{issues, reads}
	return g, sizes, nil
}

// fill answers a statement that adds copies of the newest credential.
func fill(ctx context.Context, db *sql.DB) (string, error) {
	rows, err := db.QueryContext(ctx, "SELECT column_name FROM information_schema.columns WHERE table_name = 'achievement_credentials' ORDER BY ordinal_position")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var names, values []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		value := "c." + name
		switch name {
		case "id":
			value = "n.id"
		case "recipient_index":
			value = "n.a || n.b"
		case "document": // the salted hash, the salt and the signature compress as badly as real ones
			value = `regexp_replace(regexp_replace(regexp_replace(replace(c.document, c.id::text, n.id::text), 'sha256\$[0-9a-f]{64}', 'sha256$' || n.a || n.b), '"salt":"[0-9a-f]{32}"', '"salt":"' || n.b || '"'), '"proofValue":"z.{60}', '"proofValue":"z' || left(translate(n.b || n.a, '0l', 'xy'), 60))`
		case "created_at", "valid_from":
			value = "c." + name + " - n.i * interval '1 second'"
		case "status_index":
			value = "extract(epoch FROM now())::bigint * 10000000 + n.i" // as none of ours
		case "owner", "idempotency_key", "request_hash":
			value = "NULL"
		}
		names, values = append(names, name), append(values, value)
	}
	return "INSERT INTO achievement_credentials (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") +
		" FROM (SELECT * FROM achievement_credentials ORDER BY created_at DESC LIMIT 1) c, " +
		"(SELECT i, gen_random_uuid() AS id, md5(random()::text) AS a, md5(random()::text) AS b FROM generate_series(1, $1::int) i) n", rows.Err()
}

func measureTable(ctx context.Context, db *sql.DB) (s tableSize, err error) {
	err = db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM achievement_credentials), pg_relation_size('achievement_credentials'),
		pg_total_relation_size('achievement_credentials') - pg_relation_size('achievement_credentials') - pg_indexes_size('achievement_credentials'),
		pg_indexes_size('achievement_credentials')`).Scan(&s.Rows, &s.Heap, &s.Toast, &s.Index)
	if err != nil {
		return s, err
	}
	var events int64
	var trail float64
	err = db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM audit_events), pg_total_relation_size('audit_events')").Scan(&events, &trail)
	if events > 500 {
		s.PerEvent = trail / float64(events)
	}
	if err == nil && s.Rows > 0 {
		s.PerHeap, s.PerIndex = float64(s.Heap+s.Toast)/float64(s.Rows), float64(s.Index)/float64(s.Rows)
		s.All = s.PerHeap + s.PerIndex
	}
	return s, err
}

func someIDs(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT id FROM achievement_credentials ORDER BY random() LIMIT 20000")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// soakOf reads how long to soak, in minutes.
func soakOf(text string) (time.Duration, error) {
	minutes, err := strconv.Atoi(text)
	return time.Duration(minutes) * time.Minute, err
}

// size measures what a credential needs in a table of some ten thousand.
func size(ctx context.Context, l *lab) ([]row, error) {
	_, sizes, err := growRows(ctx, l, 10_000)
	if err != nil {
		return nil, err
	}
	s := sizes[len(sizes)-1]
	return []row{
		{name: "bytes-a-credential", measured: s.All, unit: " bytes", free: true, detail: fmt.Sprintf("%d rows, of it indexes %.0f", s.Rows, s.PerIndex)},
		{name: "log-an-issue", measured: s.Log, unit: " bytes", free: true, detail: "of write-ahead log, the event and its sealing included"},
		{name: "bytes-an-event", measured: s.PerEvent, unit: " bytes", free: true, detail: "in the audit trail, sealed, with its indexes"},
	}, nil
}
