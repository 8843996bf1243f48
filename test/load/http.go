package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// clients is how many callers there are at a time.
const clients = 32

// workshop is a server with something to issue.
type workshop struct {
	*process
	issuer      string
	achievement string
	credential  string // the first one, where there is one
}

// workshop starts the program and defines an achievement whose credentials have about 2.5 kB.
func (l *lab) workshop(ctx context.Context, database string, environ ...string) (*workshop, error) {
	p, err := l.serve(ctx, database, environ...)
	if err != nil {
		return nil, err
	}
	w := &workshop{process: p}
	var made struct{ ID string }
	if err := p.call(ctx, "POST", "/api/v1/issuers", map[string]any{
		"name": "Guild of Binders", "url": "https://guild.example.org/", "email": "guild@example.org", "description": "We bind, and teach how to bind.",
	}, &made); err != nil {
		return nil, err
	}
	w.issuer = made.ID
	if err := p.call(ctx, "POST", "/api/v1/achievements", map[string]any{
		"issuerId": w.issuer, "name": "Foundations of Bookbinding", "achievementType": "Course", "fieldOfStudy": "Crafts",
		"description": "Six weeks at the bench: sewing, casing-in and finishing, from the first fold to the pressed book.",
		"criteria":    map[string]any{"narrative": "Bind three books of different structure, and say of each why it was bound so. The assessor opens every one."},
		"tag":         []string{"books", "crafts"},
		"alignment": []any{
			map[string]any{"targetName": "Sewing", "targetUrl": "https://skills.example.org/sewing", "targetFramework": "Crafts"},
			map[string]any{"targetName": "Casing-in", "targetUrl": "https://skills.example.org/casing-in", "targetFramework": "Crafts"},
		},
	}, &made); err != nil {
		return nil, err
	}
	w.achievement = made.ID
	return w, nil
}

// order is the body of an order for somebody.
func (w *workshop) order(client, n int) string {
	return fmt.Sprintf(`{"achievementId":%q,"recipient":{"email":"person-%d-%d@example.org"},"evidence":[{"id":"https://portfolio.example.org/%d/%d","name":"Three books","narrative":"Photographs of the three books and of the bench."}]}`,
		w.achievement, client, n, client, n)
}

func (w *workshop) issue(ctx context.Context, span time.Duration) (load, error) {
	return drive(ctx, w.process, clients, span, fasthttp.StatusCreated, func(client, n int, r *fasthttp.Request) {
		post(r, "/api/v1/credentials", w.order(client, n))
	})
}

func post(r *fasthttp.Request, path, body string) {
	r.Header.SetMethod(fasthttp.MethodPost)
	r.URI().SetPath(path)
	r.Header.Set("Authorization", "Bearer "+admin)
	r.Header.SetContentType("application/json")
	r.SetBodyString(body)
}

// issue compares single issues with the same handler, events and shared transactions without a credential, and for
// orientation with an insert without anything else: no admission, no limits, no strict reading, no event.
func issue(ctx context.Context, l *lab) ([]row, error) {
	sqlite, postgres, err := l.engines(ctx, "issue")
	rows := []row{
		{name: "issue-sqlite", unit: "%", target: 70, least: true}, {name: "issue-sqlite-bare", unit: "%", free: true},
		{name: "issue-postgres", unit: "%", target: 70, least: true}, {name: "issue-postgres-bare", unit: "%", free: true},
	}
	if err != nil {
		rows[2].missing, rows = err.Error(), rows[:3]
	}
	for i, address := range []string{sqlite, postgres} {
		if address == "" {
			continue
		}
		w, err := l.workshop(ctx, address)
		if err != nil {
			return nil, err
		}
		document, err := w.document(ctx)
		if err != nil {
			return nil, err
		}
		fixed := "sqlite:" + filepath.Join(l.folder, "same.db")
		other := "sqlite:" + filepath.Join(l.folder, "ceiling.db")
		if address == postgres {
			if _, fixed, err = l.engines(ctx, "same"); err != nil {
				return nil, err
			}
			if _, other, err = l.engines(ctx, "ceiling"); err != nil {
				return nil, err
			}
		}
		same, err := l.same(ctx, fixed, document)
		if err != nil {
			return nil, err
		}
		bare, err := l.ceiling(ctx, "3600", other)
		if err != nil {
			return nil, err
		}
		orders := func(p *process, path string) func() (load, error) {
			return func() (load, error) {
				before := l.databaseTime()
				found, err := drive(ctx, p, clients, l.span, fasthttp.StatusCreated, func(client, n int, r *fasthttp.Request) { post(r, path, w.order(client, n)) })
				found.stored = l.databaseTime() - before
				return found, err
			}
		}
		ratios, best, err := rotate(3, orders(w.process, "/api/v1/credentials"), orders(same, "/api/v1/orders"), orders(bare, "/orders"))
		if err != nil {
			return nil, err
		}
		mine := rows[2*i : 2*i+2]
		mine[0].measured, mine[1].measured = 100*ratios[0], 100*ratios[1]
		mine[0].detail = fmt.Sprintf("%s; the same without a credential %s", best[0], best[1])
		mine[1].detail = fmt.Sprintf("a bare handler and its insert %s", best[2])
		for _, p := range []*process{w.process, same, bare} {
			p.stop()
		}
	}
	return rows, nil
}

// document issues one credential and writes its document into a file.
func (w *workshop) document(ctx context.Context) (file string, err error) {
	var order map[string]any
	if err := json.Unmarshal([]byte(w.order(0, 0)), &order); err != nil {
		return "", err
	}
	var made struct{ Credential json.RawMessage }
	if err := w.call(ctx, "POST", "/api/v1/credentials", order, &made); err != nil {
		return "", err
	}
	file = filepath.Join(w.cmd.Dir, "document.json")
	return file, os.WriteFile(file, made.Credential, 0o600)
}

// read compares the public credential with a bare handler.
func read(ctx context.Context, l *lab) ([]row, error) {
	sqlite, _, _ := l.engines(ctx, "read")
	w, err := l.workshop(ctx, sqlite)
	if err != nil {
		return nil, err
	}
	defer w.stop()
	var made struct {
		ID         string
		Credential any
	}
	order := map[string]any{"achievementId": w.achievement, "recipient": map[string]any{"email": "ada@example.org"}}
	if err := w.call(ctx, "POST", "/api/v1/credentials", order, &made); err != nil {
		return nil, err
	}
	path := "/credentials/" + made.ID
	get := func(path string) func(client, n int, r *fasthttp.Request) {
		return func(_, _ int, r *fasthttp.Request) { r.URI().SetPath(path) }
	}
	asked, answered := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	asked.SetRequestURI(w.base + path)
	if err := fasthttp.Do(asked, answered); err != nil || answered.StatusCode() != fasthttp.StatusOK {
		return nil, fmt.Errorf("%s: %d %w", path, answered.StatusCode(), err)
	}
	body := answered.Body()
	bareArgs := []string{fmt.Sprint(len(body) - len(`{"padding":""}`)), ""}
	answered.Header.VisitAll(func(name, value []byte) {
		switch string(name) {
		case fasthttp.HeaderContentLength, fasthttp.HeaderContentType, fasthttp.HeaderDate:
		default:
			bareArgs = append(bareArgs, string(name), string(value))
		}
	})
	bare, err := l.ceiling(ctx, bareArgs...)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	ratio, best, ceiling, err := turns(5,
		func() (load, error) { return drive(ctx, w.process, clients, l.span, fasthttp.StatusOK, get(path)) },
		func() (load, error) { return drive(ctx, bare, clients, l.span, fasthttp.StatusOK, get("/bytes")) })
	if err != nil {
		return nil, err
	}
	return []row{{name: "public-credential", measured: 100 * ratio, unit: "%", target: 80, least: true,
		detail: fmt.Sprintf("%s; a bare handler with the same header fields and %d bytes %s", best, len(body), ceiling)}}, nil
}

// health asks for /health while issuing takes all there is.
func health(ctx context.Context, l *lab) ([]row, error) {
	sqlite, postgres, err := l.engines(ctx, "health")
	if err != nil {
		postgres = sqlite
	}
	w, err := l.workshop(ctx, postgres)
	if err != nil {
		return nil, err
	}
	defer w.stop()
	ended := make(chan error, 1)
	before := w.usage()
	go func() {
		_, err := w.issue(ctx, 3*l.span)
		ended <- err
	}()
	time.Sleep(l.span / 2)
	asked, err := drive(ctx, w.process, 1, 2*l.span, fasthttp.StatusOK, func(_, _ int, r *fasthttp.Request) { r.URI().SetPath("/health") })
	if err != nil {
		return nil, err
	}
	if err := <-ended; err != nil {
		return nil, err
	}
	after := w.usage()
	engine, _, _ := strings.Cut(postgres, ":")
	return []row{{name: "health-p99", measured: float64(asked.p99.Microseconds()) / 1000, unit: "ms", target: 50,
		detail: fmt.Sprintf("/health under %d clients that issue on %s: %s; resident memory went from %d to %d MB", clients, engine, asked, before.memory>>20, after.memory>>20)}}, nil
}
