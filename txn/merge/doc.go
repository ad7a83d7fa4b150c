// Package merge brings two changes of one JSON document together: a three-way merge of the
// commits of others (the head) and the content of a transaction (theirs), both made from the
// same base.
//
// # What always holds
//
//   - The functions are pure: they change no document, keep nothing but [Names] where
//     there are any, and give the same bytes for the same documents and policy. They
//     are safe for concurrent use.
//   - If theirs says the same as the base, the result is the head, byte for byte; if the
//     head is the base, it is theirs. Two documents say the same if they are equal, or
//     if some language makes the one of the other by reading and writing it (package
//     roundtrip). A value that a side has only spelled anew is as the base has it before
//     anything else is looked at; where that changes the head, the result is the head so
//     restored.
//   - A result is one document in the grammar of the three, with no name twice in an
//     object, nested no deeper than the deeper of head and theirs. Identities that
//     are unique in each version are unique in the result unless they are only
//     guessed, and so are sets.
//   - A value that only one side has changed is as that side has it: added, changed, or gone. A
//     value that both have changed is brought together by the rules for its sort, or it is a
//     [Conflict], with its path. Nothing is lost without one, but for the earlier of two stamps
//     and the steps of a counter.
//   - Comments are content: they are merged at their places, and one that a side has
//     changed is in the result or a conflict.
//   - A value that theirs leaves alone keeps the bytes that it has in the head.
//   - The cost is near linear in the length of any documents.
//   - Hashes find values that may be equal; the values decide whether they are.
//   - Conflicts, warnings and errors hold paths and counts, never a value.
//
// The table of docs/SEMANTICS.md gives the result of each case; the laws are tested
// on generated documents (laws_test.go), each row of the table by a case in
// testdata.
//
// # The way of a merge
//
//	Merge        merge.go     two documents that say the same: nothing to merge
//	             equal.go     … the meaning of "the same"
//	             echo.go      a writer's spellings, made of the base by writing it back
//	             restore.go   … put back as the base has it
//	 └ value     merge.go     one place that both sides have
//	    ├ object object.go    members by name; tokens.go: groups that stay together
//	    ├ list   list.go      elements, lined up by align.go:
//	    │         identity.go   by an identity, or as a set of strings; guess.go: evidence
//	    │         naming.go     … found once for a list that is merged and compared often
//	    │         series.go     a few numbers are one value; series by position
//	    │         sequence.go   by content and place; myers.go: the shortest script
//	    │         resemble.go … edited elements; lines.go: text
//	    │         same.go       elements that both have added alike
//	    │         order.go      then put in order
//	    └ leaf   merge.go     scalars; classify.go: counters, stamps; credential.go
//	              touched.go    … that do not keep a value that the other side has deleted
//	comments     comments.go  the text between values, as far as it says something
//	emit         emit.go      the head's text with the changes put in
//	             format.go    … theirs' values in the head's style
//	             emit_comments.go   … and theirs' comments
//	             emit_lines.go      … JSON lines, which are merged as a log
//	             style.go, gap.go   layouts and the text between values
//
// The findings on the way go to trail.go (where a merge is, and the things it has met),
// mass.go (large deletions), conflict.go and applied.go (how those are told). policy.go
// has the options of a registry's owner. [Compare], in compare.go and delta.go, lines two
// documents up by the same rules, to find the version that a program has started from;
// [Repeats], in repeat.go, looks for identities that are none. scratch.go lends memory to
// the recursion.
package merge
