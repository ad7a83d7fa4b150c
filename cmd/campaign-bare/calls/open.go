package calls

import (
	_ "embed"
	"strings"
)

// OpenList holds the kinds of differences that are known.
//
//go:embed open.txt
var OpenList string

// OpenKinds reads an open list: a kind, its count in the short run, and a
// sentence on each line. Lines that begin with # are passed over.
func OpenKinds(text string) map[string]string {
	kinds := map[string]string{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0][0] != '#' {
			kinds[fields[0]] = strings.TrimSpace(line)
		}
	}
	return kinds
}
