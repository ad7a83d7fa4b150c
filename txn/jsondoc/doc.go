// Package jsondoc parses a JSON document into a tree that knows, for each
// value, the very bytes it was written as.
//
// # The tree
//
// A [Doc] is one flat array of nodes in the order in which the values begin in the text. A node
// tells where its text starts and ends, its kind, and the index of the node behind its whole
// subtree, so that siblings are found without visiting the nodes below them. It takes eight
// bytes, and one of a container that is not empty takes eight more in an array beside (tree.go).
// The members of an object are two nodes each, the key and the value. A [Value] is a cursor: a
// document and an index.
//
// # What always holds
//
//   - Parse accepts exactly the texts of RFC 8259, encoded in UTF-8, in which no
//     object has two members of the same name and no container is nested deeper
//     than the limit. Escapes of lone surrogates are accepted, since JavaScript's
//     JSON.stringify writes them. With the grammar [JSON5] it also accepts the
//     additions of https://spec.json5.org. With [Lines] it accepts lines of such
//     texts, and the tree is that of a list of them.
//   - Parse does not recurse: its memory is bounded by the length of the text.
//     Comparing and printing recurse as deep as a document is nested, which the
//     depth limit bounds.
//   - A Doc is immutable and safe for concurrent use, as long as nobody changes
//     the text that it was parsed from. A user may keep a finding with it for a while
//     (Keep), which is no part of the document.
//   - ParseLike returns the result and the error of Parse.
//   - No error holds a value of the document.
package jsondoc
