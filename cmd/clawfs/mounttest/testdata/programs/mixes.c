/* mixes FILE SEED ROUNDS: several processes write a file at once, each a part of it and in
 * another way, while others read it. After each round every byte that can be seen of
 * it, by whatever process and in whatever way, must be what a direct read finds, and
 * that must be what was written. All processes have descriptors and mappings that they
 * keep from round to round. In some rounds one cuts the file while the others write.
 * Prints how often each way was used. Says what differs and exits with 1 if something
 * does. More arguments are the ways to be used, all without any. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 160, MOST = PAGES * PAGE, WRITERS = 4, READERS = 2, ALL = WRITERS + READERS, DEEP = 16 };

enum way { WRITE, DSYNC, DIRECT, AIO, URING, URING_BUFFERED, MAPPED, MAPPED_ANEW, COPIED, SENT, SPLICED, PUNCHED, ZEROED, WAYS };
static const char *names[WAYS] = {"write", "dsync", "direct", "aio", "uring", "uring-buffered", "mapped", "mapped-anew", "copied", "sent", "spliced", "punched", "zeroed"};

struct part {
	enum way way;
	size_t from, to;
	unsigned seed;
};

/* What all processes share. */
static struct {
	pthread_barrier_t gate;
	volatile int reading, done, wrong;
	struct part parts[WRITERS];
	int cuts;           /* whether the first writer cuts the file instead */
	size_t size;        /* of the file */
	long used[WAYS];
	char want[MOST], disk[MOST];
} *all;

static const char *name;
static int me, round_, fd = -1, direct = -1, source;
static char *map = MAP_FAILED, *block, *seen;
static unsigned without; /* bits of ways that are not used */

static void fail(const char *format, ...) {
	va_list list;
	va_start(list, format);
	fprintf(stderr, "round %d, process %d: ", round_, me);
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n");
	va_end(list);
	all->wrong = 1;
	_exit(1);
}

static void must(long result, const char *what) {
	if (result < 0)
		fail("%s: %s", what, strerror(errno));
}

static void wait_for_all(void) { pthread_barrier_wait(&all->gate); }
static unsigned chance(unsigned *seed) { return *seed = *seed * 1103515245u + 12345u, *seed >> 8; }

static void random_bytes(char *to, size_t n, unsigned seed) {
	unsigned x = seed | 1;
	for (size_t i = 0; i < n; i++) {
		x ^= x << 13, x ^= x >> 17, x ^= x << 5;
		to[i] = x;
	}
}

static void open_all(void) {
	if (fd >= 0)
		close(fd), close(direct), munmap(map, MOST);
	must(fd = open(name, O_RDWR), "open");
	must(direct = open(name, O_RDWR | O_DIRECT), "open O_DIRECT");
	map = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
}

/* A store to, or a load from, what was cut off meanwhile. */
static sigjmp_buf back;
static volatile int may_bus;

static void on_bus(int signal) {
	(void)signal;
	if (!may_bus)
		fail("a page of the file can't be had");
	siglongjmp(back, 1);
}

/* Copies, as far as there is anything. */
static void move(char *to, const char *from, size_t n) {
	may_bus = 1;
	if (!sigsetjmp(back, 1))
		memcpy(to, from, n);
	may_bus = 0;
}

static void whole(long n, size_t want, const char *what) {
	must(n, what);
	if ((size_t)n != want)
		fail("%s: %ld bytes of %zu", what, n, want);
}

static void by_aio(struct part *p) {
	static aio_context_t context;
	struct iocb list[DEEP] = {0}, *at[DEEP];
	struct io_event events[DEEP];
	int n = 0;
	if (!context)
		must(syscall(SYS_io_setup, DEEP, &context), "io_setup");
	size_t step = ((p->to - p->from) / PAGE + DEEP - 1) / DEEP * PAGE;
	for (size_t i = p->from; i < p->to; i += step, n++) {
		list[n] = (struct iocb){.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = direct, .aio_buf = (unsigned long)(block + i),
			.aio_nbytes = p->to - i < step ? p->to - i : step, .aio_offset = i};
		at[n] = &list[n];
	}
	whole(syscall(SYS_io_submit, context, n, at), n, "io_submit");
	whole(syscall(SYS_io_getevents, context, n, n, events, NULL), n, "io_getevents");
	for (int i = 0; i < n; i++) {
		struct iocb *of = (struct iocb *)events[i].obj;
		if (events[i].res < 0)
			errno = -events[i].res;
		whole(events[i].res < 0 ? -1 : events[i].res, of->aio_nbytes, "aio");
	}
}

static int ring = -2;
static struct io_uring_params ring_params;
static char *ring_memory;
static struct io_uring_sqe *ring_entries;

static int ring_works(void) {
	if (ring != -2)
		return ring >= 0;
	if ((ring = syscall(SYS_io_uring_setup, DEEP, &ring_params)) < 0)
		return 0;
	if (!(ring_params.features & IORING_FEAT_SINGLE_MMAP))
		return ring = -1, 0;
	size_t submissions = ring_params.sq_off.array + ring_params.sq_entries * sizeof(unsigned);
	size_t completions = ring_params.cq_off.cqes + ring_params.cq_entries * sizeof(struct io_uring_cqe);
	ring_memory = mmap(NULL, submissions > completions ? submissions : completions, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	ring_entries = mmap(NULL, ring_params.sq_entries * sizeof *ring_entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	return ring_memory != MAP_FAILED && ring_entries != MAP_FAILED;
}

#define RING(offset) ((unsigned *)(ring_memory + (offset)))

static void by_ring(struct part *p, int by, size_t unit) {
	size_t step = ((p->to - p->from) / unit + DEEP - 1) / DEEP * unit;
	unsigned n = 0, mask = *RING(ring_params.sq_off.ring_mask), tail = *RING(ring_params.sq_off.tail);
	for (size_t i = p->from; i < p->to; i += step, n++) {
		unsigned at = (tail + n) & mask;
		ring_entries[at] = (struct io_uring_sqe){.opcode = IORING_OP_WRITE, .fd = by, .addr = (unsigned long)(block + i),
			.len = p->to - i < step ? p->to - i : step, .off = i, .user_data = p->to - i < step ? p->to - i : step};
		RING(ring_params.sq_off.array)[at] = at;
	}
	__atomic_store_n(RING(ring_params.sq_off.tail), tail + n, __ATOMIC_RELEASE);
	whole(syscall(SYS_io_uring_enter, ring, n, n, IORING_ENTER_GETEVENTS, NULL, 0), n, "io_uring_enter");
	unsigned head = *RING(ring_params.cq_off.head);
	for (unsigned i = 0; i < n; i++) {
		while (__atomic_load_n(RING(ring_params.cq_off.tail), __ATOMIC_ACQUIRE) == head)
			must(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0), "io_uring_enter");
		struct io_uring_cqe *c = (struct io_uring_cqe *)(ring_memory + ring_params.cq_off.cqes) + (head & *RING(ring_params.cq_off.ring_mask));
		if (c->res < 0)
			errno = -c->res;
		whole(c->res < 0 ? -1 : c->res, c->user_data, "io_uring");
		__atomic_store_n(RING(ring_params.cq_off.head), ++head, __ATOMIC_RELEASE);
	}
}

static void by_mapping(struct part *p, char *at, unsigned seed) {
	move(at, block + p->from, p->to - p->from);
	if (chance(&seed) % 2)
		msync((char *)((unsigned long)at & -PAGE), p->to - p->from, MS_SYNC);
}

static void map_anew(struct part *p, unsigned seed) {
	size_t start = p->from & -PAGE;
	int one = open(name, O_RDWR);
	must(one, "open");
	char *at = mmap(NULL, p->to - start, PROT_READ | PROT_WRITE, MAP_SHARED, one, start);
	close(one);
	if (at == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	by_mapping(p, at + (p->from - start), seed);
	munmap(at, p->to - start);
}

static void open_source(void) {
	char file[PATH_MAX];
	snprintf(file, sizeof file, "%s.source-%d", name, me);
	must(source = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600), "open");
	must(unlink(file), "unlink");
}

/* Each of these moves some of what is left, of a file that holds what is to be written. */
static void by_kernel(struct part *p) {
	int pipes[2];
	off_t in = p->from, out = p->from;
	whole(pwrite(source, block + p->from, p->to - p->from, p->from), p->to - p->from, "write");
	must(pipe(pipes), "pipe");
	must(lseek(fd, p->from, SEEK_SET), "lseek");
	while ((size_t)in < p->to) {
		size_t left = p->to - in;
		long n;
		if (p->way == COPIED)
			n = copy_file_range(source, &in, fd, &out, left, 0);
		else if (p->way == SENT)
			n = sendfile(fd, source, &in, left);
		else {
			must(n = splice(source, &in, pipes[1], NULL, left, 0), "splice");
			for (long done = 0; done < n;) {
				long m = splice(pipes[0], NULL, fd, &out, n - done, 0);
				must(m, "splice");
				done += m;
			}
		}
		must(n, names[p->way]);
		if (n == 0)
			fail("%s ends early", names[p->way]);
	}
	close(pipes[0]), close(pipes[1]);
}

static void in_pieces(struct part *p, int flags, unsigned seed) {
	for (size_t i = p->from, n; i < p->to; i += n) {
		n = 1 + chance(&seed) % 30000;
		if (n > p->to - i)
			n = p->to - i;
		struct iovec v = {block + i, n};
		whole(pwritev2(fd, &v, 1, i, flags), n, "write");
	}
}

static void write_part(struct part *p) {
	size_t n = p->to - p->from;
	if (n == 0)
		return;
	__atomic_add_fetch(&all->used[p->way], 1, __ATOMIC_RELAXED);
	random_bytes(block + p->from, n, p->seed);
	if (p->way == PUNCHED || p->way == ZEROED)
		memset(block + p->from, 0, n);
	switch (p->way) {
	case WRITE: in_pieces(p, 0, p->seed); break;
	case DSYNC: in_pieces(p, RWF_DSYNC, p->seed); break;
	case DIRECT: whole(pwrite(direct, block + p->from, n, p->from), n, "direct write"); break;
	case AIO: by_aio(p); break;
	case URING: by_ring(p, direct, PAGE); break;
	case URING_BUFFERED: by_ring(p, fd, 1); break;
	case MAPPED: by_mapping(p, map + p->from, p->seed); break;
	case MAPPED_ANEW: map_anew(p, p->seed); break;
	case COPIED: case SENT: case SPLICED: by_kernel(p); break;
	case PUNCHED: must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, p->from, n), "punch"); break;
	case ZEROED:
		if (fallocate(fd, FALLOC_FL_ZERO_RANGE, p->from, n) && errno == EOPNOTSUPP)
			must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, p->from, n), "zero");
		break;
	case WAYS: break;
	}
	memcpy(all->want + p->from, block + p->from, n);
}

static void cut(unsigned seed) {
	for (int i = 0; i < 3; i++)
		must(ftruncate(fd, chance(&seed) % MOST), "ftruncate");
}

/* What a reader does while others write: it brings old pages into the cache. */
static void read_on(unsigned seed) {
	while (all->reading) {
		size_t at = chance(&seed) % MOST, n = chance(&seed) % (MOST - at) + 1;
		switch (chance(&seed) % 3) {
		case 0: must(pread(fd, seen, n, at), "read"); break;
		case 1: {
			int one = open(name, O_RDONLY);
			must(one, "open");
			must(pread(one, seen, MOST, 0), "read");
			close(one);
			break;
		}
		default: move(seen, map + at, n);
		}
	}
}

static void compare(const char *how, long n, const char *got) {
	if (n != (long)all->size)
		fail("%s: %ld bytes, and %zu read directly", how, n, all->size);
	size_t differ = 0, first = 0;
	for (size_t i = 0; i < all->size; i++)
		if (got[i] != all->disk[i] && differ++ == 0)
			first = i;
	if (differ == 0)
		return;
	const char *way = "nobody"; /* has written it */
	for (int i = 0; i < WRITERS; i++)
		if (all->parts[i].from <= first && first < all->parts[i].to)
			way = all->cuts && i == 0 ? "cut" : names[all->parts[i].way];
	fail("%s differs from what is read directly in %zu bytes, the first at %zu (%s)%s", how, differ, first, way, all->cuts ? ", cut" : "");
}

static long send_to_memory(int from) {
	int to = memfd_create("seen", 0);
	off_t at = 0;
	long n, total = 0;
	must(to, "memfd_create");
	while ((n = sendfile(to, from, &at, MOST)) > 0)
		total += n;
	must(n, "sendfile");
	whole(pread(to, seen, MOST, 0), total, "read");
	close(to);
	return total;
}

static void look(void) {
	struct stat st;
	must(fstat(fd, &st), "fstat");
	if ((size_t)st.st_size != all->size)
		fail("stat tells %ld bytes, and %zu are read directly", (long)st.st_size, all->size);
	compare("mapped", all->size, map);
	compare("read", pread(fd, seen, MOST, 0), seen);
	compare("sent", send_to_memory(fd), seen);
	int one = open(name, O_RDONLY);
	must(one, "open");
	compare("read after opening", pread(one, seen, MOST, 0), seen);
	if (all->size) {
		char *anew = mmap(NULL, all->size, PROT_READ, MAP_PRIVATE, one, 0);
		compare("mapped anew", all->size, anew);
		munmap(anew, all->size);
	}
	close(one);
	compare("read directly", pread(direct, block, MOST, 0), block);
}

/* One reads directly what all compare with. */
static void read_disk(int as_wanted) {
	long n = pread(direct, block, MOST, 0);
	must(n, "direct read");
	memcpy(all->disk, block, n);
	if (!as_wanted) {
		all->size = n;
		memcpy(all->want, all->disk, n);
		return;
	}
	if ((size_t)n != all->size)
		fail("direct read: %ld bytes of %zu", n, all->size);
	memcpy(seen, all->want, n);
	compare("written", n, seen);
}

/* Changes the size, at the end of which nobody else writes. */
static void resize(unsigned *seed) {
	size_t old = all->size, size = chance(seed) % 4 ? chance(seed) % MOST : chance(seed) % PAGES * PAGE;
	switch (chance(seed) % 4) {
	case 0: must(truncate(name, size), "truncate"); break;
	case 1: must(ftruncate(fd, size), "ftruncate"); break;
	case 2:
		size = size > old ? size : old;
		if (size > old)
			must(fallocate(fd, 0, old, size - old), "fallocate");
		break;
	default: /* a write far behind the end */
		if (size < old) {
			size = old;
			break;
		}
		whole(pwrite(fd, "x", 1, size), 1, "write");
		if (size > old)
			memset(all->want + old, 0, size - old);
		all->want[size] = 'x';
		old = ++size;
	}
	if (size > old)
		memset(all->want + old, 0, size - old);
	all->size = size;
}

static void plan(unsigned *seed) {
	size_t edge[WRITERS + 1] = {0};
	if (chance(seed) % 3 == 0 || all->size < MOST / 8)
		resize(seed);
	all->cuts = chance(seed) % 8 == 0;
	for (int i = 1; i <= WRITERS; i++)
		edge[i] = i == WRITERS ? all->size : all->size * i / WRITERS - (all->size ? chance(seed) % (all->size / WRITERS / 2 + 1) : 0);
	for (int i = 0; i < WRITERS; i++) {
		struct part *p = &all->parts[(i + round_) % WRITERS];
		do
			p->way = chance(seed) % WAYS;
		while (without >> p->way & 1);
		p->from = edge[i], p->to = edge[i + 1], p->seed = chance(seed);
		if (p->way == DIRECT || p->way == AIO || p->way == URING) { /* whole pages */
			p->from = (p->from + PAGE - 1) & -PAGE;
			p->to &= -PAGE;
			if (p->to < p->from)
				p->to = p->from;
		}
	}
}

/* A page that is stored to is written back whole: what is wrong in the cache gets to the disk. */
static void store_to_each_page(void) {
	for (size_t i = 0; i < all->size; i += PAGE)
		*(volatile char *)(map + i) = map[i];
	must(msync(map, MOST, MS_SYNC), "msync");
}

static void take_part(int rounds, unsigned seed) {
	for (round_ = 0; round_ < rounds; round_++) {
		unsigned mine = seed + round_ * 7919 + me * 104729;
		if (chance(&mine) % 5 == 0)
			open_all();
		wait_for_all();
		if (me == 0) {
			plan(&seed);
			all->reading = WRITERS;
		}
		wait_for_all();
		if (me == 0 && all->cuts)
			cut(mine);
		else if (me < WRITERS)
			write_part(&all->parts[me]);
		else
			read_on(mine);
		if (me < WRITERS)
			__atomic_sub_fetch(&all->reading, 1, __ATOMIC_RELAXED);
		wait_for_all();
		if (me == 0)
			read_disk(!all->cuts);
		wait_for_all();
		look();
		wait_for_all();
		if (me == round_ % ALL && chance(&mine) % 2) {
			store_to_each_page();
			read_disk(1);
		}
		wait_for_all();
	}
}

int main(int argc, char **argv) {
	if (argc < 4)
		return 2;
	name = argv[1];
	for (int w = 0; argc > 4 && w < WAYS; w++) {
		without |= 1u << w;
		for (int i = 4; i < argc; i++)
			if (!strcmp(argv[i], names[w]))
				without &= ~(1u << w);
	}
	all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	block = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	seen = malloc(MOST);
	pthread_barrierattr_t shared;
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&all->gate, &shared, ALL);
	signal(SIGBUS, on_bus);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	must(fd, "open");
	must(ftruncate(fd, all->size = MOST), "ftruncate");
	close(fd), fd = -1;
	if (!ring_works())
		without |= 1u << URING | 1u << URING_BUFFERED;
	pid_t processes[ALL];
	for (int i = 0; i < ALL; i++)
		if ((processes[i] = fork()) == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			me = i, ring = ring == -1 ? -1 : -2;
			ring_works();
			open_source();
			open_all();
			take_part(atoi(argv[3]), atoi(argv[2]));
			_exit(0);
		}
	for (int status; wait(&status) > 0;)
		if (status != 0) { /* the others wait for it */
			for (int i = 0; i < ALL; i++)
				kill(processes[i], SIGKILL);
			return 1;
		}
	for (int w = 0; w < WAYS; w++)
		printf("%s %ld\n", names[w], all->used[w]);
	return 0;
}
