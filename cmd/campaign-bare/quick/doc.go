// Package quick stands in for python, node and jq where the tester of commands is to
// run many sequences: those three take most of the time to start, and start for nearly
// each step.
//
// What always holds here:
//
//   - A stand-in makes the same calls of the file system as its program, in the same
//     order: python looks at the file that it has opened and reads until
//     it gets nothing, node reads as many bytes as it was told of, and makes each call of
//     an awaited one on another thread.
//   - It does the lines of the tester's own programs (commands/programs) and the few
//     filters of jq that the tester types, and nothing else.
//   - It is a process of its own, started as the program is started. So all processes
//     have the same relatives.
package quick
