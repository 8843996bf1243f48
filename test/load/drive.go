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
	used     usage         // by the server meanwhile
	stored   time.Duration // of PostgreSQL's processor time meanwhile, where that is known
}

func (l load) String() string {
	text := fmt.Sprintf("%.0f a second, p50 %s, p99 %s", l.rate, round(l.p50), round(l.p99))
	if l.used.cpu > 0 && l.requests > 0 {
		text += fmt.Sprintf(", %.0f µs of the server's processor each", float64(l.used.cpu.Microseconds())/float64(l.requests))
	}
	if l.stored > 0 && l.requests > 0 {
		text += fmt.Sprintf(" and %.0f of PostgreSQL's", float64(l.stored.Microseconds())/float64(l.requests))
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
	ratios, loads, err := rotate(rounds, one, other)
	if err != nil {
		return 0, best, ceiling, err
	}
	return ratios[0], loads[0], loads[1], nil
}

// rotate measures things in turns, and answers the medians of what the first is to each other, and the best of each.
func rotate(rounds int, one func() (load, error), others ...func() (load, error)) (medians []float64, best []load, err error) {
	best = make([]load, 1+len(others))
	ratios := make([][]float64, len(others))
	for range rounds {
		ours, err := one()
		if err != nil {
			return nil, nil, err
		}
		for i, measured := range append([]load{ours}, make([]load, len(others))...) {
			if i > 0 {
				if measured, err = others[i-1](); err != nil {
					return nil, nil, fmt.Errorf("the ceiling: %w", err)
				}
				ratios[i-1] = append(ratios[i-1], ours.rate/measured.rate)
			}
			if measured.rate > best[i].rate {
				best[i] = measured
			}
		}
	}
	for _, of := range ratios {
		slices.Sort(of)
		medians = append(medians, of[len(of)/2])
	}
	return medians, best, nil
}
