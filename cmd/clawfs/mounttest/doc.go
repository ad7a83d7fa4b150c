// Package mounttest holds black-box tests of the whole product. clawfs is built from source
// and mounted in place. From then on only ordinary programs touch the directory: node, python,
// bash, jq, coreutils, vim, git. The programs are in testdata. The tests hold
// docs/SEMANTICS.md. P1 to P10 are its promises; mount_test.go at the top of the tree has one
// short test for each.
//
// Where a promise is that something isn't lost, the same programs run in a bare
// directory first, and must lose it there: else the test shows nothing.
//
//	CLAWFS_ROUNDS=10         rounds of each concurrent test (3; 1 of each idiom and command line)
//	CLAWFS_SECONDS=10        how long readers look for torn reads (3)
//	CLAWFS_COMMITS=100000    commits of the test for leaks of memory (3000)
//	CLAWFS_MIXES=1000        rounds in which plain files are written in many ways (50)
//	CLAWFS_RACE=1            build clawfs with the race detector
//	CLAWFS_BINARY=FILE       test this program instead of a build of clawfs/cmd/clawfs
//	CLAWFS_JSONTESTSUITE=DIR JSONTestSuite from here instead of npm's
package mounttest
