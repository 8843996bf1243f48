package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"gorm.io/gorm"

	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/database/postgres"
	"github.com/badge-engine/badge-engine/platform/database/sqlite"
)

// What Entra is promised, and more of it than one tenant has.
const (
	jobs    = 10
	jobRate = 25      // requests a second of one job
	crowd   = 500_000 // members of the largest group
)

// newcomers are counted, so that no two have one name.
var newcomers atomic.Int64

// newcomer is a user as Entra creates it.
func newcomer() string {
	n := newcomers.Add(1)
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"externalId":"3c1f0d92-6f0c-4a55-9b0e-%012d","userName":"joiner.%d@contoso.example","active":true,"displayName":"Joiner %d",`+
		`"emails":[{"primary":true,"type":"work","value":"joiner.%d@contoso.example"}],"meta":{"resourceType":"User"},"name":{"formatted":"Joiner %d","familyName":"%d","givenName":"Joiner"},`+
		`"title":"Apprentice","phoneNumbers":[{"type":"mobile","value":"+41 79 %07d"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%d","department":"Learning"}}`,
		n, n, n, n, n, n, n, n)
}

// scim turns a request into one of the provisioning service.
func scim(r *fasthttp.Request, method, target, token, body string) {
	r.Header.SetMethod(method)
	r.URI().Update(target)
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.SetContentType("application/scim+json")
		r.SetBodyString(body)
	}
}

// provision measures what jobs of Entra see while badges are issued, and what one member of a large group costs beside one
// of a small group.
func provision(ctx context.Context, l *lab) ([]row, error) {
	light, heavy, err := l.engines(ctx, "provision")
	p99, failed := row{name: "provision-jobs-p99", unit: "ms", target: 1000}, row{name: "provision-jobs-failed"}
	onPostgres, onSQLite := row{name: "provision-member-postgres", unit: "×", target: 1.5}, row{name: "provision-member-sqlite", unit: "×", target: 1.5}
	if err != nil {
		p99.missing, failed.missing, onPostgres.missing = err.Error(), err.Error(), err.Error()
	} else {
		_, another, err := l.engines(ctx, "jobs")
		if err != nil {
			return nil, err
		}
		if err := l.besides(ctx, another, &p99, &failed); err != nil {
			return nil, err
		}
		if err := l.member(ctx, heavy, &onPostgres); err != nil {
			return nil, err
		}
	}
	if err := l.member(ctx, light, &onSQLite); err != nil {
		return nil, err
	}
	return []row{p99, failed, onPostgres, onSQLite}, nil
}

// besides runs jobs at the pace of Entra while badges are issued.
func (l *lab) besides(ctx context.Context, address string, p99, failed *row) error {
	w, err := l.workshop(ctx, address, "RATE_LIMIT=20000") // the one token that issues here stands for many
	if err != nil {
		return err
	}
	defer w.stop()
	var tokens [jobs]string
	var groups [jobs]string
	for j := range jobs {
		var made struct{ ID, Token string }
		if err := w.call(ctx, "POST", "/api/v1/tokens", map[string]any{"name": fmt.Sprintf("job %d", j), "scopes": []string{"scim"}}, &made); err != nil {
			return err
		}
		tokens[j] = made.Token
		if err := w.call(ctx, "POST", "/scim/v2/Groups", map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": fmt.Sprintf("Group %d", j)}, &made); err != nil {
			return err
		}
		groups[j] = made.ID
	}
	ended := make(chan error, 1)
	var issued load
	go func() {
		var err error
		issued, err = drive(ctx, w.process, 4, 3*l.span, fasthttp.StatusCreated, func(client, n int, r *fasthttp.Request) { post(r, "/api/v1/credentials", w.order(client, n)) })
		ended <- err
	}()
	asked := pace(ctx, w.process, 3*l.span, func(job int, send func(want int, method, target, body string) []byte) {
		// What Entra does for a joiner: look up, create, change, add to a group.
		send(200, "GET", "/scim/v2/Users?filter=userName+eq+%22nobody%22", "")
		var made struct{ ID string }
		_ = json.Unmarshal(send(201, "POST", "/scim/v2/Users", newcomer()), &made)
		send(200, "PATCH", "/scim/v2/Users/"+made.ID, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"title","value":"Journeyman"},{"op":"Replace","path":"active","value":"False"}]}`)
		send(204, "PATCH", "/scim/v2/Groups/"+groups[job], `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Add","path":"members","value":[{"value":"`+made.ID+`"}]}]}`)
	}, tokens)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return err
	}
	p99.measured = float64(asked.p99.Microseconds()) / 1000
	p99.detail = fmt.Sprintf("%d jobs of %d requests a second: %s; beside %.0f issues a second", jobs, jobRate, asked, issued.rate)
	failed.measured, failed.detail = float64(asked.failed+issued.failed), strings.TrimSpace(asked.fault+" "+issued.fault)
	return nil
}

// pace plays jobs that begin a request when its time has come, whether or not those before it
// were answered; what a request waited for its turn counts.
func pace(ctx context.Context, p *process, span time.Duration, joiner func(job int, send func(want int, method, target, body string) []byte), tokens [jobs]string) load {
	address, err := url.Parse(p.base)
	if err != nil {
		return load{failed: 1, fault: err.Error()}
	}
	host := &fasthttp.HostClient{Addr: address.Host, MaxConns: 512, ReadTimeout: 30 * time.Second, NoDefaultUserAgentHeader: true}
	defer host.CloseIdleConnections()
	var mu sync.Mutex
	var total load
	var took []time.Duration
	begin := time.Now()
	var wg sync.WaitGroup
	const steps = 4
	for job := range jobs {
		wg.Go(func() {
			var own sync.WaitGroup
			defer own.Wait()
			for n := 0; ; n++ {
				at := begin.Add(time.Duration(job)*time.Second/(jobs*jobRate) + time.Duration(n*steps)*time.Second/jobRate)
				if at.Sub(begin) > span || ctx.Err() != nil {
					return
				}
				time.Sleep(time.Until(at))
				own.Go(func() {
					step := 0
					joiner(job, func(want int, method, target, body string) []byte {
						due := at.Add(time.Duration(step) * time.Second / jobRate)
						step++
						time.Sleep(time.Until(due))
						r, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
						defer fasthttp.ReleaseRequest(r)
						defer fasthttp.ReleaseResponse(a)
						r.SetRequestURI(p.base)
						scim(r, method, target, tokens[job], body)
						err := host.Do(r, a)
						mu.Lock()
						defer mu.Unlock()
						took = append(took, time.Since(due))
						if err == nil && a.StatusCode() == want {
							total.requests++
						} else if total.failed++; total.fault == "" {
							total.fault = fmt.Sprint(err, " ", method, " ", target, " ", a.StatusCode(), " ", string(a.Body()[:min(200, len(a.Body()))]))
						}
						return slices.Clone(a.Body())
					})
				})
			}
		})
	}
	wg.Wait()
	slices.Sort(took)
	total.rate = float64(total.requests) / time.Since(begin).Seconds()
	if len(took) > 0 {
		total.p50, total.p99 = took[len(took)/2], took[len(took)*99/100]
	}
	return total
}

// member compares what adding and removing one member costs in a large group and in one of five.
func (l *lab) member(ctx context.Context, address string, r *row) error {
	p, err := l.serve(ctx, address)
	if err != nil {
		return err
	}
	defer p.stop()
	var user, small, large struct{ ID string }
	if err := p.call(ctx, "POST", "/scim/v2/Users", json.RawMessage(newcomer()), &user); err != nil {
		return err
	}
	for group, size := range map[*struct{ ID string }]int{&small: 5, &large: crowd} {
		if err := p.call(ctx, "POST", "/scim/v2/Groups", map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": fmt.Sprintf("Group of %d, %d", size, newcomers.Add(1))}, group); err != nil {
			return err
		}
		if err := fillGroup(ctx, address, group.ID, size); err != nil {
			return err
		}
	}
	change := func(group string) func() (load, error) {
		target := "/scim/v2/Groups/" + group
		return func() (load, error) {
			return drive(ctx, p, 1, l.span/2, fasthttp.StatusNoContent, func(_, n int, r *fasthttp.Request) {
				verb := []string{"Add", "Remove"}[n%2]
				scim(r, fasthttp.MethodPatch, target, admin, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"`+verb+`","path":"members","value":[{"value":"`+user.ID+`"}]}]}`)
			})
		}
	}
	// The rate of the small group to that of the large one is what the large one costs more.
	ratio, few, many, err := turns(3, change(small.ID), change(large.ID))
	if err != nil {
		return err
	}
	if few.failed+many.failed > 0 {
		return fmt.Errorf("%s: %s %s", r.name, few, many)
	}
	r.measured, r.detail = ratio, fmt.Sprintf("in a group of five %s; in one of %d %s", few, crowd, many)
	return nil
}

// fillGroup puts people whom nobody knows into a group, by the table that holds members: over HTTP half a million would
// take longer than everything else.
func fillGroup(ctx context.Context, address, group string, size int) error {
	cfg := database.Default()
	cfg.URL = address
	db, err := database.New(cfg, slog.New(slog.DiscardHandler), postgres.Driver{}, sqlite.Driver{})
	if err != nil {
		return err
	}
	if err := db.Start(ctx); err != nil {
		return err
	}
	defer db.Close()
	id := `'01900000-0000-7000-8000-' || substr('00000000000' || CAST(n AS text), -12)`
	if db.Dialect() == "postgres" {
		id = `'01900000-0000-7000-8000-' || lpad(n::text, 12, '0')`
	}
	return db.Session(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) "+
			"INSERT INTO scim_group_members (group_id, member_id, member_type) SELECT ?, "+id+", 'User' FROM numbers", size, group).Error; err != nil {
			return err
		}
		return tx.Exec("UPDATE groups SET member_count = ? WHERE id = ?", size, group).Error
	})
}
