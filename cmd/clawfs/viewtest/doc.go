// Package viewtest holds tests of the page that clawfs view serves, in a real browser: Debian's
// chromium, without a window, by the DevTools protocol. clawfs is built from source and
// mounted, ordinary programs write, and the page is compared with the files.
//
//	CLAWFS_SCREENSHOTS=1     write the pictures in docs/view anew
//	CLAWFS_BINARY=FILE       test this program instead of a build of clawfs/cmd/clawfs
package viewtest
