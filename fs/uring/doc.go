// Package uring serves a FUSE file system over io_uring instead of read and write on
// /dev/fuse. It knows nothing of the file system's purpose: it is a transport below
// go-fuse's protocol (fuse.ProtocolServer), for kernels since 6.14 where the parameter
// enable_uring of the module fuse is on.
//
// # The protocol
//
// The kernel offers it in the flags of FUSE_INIT (FUSE_OVER_IO_URING). If the answer has
// the flag as well, the connection (struct fuse_conn) has a queue for each possible
// processor, and a request goes to the queue of the processor that its caller runs on.
// The daemon gives each queue entries. An entry is memory for one request and its answer,
// and a command (IORING_OP_URING_CMD) in a ring of io_uring, on the descriptor of
// /dev/fuse, in a submission of 128 bytes (IORING_SETUP_SQE128) that ends with a struct
// fuse_uring_cmd_req:
//
//   - FUSE_IO_URING_CMD_REGISTER makes an entry of two iovecs. The first is of the headers
//     (struct fuse_uring_req_header: in_out, op_in, ring_ent_in_out), the second of the
//     payload, which takes the larger of max_write and of max_pages. The command completes
//     when there is a request in the entry: struct fuse_in_header in in_out, the struct of
//     the operation in op_in, all that follows it in the payload, its size and the
//     request's commit_id in ring_ent_in_out.
//   - FUSE_IO_URING_CMD_COMMIT_AND_FETCH answers it: struct fuse_out_header in in_out, all
//     that follows in the payload, its size in payload_sz. It completes with the next
//     request.
//
// Both complete with -ENOTCONN at the end of the connection. Until each queue has an entry,
// the kernel holds requests back; a REGISTER that fails sends them to the device again.
// INIT, FORGET, BATCH_FORGET and INTERRUPT always come by the device, and notifications
// go by it.
//
// # Threads
//
// Each queue has a thread, on its processor where it may be there, with a ring and several
// entries. One call of io_uring_enter takes the answers of a few requests to the kernel and
// the next requests from it. The ring serves one thread, since its completions run on the
// thread that submitted the command (IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_DEFER_TASKRUN).
//
// The thread handles requests by itself that the file system calls quick (NewServer). Any
// other request is handled by a goroutine, which hands the answer back: it writes to an
// eventfd that the ring polls. So a handler that waits occupies its entry and nothing else,
// and when hardly any entry is free there are more, as long as the plan has some (grow). When
// its ring is full, the queue gets another thread like it (follow).
//
// A quick handler may be slow for once, as when a disk has to be read. Then requests in other
// entries of the thread wait as well. A watch notices that after some milliseconds, and
// gives the queue new entries that have a thread each; the kernel takes the newest entry
// first (relieve). When there are many of those, and all are stuck, a thread comes that
// has goroutines handle everything.
//
// A request that finds no entry free waits in the kernel until one of its queue is
// answered: a new entry does not take it over. That matters only to handlers that wait for
// another request, and only if more of them than there are free entries come from one
// processor at once.
//
// # What always holds
//
//   - An entry's memory is not Go's, and is unmapped when no command is on it.
//   - A request is answered once, on the ring that it came by.
//   - Each message of the kernel is checked before it is used. A request that makes no
//     sense is answered with EIO.
//   - Descriptors are closed on exec, and a child process inherits no memory of entries.
//   - When Serve returns there is no thread, ring or mapping left.
package uring
