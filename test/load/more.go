package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/valyala/fasthttp"
)

// batchSize is how many recipients a batch of a quick run has.
const batchSize = 10000

// batch compares a batch, from the request to its last row, with a bare COPY of the very rows that it made, on two
// connections and in hundreds, as they were copied when the target was set. Beside it stands what COPY does in
// transactions as large as the server's.
func batch(ctx context.Context, l *lab) ([]row, error) {
	r := row{name: "batch-postgres", unit: "%", target: 60, least: true}
	_, postgres, err := l.engines(ctx, "batch")
	if err != nil {
		r.missing = err.Error()
		return []row{r}, nil
	}
	w, err := l.workshop(ctx, postgres)
	if err != nil {
		return nil, err
	}
	defer w.stop()
	if _, err := w.batch(ctx, 50); err != nil { // now the achievement is known
		return nil, err
	}
	var best, ceiling, larger time.Duration
	var served, stored time.Duration
	least := func(of *time.Duration, took time.Duration) {
		if *of == 0 || took < *of {
			*of = took
		}
	}
	for range 3 {
		server, database := w.usage().cpu, l.databaseTime()
		took, err := w.batch(ctx, batchSize)
		if err != nil {
			return nil, err
		}
		served, stored = w.usage().cpu-server, l.databaseTime()-database
		least(&best, took)
		for at, of := range map[int]*time.Duration{100: &ceiling, 250: &larger} {
			if took, err = copyRows(ctx, postgres, batchSize, at); err != nil {
				return nil, err
			}
			least(of, took)
		}
	}
	r.measured = 100 * ceiling.Seconds() / best.Seconds()
	r.detail = fmt.Sprintf("%d recipients in %s, %.0f a second, %d µs of the server's processor and %d of PostgreSQL's each; COPY of the same rows in hundreds in %s, %.0f a second, in 250s %.0f",
		batchSize, round(best), batchSize/best.Seconds(), served.Microseconds()/batchSize, stored.Microseconds()/batchSize, round(ceiling), batchSize/ceiling.Seconds(), batchSize/larger.Seconds())
	return []row{r}, nil
}

// batch issues to many recipients, and answers how long it took until the last was stored.
func (w *workshop) batch(ctx context.Context, recipients int) (time.Duration, error) {
	var body bytes.Buffer
	for n := range recipients {
		body.WriteString(w.order(recipients, n))
		body.WriteByte('\n')
	}
	begin := time.Now()
	request, err := http.NewRequestWithContext(ctx, "POST", w.base+"/api/v1/batches", &body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+admin)
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var made struct {
		ID, State         string
		Succeeded, Failed int
	}
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || response.StatusCode != http.StatusAccepted {
		return 0, fmt.Errorf("the batch is not accepted: %d %w", response.StatusCode, err)
	}
	for deadline := begin.Add(3 * time.Minute); made.State != "completed"; {
		if time.Now().After(deadline) {
			return 0, errors.New("the batch does not end")
		}
		time.Sleep(20 * time.Millisecond)
		if err := w.call(ctx, "GET", "/api/v1/batches/"+made.ID, nil, &made); err != nil {
			return 0, err
		}
	}
	if made.Failed > 0 || made.Succeeded != recipients {
		return 0, fmt.Errorf("of the batch %d were issued and %d failed", made.Succeeded, made.Failed)
	}
	return time.Since(begin), nil
}

// copyRows copies the rows that were stored last into a table like theirs, with the same indexes, on two connections.
// Each copy is a transaction of a number of rows.
func copyRows(ctx context.Context, address string, count, at int) (time.Duration, error) {
	var connections []*pgx.Conn
	for range 2 {
		c, err := pgx.Connect(ctx, address)
		if err != nil {
			return 0, err
		}
		defer c.Close(ctx)
		connections = append(connections, c)
	}
	found, err := connections[0].Query(ctx, "SELECT * FROM achievement_credentials ORDER BY created_at DESC, id LIMIT $1", count)
	if err != nil {
		return 0, err
	}
	var columns []string
	for _, field := range found.FieldDescriptions() {
		columns = append(columns, field.Name)
	}
	rows, err := pgx.CollectRows(found, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	if err != nil {
		return 0, err
	}
	if len(rows) != count {
		return 0, fmt.Errorf("there are %d rows instead of %d", len(rows), count)
	}
	for _, statement := range []string{"DROP TABLE IF EXISTS ceiling", "CREATE TABLE ceiling (LIKE achievement_credentials INCLUDING ALL)"} {
		if _, err := connections[0].Exec(ctx, statement); err != nil {
			return 0, err
		}
	}
	begin := time.Now()
	errs := make([]error, len(connections))
	var wg sync.WaitGroup
	for n, c := range connections {
		wg.Go(func() {
			for done := n * at; done < count && errs[n] == nil; done += at * len(connections) {
				_, errs[n] = c.CopyFrom(ctx, pgx.Identifier{"ceiling"}, columns, pgx.CopyFromRows(rows[done:min(done+at, count)]))
			}
		})
	}
	wg.Wait()
	return time.Since(begin), errors.Join(errs...)
}

// verifying sends a badge of ours to the verifier, whose rows have no target: it shows what HTTP and the rest add.
func verifying(ctx context.Context, l *lab) ([]row, error) {
	w, badge, err := l.issued(ctx, "verifying")
	if err != nil {
		return nil, err
	}
	defer w.stop()
	one, err := drive(ctx, w.process, clients, l.span, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) { post(r, "/api/v1/verify", string(badge)) })
	if err != nil {
		return nil, err
	}
	return []row{{name: "verify-http", measured: one.rate, unit: "/s", free: true, detail: one.String()}}, nil
}

// baking bakes a badge into a picture of 100 kB.
func baking(ctx context.Context, l *lab) ([]row, error) {
	w, badge, err := l.issued(ctx, "baking")
	if err != nil {
		return nil, err
	}
	defer w.stop()
	var picture bytes.Buffer
	pixels := image.NewNRGBA(image.Rect(0, 0, 160, 160))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range pixels.Pix {
		pixels.Pix[i] = byte(random.Uint32())
	}
	if err := png.Encode(&picture, pixels); err != nil {
		return nil, err
	}
	body := fmt.Sprintf(`{"credential":%s,"image":"data:image/png;base64,%s"}`, badge, base64.StdEncoding.EncodeToString(picture.Bytes()))
	one, err := drive(ctx, w.process, clients, l.span, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) { post(r, "/api/v1/bake", body) })
	if err != nil {
		return nil, err
	}
	return []row{{name: "bake-http", measured: one.rate, unit: "/s", free: true, detail: fmt.Sprintf("a picture of %d kB: %s", picture.Len()/1000, one)}}, nil
}

// issued starts a workshop on SQLite with one credential.
func (l *lab) issued(ctx context.Context, name string, environ ...string) (*workshop, []byte, error) {
	w, err := l.workshop(ctx, "sqlite:"+filepath.Join(l.folder, name+".db"), environ...)
	if err != nil {
		return nil, nil, err
	}
	var made struct {
		ID         string
		Credential json.RawMessage
	}
	var order map[string]any
	if err := json.Unmarshal([]byte(w.order(0, 0)), &order); err != nil {
		return nil, nil, err
	}
	if err := w.call(ctx, "POST", "/api/v1/credentials", order, &made); err != nil {
		return nil, nil, err
	}
	w.credential = made.ID
	return w, made.Credential, nil
}

// mixed is a day at once: of ten requests one issues, six read, two verify and one asks for a list.
func mixed(ctx context.Context, l *lab) ([]row, error) {
	w, badge, err := l.issued(ctx, "mixed")
	if err != nil {
		return nil, err
	}
	defer w.stop()
	loads, err := w.atOnce(ctx, l.span, []part{
		{3, fasthttp.StatusCreated, func(client, n int, r *fasthttp.Request) { post(r, "/api/v1/credentials", w.order(client, n)) }},
		{19, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) { r.URI().SetPath("/credentials/" + w.credential) }},
		{7, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) { post(r, "/api/v1/verify", string(badge)) }},
		{3, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) {
			r.URI().SetPath("/api/v1/credentials")
			r.Header.Set("Authorization", "Bearer "+admin)
		}},
	})
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, name := range []string{"issue", "read", "verify", "list"} {
		rows = append(rows, row{name: "mixed-" + name, measured: loads[i].rate, unit: "/s", free: true, detail: loads[i].String()})
	}
	return rows, nil
}

// part is what some of many clients ask for.
type part struct {
	clients, wanted int
	request         func(client, n int, r *fasthttp.Request)
}

// atOnce drives all parts side by side.
func (w *workshop) atOnce(ctx context.Context, span time.Duration, parts []part) ([]load, error) {
	loads := make([]load, len(parts))
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			loads[i], errs[i] = drive(ctx, w.process, part.clients, span, part.wanted, part.request)
			loads[i].used = usage{} // by all of them together
		})
	}
	wg.Wait()
	return loads, errors.Join(errs...)
}

// soak issues for long and compares the memory at the end with that after the first third.
func soak(ctx context.Context, l *lab) ([]row, error) {
	w, err := l.workshop(ctx, "sqlite:"+filepath.Join(l.folder, "soak.db"))
	if err != nil {
		return nil, err
	}
	defer w.stop()
	span := max(12*time.Second, l.soak)
	var memory []float64
	var last load
	for range 6 {
		if last, err = w.issue(ctx, span/6); err != nil {
			return nil, err
		}
		memory = append(memory, float64(last.used.memory))
	}
	early, late := max(memory[1], memory[2]), (memory[4]+memory[5])/2
	r := row{name: "memory-growth", measured: late / early, unit: "×", target: 1.1,
		detail: fmt.Sprintf("resident after each sixth of %s of issuing: %.0f MB", span, scaled(memory, 1<<20))}
	if early == 0 {
		r.missing = "the memory of a process cannot be read here"
	}
	return []row{r}, nil
}

func scaled(values []float64, by float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v / by
	}
	return out
}
