// Package image puts credentials into PNG and SVG pictures and takes them out
// again. It never decodes and never re-encodes a picture: it splices one chunk
// or one element in, and every other byte stays as it was.
//
// It owns the check that an upload is a sound and harmless picture (Inspect),
// the carriers of Open Badges 3.0 and 2.0 (Bake, Extract), and the tolerance
// towards what other bakers write. It does not judge a credential: what comes
// out of Extract is text that somebody else has to verify.
//
// Standards: Open Badges 3.0, 5.3 (Baked Badge);
// Open Badges 2.0, Baked Badges; Portable Network Graphics (Third Edition);
// XML 1.0; Namespaces in XML 1.0; Scalable Vector Graphics 1.1.
package image
