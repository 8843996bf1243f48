// Package principal says who is calling and from where, carried in a context.
//
// It owns the values and their place in the context. Who may become a principal,
// and by which token, is for module auth. It imports nothing of ours.
package principal
