package httpserver

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// A client that is still sending when its request is refused must be heard out
// for a while: closing a socket with unread bytes resets the connection, and the
// reset may overtake the refusal (RFC 9112, 9.6 (Tear-down)). The bounds keep
// that from being a gift to those who never stop.
const (
	lingerBytes = 256 << 20
	lingerTime  = 10 * time.Second
)

type lingerListener struct{ net.Listener }

// Accept implements [net.Listener].
func (l lingerListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingerConn{Conn: c}, nil
}

type lingerConn struct {
	net.Conn
	linger atomic.Bool
}

// Close implements [net.Conn]. A lingering connection first ends its own side and
// reads what the client still sends.
func (c *lingerConn) Close() error {
	if c.linger.Swap(false) {
		if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			if c.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
				// Whatever ends the reading, closing is what follows.
				_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
			}
		}
	}
	return c.Conn.Close()
}

// hearOut asks for a lingering close of the connection below c.
func hearOut(c net.Conn) {
	if w := watchedOf(c); w != nil {
		c = w.Conn
	}
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if l, ok := c.(*lingerConn); ok {
		l.linger.Store(true)
	}
}
