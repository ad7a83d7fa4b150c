package merge

import "fmt"

// Side is one of the two versions that a merge brings together.
type Side uint8

// The sides of a merge.
const (
	Neither Side = iota // nothing was decided: the merge was refused
	Head                // the version that others have made since the base
	Theirs              // the version that the transaction writes
	Both                // each side's variant was kept
)

// String returns the side in lower case, as the conflict log names it.
func (s Side) String() string {
	switch s {
	case Head:
		return "head"
	case Theirs:
		return "theirs"
	case Both:
		return "both"
	}
	return "neither"
}

// ConflictKind says in which way two changes could not both be had.
type ConflictKind uint8

// The kinds of conflicts.
const (
	Changed        ConflictKind = iota // one value, changed to two different ones
	TypeChanged                        // changed to values of different types
	Added                              // added on both sides, differently
	Deleted                            // deleted on one side, changed on the other
	TokensRotated                      // a group of tokens, renewed on both sides
	EditedTwice                        // an element without identity, changed on both sides
	SameNumber                         // two new elements that were given the same sequential number
	CommentChanged                     // a comment, changed on both sides or gone with a value that one side has deleted
	MassDeletion                       // refused: most of a collection was dropped
)

// String returns the kind as the conflict log names it.
func (k ConflictKind) String() string {
	switch k {
	case Changed:
		return "changed"
	case TypeChanged:
		return "type-changed"
	case Added:
		return "added"
	case Deleted:
		return "deleted"
	case TokensRotated:
		return "tokens-rotated"
	case EditedTwice:
		return "edited-twice"
	case SameNumber:
		return "same-number"
	case CommentChanged:
		return "comment"
	}
	return "mass-deletion"
}

// Conflict is one place that both sides changed so that not both changes could
// be kept. It holds no value of a document.
type Conflict struct {
	// Path is the RFC 6901 pointer of the place in the merged document. Where
	// nothing is left there, or nothing was merged, the numbers in it are those
	// of the version that has the place: the head if it does.
	Path string
	Kind ConflictKind
	Won  Side
}

// String returns path, kind and outcome in one line.
func (c Conflict) String() string {
	return fmt.Sprintf("%s %s %s", pathOrRoot(c.Path), c.Kind, c.Won)
}

func pathOrRoot(path string) string {
	if path == "" {
		return "(root)"
	}
	return path
}

// ConflictError refuses a merge, because the policy says reject for a place that
// is in conflict, or refuses mass deletions.
type ConflictError struct {
	Conflicts []Conflict // all that the merge met, in the order of Result.Conflicts
}

// Error names the first place and counts the others.
func (e *ConflictError) Error() string {
	if len(e.Conflicts) == 0 {
		return "refused by policy"
	}
	c := e.Conflicts[0]
	more := ""
	if n := len(e.Conflicts) - 1; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("conflict at %s (%s)%s", pathOrRoot(c.Path), c.Kind, more)
}

// WarningKind names a thing that a merge did and somebody may want to look at.
type WarningKind uint8

// The kinds of warnings.
const (
	MassDeleted      WarningKind = iota // theirs drops more than half of a collection
	RepeatedIdentity                    // two elements of a list have the same identity
	Respelled                           // a writer's round trip was told from its edits
)

// String returns the kind as the log names it.
func (k WarningKind) String() string {
	switch k {
	case MassDeleted:
		return "mass-deletion"
	case RepeatedIdentity:
		return "repeated-identity"
	}
	return "respelled"
}

// Warning is something that a merge did and that is not a conflict. It holds no
// value of a document.
type Warning struct {
	Path  string // RFC 6901, as in Conflict
	Kind  WarningKind
	Count int // elements dropped, elements that repeat an identity, or values that were only spelled anew
	Of    int // elements there were, or scalars of the head and of theirs
}

// String returns the warning in one line.
func (w Warning) String() string {
	return fmt.Sprintf("%s %s %d/%d", pathOrRoot(w.Path), w.Kind, w.Count, w.Of)
}
