// Package ledger is the memory in which a daemon leaves the facts that the next one must
// know: the ids and handle numbers by which the kernel calls objects, the requests that are about to
// be done, staged bytes, and notes, whose texts it does not understand. It knows neither go-fuse nor
// registries, and touches no disk.
//
// The memory is a memfd that a supervisor holds as well. It outlives each process, and no
// power failure: after that the kernel knows nothing either.
//
// What always holds:
//
//   - A record is written before the kernel is told the facts in it, and taken back after the
//     kernel has given it back. A daemon that dies in between leaves a record too many, or a count
//     that is too large. It never leaves one too few.
//
//   - A record is complete before its first word, which is its id, says that it is there.
//     The memory's bytes are written by one process at a time.
//
//   - An id, or a handle's number, means one object as long as the kernel knows it, also under later
//     daemons. No number of a handle is given twice.
//
//   - A note has its former text or its new one, whenever the daemon dies.
//
// Records, and the rooms of staged bytes and notes, have fixed places in a sparse file: only pages that were
// used take memory.
package ledger
