package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// load is what became of many requests.
type load struct {
	requests int // that were answered as they should be
	failed   int
	fault    string // of the first that failed
	rate     float64
	p50, p99 time.Duration
	used     usage // by the server meanwhile
}

func (l load) String() string {
	text := fmt.Sprintf("%.0f a second, p50 %s, p99 %s", l.rate, round(l.p50), round(l.p99))
	if l.used.cpu > 0 && l.requests > 0 {
		text += fmt.Sprintf(", %.0f µs of the server's processor each", float64(l.used.cpu.Microseconds())/float64(l.requests))
	}
	if l.failed > 0 {
		text += fmt.Sprintf(", %d failed: %s", l.failed, l.fault)
	}
	return text
}

func round(d time.Duration) time.Duration {
	if d > 10*time.Millisecond {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// drive sends requests from a number of clients for a while, each client one after the other. The server must answer
// each with the wanted status. The client is a lean one, since it has the same processors as the server.
func drive(ctx context.Context, p *process, clients int, span time.Duration, wanted int, request func(client, n int, r *fasthttp.Request)) (load, error) {
	address, err := url.Parse(p.base)
	if err != nil {
		return load{}, err
	}
	host := &fasthttp.HostClient{Addr: address.Host, MaxConns: clients, ReadTimeout: 30 * time.Second, NoDefaultUserAgentHeader: true}
	defer host.CloseIdleConnections()
	before, begin := p.usage(), time.Now()
	end := begin.Add(span)
	var mu sync.Mutex
	var total load
	var times []time.Duration
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			var mine load
			var took []time.Duration
			r, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(r)
			defer fasthttp.ReleaseResponse(a)
			for n := 0; time.Now().Before(end) && ctx.Err() == nil; n++ {
				r.Reset()
				r.SetRequestURI(p.base)
				request(client, n, r)
				start := time.Now()
				err := host.Do(r, a)
				took = append(took, time.Since(start))
				if err == nil && a.StatusCode() == wanted {
					mine.requests++
					continue
				}
				if mine.failed++; mine.fault == "" {
					mine.fault = fmt.Sprint(err, a.StatusCode(), " ", string(a.Body()[:min(200, len(a.Body()))]))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			times = append(times, took...)
			total.requests += mine.requests
			total.failed += mine.failed
			if total.fault == "" {
				total.fault = mine.fault
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return load{}, err
	}
	if total.requests == 0 {
		return load{}, errors.New("no request was answered: " + total.fault)
	}
	after := p.usage()
	slices.Sort(times)
	total.rate = float64(total.requests) / time.Since(begin).Seconds()
	total.p50, total.p99 = times[len(times)/2], times[len(times)*99/100]
	total.used = usage{cpu: after.cpu - before.cpu, memory: after.memory}
	return total, nil
}

// turns measures two things alternately and answers the median of what the first is to the second, and the best of each.
func turns(rounds int, one, other func() (load, error)) (ratio float64, best, ceiling load, err error) {
	var ratios []float64
	for range rounds {
		a, err := one()
		if err != nil {
			return 0, best, ceiling, err
		}
		b, err := other()
		if err != nil {
			return 0, best, ceiling, fmt.Errorf("the ceiling: %w", err)
		}
		ratios = append(ratios, a.rate/b.rate)
		if a.rate > best.rate {
			best = a
		}
		if b.rate > ceiling.rate {
			ceiling = b
		}
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2], best, ceiling, nil
}
