package httpserver

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Browsers and the clients of many languages dial in advance, and may never use the
// connection. The library takes such a one for a request on its way, for which a
// server that drains would wait until its time is over.
const (
	// benefit is how long a new connection may be silent while the server drains: its
	// request may be on its way.
	benefit = 500 * time.Millisecond
	// listen is how often it is looked whether that is over.
	listen = 50 * time.Millisecond
)

// silence knows the connections on which nothing was ever received.
type silence struct {
	slack time.Duration // by which reading may end earlier

	mu    sync.Mutex
	conns map[*watched]time.Time // since when
}

// watched is a connection that tells when something is first received on it.
type watched struct {
	net.Conn
	in    *silence
	peer  string // the address at the other end, without its port
	state atomic.Int32

	// When reading must end, and what the connection below was told of it: of whoever
	// reads alone.
	until, told time.Time
}

// What is known of a connection.
const (
	silent int32 = iota
	heard        // something was received
	left         // it was closed, since nothing ever was
)

// watchedTLS is one that speaks TLS, which the library must be able to see. The
// handshake is not yet a request.
type watchedTLS struct {
	watched
	secure *tls.Conn
}

// Handshake lets the library shake hands in time.
func (c *watchedTLS) Handshake() error {
	if err := c.arm(); err != nil {
		return err
	}
	return c.secure.Handshake()
}

// ConnectionState tells the library that this is TLS.
func (c *watchedTLS) ConnectionState() tls.ConnectionState { return c.secure.ConnectionState() }

// SetReadDeadline implements [net.Conn]. The library sets a deadline twice for each
// request, and most requests arrive in one piece, so that it is passed on only when
// something is read, and only if it is another one: it may end the reading a little
// earlier, by a 64th of the shortest there is.
func (c *watched) SetReadDeadline(t time.Time) error {
	c.until = t
	return nil
}

func (c *watched) arm() error {
	if later := c.until.Sub(c.told); later >= 0 && later <= c.in.slack {
		return nil
	}
	c.told = c.until
	return c.Conn.SetReadDeadline(c.until)
}

// Read implements [net.Conn].
func (c *watched) Read(p []byte) (int, error) {
	if err := c.arm(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.state.Load() == silent && c.state.CompareAndSwap(silent, heard) {
		c.in.forget(c)
	}
	return n, err
}

// Close implements [net.Conn].
func (c *watched) Close() error {
	c.in.forget(c)
	return c.Conn.Close()
}

func (s *silence) forget(c *watched) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// leave closes what has been silent for too long.
func (s *silence) leave(now time.Time) {
	s.mu.Lock()
	var old []*watched
	for c, since := range s.conns {
		if now.Sub(since) >= benefit {
			old = append(old, c)
		}
	}
	s.mu.Unlock()
	for _, c := range old {
		if c.state.CompareAndSwap(silent, left) {
			_ = c.Close() // nobody is there to be told
		}
	}
}

// dismiss goes on closing silent connections until the server has drained.
func (s *silence) dismiss(drained <-chan struct{}) {
	tick := time.NewTicker(listen)
	defer tick.Stop()
	for {
		s.leave(time.Now())
		select {
		case <-drained:
			return
		case <-tick.C:
		}
	}
}

// watchingListener gives connections that are watched.
type watchingListener struct {
	net.Listener
	silence *silence
}

// Accept implements [net.Listener].
func (l watchingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	secure, is := c.(*tls.Conn)
	both := &watchedTLS{watched: watched{Conn: c, in: l.silence, peer: peerOf(c)}, secure: secure}
	l.silence.mu.Lock()
	defer l.silence.mu.Unlock()
	l.silence.conns[&both.watched] = time.Now()
	if is {
		return both, nil
	}
	return &both.watched, nil
}

func peerOf(c net.Conn) string {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().String()
	}
	return ""
}

// watchedOf is what watches a connection of this server.
func watchedOf(c net.Conn) *watched {
	switch c := c.(type) {
	case *watched:
		return c
	case *watchedTLS:
		return &c.watched
	}
	return nil
}
