package cache

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// slowAnswer is how long an answer may take before the cache costs more than it saves.
const slowAnswer = 20 * time.Millisecond

// Examine writes a value, reads it again and deletes it.
func Examine(c Cache, cfg Config) diagnosis.Examination {
	return func(ctx context.Context, n *diagnosis.Notes) {
		at := cfg.String()
		if cfg.Scheme() == "memory" {
			n.OK("cache.connection", "REDIS_URL", "The cache is in the process. Several replicas need Redis, or a token that is revoked lives on for seconds.")
			return
		}
		key, value := "doctor:"+rand.Text(), []byte("doctor")
		begun := time.Now()
		err := c.Ping(ctx)
		took := time.Since(begun)
		if err != nil {
			found, remedy := explain(err)
			n.Fail("cache.connection", at, found, remedy)
			return
		}
		n.OK("cache.connection", at, "It answers.")
		if took > slowAnswer {
			n.Warn("cache.latency", at, fmt.Sprintf("A ping takes %s.", took.Round(time.Millisecond)), "Run Redis near the servers; look at its load and at SLOWLOG GET 10.")
		} else {
			n.OK("cache.latency", at, "A ping takes %s.", took.Round(10*time.Microsecond))
		}
		if err := c.Set(ctx, key, value, time.Minute); err != nil {
			found, remedy := explain(err)
			n.Fail("cache.write", at, found, remedy)
			return
		}
		back, there, err := c.Get(ctx, key)
		_ = c.Delete(ctx, key) // it goes in a minute anyway
		if err != nil || !there || !bytes.Equal(back, value) {
			n.Warn("cache.write", at, "A value that was just written is not there.", "Raise maxmemory of Redis; with a replica in front, let this program speak to the primary.")
			return
		}
		n.OK("cache.write", at, "What is written is there.")
	}
}

// explain reads what the servers that speak the protocol say.
func explain(err error) (found, remedy string) {
	var dns *net.DNSError
	var timeout net.Error
	text := err.Error()
	if cause := errors.Unwrap(err); cause != nil {
		text = cause.Error()
	}
	switch {
	case errors.As(err, &dns):
		return "The host name does not resolve.", "Correct the host in REDIS_URL; in Docker it is the name of the service."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens there.", "Start Redis, or correct host and port in REDIS_URL. The server works on without, slower."
	case strings.Contains(text, "NOAUTH"):
		return "It wants a password.", "Set REDIS_PASSWORD to what requirepass says in redis.conf."
	case strings.Contains(text, "WRONGPASS"), strings.Contains(text, "invalid password"), strings.Contains(text, "without any password"):
		return "It refuses the password.", "Set REDIS_PASSWORD to what requirepass says in redis.conf; the URL must not carry another. Where Redis has none, unset it."
	case strings.Contains(text, "OOM"):
		return "It is full.", "Raise maxmemory of Redis, or set maxmemory-policy allkeys-lru."
	case strings.Contains(text, "READONLY"):
		return "It is a read-only replica.", "Name the primary in REDIS_URL."
	case strings.Contains(text, "NOPERM"):
		return "Its access list does not allow this.", "Allow this user +@read +@write +@scripting ~badge-engine:* in the ACL."
	case strings.Contains(text, "tls:"), strings.Contains(text, "x509"):
		return "There is no TLS connection.", "Say redis:// where Redis speaks no TLS; rediss:// needs a certificate of an authority that this machine knows."
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "It does not answer in time.", "Check firewall and address in REDIS_URL; if it runs, look at SLOWLOG GET 10 and its memory."
	}
	return "It does not answer as Redis does.", "Check REDIS_URL: redis-cli -u redis://host:6379 ping."
}
