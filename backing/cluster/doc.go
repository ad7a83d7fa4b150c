// Package cluster has several hosts share their registries. It is a txn.Shared: the storage
// of one host, which keeps ordinary files, below an [Engine], which orders the commits of
// all hosts. It knows no engine; package etcd has one.
//
// # What always holds
//
//   - A commit is a swap of one key: the registry's newest record for the next one. Nothing
//     else makes a version. The live file follows.
//   - A version has a nonce. A request that got no answer is made again with the same one,
//     so that a commit is made once or not at all. Where that can't be found out, the
//     error says so; nothing is made a second time.
//   - A commit is made from the version that the live file is. A host that is beaten is told,
//     and merges; no version is replaced by one that was not made from it.
//   - No key is deleted but chunks. A registry that is gone has a record that says so, so that no
//     host brings back a registry that another one has removed.
//   - A record knows its last ancestors. A live file that is one of them follows; any other
//     one was changed behind the storage, and is merged.
//   - A live file is never ahead of the engine, except by direct writes to it, and by changes that a
//     host makes alone where it may (Options.Offline). Such a file stays as it is until the engine has
//     a version with its changes.
//
// # What the engine keeps
//
//	CLUSTER/head/NAME    the newest version of the registry NAME: a line of JSON, and the
//	                     content, compressed (zstd), behind it
//	CLUSTER/chunk/NAME/… a piece of a larger content, compressed, see chunk.go
//	CLUSTER/secret       is there if all values are encrypted, see seal.go
//
// # Locks
//
// registry.doing, then Storage.mu. doing is held while the engine is asked; mu never is.
package cluster
