// Command load measures what issuing, verifying, baking and reading cost, and what they could cost at best.
//
//	go run ./test/load quick     every row of the table in docs/PERFORMANCE.md, in under five minutes
//	go run ./test/load report    the same for longer, how cost grows with size, and writes docs/PERFORMANCE.md; the minutes
//	                             of the soak and the number of credentials may follow, such as report 10 1000000
//	go run ./test/load run NAME  one scenario; list names them
//
// Every figure is measured beside the ceiling that it is compared with, in the same run and in turns: a bare signature, a
// bare handler, an insert without any work. What is reported is the ratio, so that another machine, or the same one on
// another day, may be compared. The server is the real program in a process of its own, on SQLite and on a PostgreSQL
// that this command starts and that waits for its disk; LOAD_POSTGRES_URL names another one.
//
// quick writes one line a row, "name measured target ok" or "… short", and ends with 1 if any is short.
//
// A scenario is a function in a file of its own and a line in the table in main.go. It sees the program from outside, as
// every test below test/ does.
package main
