// Package cachetest is the suite that every cache plug-in passes unchanged.
package cachetest
