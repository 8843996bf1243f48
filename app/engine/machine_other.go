//go:build !unix

package engine

// freeSpace is not asked for on this system.
func freeSpace(string) (int64, bool) { return 0, false }
