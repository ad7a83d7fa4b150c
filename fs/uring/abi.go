package uring

// The kernel's structures: include/uapi/linux/io_uring.h and fuse.h.

// Of io_uring.
const (
	setupCoopTaskrun  = 1 << 8
	setupSQE128       = 1 << 10
	setupSingleIssuer = 1 << 12
	setupDeferTaskrun = 1 << 13
	setupNoSQArray    = 1 << 16

	featSingleMmap = 1 << 0

	offRing = 0
	offSQEs = 0x10000000

	enterGetEvents = 1 << 0

	opPollAdd  = 6
	opURingCmd = 46

	pollAddMulti = 1 << 0
	cqeMore      = 1 << 1
)

// params is struct io_uring_params.
type params struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFD uint32

	_  [3]uint32
	sq struct {
		head, tail, ringMask, ringEntries, flags, dropped, array, _ uint32

		userAddr uint64
	}
	cq struct {
		head, tail, ringMask, ringEntries, overflow, cqes, flags, _ uint32

		userAddr uint64
	}
}

// submission is struct io_uring_sqe of 128 bytes, for a command of FUSE: the bytes behind the
// first 48 are struct fuse_uring_cmd_req.
type submission struct {
	opcode, flags uint8
	ioprio        uint16
	fd            int32
	cmdOp, _      uint32
	addr          uint64
	len, cmdFlags uint32
	userData      uint64

	_ [8]byte

	reqFlags, commitID uint64
	qid                uint16

	_ [62]byte
}

// completion is struct io_uring_cqe.
type completion struct {
	userData uint64
	res      int32
	flags    uint32
}

// Of FUSE over io_uring.
const (
	cmdRegister       = 1
	cmdCommitAndFetch = 2

	// struct fuse_uring_req_header.
	opInOffset     = 128
	opInSize       = 128
	ringEntOffset  = 256
	headersSize    = 288
	commitIDOffset = ringEntOffset + 8
	payloadSzField = ringEntOffset + 16

	minPayload = 8192 // FUSE_MIN_READ_BUFFER
)

// Of FUSE.
const (
	inHeaderSize  = 40 // struct fuse_in_header
	outHeaderSize = 16 // struct fuse_out_header

	// struct fuse_in_header.
	lenField    = 0
	opcodeField = 4
	uniqueField = 8
	nodeField   = 16

	// struct fuse_out_header.
	errorField = 4

	opForget      = 2
	openFlags     = 0 // in struct fuse_open_in
	releaseFlags  = 8 // in struct fuse_release_in
	opInit        = 26
	opInterrupt   = 36
	opBatchForget = 42

	// struct fuse_init_in and fuse_init_out, behind the header.
	initMinorField    = 4
	initFlagsField    = 12
	initMaxWriteField = 20
	initMaxPagesField = 28
	initFlags2Field   = 32
	initOutSize       = 64
	initInFlags2Field = 16
	initInSizeOld     = 16
	initInSize        = 64
)
