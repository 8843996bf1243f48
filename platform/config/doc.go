// Package config turns the environment into typed parts.
//
// Each part of the program declares its own Config with env tags, Default and
// Check; the composition root sums them up and calls Load once. Nobody else
// reads the environment.
package config
