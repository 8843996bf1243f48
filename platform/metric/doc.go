// Package metric is what a part measures of itself: gauges that are read and counters
// that count. Package telemetry serves them; that they are apart lets any part measure,
// those below the server included.
//
// Labels have few values, all of them the program's own: never what callers choose.
package metric
