// Package arch holds the house to its plan.
//
// Its tests read every package of the program, the imports of every file, and
// the doc comments, and compare them with the rules: who may import whom, in
// which file a library may be named, what a package must not be called, and
// that everything exported is explained. A violation names the file and the
// rule. The rules themselves are tested too: each has an invented file that
// breaks it.
package arch
