package backing

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Name is the entry of the backing directory that belongs to clawfs.
const Name = ".clawfs"

// Entries of Name.
const (
	lockName       = "lock"
	formatName     = "format"
	historyName    = "history"
	stageName      = "stage"
	quarantineName = "quarantine"
	reserveName    = "reserve"
)

// Entries of a registry's history. All begin with mark, which no escaped
// component does in front of anything but mark or hashed.
const (
	mark       = '@'
	hashed     = '='
	logEntry   = "@log"
	oldLog     = "@log.1"
	nameEntry  = "@name"
	newPrefix  = "@new-"
	gonePrefix = "@gone-"
	arcPrefix  = "@arc-"
)

// longestEscaped is the longest component beginning with mark that is escaped
// by doubling mark; longer ones could outgrow the limit of a directory entry, which
// on some file systems is 143 bytes.
const longestEscaped = 100

// split returns the directory and the last component of a valid name.
func split(name string) (dir, base string) {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:]
	}
	return "", name
}

// checkName returns an errno if name can't be that of a registry.
func checkName(name string) error {
	if strings.IndexByte(name, 0) >= 0 {
		return fs.ErrInvalid
	}
	first := true
	for c := range strings.SplitSeq(name, "/") {
		switch {
		case c == "" || c == "." || c == "..":
			return fs.ErrInvalid
		case first && c == Name:
			return unix.EROFS
		}
		first = false
	}
	return nil
}

// escape returns the entry of the history tree that stands for a component of
// a registry's name. Doc.go tells the rule.
func escape(component string) string {
	switch {
	case component[0] != mark:
		return component
	case len(component) <= longestEscaped:
		return string(mark) + component
	}
	sum := sha256.Sum256([]byte(component))
	return string([]byte{mark, hashed}) + hex.EncodeToString(sum[:])
}

// unescape returns the component that an entry of the history tree stands for;
// isHash says that it must be read from the entry's own nameEntry instead. ok is
// false for the entries of a history itself.
func unescape(entry string) (component string, isHash, ok bool) {
	switch {
	case entry[0] != mark:
		return entry, false, true
	case len(entry) > 1 && entry[1] == mark:
		return entry[1:], false, true
	case len(entry) > 1 && entry[1] == hashed:
		return "", true, true
	}
	return "", false, false
}

// historyPath returns where the history of a registry, or of all registries in
// a directory, is kept, relative to Name.
func historyPath(name string) string {
	if name == "" {
		return historyName
	}
	if name[0] != mark && !strings.Contains(name, "/"+string(mark)) {
		return historyName + "/" + name
	}
	var b strings.Builder
	b.WriteString(historyName)
	for c := range strings.SplitSeq(name, "/") {
		b.WriteByte('/')
		b.WriteString(escape(c))
	}
	return b.String()
}

func versionEntry(seq uint64) string { return string(mark) + strconv.FormatUint(seq, 10) }

// versionPath returns where a version of a registry is kept, relative to the
// root.
func versionPath(name string, seq uint64) string {
	return Name + "/" + historyPath(name) + "/" + versionEntry(seq)
}

// parseVersion is the inverse of versionEntry.
func parseVersion(entry string) (seq uint64, ok bool) {
	if entry == "" || entry[0] != mark {
		return 0, false
	}
	seq, err := strconv.ParseUint(entry[1:], 10, 64)
	return seq, err == nil && versionEntry(seq) == entry
}

// staged has the facts in the name of a staged file's entry.
type staged struct {
	seq, oldSeq uint64
	oldIno      uint64 // inode of the file that it is to be exchanged with, 0 for none
	digest      [32]byte
}

func (s staged) entry() string {
	b := make([]byte, 0, 144)
	b = append(b, newPrefix...)
	for _, n := range [...]uint64{s.seq, s.oldSeq, s.oldIno} {
		b = strconv.AppendUint(b, n, 36)
		b = append(b, '-')
	}
	return string(hex.AppendEncode(b, s.digest[:]))
}

func parseStaged(entry string) (s staged, ok bool) {
	rest, ok := strings.CutPrefix(entry, newPrefix)
	fields := strings.Split(rest, "-")
	if !ok || len(fields) != 4 {
		return s, false
	}
	for i, p := range [...]*uint64{&s.seq, &s.oldSeq, &s.oldIno} {
		n, err := strconv.ParseUint(fields[i], 36, 64)
		if err != nil {
			return s, false
		}
		*p = n
	}
	return s, parseDigest(fields[3], &s.digest)
}

func parseDigest(text string, into *[32]byte) bool {
	if len(text) != hex.EncodedLen(len(into)) {
		return false
	}
	_, err := hex.Decode(into[:], []byte(text))
	return err == nil
}

// archived has the facts in the name of a copy on its way into the history.
type archived struct {
	seq    uint64
	digest [32]byte
}

func (a archived) entry() string {
	b := strconv.AppendUint([]byte(arcPrefix), a.seq, 36)
	return string(hex.AppendEncode(append(b, '-'), a.digest[:]))
}

func parseArchived(entry string) (a archived, ok bool) {
	rest, ok := strings.CutPrefix(entry, arcPrefix)
	seq, digest, cut := strings.Cut(rest, "-")
	if !ok || !cut {
		return a, false
	}
	n, err := strconv.ParseUint(seq, 36, 64)
	a.seq = n
	return a, err == nil && parseDigest(digest, &a.digest)
}

// goneEntry is where a live file waits that is being removed.
func goneEntry(seq uint64) string { return gonePrefix + strconv.FormatUint(seq, 36) }

func parseGone(entry string) (seq uint64, ok bool) {
	rest, ok := strings.CutPrefix(entry, gonePrefix)
	if !ok {
		return 0, false
	}
	seq, err := strconv.ParseUint(rest, 36, 64)
	return seq, err == nil
}
