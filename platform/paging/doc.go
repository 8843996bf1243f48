// Package paging walks long lists by cursors that stay right while the list changes.
//
// A cursor says after which (sort value, id) the next page begins, and is bound
// to the order and the filters it was made for. It owns the cursor and the
// page; parsing a query string is for package httpserver, the SQL is for each
// store.
package paging
