// Package takeover keeps a FUSE connection alive while the daemon that serves it dies and
// another one takes its place. It knows go-fuse and processes, and nothing of files.
//
// # Two processes
//
// The kernel ends a connection when the last reference to the open /dev/fuse goes. A
// supervisor (Supervisor) holds one, and does nothing else: it reads no request, and has no
// file of the mount. When the daemon dies it starts the next one, and gives it the things
// that it kept (Connection): the device, the directory below the mount, the kernel's INIT
// request, and memory in which a daemon leaves the facts that the next one has to know.
// Meanwhile requests wait. No program notices but by the time that its call takes.
//
//	supervisor                          daemon (Keeper)
//	starts a daemon      start →        Join
//	                     ← keep         Keep: after it has mounted
//	holds all of it      ← serves       Serves
//	asks now and then    ask →
//	                     ← answer       from a goroutine that needs the same locks as requests
//	                     ← released     Release: there is nothing to take over any more
//	ends with the daemon
//
// For an upgrade the supervisor starts a daemon of another program while one serves:
//
//	← upgrade            Keeper.Upgrade of the daemon that serves
//	start → the next one Join; it has Waits, and looks whether it understands all
//	                     ← able      Able, or Unable: then the first one goes on, or ends, and
//	                                 the next one mounts anew
//	leave → the first one, which answers all that it has begun
//	                     ← left      it is killed
//	go → the next one    Able returns
//
// They talk by a socket pair, in datagrams of JSON that carry descriptors.
//
// A daemon that ends without released has died, however it ended. One that does not answer
// for two rounds of questions hangs: it is killed, and so has died. Rounds are counted and
// not time, as after a machine's sleep, or that of a container, much time has passed in
// which nobody could answer. A daemon that waits for a disk answers.
//
// One that dies again and again would do so for ever: Policy says when the supervisor gives
// up. Then it takes the mount away, and programs see a dead mount, as any other.
//
// The supervisor may die as well. The daemon, whose socket ends with it, starts another one,
// which watches it as a process that is not its child.
//
// # A server without INIT
//
// The kernel sends INIT once. The next daemon handles the request that was kept, and gives its
// answer to nobody. Each daemon must negotiate the same as the first one. go-fuse's own server
// reads INIT from the device, so that there is one here (Server), around its ProtocolServer.
//
// Then the kernel is told to send again the requests that the dead daemon had read and
// not answered (FUSE_NOTIFY_RESEND, Linux 6.9). Such a request has IsResent. It may
// have been done already: at least once is all that the kernel can promise.
package takeover
