// Package txn decides. It knows registries, versions and transactions, and neither a
// file system nor a disk: package fs turns kernel requests into its verbs, a
// [Storage] keeps the decided versions. Package seen knows the views of a registry
// that each process has, and chooses the merge base of a write.
//
// # Vocabulary
//
// The file:
//
//   - A registry is a file that holds one document and is only ever replaced as a whole.
//     Its dialect is the language of the document ([Dialect]).
//   - A [Version] is one committed state of a registry. The newest is the head.
//   - A registry is blank while it has no version yet: a program has created the file, and
//     nobody has filled it. It is hidden as long as only its creator finds it.
//   - A foreign change is one that was made behind the store. The store adopts it: it
//     becomes a version, or is recovered from if it is no document.
//   - A removal is the version that was there before an unlink or a move. It is
//     remembered for a moment, as unlink and create are often one replacement.
//
// The programs:
//
//   - An [Actor] is a process. A [Caller] is an actor with its program and ancestors.
//   - A view is a state of a registry that an actor saw: content that it read, content
//     that it wrote itself, or nothing. A [Tick] is a place in the order of events.
//   - Kin are the processes of one family: an ancestor and its descendants.
//   - A task is one of several things that one process does at once.
//
// The write:
//
//   - A [Tx] is the content that one open-for-write handle stages until it is closed. A
//     temporary file that is renamed onto a registry is one, too ([Store.Replace]). A put
//     replaces the head outright ([Tx.Put]). An intent names that head, and the purpose
//     ([Tx.Intend]).
//   - A draft is content of a transaction together with the views of its writers. It is
//     in flight until it is committed.
//   - A candidate is a view that the content may have been made from. The merge base is
//     the candidate that is taken.
//   - Pieces are refused content of a registry that has no version, on its way to a
//     document that is built by appending.
//   - A request is a draft in the registry's queue. The leader commits all requests that
//     wait as one batch.
//
// The reading: a [Snapshot] is a version that a reader is pinned to.
//
// # What always holds
//
//   - The head is one complete document in its [Dialect] (P1). Where a file was none
//     when the store first saw it, it may be anything until its first valid version.
//   - Once a file is created, an exclusive creation fails. Of several programs that
//     create, remove or rename it one succeeds (P2).
//   - A Snapshot never changes (P2).
//   - The versions of a registry are totally ordered, each names its parent (P3).
//   - Each change of a transaction, relative to its merge base, is in the head that
//     its commit makes, unless another writer changed the same leaf; then the policy
//     decides and the event says so (P4).
//   - A transaction's end is reported after Storage.Commit has returned (P5).
//   - A transaction whose writer was killed commits nothing (P6).
//   - Where nobody else has committed since the merge base, the bytes are stored
//     exactly as they were written (P7); so they are where their author is alone (P10).
//   - Storage holds each head as a plain file; no content lives in memory or in
//     a log only (P8).
//   - Refused and aborted content is quarantined and reported (P9).
//   - Where the store has a [Memory], the views of all processes, and the open transactions that are saved, are
//     in it before an answer that follows from them is given.
//
// # The way of a commit
//
//	Tx.Flush, Store.Replace, …
//	  admit: parse in the dialect          → *InvalidError, *TooLargeError
//	  Registry.submit                     queue; the first one leads a batch
//	    refresh                           adopt foreign changes for each
//	    request: apply
//	      behind                          lines that were appended need no base
//	      baseOf                          seen.Choose among the candidates (inflight.go)
//	      combine                         content as it is, or merge.Merge → *merge.ConflictError
//	    place: Storage.Commit             ← the commit point
//	    conclude                          head, views, log, Observer; wake the batch
//
// # Lock order
//
// Registry.leaving, of one registry at a time, or of two in the order of their names, then
// Store.mu, then Tx.mu, of several of a registry in the order in which they were begun, then
// Registry.mu, then docCache.mu, widerLooks.mu, and keptTxs.mu, then keptViews.mu.
// keptViews.flushing is taken before Registry.mu, with no more held than Tx.mu. A goroutine
// that holds leaving may wait in the queue of any registry; a leader never takes it.
// Registry.settling is taken before Registry.mu. A goroutine that holds Registry.mu or Tx.mu
// never takes Store.mu. A leader holds its own Tx.mu and asks other transactions for their
// drafts: it tries their Tx.mu, and goes without where it is held.
//
// The leader of a registry holds no lock while it merges and writes: readers never wait
// for a writer. While Registry.mu is held the storage is asked for a stat only. A foreign
// change is the exception: it is loaded, compared with the log, recorded, and, if it is
// no document, replaced with mu held, since nobody may read before that is decided. No other
// host is ever asked with mu held: a version that one has committed is put into the live
// file, and a foreign change is published, before, with mu given up (Registry.settle).
package txn
