// Package merge brings two changes of one JSON document together: a three-way
// merge of what others have committed and what a transaction writes, both made
// from the same base.
package merge
