// Package diagnosis is how a part of the program examines itself for a person:
// what it looked at, what it found, and what to do about it.
//
// A probe answers every second whether a part works; an examination is asked for
// seldom, may take seconds, and explains. It owns the values and runs the
// examinations; what there is to examine is for each part to know. It imports
// nothing of ours.
package diagnosis
