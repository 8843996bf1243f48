// Package artwork draws the default badge: a medal with a star, a laurel and
// two ribbons, as SVG and as PNG.
//
// It owns one geometric description, from which both are made, so that neither
// needs a binary file in the source. The result is the same at every run.
package artwork
