// Package seen knows the views of a registry that each process has, and chooses
// from it the merge base of some content: the state that it was made from. It knows
// no storage and no transactions: package txn tells it the events, and asks.
//
// # Vocabulary
//
// A [Tick] is a place in the store-wide order of events. A view is a state of a
// registry that an [Actor] saw at a tick: content that it read, content that it
// wrote itself, or that nothing was there. [Views] has all of one registry. A
// [Candidate] is a state that the author of some content may have had in hand;
// [Views.Of] returns the candidates, and [Choose] takes one.
//
// A process has a memory of the registry if it has read it, or has written it
// otherwise than by a shell's redirection. A process that was forked and has not
// executed a program has its parent's memory and views of nothing. mv, cp, tee, git and echo … > file have
// none.
//
// The author of a write is the process itself, if it has a memory. Otherwise it is the
// process's family: the nearest ancestor that has seen the registry, or has a
// descendant that has, with all its descendants. Callers that cannot be told are one
// author for each user.
//
// A task is one of several things that a process does at once. Several tasks are
// proved by two writes that were under way at once, by two readings that overlap,
// and, of views of nothing, by two threads that were told before the first of them
// wrote. The proof holds for the views so made, until writes have used them up.
// Threads alone prove nothing.
//
// # The rule
//
// First counts the order of events. An author that is alone means each of its bytes: the
// content is stored as it is ([Alone]) if
//
//   - nobody else has changed the head since the author's last write, or, before its
//     first write, since its first reading. A write that it made after it had begun
//     this one does not count: a temporary file may be put in place late;
//
//   - no other task of the author is proved.
//
// Two examples:
//
//	a program marks an entry, saves, removes the entry, saves: it is gone
//	cp default f; sed -i … f; jq … f >t; mv t f; cp default f: the defaults are there
//
// Otherwise the candidates are
//
//   - of a process: its last write, and its readings since;
//
//   - of a process that has not written: its first reading, its newest, and those not
//     older than the read window;
//
//   - of a process with several tasks, too: older readings that no write has used up;
//     for a moment, the base of the last of several writes at once; and the unsaved
//     content of its other handles;
//
//   - of a family: its newest view, since members that ran one after the other are one author. A
//     view is as old as the state that it shows: a reading in a version that was opened before
//     another process wrote is older than that write. An older reading or write counts beside it
//     only if no write was made from it, and its process may not know the newer view, nor a write
//     of the family in between, its own included: the two processes were alive at the same time,
//     or the other one still is and the writer does not descend from it. A reading of a process
//     that has ended does not count while a process lives that has started that process and not
//     the writer.
//
// A file that others have written comes with the candidates of its writers, unless the
// process that puts it in place means to replace the head ([Views.OfPut]).
//
// For example, cp writes a file here that jq has made, without knowledge of the
// entry:
//
//	jq … f >t &  a job adds an entry;  cp t f
//
// Nothing is a candidate, too: for an author that was told that there is no registry,
// and has seen no content since the registry last was absent, until it is told
// otherwise, or puts somebody else's file there. An answer to one member of a family is an answer to the family. If others
// then created the registry, and a process has only read it since, nothing is still a
// candidate where the content has an entry that is not there and lacks one that is:
//
//	asks: nothing, another creates [d,q], read [d,q] as a check, write [d,p]: from nothing
//
//	[ -e f ] || d=default; others create f; tee f <<<"$d": $d was made from nothing
//
// In all that follows a value that the writer's language has spelled anew counts as
// unchanged (package merge).
//
// Then counts the author's intent. Two cases are plain:
//
//   - It writes its own last write again after it has removed the registry, or, without
//     a memory, having seen nothing newer. Then the head goes ([Again]).
//   - It writes its own last write again after it has seen something newer, or, without
//     a memory, an older state that it has seen, used up or not. Then the view that it
//     saw last is the base ([Newest]), and the older one is [Reverted].
//
// Then counts the content. It refutes a candidate if it holds a change that first
// appeared in a newer one: a string, a number, an entry ([Refuted]). A container alone
// is no proof, as two programs that make one make it with the same defaults. For the same
// reason no value is proof against a reading, of the last five minutes, of a process that has
// not written yet, if the content has an entry of its own in the place of one that came
// meanwhile, and none of the other values that came into that container. Unsaved content of
// another handle is no candidate unless the content holds something of it ([Unproved]). Where
// several tasks are proved,
//
//   - the last write is another task's if it told something and the content holds nothing
//     of that ([OtherTask]);
//   - an older reading is no task's any more if the content goes on from the last write,
//     with a third value or a counter gone on ([GoneOn]), or equals it ([Reverted]).
//
// A candidate that is left alone was [Told].
//
//	read [], another adds q, read [q], write [q,p]: made from [q]
//
//	read {}, another makes {d, on: {q}}, read that as a check, write {d, on: {p}}: made from {}
//
// Last counts how close the content is: the candidate is taken from which it differs in
// the fewest leaves ([Closest]), stamps and counters aside. A tie goes to the newest, or,
// of a process that has never written, to the oldest.
//
//	read [], another adds q, read [q] as a check, write [p]: made from []
//
// # What always holds
//
//   - Views are bounded in number and in bytes.
//   - No content is chosen that the author, or a process of its family, has not read,
//     written, or is just writing.
//   - Choose is a function of its arguments.
package seen
