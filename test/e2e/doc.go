// Package e2e tests the booted house over HTTP: the very engine that main boots, on
// every database, and the built program as a process of its own.
package e2e
