// Package httpserver turns route tables into a server.
//
// It owns the listener, the route table with its checks, the guard at each
// route, deadlines, body limits, request ids, the access log, security headers
// and CORS, the OpenAPI document of the table, and what handlers need to read
// a request. It applies the limits of package ratelimit: by principal to whoever
// is known, and by address to failed authentications and to whoever asks without a token
// for what costs work. It serves
// /openapi.json, and /docs, a page that browses it and needs no network. How a
// refusal looks is left to package problem; who may become a principal, to whoever
// provides the [Guard].
//
// Standards: RFC 9110 (HTTP Semantics), RFC 6750 (Bearer Token Usage), the
// Fetch standard's CORS protocol, OpenAPI 3.1.
package httpserver
