package txntest

import (
	"os"
	"slices"
	"strings"

	"clawfs/txn"
)

// WithoutVariable is the environment variable that names, with commas in between, the
// optimizations that tests are to do without.
const WithoutVariable = "CLAWFS_WITHOUT"

// DoesWithout reports whether tests are to do without an optimization, by its name for
// the flag --without of clawfs mount.
func DoesWithout(optimization string) bool {
	return slices.Contains(strings.Split(os.Getenv(WithoutVariable), ","), optimization)
}

// Configured returns c without the optimizations of package txn that tests are to do
// without: "parsed-documents", "known-parts" and "batches".
func Configured(c txn.Config) txn.Config {
	if DoesWithout("parsed-documents") {
		c.DocCache = -1
	}
	c.Whole = c.Whole || DoesWithout("known-parts")
	c.Single = c.Single || DoesWithout("batches")
	return c
}
