// Command mutate asks whether tests notice faults: it puts them into the code, one
// at a time, and runs the tests that reach the place. A fault that no test notices
// is a survivor.
//
//	mutate [flags] PACKAGE [FILE…]
//
// Of each function it
//
//   - inverts the condition of an if, and has its branch never taken
//   - has a loop's body, and a case of a switch that has no type, never taken
//   - drops an operand of && and ||
//   - inverts a comparison that is no condition
//   - leaves out an assignment, a call whose result nobody uses, a break and a continue
//
// All faults are compiled into one test binary (an overlay of the go command; the tree
// is not touched), and an environment variable turns one on. So a fault costs no
// compilation. Before, each test runs by itself with none of them, and notes the
// places that it reaches and its time: a fault is tried with the tests that reach
// it only, the fast ones first, till one fails. Calls of Lock and Unlock stay.
//
// A fault is named by file, function, kind and text, not by its line, so that a name
// outlives changes elsewhere. The names of survivors that are known, each with the
// reason why it may live, are lines of the file that --known names. With --again those
// that a file names are tried instead of a sample.
package main
