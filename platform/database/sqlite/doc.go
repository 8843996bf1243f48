// Package sqlite is the storage plug-in for an SQLite file, without cgo.
//
// It owns how the file is opened, what SQLite's result codes mean, the lock, and
// gorm's dialect. One connection writes, several read beside it, and the file is
// in write-ahead mode with full synchronization: what was acknowledged survives
// the loss of power. Measured, that and only that combination loses no
// transaction among concurrent writers.
//
// A database in memory is refused: reading and writing connections would each
// see one of their own.
package sqlite
