// Package intake takes over badges that were issued elsewhere or before, and issues them
// again here.
//
// Routes: POST /api/v1/import, for a badge of Open Badges 2.0 or 3.0 as a document, a
// token, a picture or an address; POST /api/v1/import/batch, for several of them.
//
// A badge is verified first, as by anybody; what is not verified is not taken over. Its
// achievement becomes one of an issuer here, once for all badges of it; then a credential
// is issued that keeps the date of the first award and names the original as evidence.
// The same badge is taken over once, however often it is asked for, so that several can be
// sent again as they are until all are done. A dry run says what would be done.
//
// It leaves verifying, achievements and issuing to the modules of these names and asks
// them through ports; it keeps only what became of what.
//
// Standards: Open Badges 2.0 and 3.0.
package intake
