// Package servers finds the servers that tests start for themselves, and says whom
// they run as.
package servers
