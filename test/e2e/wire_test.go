package e2e

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
)

// wire stands between the house and its database, and can be cut.
type wire struct {
	url      string
	target   string
	mu       sync.Mutex
	broken   bool
	open     map[net.Conn]bool
	listener net.Listener
}

func newWire(t *testing.T, address string) *wire {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{target: u.Host, listener: listener, open: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	w.url = u.String()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { w.carry(c) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		w.cut()
		wg.Wait()
	})
	return w
}

func (w *wire) carry(c net.Conn) {
	defer c.Close()
	far, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer far.Close()
	w.mu.Lock()
	if w.broken {
		w.mu.Unlock()
		return
	}
	w.open[c], w.open[far] = true, true
	w.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(far, c)
		far.Close()
	}()
	io.Copy(c, far)
	c.Close()
	<-done
	w.mu.Lock()
	delete(w.open, c)
	delete(w.open, far)
	w.mu.Unlock()
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = true
	for c := range w.open {
		c.Close()
	}
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = false
}

func bootOn(t *testing.T, database string) *house {
	t.Helper()
	return boot(t, func(cfg *engine.Config) { cfg.Database.URL = database })
}
