// Package conformance holds the house against independent implementations: what we
// issue they verify, what they issue we verify.
//
// The peers come from the npm registry. Set them up, once, with
//
//	npm ci --prefix test/conformance/digitalbazaar
//	npm ci --prefix test/conformance/bakery
//
// Without that, or without Node.js, these tests are skipped on a developer's
// machine; with CI=true they install the peers themselves.
package conformance
