package statuslist

import (
	"fmt"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
)

// Config is how large lists are and how long they may be kept.
type Config struct {
	Size int64         `env:"STATUS_LIST_SIZE" help:"entries of a new status list: a multiple of 131072. Larger lists hide a badge among more others and take longer to fetch; 0 issues badges that can never be revoked"`
	TTL  time.Duration `env:"STATUS_LIST_TTL" help:"how long verifiers may keep a status list before they ask again"`
}

// Default is the shortest list that the standard allows, kept for five minutes.
func Default() Config { return Config{Size: status.SegmentBits, TTL: 5 * time.Minute} }

// Check refuses what no verifier would take.
//
// Bitstring Status List 1.0, 3.2 (Validate Algorithm): a list of less than 131072 entries is refused.
func (c Config) Check() error {
	if c.Size == 0 {
		return nil
	}
	if c.Size < status.SegmentBits || c.Size%status.SegmentBits != 0 || c.Size > status.MaxSegments*status.SegmentBits {
		return fmt.Errorf("STATUS_LIST_SIZE is %d; give a multiple of %d up to %d, or 0", c.Size, status.SegmentBits, status.MaxSegments*status.SegmentBits)
	}
	if c.TTL < time.Second || c.TTL > 24*time.Hour {
		return fmt.Errorf("STATUS_LIST_TTL is %s; give from 1s to 24h", c.TTL)
	}
	return nil
}
