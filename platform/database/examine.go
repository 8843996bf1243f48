package database

import (
	"context"
	"fmt"
	"time"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// slowAnswer is how long a sign of life may take before every request suffers.
const slowAnswer = 50 * time.Millisecond

// Examine looks at the connection, its speed, the pool, and at what the engine says
// of itself.
func Examine(d *DB) diagnosis.Examination {
	return func(ctx context.Context, n *diagnosis.Notes) {
		at := d.cfg.String()
		// The first connection may have to be made; only the second tells the speed.
		if err := d.writes.PingContext(ctx); err != nil {
			found, remedy := d.driver.Explain(d.cfg, err)
			n.Fail("database.connection", at, found, remedy)
			return
		}
		begun := time.Now()
		if err := d.Ping(ctx); err != nil {
			found, remedy := d.driver.Explain(d.cfg, err)
			n.Fail("database.connection", at, found, remedy)
			return
		}
		took := time.Since(begun)
		n.OK("database.connection", at, "It answers.")
		if took > slowAnswer {
			n.Warn("database.latency", at, fmt.Sprintf("A statement that does nothing takes %s.", took.Round(time.Millisecond)),
				"Run the server near its database, and look at the load of the database's machine.")
		} else {
			n.OK("database.latency", at, "A statement that does nothing takes %s.", took.Round(10*time.Microsecond))
		}
		d.examinePool(n)
		d.driver.Examine(ctx, d.cfg, d.writes, n)
	}
}

func (d *DB) examinePool(n *diagnosis.Notes) {
	s := d.writes.Stats()
	at := fmt.Sprintf("the pool of this process, %d connections at most", s.MaxOpenConnections)
	text := fmt.Sprintf("%d in use, %d idle; %d waits, %s in all.", s.InUse, s.Idle, s.WaitCount, s.WaitDuration.Round(time.Millisecond))
	if d.reads != d.writes || s.WaitCount == 0 || s.WaitDuration/time.Duration(s.WaitCount) < 100*time.Millisecond {
		n.OK("database.pool", at, "%s", text)
		return
	}
	n.Warn("database.pool", at, text, "Raise DB_POOL_SIZE or DB_MAX_OVERFLOW, as far as max_connections of the server allows for all replicas together.")
}
