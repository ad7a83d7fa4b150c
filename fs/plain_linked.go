package fs

import (
	"context"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// A plain file may have another name that is a registry's. The kernel takes that for another
// file. So whoever changes the one here has the store look at the other, with the change's author,
// and has its watchers told.

// changedBeside is called when the content of a plain file was changed. opener is the thread that
// has opened it, if the request does not tell its own process: page write-back does not.
func (n *node) changedBeside(ctx context.Context, opener int) {
	if !n.pages.isLinked() {
		return
	}
	caller := n.fsys.callers.named(ctx)
	if !caller.Known() {
		caller = n.fsys.callers.Caller(opener)
	}
	if path, ok := n.path(); ok && caller.Known() {
		n.fsys.store.WrittenBeside(path, caller)
	}
	n.heardBeside(newsModify)
}

// heardBeside is called when the kernel has told the watchers of a plain file. It has the watchers
// of registries that are the same file told, too.
func (n *node) heardBeside(what news) {
	var stx unix.Statx_t
	if what != 0 && statFD(n.fd, &stx) == nil && stx.Nlink > 1 {
		n.fsys.heardByNumber(n.number.Load(), what, n)
	}
}

// heardByNumber has the watchers of all registries' nodes that have a number told, but for one
// node.
func (fsys *fileSystem) heardByNumber(number uint64, what news, but *node) {
	if w := fsys.watchers.Load(); w != nil {
		for _, path := range fsys.registries.addNewsOf(number, what, but) {
			w.remind(path)
		}
	}
}

// addNewsOf adds news for the watchers of all registries' nodes that have a number, but for one
// node, and returns the names of these registries.
func (t *registryTable) addNewsOf(number uint64, what news, but *node) (paths []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.byHome {
		path, ok := "", false
		for _, n := range r.nodes {
			if n == but || n.number.Load() != number || n.isGone() {
				continue
			}
			n.as.news |= what
			if !ok {
				at := r.at.Load()
				path, ok = at.dir.pathOf(at.base)
			}
		}
		if ok {
			paths = append(paths, path)
		}
	}
	return paths
}

// newsOfAttributes returns the event that the kernel makes of a request that sets attributes.
func newsOfAttributes(in *fuse.SetAttrIn) news {
	const metadata = fuse.FATTR_UID | fuse.FATTR_GID | fuse.FATTR_MODE | fuse.FATTR_ATIME | fuse.FATTR_MTIME
	switch in.Valid & metadata {
	case 0, fuse.FATTR_ATIME: // that is IN_ACCESS
		return 0
	case fuse.FATTR_MTIME:
		return newsModify
	}
	return newsAttrib
}
