// Package baking puts credentials into pictures and takes them out again, for
// callers over HTTP and for the command line.
//
// Routes:
//
//	POST /api/v1/bake     a picture and a credential in, the baked picture out
//	POST /api/v1/extract  a picture in, its credential out
//
// It keeps nothing and owns no table. It checks that a credential is readable,
// not that it is true: that is module verification's. The surgery itself is the
// kernel's package image.
//
// Standards: Open Badges 3.0, 5.3 (Baked Badge); Open Badges 2.0, Baked Badges.
package baking
