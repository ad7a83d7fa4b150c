// Package process finds the process that makes a request, and its ancestors. It tells
// whether a process lives, how it dies, and whether it has a file open or holds a lock on
// one. It asks the kernel, by pidfds and below /proc. It knows neither registries nor FUSE.
//
// # How a process is told
//
// A request carries the id of a thread, in the pid namespace of the process that mounted. A
// thread belongs to a process, which becomes a [seen.Actor]: its id and a number that no
// later process with the same id has.
//
//   - Since Linux 6.9 that number is the inode number of the process's pidfd, which the
//     kernel never uses again. It grows from process to process, and another program can
//     ask for the same number: [Alive], [Boot] and [Began] do.
//   - Older kernels give all pidfds one inode. There the number is a serial one, which
//     means nothing to another daemon (serials.go).
//
// Since Linux 6.13 one ioctl on a thread's pidfd tells its process and its parent. Older
// kernels are asked by /proc/TID/status (thread.go).
//
// # What always holds
//
//   - Nothing waits for the process that is asked about. It may be in the middle of an
//     exec, with locks held that many files below /proc want: /proc/PID/stat, environ,
//     maps, exe, cwd and their like. status, statm and comm don't wait. stat is read only of
//     a task that has given up its memory ([DeathSignal]), or that is in a request that is
//     no part of an exec (hasOnlyForked).
//   - A process that cannot be told is the zero Actor: it is in another pid namespace, or
//     it has ended. Nothing is guessed.
//   - The memory for processes is bounded: pidfds of manyHeld threads, the ancestors of
//     maxKnown processes; on older kernels one pidfd for each process that was told and
//     lives.
package process
