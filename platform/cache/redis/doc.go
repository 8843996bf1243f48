// Package redis is the cache plug-in for Redis, and for the servers that speak
// its protocol.
//
// Every key begins with "badge-engine:", so that the server may be shared. It
// gives up early: a cache that answers late is worth less than none.
package redis
