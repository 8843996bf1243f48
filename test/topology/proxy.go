//go:build unix

package topology

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy passes on what is sent to an address, and can take its time for it.
type Proxy struct {
	listener net.Listener
	to       string
	delay    atomic.Int64 // nanoseconds before each piece is passed on, in either direction

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]bool
	ended  sync.WaitGroup
}

// newProxy listens on a free port of its own.
func newProxy(to string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, to: to, open: map[net.Conn]bool{}}
	p.ended.Go(p.accept)
	return p, nil
}

// Addr is where it listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Delay has each piece of what is said wait, in either direction, from now on.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Close lets go of everything.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for conn := range p.open {
		_ = conn.Close()
	}
	p.mu.Unlock()
	p.ended.Wait()
}

func (p *Proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to)
		if err != nil { // as if nobody listened here
			_ = in.(*net.TCPConn).SetLinger(0)
			_ = in.Close()
			continue
		}
		if !p.keep(in, out) {
			return
		}
		p.ended.Go(func() { p.pass(in, out) })
		p.ended.Go(func() { p.pass(out, in) })
	}
}

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		if p.closed {
			_ = conn.Close()
		} else {
			p.open[conn] = true
		}
	}
	return !p.closed
}

func (p *Proxy) pass(from, to net.Conn) {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			time.Sleep(time.Duration(p.delay.Load())) // it is what this is for
			if _, err := to.Write(piece[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = from.Close()
	_ = to.Close()
	p.mu.Lock()
	delete(p.open, from)
	p.mu.Unlock()
}
