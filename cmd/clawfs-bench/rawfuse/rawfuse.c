/*
 * rawfuse MOUNTPOINT device|io_uring
 *
 * The least that a FUSE file system can do, as a floor for the times of others: it speaks the
 * kernel's protocol itself, keeps nothing, and answers at once. Every name is a file of 4 KiB, which
 * takes what is written to it, but for those that begin with "d": they are directories, once they
 * are made. As with a registry, each use of a name is asked for and no page is cached. It needs
 * root, and ends at SIGTERM, which takes the mount away.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOT = 1, FILE_NODE, DIRECTORY, FILE_SIZE = 4096, LARGEST = 131072, ENTRIES = 8, NO_ANSWER = -4096 };

/* Of FUSE over io_uring, which older headers do not have. */
enum { REGISTER = 1, COMMIT_AND_FETCH = 2, OVER_IO_URING = 1 << 9 /* in flags2 */ };
struct ring_headers {
	char in_out[128], op_in[128];
	struct {
		uint64_t flags, commit_id;
		uint32_t payload_sz, padding;
		uint64_t reserved;
	} entry;
};
struct ring_command {
	uint64_t flags, commit_id;
	uint16_t queue;
	uint8_t padding[6];
};

static int device, by_ring;
static const char *mountpoint;
static char content[FILE_SIZE];

static void fail(const char *what)
{
	fprintf(stderr, "rawfuse: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void attributes(struct fuse_attr *attr, uint64_t node)
{
	attr->ino = node;
	attr->nlink = 1;
	attr->blksize = 4096;
	attr->mode = node == FILE_NODE ? S_IFREG | 0666 : S_IFDIR | 0777;
	attr->size = node == FILE_NODE ? FILE_SIZE : 0;
}

/* entry answers with a file, whose name is asked for again, or with a directory, whose name is not. */
static int entry(struct fuse_entry_out *out, uint64_t node)
{
	out->nodeid = node;
	out->generation = 1;
	out->entry_valid = node == FILE_NODE ? 0 : 3600;
	out->attr_valid = 1;
	attributes(&out->attr, node);
	return sizeof *out;
}

static int init(const struct fuse_init_in *in, struct fuse_init_out *out)
{
	uint32_t flags2 = ((const uint32_t *)in)[4];

	out->major = FUSE_KERNEL_VERSION;
	out->minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor : FUSE_KERNEL_MINOR_VERSION;
	out->flags = in->flags & (FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_PARALLEL_DIROPS | FUSE_INIT_EXT);
	out->max_background = 64;
	out->congestion_threshold = 48;
	out->max_write = LARGEST;
	out->time_gran = 1;
	out->max_pages = LARGEST / 4096;
	if (by_ring && !(flags2 & OVER_IO_URING)) {
		errno = ENOTSUP;
		fail("the kernel does not offer FUSE over io_uring");
	}
	if (by_ring)
		((uint32_t *)out)[8] = OVER_IO_URING;
	return sizeof *out;
}

/* handle answers a request, given as its header, its arguments and what follows them, where the answer
 * may come. It returns the size of the answer behind its header, a negative error, or NO_ANSWER. */
static int handle(const struct fuse_in_header *header, const void *arguments, const char *rest, void *out)
{
	const char first = rest[0];

	memset(out, 0, sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out));
	switch (header->opcode) {
	case FUSE_INIT:
		return init(arguments, out);
	case FUSE_LOOKUP:
		return first == 'd' ? -ENOENT : entry(out, FILE_NODE);
	case FUSE_MKDIR:
		return entry(out, DIRECTORY);
	case FUSE_GETATTR:
	case FUSE_SETATTR: {
		struct fuse_attr_out *o = out;
		o->attr_valid = 1;
		attributes(&o->attr, header->nodeid);
		return sizeof *o;
	}
	case FUSE_OPEN: {
		const struct fuse_open_in *in = arguments;
		struct fuse_open_out *o = out;
		o->open_flags = FOPEN_DIRECT_IO | (in->flags & O_ACCMODE ? 0 : FOPEN_NOFLUSH);
		return sizeof *o;
	}
	case FUSE_OPENDIR:
		return sizeof(struct fuse_open_out);
	case FUSE_READ: {
		const struct fuse_read_in *in = arguments;
		uint64_t left = in->offset < FILE_SIZE ? FILE_SIZE - in->offset : 0;
		uint64_t size = in->size < left ? in->size : left;
		memcpy(out, content + FILE_SIZE - left, size);
		return size;
	}
	case FUSE_WRITE:
		((struct fuse_write_out *)out)->size = ((const struct fuse_write_in *)arguments)->size;
		return sizeof(struct fuse_write_out);
	case FUSE_STATFS:
		memset(out, 0, sizeof(struct fuse_statfs_out));
		return sizeof(struct fuse_statfs_out);
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_READDIR:
	case FUSE_FSYNC:
		return 0;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return NO_ANSWER;
	}
	return -ENOSYS;
}

static int answer(struct fuse_out_header *out, uint64_t unique, int size)
{
	out->unique = unique;
	out->error = size < 0 ? size : 0;
	out->len = sizeof *out + (size < 0 ? 0 : size);
	return out->len;
}

/* serve_one answers a request that comes by the device; 0 is the end. */
static int serve_one(char *in, char *out)
{
	const struct fuse_in_header *header = (void *)in;
	const char *arguments = in + sizeof *header;
	int size;
	ssize_t n = read(device, in, LARGEST + 4096);

	if (n < 0)
		return errno == EINTR || errno == ENOENT || errno == EAGAIN;
	size = handle(header, arguments, arguments, out + sizeof(struct fuse_out_header));
	if (size != NO_ANSWER && write(device, out, answer((void *)out, header->unique, size)) < 0 && errno != ENOENT)
		return 0;
	return 1;
}

static void *serve_device(void *unused)
{
	char *in = malloc(LARGEST + 4096), *out = malloc(LARGEST + 4096);

	while (serve_one(in, out))
		;
	return unused;
}

struct ring {
	int fd;
	unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	char *submissions;
	struct io_uring_cqe *completions;
};

static void *map(int fd, size_t size, off_t offset)
{
	void *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

static void make_ring(struct ring *r)
{
	struct io_uring_params p = { .flags = IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN };
	char *sq, *cq;

	if ((r->fd = syscall(SYS_io_uring_setup, ENTRIES, &p)) < 0)
		fail("io_uring_setup");
	sq = map(r->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	cq = map(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	r->submissions = map(r->fd, p.sq_entries * 128, IORING_OFF_SQES);
	r->sq_tail = (void *)(sq + p.sq_off.tail);
	r->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	r->sq_array = (void *)(sq + p.sq_off.array);
	r->cq_head = (void *)(cq + p.cq_off.head);
	r->cq_tail = (void *)(cq + p.cq_off.tail);
	r->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	r->completions = (void *)(cq + p.cq_off.cqes);
}

static void submit(struct ring *r, int operation, long queue, uint64_t commit, struct iovec *memory, int index)
{
	unsigned tail = *r->sq_tail, at = tail & *r->sq_mask;
	struct io_uring_sqe *s = (void *)(r->submissions + at * 128);
	struct ring_command *command = (void *)((char *)s + 48);

	memset(s, 0, 128);
	s->opcode = IORING_OP_URING_CMD;
	s->fd = device;
	s->off = operation;
	s->addr = (uintptr_t)memory;
	s->len = memory ? 2 : 0;
	s->user_data = index;
	command->queue = queue;
	command->commit_id = commit;
	r->sq_array[at] = at;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static void *serve_queue(void *argument)
{
	static _Thread_local struct ring_headers headers[ENTRIES];
	static _Thread_local struct iovec memory[ENTRIES][2];
	long queue = (long)argument;
	unsigned pending = ENTRIES;
	struct ring r;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(queue, &one);
	sched_setaffinity(0, sizeof one, &one);
	make_ring(&r);
	for (int i = 0; i < ENTRIES; i++) {
		memory[i][0] = (struct iovec){ &headers[i], sizeof headers[i] };
		memory[i][1] = (struct iovec){ aligned_alloc(4096, LARGEST), LARGEST };
		submit(&r, REGISTER, queue, 0, memory[i], i);
	}
	for (;;) {
		int n = syscall(SYS_io_uring_enter, r.fd, pending, 1, IORING_ENTER_GETEVENTS, 0, 0);
		unsigned head = *r.cq_head;
		if (n < 0 && errno != EINTR)
			fail("io_uring_enter");
		if (n > 0)
			pending -= n;
		for (; head != __atomic_load_n(r.cq_tail, __ATOMIC_ACQUIRE); head++, pending++) {
			struct io_uring_cqe *c = &r.completions[head & *r.cq_mask];
			struct ring_headers *h = &headers[c->user_data];
			char *payload = memory[c->user_data][1].iov_base;
			uint64_t unique = ((struct fuse_in_header *)h->in_out)->unique;
			if (c->res) /* the end of the connection */
				return NULL;
			int size = handle((void *)h->in_out, h->op_in, payload, payload);
			answer((void *)h->in_out, unique, size);
			h->entry.payload_sz = size < 0 ? 0 : size;
			submit(&r, COMMIT_AND_FETCH, queue, h->entry.commit_id, NULL, c->user_data);
		}
		__atomic_store_n(r.cq_head, head, __ATOMIC_RELEASE);
	}
}

static void end(int unused)
{
	(void)unused;
	umount2(mountpoint, MNT_DETACH);
	_exit(0);
}

int main(int argc, char **argv)
{
	char options[128];
	pthread_t thread;

	if (argc != 3 || (strcmp(argv[2], "device") && strcmp(argv[2], "io_uring"))) {
		fprintf(stderr, "usage: rawfuse MOUNTPOINT device|io_uring\n");
		return 2;
	}
	mountpoint = argv[1];
	by_ring = !strcmp(argv[2], "io_uring");
	memset(content, 'x', sizeof content);
	if ((device = open("/dev/fuse", O_RDWR | O_CLOEXEC)) < 0)
		fail("/dev/fuse");
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
	if (mount("rawfuse", mountpoint, "fuse.rawfuse", MS_NOSUID | MS_NODEV, options))
		fail("mount");
	signal(SIGTERM, end);
	signal(SIGINT, end);
	if (by_ring) {
		char *in = malloc(LARGEST + 4096), *out = malloc(LARGEST + 4096);
		serve_one(in, out); /* INIT */
		for (long queue = 0; queue < sysconf(_SC_NPROCESSORS_CONF); queue++)
			pthread_create(&thread, NULL, serve_queue, (void *)queue);
	} else {
		pthread_create(&thread, NULL, serve_device, NULL);
	}
	serve_device(NULL);
	return 0;
}
