// Package engine is the composition root: the one place where the parts of the
// program are put together. Tests boot the very thing that main boots.
//
// It owns the graph, the map of which module serves which, and the sum of all
// configuration. It leaves the command line to package command.
package engine
