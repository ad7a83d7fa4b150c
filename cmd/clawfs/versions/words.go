package versions

import (
	"cmp"
	"fmt"

	"clawfs/txn"
)

// Says tells the facts of a transaction that its outcome does not, a line for each: its
// purpose, the conflicts that were decided, why it was refused. It holds no value of a
// document.
func (r *Record) Says() []string {
	var lines []string
	if note := noteText(r.Note); note != "" {
		lines = append(lines, note)
	}
	for _, c := range r.Conflicts {
		lines = append(lines, fmt.Sprintf("conflict at %s (%s): %s", orRoot(c.Path), c.Kind, winner(c.Won)))
	}
	for _, w := range r.Warnings {
		lines = append(lines, "warning: "+w)
	}
	if r.Error != "" {
		lines = append(lines, "because: "+r.Error)
	}
	if r.Quarantine != "" {
		lines = append(lines, "quarantined as "+r.Quarantine)
	}
	switch {
	case r.Kept == 1:
		lines = append(lines, "kept 1 entry that it lacks")
	case r.Kept > 1:
		lines = append(lines, fmt.Sprintf("kept %d entries that it lacks", r.Kept))
	}
	return lines
}

func orRoot(path string) string { return cmp.Or(path, "the root") }

// noteText names the purpose of a transaction, "" where that is not known.
func noteText(n txn.Note) string {
	part := ""
	if n.InPart {
		part = ", in part"
	}
	switch {
	case n.Since > 0 && n.Since+1 < n.Undid:
		return fmt.Sprintf("undid versions %d to %d%s", n.Since+1, n.Undid, part)
	case n.Undid > 0:
		return fmt.Sprintf("undid version %d%s", n.Undid, part)
	case n.Resolved > 0:
		return fmt.Sprintf("decided the conflicts of version %d the other way%s", n.Resolved, part)
	case n.Restored > 0:
		return fmt.Sprintf("put back version %d", n.Restored)
	case n.FromQuarantine != "":
		return "put in place from quarantine: " + n.FromQuarantine
	}
	return ""
}

func winner(won string) string {
	switch won {
	case "head":
		return "the earlier commit won"
	case "theirs":
		return "this one won"
	case "both":
		return "both were kept"
	}
	return "refused"
}
