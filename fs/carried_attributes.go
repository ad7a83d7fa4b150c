package fs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"clawfs/fs/ledger"
)

// The creation of an extended attribute, and its removal, can't be done twice. Each leaves an intent,
// which says whether the attribute was there before. Nobody can have changed it since: the kernel holds the
// file's lock until the request is answered. A replacement can be done twice.
//
// A truncation of a registry by its name is a commit. Its intent has the digests that tell whether it was made.

const (
	opSetAttr     = 4
	opSetXattr    = 21
	opRemoveXattr = 24
)

// wasThere stands in an intent for an attribute that was there before.
func wasThere() ledger.Inode { return ledger.Inode{Number: 1} }

// attempts prepares a request that creates or removes an attribute. done says that a daemon before has done it.
func (c *carried) attempts(header *fuse.InHeader, op uint32, attr string) (done bool, status fuse.Status) {
	i := ledger.Intent{Op: op, Dir: header.NodeId, Name: attr}
	if done, status := c.before(header, &i); done || !status.Ok() {
		return done, status
	}
	if status := c.node(header.NodeId); !status.Ok() {
		return false, status
	}
	if c.hasAttribute(header.NodeId, attr) {
		i.Was = wasThere()
	}
	if !c.ledger.Intend(i) {
		return false, fuse.EIO // more requests are under way than there ever are
	}
	return false, fuse.OK
}

// hasAttribute reports whether a node has an attribute.
func (c *carried) hasAttribute(id uint64, attr string) bool {
	_, status := c.requests.GetXAttr(nil, &fuse.InHeader{NodeId: id}, attr, nil)
	return status.Ok() || status == fuse.Status(unix.ERANGE)
}

// truncates prepares a truncation of a registry by its name. done says that a daemon before has done it.
func (c *carried) truncates(header *fuse.InHeader) (done bool, status fuse.Status) {
	i := ledger.Intent{Op: opSetAttr, Dir: header.NodeId}
	if done, status := c.before(header, &i); done || !status.Ok() {
		return done, status
	}
	if !c.ledger.Intend(i) {
		return false, fuse.EIO // more requests are under way than there ever are
	}
	return false, fuse.OK
}

// isOnAttributes reports whether a request on attributes has left an intent.
func isOnAttributes(i ledger.Intent) bool {
	return i.Op == opSetAttr || i.Op == opSetXattr || i.Op == opRemoveXattr
}

// settleAttributes finds the requests on attributes that a daemon before has done. All nodes are there by now.
func (c *carried) settleAttributes() {
	for _, i := range c.ledger.Intents() {
		if !isOnAttributes(i) || !c.node(i.Dir).Ok() {
			continue
		}
		outcome := ledger.Undone
		if i.Op == opSetAttr {
			outcome = ledger.Done
			if !i.Placed {
				outcome = c.outcome(c.requests.node(i.Dir), i.Places)
			}
		} else if has := c.hasAttribute(i.Dir, i.Name); has == (i.Op == opSetXattr) && has != (i.Was == wasThere()) {
			outcome = ledger.Done
		}
		c.ledger.Settle(i.Unique, outcome)
	}
}
