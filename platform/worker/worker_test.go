package worker_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/badge-engine/badge-engine/platform/worker"
)

func TestRoundsComeInTimeAndByANudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w worker.Worker
		if w.Stop() {
			t.Error("it says that it was started")
		}
		var rounds atomic.Int64
		nudge := make(chan struct{}, 1)
		w.Start(time.Minute, nudge, func(context.Context) { rounds.Add(1) })
		expect := func(when string, want int64) {
			t.Helper()
			synctest.Wait()
			if n := rounds.Load(); n != want {
				t.Errorf("%s: %d rounds, not %d", when, n, want)
			}
		}
		expect("at the start", 0)
		time.Sleep(time.Minute)
		expect("after a minute", 1)
		nudge <- struct{}{}
		expect("after a nudge", 2)
		for range 2 {
			if !w.Stop() {
				t.Error("it says that it was not started")
			}
		}
		nudge <- struct{}{}
		time.Sleep(time.Hour)
		expect("after the stop", 2)
	})
}

func TestStopEndsTheRoundUnderWayAndWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w worker.Worker
		ended := false
		w.Start(time.Second, nil, func(ctx context.Context) {
			<-ctx.Done()
			time.Sleep(time.Second) // it tidies up
			ended = true
		})
		time.Sleep(time.Second)
		synctest.Wait()
		if w.Stop(); !ended {
			t.Error("it did not wait")
		}
	})
}
