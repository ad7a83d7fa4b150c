// Package fs mounts a directory in place and serves it to the kernel. It turns
// requests into verbs of package txn, and leaves to txn the rules of documents and of merges. With
// packages uring and takeover below it, it is the only importer of go-fuse.
//
// Requests come by /dev/fuse, or over io_uring (mount_transport.go); no handler knows by which.
//
// # Files
//
// The first word of a file's name says its part:
//
//	mount_     one mount: options, transport, limits, the pruner of nodes
//	node_      an object that the kernel knows, of whatever role: table, numbers, attributes
//	name_      requests on names: creation, removal, rename, exchange, link
//	registry_  a registry: its nodes for each version, open files, readings, locks, and the
//	           files that go on without a name
//	plain_     a plain file: its pages, and the writers of a temporary file
//	notify_    watchers of a registry, which are told of commits
//	carried_   a later daemon, which takes a mount over
//
// # Roles and requests
//
// The role of a file follows from its present name at each operation ([Patterns]): a
// registry, a plain file, or clawfs's own. A file below .clawfs can be read as its
// mode allows, and answers EROFS to every change. A plain file's requests go to the
// backing file, by one O_PATH descriptor a node. A registry has no descriptor, since
// each commit makes another backing file, and its requests are verbs:
//
//	request                      registry                       plain file
//	LOOKUP, GETATTR              Store.Look, stat, Numbers.Of    stat, Numbers.Of
//	OPEN to read                 Store.Open: a Snapshot          open
//	OPEN to write                Store.Begin: a Tx               open
//	CREATE                       Store.Begin, an empty file      open
//	READ                         a Snapshot of when the reading  pread, splice
//	                             began, or Tx.ReadAt
//	WRITE                        Tx.WriteAt, or Tx.Append        pwrite; notes its writer
//	SETATTR size, with a Tx      Tx.Truncate                     ftruncate
//	SETATTR size, without        Store.Truncate: a commit        truncate
//	SETATTR others, SETXATTR     Store.Exclusively               chmod, setxattr …
//	COPY_FILE_RANGE from         a copy, which is no view        copy_file_range
//	FLUSH                        Tx.Flush; none for a Snapshot   close of a duplicate
//	FSYNC                        Tx.Sync, then the directory     fsync
//	IOCTL                        Tx.Put, Tx.Intend: ours         the one that reads flags
//	RELEASE                      Tx.Release, Snapshot.Release    close
//	UNLINK                       Store.UnlinkName                unlink
//	RENAME onto a registry       Store.Replace: a commit         the same; while it is open for
//	                                                             writing Store.ReplaceOpen
//	RENAME to a free one's name  Store.Rename: history too       Store.Replace
//	RENAME of one onto another   Store.Rename: a commit
//	RENAME to a plain name       Store.MoveOut                   rename
//	RENAME_EXCHANGE of two       Store.Check, Store.Exchange
//	RENAME_EXCHANGE with another Store.Check, Store.Arrive       the same, if with a registry
//	LINK                         Store.Exclusively               Store.Replace onto a registry's name
//	READDIR                      Store.Look while one is made    getdents
//
// A directory's RENAME is Store.RenameDir, and Store.ExchangeNames with RENAME_EXCHANGE. Both
// take the histories along. Errors become errnos in one table, errnoTable.
//
// A registry that is being created is an empty file in the directory from the first
// request on, so that the file system below lets one creator succeed. Store.Look hides
// its name from other processes until it is closed, synced or locked. The kernel tells
// the daemon nothing of locks: it looks for them when somebody asks for the name.
//
// # What the kernel may keep
//
// A registry's handles are FOPEN_DIRECT_IO, as the page cache belongs to the inode and
// would mix versions. Its names have no timeout: each use asks for them. The answer to a
// look-up that led to a node that shows a version serves the open or stat that follows
// (lookupTimeout), unless a commit comes in between and takes it back.
//
// A plain file keeps its pages from open to open (FOPEN_KEEP_CACHE) unless it was changed
// behind the mount (plain_pages.go). Its name, its absence and its attributes are kept for
// plainTimeout. There is no writeback cache. Its direct I/O waits for the answer (no
// FUSE_ASYNC_DIO): after an asynchronous write the kernel drops no pages. A name that
// was a temporary file's and is a registry's by a rename would live on for that long: so
// the names of files written lately, or about to be, have no timeout (youth).
//
// The inode number that programs see is not the id by which the kernel knows a node
// (node_numbers.go). It is the backing file's, or one that a commit has carried over to it,
// and is the same for a later daemon.
//
// A registry has a node for each version that somebody reads, and one for writers
// (registry_inodes.go): the kernel has one size per inode, and fstat carries no handle. Each node
// has a state, and registry_nodestate.go has all transitions. A file that has lost its name while
// somebody has it open goes on by itself (registry_remains.go).
//
// # A later daemon
//
// With a keeper (package takeover) the kernel's connection outlives the daemon. Then carried
// stands before all requests: each fact is in the ledger before the kernel is told it, and an
// object that the kernel knows from a daemon before is brought back when a request names it.
// Node ids of plain files follow from the backing file, so that they are the same. Those of
// registries hold the number of daemons so far, so that two daemons never give the same one;
// the nodes are in the ledger.
//
// No answer is given before the ledger has the facts that a later daemon needs to give the same
// answers: the views of processes and their transactions (package txn leaves them there), the staged
// bytes, the writers of temporary files, and the intents of requests that can't be done twice. A daemon
// that makes room for another version (Server.Leave) has answered all that it has begun, and says so in the ledger.
//
// # Lock order
//
// First carried.bringing: with it the nodes and handles of a daemon before are brought back.
// Then reading.mu of one open file, plainWriters.mu of one node, or directory.mu of one open
// directory. Then keeping.mu of one open file. Then the locks of package txn: a handler may commit
// or look with one of the first held. Then registryTable.mu, with which no function of txn is
// called and no list of locks is read (withLocks): a commit's observer takes it. Then
// nodeTable.mu and registryFiles.mu. All other mutexes guard a few fields, and no other lock
// is taken with one of them held.
//
// remains.mu is taken last, too: a commit saves content there that was written to a removed file
// (unnamed). So nothing of package txn is called with it held.
//
// One way goes against that order: a function that runs under Store.Exclusively asks for
// plainWriters.mu, for reading, of the file that it changes (withObject). The kernel lets no other
// request change that file meanwhile, and so none holds it.
//
// # What a handler must not do
//
//   - Wait for its own mount, by path or otherwise: everything is relative to
//     descriptors that were opened before it. Watchers of a registry are told by
//     another process (TellWatchers), as one that waits for its own mount can't be killed.
//   - Notify the kernel of entries, or have it prune: it takes locks that the
//     request may hold. The pruner is a goroutine of its own.
//   - Have the kernel forget a directory's name, alone or with all others by a new
//     epoch (FUSE_NOTIFY_INC_EPOCH): a mount below it is taken away, in all mount
//     namespaces.
//   - Read a file that an exec of the caller holds up: /proc/PID/stat, environ, maps,
//     exe, cwd and their like. status, statm and comm don't wait; stat may be read of a
//     task that has given up its memory (package process).
//   - Follow a symbolic link, or leave the directory: it has more rights than its
//     caller.
//   - Fail FLUSH of a Snapshot, or give a refused commit an errno that programs
//     answer by writing in place.
package fs
