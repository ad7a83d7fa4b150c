// Package versions is shared by the commands that look into a directory and by the page: it finds
// the versions of a registry and their differences, and puts one of them back, or undoes one
// change. It prints nothing, and knows no command line.
//
// # What always holds
//
//   - It works the same whether the directory is mounted or not. Looking changes nothing:
//     no lock is taken, and the daemon is not asked.
//   - Differences are found by the rules by which merging lines documents up.
//   - Nothing is committed that was not shown. A [Plan] names the head that it was made
//     for; where another version has come since, Commit returns a *[MovedError], and
//     nothing has changed.
//   - Each commit is a transaction of its own. The log names its writer and the version
//     that it was made from ([txn.Note]), and it can be undone in turn.
//   - Errors and records hold no value of a document.
package versions
