package httpserver

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestADeadlineIsAContext(t *testing.T) {
	type key struct{}
	rows := []struct {
		name string
		look func(t *testing.T, d *deadline, cancelParent func())
	}{
		{"its end comes at its time, when somebody waits", func(t *testing.T, d *deadline, _ func()) {
			begun := time.Now()
			<-d.Done()
			if took := time.Since(begun); took != time.Minute || !errors.Is(d.Err(), context.DeadlineExceeded) {
				t.Error(took, d.Err())
			}
		}},
		{"its end comes at its time, when nobody waits", func(t *testing.T, d *deadline, _ func()) {
			time.Sleep(time.Minute - time.Nanosecond)
			if d.Err() != nil {
				t.Error(d.Err())
			}
			time.Sleep(time.Nanosecond)
			if !errors.Is(d.Err(), context.DeadlineExceeded) || d.armed != nil {
				t.Error(d.Err(), d.armed)
			}
		}},
		{"its end comes with its parent's", func(t *testing.T, d *deadline, cancelParent func()) {
			cancelParent()
			if !errors.Is(d.Err(), context.Canceled) {
				t.Error(d.Err())
			}
			<-d.Done()
		}},
		{"it ends with the request for whoever waits already", func(t *testing.T, d *deadline, _ func()) {
			done := d.Done()
			d.end()
			<-done
			if !errors.Is(d.Err(), context.Canceled) {
				t.Error(d.Err())
			}
		}},
		{"it has ended for whoever comes after the request", func(t *testing.T, d *deadline, _ func()) {
			d.end()
			if !errors.Is(d.Err(), context.Canceled) {
				t.Error(d.Err())
			}
			<-d.Done()
		}},
		{"its children end with it, and no goroutine is left", func(t *testing.T, d *deadline, _ func()) {
			child, stop := context.WithTimeout(d, time.Hour)
			defer stop()
			d.end()
			<-child.Done()
			if !errors.Is(child.Err(), context.Canceled) {
				t.Error(child.Err())
			}
		}},
		{"what is called afterwards can be called off", func(t *testing.T, d *deadline, _ func()) {
			called := false
			stop := context.AfterFunc(d, func() { called = true })
			if !stop() {
				t.Error("it was called already")
			}
			d.end()
			synctest.Wait()
			if called {
				t.Error("it was called")
			}
		}},
		{"it has the values of its parent and its own time", func(t *testing.T, d *deadline, _ func()) {
			if at, ok := d.Deadline(); !ok || time.Until(at) != time.Minute || d.Value(key{}) != "value" {
				t.Error(at, ok, d.Value(key{}))
			}
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
				defer cancel()
				d := withDeadline(parent, time.Now().Add(time.Minute))
				defer d.end()
				row.look(t, d, cancel)
			})
		})
	}
}
