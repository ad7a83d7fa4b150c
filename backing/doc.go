// Package backing makes registries durable in a real directory.
//
// # What always holds
//
//   - A live file is only ever replaced as a whole, by a rename of a file that
//     is complete, and on disk no later than the rename is. A live file that has other names
//     is overwritten, once its new content is on disk.
//   - A commit that was acknowledged survives a kill of the process and, unless
//     the Dir was opened with a relaxed durability, a power failure.
//   - Content that was live is kept in the history. Content that was refused, or never
//     became live, is kept in quarantine. Only retention, Forget and Erase remove anything.
//   - After a crash every staged file is resolved to exactly one of before and
//     after its exchange.
//   - A file that another program puts in place of a live file is never overwritten
//     unseen: the commit is beaten, and that file stays.
//   - Everything is reached through one descriptor that was opened before a mount
//     could hide the directory. No path is used after that, no symbolic link is
//     followed, and no name leads out of the directory.
//   - The inode number that programs see of a registry (Numbers) goes over with each
//     commit, and no two files have one number.
//   - Nothing is created for a registry before its first commit. No operation
//     costs more because a history is long or registries are many.
//
// # The format of .clawfs, number 2
//
// Number 1 differs only for its readers: they know no placeholders (an empty live
// file is damage to them). It is read, and becomes number 2 with the lock.
//
// The directory is an ordinary directory of ordinary files; all that clawfs adds
// is one entry, .clawfs (mode 0700, owned by the directory's owner):
//
//	lock                      locked (flock) by the process that serves the directory;
//	                          holds its process id in decimal
//	format                    the line "clawfs 2". A process that does not know the number
//	                          refuses the directory. format.new is one being written
//	.gitignore, .npmignore    the line "*": git and npm leave out the whole of .clawfs
//	control                   the socket by which commands ask the daemon
//	history/NAME/             the history of the registry NAME
//	history/NAME/@7           version 7, as it was when it was live: same bytes, mode,
//	                          owner, attributes
//	history/NAME/@log         the events, one JSON object a line, oldest first
//	history/NAME/@log.1       the lines before those; replaced when @log has 1 MiB
//	quarantine/ID             one refused or aborted content
//	quarantine/ID.meta        its writer, time, why it was refused: one JSON object;
//	                          missing where it could not be written
//	reserve                   space set aside for quarantine on a full disk
//	quarantine/@log           the copies that have gone for lack of room, like @log above
//	cluster/                  the versions of a cluster that live files were (notes.go); those
//	                          of a registry that is gone go with its history
//	views                     the views of processes that lived when the directory was
//	                          released last: one JSON document, removed when it is read
//	numbers                   the backing files that carry another inode number, as programs
//	                          see it, than their own; never synced, and missing where
//	                          none does. One line each, numbers in base 36:
//	                          "+INODE BIRTH NUMBER" from now on this file has it, "-INODE"
//	                          it has its own again, "=NUMBER" the next one to give. Later
//	                          lines win, a line of another form says nothing
//	numbers.new               that on its way to be written anew
//	stage/N                   a symbolic link whose text is the name of a registry: this
//	                          history may hold leftovers if the process was killed
//	stage/@move-N             a rename under way: {"from":…,"to":…,"history":inode}, or
//	                          an exchange of names, with "live", the inode at "from" before
//
// The live file itself is always the truth. A file that is deleted from .clawfs while no
// process serves the directory is merely gone from history.
//
// # Names in the history
//
// NAME is the registry's path with each component escaped: one that does not
// begin with "@" stands for itself. One that does, and has at most 100 bytes,
// gets another "@" in front. A longer one becomes "@=" and the SHA-256 of the
// component in hexadecimal; its directory has an entry @name that holds the
// component. So entries of a history (which begin with a single "@") and
// directories below it can't be confused, any byte may occur, and no name
// becomes longer than a directory entry may be.
//
// # Leftovers
//
// While a change is under way the history has one more entry. A number is in
// base 36, a digest is SHA-256 in hexadecimal:
//
//	@new-SEQ-OLDSEQ-OLDINO-DIGEST   the staged file of a commit; after the exchange
//	                                the file that was live
//	@over-SEQ-OLDSEQ-INO-DIGEST     the content with which a live file with other names is
//	                                overwritten; INO is that file's inode
//	@gone-OLDSEQ                    a file that is being removed
//	@arc-SEQ-DIGEST                 a copy on its way to become version SEQ
//
// DIGEST is that of the new content; OLDINO is the inode that was live (0: none).
// Open looks into the histories that stage tells of, every other one is looked
// into when it is first used:
//
//   - @new with inode OLDINO was exchanged: it becomes version OLDSEQ.
//   - @new with digest DIGEST was not: it goes to quarantine, as aborted.
//   - @new with neither, while the live file has DIGEST, was exchanged (the
//     directory is a copy, so that inodes say nothing): version OLDSEQ.
//   - @new with neither is an incomplete copy: quarantine.
//   - @over is written to the live file, if that is inode INO and holds nothing but
//     parts of it and of version OLDSEQ; else it goes to quarantine.
//   - @gone becomes version OLDSEQ.
//   - A file that is to become version 0 goes to quarantine: a recovery has replaced it.
//   - @arc with its DIGEST becomes version SEQ, else it goes to quarantine.
//   - @move whose live file has its new name, while the history has not: the
//     history is moved. After an exchange the two histories change places.
//
// # A full disk
//
// A commit that finds no room fails and leaves everything as it was. Its content is kept
// nonetheless: quarantine takes the place of the reserve. Open and Discard set the reserve
// aside again once there is room. History is never given up to make room: a program that
// fills the disk could erase it.
//
// # Locks
//
// Dir.inUse, then Dir.linked, then history.loading, then histories.mu, then history.mu or quarantine.mu;
// syncer.flushing, then syncer.mu; Numbers.writing, then Numbers.mu, come last. No two
// histories are locked at a time. The caller makes the calls that change one registry one
// at a time; nothing here waits for that.
package backing
