// Package fs mounts a directory in place and serves it to the kernel. It turns
// requests into verbs of package txn, and decides neither what a document is nor
// what a merge gives. It is the only importer of go-fuse.
//
// # Roles and requests
//
// What a file is for follows from its present name at each operation ([Patterns]):
// a registry, a plain file, or clawfs's own. What is below .clawfs can be read by
// who may, and answers EROFS to every change. A plain file's requests go to the
// backing file, by one O_PATH descriptor a node. A registry has no descriptor,
// since each commit makes another backing file, and its requests are verbs:
//
//	request                      registry                       plain file
//	LOOKUP, GETATTR              Store.Look, and a stat          stat
//	OPEN to read                 Store.Open: a Snapshot          open
//	OPEN to write, CREATE        Store.Begin: a Tx               open
//	READ                         the Snapshot, or Tx.ReadAt      pread, splice
//	WRITE                        Tx.WriteAt, or Tx.Append        pwrite; notes its writer
//	SETATTR size, with a Tx      Tx.Truncate                     ftruncate
//	SETATTR size, without        Store.Truncate: a commit        truncate
//	SETATTR others, SETXATTR     Store.Changing                  chmod, setxattr …
//	COPY_FILE_RANGE from         a copy, which is no view        copy_file_range
//	FLUSH                        Tx.Flush; none for a Snapshot   close of a duplicate
//	FSYNC                        Tx.Sync, then the directory     fsync
//	RELEASE                      Tx.Release, Snapshot.Release    close
//	UNLINK                       Store.Unlink                    unlink
//	RENAME onto a registry       Store.Replace: a commit         the same
//	RENAME to a free one's name  Store.Changing: history too     Store.Replace
//	RENAME to a plain name       Store.MoveOut                   rename
//	RENAME_EXCHANGE              Store.Check, Store.Changing     the same, if with a registry
//	LINK                         Store.Changing                  Store.Replace onto a registry's name
//	READDIR                      Store.Look while one is going   getdents
//
// A directory's RENAME is Store.RenameDir, which takes the histories along; its
// RMDIR and OPENDIR settle deletions that are under way. Errors become errnos in
// one table, errnoTable.
//
// # What the kernel may keep
//
// A registry's handles are FOPEN_DIRECT_IO, as the page cache belongs to the inode
// and would mix versions; its names and attributes have no timeout. A plain file
// keeps its pages from open to open (FOPEN_KEEP_CACHE) unless it was changed otherwise
// than through the mount (pages.go), its name, its absence and its attributes for
// plainTimeout; there is no writeback cache. A name that was a temporary file's and is
// a registry's by a rename would live on for that long: the names of files written
// lately have no timeout (youth). Inode numbers follow from the backing file, or from
// a registry's name, and are the same for a later daemon.
//
// A registry has a node for each version that somebody reads, and one for those who
// write (inodes.go): the kernel has one size per inode, and fstat carries no handle.
//
// # What a handler must not do
//
//   - Wait for its own mount, by path or otherwise: everything is relative to
//     descriptors that were opened before it. Watchers of a registry are told by
//     another process (Touch), as one that waits for its own mount can't be killed.
//   - Notify the kernel of entries, or have it prune: it takes locks that the
//     request may hold. The pruner is a goroutine of its own.
//   - Have the kernel forget a directory's name, alone or with all others by a new
//     epoch (FUSE_NOTIFY_INC_EPOCH): what somebody has mounted below is taken away, in
//     all mount namespaces.
//   - Read what an exec of the caller holds up: /proc/PID/stat, environ, maps, exe,
//     cwd and their like. status, statm and comm don't wait; stat may be read of a task
//     that has given up its memory (deathOf).
//   - Follow a symbolic link, or leave the directory: it has more rights than its
//     caller.
//   - Fail FLUSH of a Snapshot, or give a refused commit an errno that programs
//     answer by writing in place.
package fs
