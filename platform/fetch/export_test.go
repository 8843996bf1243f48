package fetch

import (
	"net"
	"syscall"
	"time"
)

// SetResolver has names looked up elsewhere.
func SetResolver(c *Client, r *net.Resolver) {
	c.redial(&net.Dialer{Timeout: 5 * time.Second, Control: c.control, Resolver: r})
}

// Trust takes one address for public.
func Trust(c *Client, address string) {
	c.redial(&net.Dialer{Timeout: 5 * time.Second, Control: func(network, to string, raw syscall.RawConn) error {
		if to == address {
			return nil
		}
		return c.control(network, to, raw)
	}})
}

func (c *Client) redial(d *net.Dialer) {
	c.wire.DialContext = d.DialContext
}

// Held is how many bytes of documents are kept.
func Held(c *Client) (n int) {
	c.shelf.mu.Lock()
	defer c.shelf.mu.Unlock()
	for _, generation := range []map[string]*document{c.shelf.young, c.shelf.old} {
		for _, d := range generation {
			n += len(d.data)
		}
	}
	return n
}
