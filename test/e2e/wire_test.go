package e2e

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
)

// wire stands between the house and its database. It can be cut, and it can hold
// back what is sent, as a server that hangs does.
type wire struct {
	url      string
	target   string
	mu       sync.Mutex
	broken   bool
	held     chan struct{} // closed when it flows again; nil while it flows
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
		w.mend()
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
		io.Copy(far, wireEnd{c, w})
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

func (w *wire) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = make(chan struct{})
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = false
	if w.held != nil {
		close(w.held)
		w.held = nil
	}
}

// wireEnd is the near end, whose bytes wait while the wire holds them back.
type wireEnd struct {
	io.Reader
	wire *wire
}

// Read implements [io.Reader].
func (e wireEnd) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	e.wire.mu.Lock()
	held := e.wire.held
	e.wire.mu.Unlock()
	if held != nil {
		<-held
	}
	return n, err
}

func bootOn(t *testing.T, database string) *house {
	t.Helper()
	return boot(t, func(cfg *engine.Config) { cfg.Database.URL = database })
}
