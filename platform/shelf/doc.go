// Package shelf keeps public answers within the process, so that what everybody asks
// for, and whether it changed, costs no database.
//
// It owns how long an answer is kept, how much memory all of them take, that many who
// ask for the same at once cause one look, and that replicas which share a cache hear of
// each other's changes. What is kept, under which key, and when it changed, is for the
// callers; how long clients may keep it is said by those who answer them.
//
// What a replica changed is seen there at once. Another replica that shares the cache
// looks once a second whether anything changed, and keeps an answer for ten seconds at
// most: so long it may be served if the cache was away just for whoever changed it.
// Without a shared cache, or while it is away, an answer is read again after a second.
package shelf
