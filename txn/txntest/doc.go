// Package txntest has a storage in memory that loses power and fails on
// purpose, for tests of package txn.
//
// A [Memory] splits every call into named steps. A step either has an effect on
// the disk or makes the effects before it durable. Two drivers go through all
// that can happen to a workload:
//
//   - [EachCrash] takes the power away before every step and after the last one,
//     with every set of effects lost that a disk may lose there.
//   - [EachFault] runs the workload anew for every step and makes that step fail,
//     once with each of [Faults].
//
// # What always holds
//
//   - Effects on one registry reach the disk in the order of the calls, those on
//     its log likewise; between registries, and between a registry and its log,
//     there is no order. So the states after a power failure are a prefix for each
//     of them, in every combination.
//   - A step that a crash leaves half done is resolved before the next storage is
//     used, as package backing does when it opens a directory.
//   - Slices that go in or out are copies.
//
// Owners, modes and attributes don't exist here.
//
// [NPM] and [Suite] bring the files that some tests need from a package of npm's.
package txntest
