// Package backing makes registries durable in a real directory.
//
// # What always holds
//
//   - The live file of a registry is only ever replaced as a whole, by a rename
//     of a complete and synced file.
//   - A commit that was acknowledged survives a kill of the process and, unless
//     the Dir was opened with a relaxed durability, a power failure.
//   - What was live is kept in the history; what never became live is kept in
//     quarantine. Only retention removes something, and says so.
//   - After a crash every staged file is resolved to exactly one of before and
//     after its exchange.
//   - Everything is reached through one descriptor that was opened before a mount
//     could hide the directory. No path is used afterwards, no symbolic link is
//     followed.
package backing
