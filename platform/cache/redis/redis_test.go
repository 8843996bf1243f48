package redis_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/cachetest"
	"github.com/badge-engine/badge-engine/platform/cache/redis"
	"github.com/badge-engine/badge-engine/test/dbtest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string) cache.Cache {
	t.Helper()
	cfg := cache.Default()
	cfg.URL = url
	store, err := cache.New(cfg, time.Now, redis.Driver{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestSuite(t *testing.T) {
	url := dbtest.Redis(t)
	cachetest.Run(t, func(t *testing.T) cachetest.Subject {
		return cachetest.Subject{Cache: open(t, url), Pass: pass}
	})
}

// pass waits, because the server has a clock of its own.
func pass(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	<-ctx.Done()
}

func TestACacheThatIsAwayIsUnavailableAndKeepsItsPasswordToItself(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // a port on which surely nobody answers
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	_, ok, err := open(t, "redis://:s3cret@"+address+"/0").Get(t.Context(), "key")
	if ok || !errors.Is(err, cache.ErrUnavailable) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %t, %v; want ErrUnavailable without the password", ok, err)
	}
}

func TestAWrongAddressNamesItsVariableAndNotItsPassword(t *testing.T) {
	cfg := cache.Default()
	for _, url := range []string{"redis://:s3cret@host:port/0", "amqp://:s3cret@host/0", "s3cret"} {
		cfg.URL = url
		_, err := cache.New(cfg, time.Now, redis.Driver{})
		if err == nil || !strings.Contains(err.Error(), "REDIS_URL") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
