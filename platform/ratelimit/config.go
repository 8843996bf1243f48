package ratelimit

import "errors"

// Config is what an operator may say about limits.
type Config struct {
	PerSecond int `env:"RATE_LIMIT" help:"requests a second that one token, client or person may send for long; 0 for no limit; tokens for provisioning may always send 25"`
	Burst     int `env:"RATE_LIMIT_BURST" help:"requests that one of them may send at once; tokens for provisioning may always send 100"`
	Failures  int `env:"RATE_LIMIT_FAILURES" help:"failed authentications a minute that one address may cause before it is told to wait; 0 for no limit; it never hinders those that succeed"`
	Anonymous int `env:"RATE_LIMIT_ANONYMOUS" help:"verifications, and other requests that cost work, a minute that one address may send without a token; 0 for no limit"`
}

// Default lets through whatever one honest program can send, and stops loops.
func Default() Config { return Config{PerSecond: 1000, Burst: 5000, Failures: 600, Anonymous: 300} }

// Check refuses limits that nobody could keep.
func (c Config) Check() error {
	switch {
	case c.PerSecond < 0:
		return errors.New("RATE_LIMIT must not be negative; 0 means no limit")
	case c.PerSecond > 0 && c.Burst < 1:
		return errors.New("RATE_LIMIT_BURST must be at least 1")
	case c.PerSecond > maxNumber || c.Burst > maxNumber || c.Failures > maxNumber || c.Anonymous > maxNumber:
		return errors.New("RATE_LIMIT, RATE_LIMIT_BURST, RATE_LIMIT_FAILURES and RATE_LIMIT_ANONYMOUS must be at most 1000000; 0 means no limit")
	case c.Failures < 0:
		return errors.New("RATE_LIMIT_FAILURES must not be negative; 0 means no limit")
	case c.Anonymous < 0:
		return errors.New("RATE_LIMIT_ANONYMOUS must not be negative; 0 means no limit")
	}
	return nil
}

const maxNumber = 1_000_000
