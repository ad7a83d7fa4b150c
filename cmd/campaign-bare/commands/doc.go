// Package commands is the first of the two testers that compare a mount with a
// bare directory: it types commands as people and their scripts do, one command after
// the other, each ended before the next begins. The programs are real.
//
//	Generate     generate.go    a Sequence from a seed; shellcommands.go: lines for a shell
//	Run          run.go         sequences, on as many mounts as asked for
//	 └ bed       bed.go         one mount and one bare directory, where sequences are run
//	    ├ side   side.go        one of the two: its shell and its programs; process.go
//	    ├ step   sequence_run.go  both sides do it, then both are looked at
//	    └ judge  excuse.go      compare.go: the differences; unseen.go: the merges that must be
//	 └ shrink    shrink.go      the smallest sequence that still differs
//	    └ kindOf kind.go        the name of its kind
//
// What always holds here:
//
//   - A seed makes the same sequence always. Its text form (sequence.go) says all
//     of it, and can be read again.
//   - The process that looks is nobody's relative: it has left its family before it looks,
//     and the process that runs all this touches no registry on the mount itself.
//     Looking does not change how the mount serves the others.
//   - A stranger has no ancestor in common with anybody but init.
//   - A difference is a fault, unless a predicate of the table of exceptions
//     (excuse.go) names that very difference. Then the bare directory is given
//     the mount's state, and the sequence goes on. A change that must be
//     merged and is not, is a fault as well, though nothing differs.
//   - Nothing is left behind: no mount, no process, no file, after any failure.
//
// open.txt lists the kinds that are known and still open; testdata/cases.txt has
// a shrunk sequence of each kind that was ever found, open or fixed. The tests
// expect just these.
package commands
