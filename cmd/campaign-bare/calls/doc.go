// Package calls runs random programs of system calls on a mount of clawfs and in
// a bare directory, and compares the answers and the visible state after each call.
//
// What always holds:
//
//   - Real processes make the calls (actor/actor.c): three that begin, others
//     that these fork. They take turns: a call is awaited before the next one.
//     Each side has processes of its own, that make the same calls.
//   - A program depends on its seed and on the bare side's answers alone
//     (generate.go, model.go). The calls of a program are written down in a line for
//     each call, and replayed (call.go).
//   - Contents are documents whenever a handle is closed, but for files that are
//     created empty, and for two idioms that show how invalid content is refused
//     (idioms.go, idioms_more.go).
//   - The bare side is the truth. The model follows from it, and knows the differences
//     that a mount may show by design: these are exceptions. An exception has a key, a
//     reason and a predicate (except.go), and each call that it excuses is
//     counted.
//   - An observer looks at both sides after the calls: existence, type, content,
//     size, mode, owner, links, times, and listings. It is no relative of the
//     other processes, and has nothing open in between. Times are compared by the
//     direction of their change; times that a program has set are compared exactly.
//     Inode numbers are compared by the names and handles that share one, and by
//     the changes of a name's number (compare.go).
//   - Events are compared as sets of kinds, for each watch and name, where no
//     handle has unsaved bytes; a mount has 500 ms for them (events.go).
//   - A difference has a kind: the call, the aspect that differs, and the state of the
//     call's subject (kind.go). After one that leaves the two sides with different
//     contents the program ends; others are told once. Programs that differ are
//     cut down to the calls that are needed (shrink.go).
//   - Kinds that are known are listed in open.txt, each with its count in the
//     short run of the test. The test fails for a kind that is not listed, and for
//     one that is and does not occur.
package calls
