// Package txn decides. It knows registries, versions, transactions, views and
// merge bases, and neither a file system nor a disk: package fs turns kernel
// requests into its verbs, a [Storage] keeps what it decides.
//
// # Vocabulary
//
// A registry is a file that holds one JSON document and is only ever replaced
// as a whole. A [Version] is one committed state of it; the newest is the head.
// A [Snapshot] is a version that a reader is pinned to. A [Tx] is what one
// open-for-write handle stages until it is closed; a temporary file that is
// renamed onto a registry is one too ([Store.Replace]). An [Actor] is a
// process. A view is what an actor saw of a registry last: content that it read,
// or content that it wrote itself. The merge base of a transaction is the view
// that its content was made from.
//
// # What always holds
//
//   - The head is one complete, strict document (P1), except where a file was
//     none already when the store first saw it.
//   - A Snapshot never changes (P2).
//   - The versions of a registry are totally ordered, each names its parent (P3).
//   - What a transaction changed relative to its merge base is in the head that
//     its commit makes, unless another writer changed the same leaf; then the
//     policy decides and the event says so (P4).
//   - A transaction's end is reported after Storage.Commit has returned (P5).
//   - A transaction whose writer was killed commits nothing (P6).
//   - Where nobody else has committed since the merge base, the bytes are stored
//     exactly as they were written (P7).
//   - Storage holds each head as a plain file; no content lives in memory or in
//     a log only (P8).
//   - Whatever is refused or aborted is quarantined and reported (P9).
//
// # The way of a commit
//
//	Tx.Flush, Store.Replace, …
//	  parse strictly                      → *InvalidError, *TooLargeError
//	  Registry.submit                     queue; the first one leads a batch
//	    refresh                           adopt what changed behind the store
//	    for each request: apply
//	      baseOf                          choose among the candidates
//	      combine                         content as it is, or merge.Merge → *merge.ConflictError
//	    place: Storage.Commit             ← the commit point
//	    conclude                          head, views, log, Observer; wake the batch
//
// # Lock order
//
// Store.mu, then Tx.mu, then Registry.mu, then docCache.mu. A goroutine that
// holds Registry.mu or Tx.mu never takes Store.mu. Nothing is merged and nothing
// but a stat and, after a change behind the store, a load is asked of the
// storage while Registry.mu is held, so that readers never wait for a writer.
// The leader of a registry holds no lock while it merges and writes.
package txn
