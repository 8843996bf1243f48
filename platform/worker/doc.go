// Package worker does something in the background, in rounds, from a start to a stop.
//
// It owns when a round begins and that none is cut short unheard. How long a round may
// take, what comes of its errors, and what is done last are for whoever starts it.
package worker
