// Package exceptions reads the table "Where a registry differs from a bare file"
// of docs/SEMANTICS.md, and counts the differences that each row of it excuses.
//
// A tester compares a mount with a bare directory. Where the two differ and a
// row of the table names the difference, it is wanted; anything else is a fault.
//
// What always holds here:
//
//   - A row is a key, a difference, the testers it is for, and the reason. The key
//     names a predicate that a tester has in its code; the tester hands its
//     predicates over by name, and a row without a predicate, or a predicate
//     without a row, is an error before anything is compared. A row for tests
//     has none: the programs of the testers do not make its difference.
//   - Excused differences are counted by row. All rows together excuse less than Limit
//     of the things that were compared, or Report returns an error. Programs that were
//     chosen since they differ are not among these.
//   - A Table is safe for concurrent use.
package exceptions
