// Package principal says who is calling, carried in a context.
//
// It owns the value and its place in the context. Who may become a principal,
// and by which token, is for module auth. It imports nothing of ours.
package principal
