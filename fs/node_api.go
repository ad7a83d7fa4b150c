package fs

import (
	fusefs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Every interface of go-fuse that is implemented here. Two are missing on purpose:
// Access, as the kernel checks permissions, and the locks, which are the kernel's.
var (
	_ fuse.RawFileSystem = (*requests)(nil)

	_ fusefs.NodeStatfser       = (*node)(nil)
	_ fusefs.NodeGetattrer      = (*node)(nil)
	_ fusefs.NodeStatxer        = (*node)(nil)
	_ fusefs.NodeSetattrer      = (*node)(nil)
	_ fusefs.NodeGetxattrer     = (*node)(nil)
	_ fusefs.NodeSetxattrer     = (*node)(nil)
	_ fusefs.NodeRemovexattrer  = (*node)(nil)
	_ fusefs.NodeListxattrer    = (*node)(nil)
	_ fusefs.NodeReadlinker     = (*node)(nil)
	_ fusefs.NodeLookuper       = (*node)(nil)
	_ fusefs.NodeLookupNoder    = (*node)(nil)
	_ fusefs.NodeCreater        = (*node)(nil)
	_ fusefs.NodeTmpfiler       = (*node)(nil)
	_ fusefs.NodeMkdirer        = (*node)(nil)
	_ fusefs.NodeMknoder        = (*node)(nil)
	_ fusefs.NodeSymlinker      = (*node)(nil)
	_ fusefs.NodeLinker         = (*node)(nil)
	_ fusefs.NodeUnlinker       = (*node)(nil)
	_ fusefs.NodeRmdirer        = (*node)(nil)
	_ fusefs.NodeRenamer        = (*node)(nil)
	_ fusefs.NodeOpener         = (*node)(nil)
	_ fusefs.NodeOpendirHandler = (*node)(nil)
	_ fusefs.NodeCopyFileRanger = (*node)(nil)

	_ fusefs.FileReader    = (*plainFile)(nil)
	_ fusefs.FileWriter    = (*plainFile)(nil)
	_ fusefs.FileFlusher   = (*plainFile)(nil)
	_ fusefs.FileFsyncer   = (*plainFile)(nil)
	_ fusefs.FileReleaser  = (*plainFile)(nil)
	_ fusefs.FileAllocater = (*plainFile)(nil)
	_ fusefs.FileLseeker   = (*plainFile)(nil)
	_ fusefs.FileIoctler   = (*plainFile)(nil)

	_ fusefs.FileReader    = (*remainsFile)(nil)
	_ fusefs.FileWriter    = (*remainsFile)(nil)
	_ fusefs.FileFsyncer   = (*remainsFile)(nil)
	_ fusefs.FileReleaser  = (*remainsFile)(nil)
	_ fusefs.FileAllocater = (*remainsFile)(nil)

	_ fusefs.FileIoctler = (*registryFile)(nil)

	_ fusefs.FileReaddirenter = (*directory)(nil)
	_ fusefs.FileLookuper     = (*directory)(nil)
	_ fusefs.FileSeekdirer    = (*directory)(nil)
	_ fusefs.FileFsyncdirer   = (*directory)(nil)
	_ fusefs.FileReleasedirer = (*directory)(nil)
	_ fusefs.FileIoctler      = (*directory)(nil)
)
