// Package houses starts the server for tests: in this process, or as a process of its own
// made of the built program, and takes it down when the test ends. What a test says to it
// is the test's own business.
package houses
