package logging

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink counts how often it is written to.
type sink struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	return s.text.Write(p)
}

func (s *sink) said() (text string, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.writes
}

func buffered(t *testing.T, s io.Writer) (*slog.Logger, io.Closer) {
	t.Helper()
	log, closer, err := newBuffered(s, Config{Level: "info", Format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	return log, closer
}

func TestLinesAreHeldForATenthOfASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sink
		log, closer := buffered(t, &s)
		log.Info("one")
		log.Info("two")
		if text, _ := s.said(); text != "" {
			t.Errorf("written at once: %s", text)
		}
		time.Sleep(flushAfter)
		synctest.Wait()
		if text, writes := s.said(); strings.Count(text, "\n") != 2 || writes != 1 {
			t.Errorf("written %d times: %s", writes, text)
		}
		log.Info("three")
		log.Warn("four") // somebody may be looking for it, and for what came before
		if text, writes := s.said(); strings.Count(text, "\n") != 4 || writes != 2 || strings.Index(text, "three") > strings.Index(text, "four") {
			t.Errorf("written %d times: %s", writes, text)
		}
		log.Info("five")
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
		log.Info("six")
		if text, _ := s.said(); strings.Count(text, "\n") != 6 || !strings.HasSuffix(text, "msg=six\n") {
			t.Errorf("at the end it says %s", text)
		}
		if err := closer.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	})
}

func TestNoLineIsLostCutOrOvertaken(t *testing.T) {
	var s sink
	log, closer := buffered(t, &s)
	const writers, lines = 8, 2000
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range lines {
				log.Info("line", "writer", w, "number", i, "padding", strings.Repeat("x", 100))
			}
		})
	}
	wg.Wait()
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	text, writes := s.said()
	next := map[int]int{}
	for line := range strings.Lines(text) {
		var w, i int
		at := strings.Index(line, "writer=")
		if at < 0 || !strings.HasSuffix(line, "x\n") {
			t.Fatalf("a line is cut: %q", line)
		}
		if _, err := fmt.Sscanf(line[at:], "writer=%d number=%d", &w, &i); err != nil || i != next[w] {
			t.Fatalf("%q comes where %d of %d should: %v", line, next[w], w, err)
		}
		next[w]++
	}
	for w := range writers {
		if next[w] != lines {
			t.Errorf("%d of %d lines of %d arrived", next[w], lines, w)
		}
	}
	if writes > writers*lines/10 {
		t.Errorf("%d lines were written in %d pieces", writers*lines, writes)
	}
}

// TestAStreamThatStandsStillBoundsWhatIsHeld logs into a stream that takes nothing.
func TestAStreamThatStandsStillBoundsWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		b := &buffer{to: writer}
		log := slog.New(slog.NewTextHandler(b, nil))
		done := false
		go func() {
			for range 100_000 {
				log.Info(strings.Repeat("x", 100))
			}
			done = true
		}()
		synctest.Wait()
		b.mu.Lock()
		held := len(b.held)
		b.mu.Unlock()
		if done || held > mostHeld+1000 {
			t.Errorf("%d bytes are held, done %t", held, done)
		}
		go func() { _, _ = io.Copy(io.Discard, reader) }()
		synctest.Wait()
		if !done {
			t.Error("it stands still for ever")
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		_ = writer.Close()
	})
}

func BenchmarkBuffer(b *testing.B) {
	log, closer, err := newBuffered(io.Discard, Config{Level: "info", Format: "json"})
	if err != nil {
		b.Fatal(err)
	}
	defer closer.Close()
	b.ReportAllocs()
	for b.Loop() {
		log.Info("request answered", "method", "GET", "route", "/credentials/:id")
	}
}
