// Package roundtrip tells the changes that a program did not mean. They are those that its
// language or library makes to every document that it reads and writes back. A number loses
// digits, an empty object becomes a list, a member that is null is gone.
//
// # What always holds
//
//   - The functions are pure and safe for concurrent use.
//   - A round trip f is assumed of a writer only where all of its text x looks printed by f,
//     f(x) = x, and where at least one value that f changes is there as f spells it; more of
//     them for an f that a person may do by hand. For each kind of values there is one f at
//     most: the one that explains most, or the next one where that does not show.
//   - The cost is linear in the length of the documents. Only the places where they differ are
//     looked at, unless these speak for a round trip: then all of the written text has to look
//     printed by it.
//   - Nothing here tells where in a document a value has come from: a caller that knows how two
//     documents line up counts the values that were really spelled anew ([Trip.Without]).
//
// # The files
//
//	families.go   the families of round trips, one entry each: the place for a next one
//	number.go     numbers as digits and a place of the point
//	times.go      instants and the ways to spell them
//	census.go     the values of a document, or a part of it, that some family changes
//	tell.go       the round trip that a document has made, given the document read
//	trip.go       … and its effect on another document
package roundtrip
