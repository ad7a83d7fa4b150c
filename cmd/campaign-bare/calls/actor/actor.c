/*
 * A process that does one system call at a time, as it is told. The Go side
 * (stage.go, wire.go) sends a request on a channel and awaits the reply.
 *
 *   actor root     channels are descriptors from 3 on; the process listens on
 *                  channel 0 and makes actors for the others
 *   actor stray    forks, so that it has no relative among the actors, and
 *                  listens on channel 0
 *
 * A process that finds its channel closed ends.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { MAXMSG = 160 << 10, SLOTS = 4096, CHANNELS = 64 };

struct request {
	int32_t op, h, h2, flags, mode, flags2;
	int64_t off, len;
	uint32_t n1, n2, nd, unused;
};

struct attrs {
	uint64_t ino;
	int64_t size, mtime, mtime_ns, ctime, ctime_ns, atime, atime_ns;
	uint32_t mode, nlink, uid, gid;
};

struct reply {
	int64_t ret;
	int32_t err;
	uint32_t has_attrs, nd, unused;
	struct attrs st;
};

static int slot[SLOTS];          /* handle -> descriptor */
static pid_t child[CHANNELS];    /* channel -> process that this one has forked */
static int channel;
static char in[MAXMSG + 1], out[MAXMSG];

static struct request *req = (struct request *)in;
static struct reply *rep = (struct reply *)out;
static char *path, *path2, *data;

static void put(const void *bytes, size_t n)
{
	if (sizeof *rep + rep->nd + n > MAXMSG)
		return;
	memcpy(out + sizeof *rep + rep->nd, bytes, n);
	rep->nd += n;
}

static void fill(struct attrs *a, const struct stat *s)
{
	*a = (struct attrs){
		.ino = s->st_ino, .size = s->st_size, .mode = s->st_mode, .nlink = s->st_nlink, .uid = s->st_uid, .gid = s->st_gid,
		.mtime = s->st_mtim.tv_sec, .mtime_ns = s->st_mtim.tv_nsec, .ctime = s->st_ctim.tv_sec,
		.ctime_ns = s->st_ctim.tv_nsec, .atime = s->st_atim.tv_sec, .atime_ns = s->st_atim.tv_nsec,
	};
}

static int64_t told(int r, const struct stat *s)
{
	if (r == 0) {
		fill(&rep->st, s);
		rep->has_attrs = 1;
	}
	return r;
}

static int64_t do_statx(void)
{
	struct statx x;
	int r = statx(AT_FDCWD, path, req->flags, STATX_BASIC_STATS, &x);
	struct stat s = {0};
	if (r == 0) {
		s.st_ino = x.stx_ino, s.st_size = x.stx_size, s.st_mode = x.stx_mode, s.st_nlink = x.stx_nlink;
		s.st_uid = x.stx_uid, s.st_gid = x.stx_gid;
		s.st_mtim.tv_sec = x.stx_mtime.tv_sec, s.st_mtim.tv_nsec = x.stx_mtime.tv_nsec;
		s.st_ctim.tv_sec = x.stx_ctime.tv_sec, s.st_ctim.tv_nsec = x.stx_ctime.tv_nsec;
		s.st_atim.tv_sec = x.stx_atime.tv_sec, s.st_atim.tv_nsec = x.stx_atime.tv_nsec;
	}
	return told(r, &s);
}

static int64_t do_open(void)
{
	int fd = open(path, req->flags, req->mode);
	if (fd < 0)
		return -1;
	slot[req->h] = fd;
	struct stat s;
	told(fstat(fd, &s), &s);
	errno = 0;
	return 0;
}

static int64_t do_read(int positioned)
{
	static char buf[64 << 10];
	size_t n = req->len > (int64_t)sizeof buf ? sizeof buf : (size_t)req->len;
	ssize_t r = positioned ? pread(slot[req->h], buf, n, req->off) : read(slot[req->h], buf, n);
	if (r > 0)
		put(buf, r);
	return r;
}

static int64_t list(const char *name)
{
	DIR *d = opendir(name);
	if (!d)
		return -1;
	struct dirent *e;
	int64_t n = 0;
	while ((e = readdir(d))) {
		unsigned char type = e->d_type;
		put(&type, 1);
		put(e->d_name, strlen(e->d_name) + 1);
		n++;
	}
	closedir(d);
	return n;
}

static int64_t set_times(int by_handle)
{
	struct timespec t[2] = {{req->off, 0}, {req->len, 123000000}};
	if (req->flags2 & 1)
		t[0].tv_nsec = UTIME_OMIT;
	if (req->flags2 & 2)
		t[1].tv_nsec = UTIME_OMIT;
	if (req->flags2 & 4)
		t[1].tv_nsec = UTIME_NOW;
	return by_handle ? futimens(slot[req->h], t) : utimensat(AT_FDCWD, path, t, req->flags);
}

static int64_t lock(int command)
{
	struct flock l = {.l_type = req->flags, .l_whence = SEEK_SET, .l_start = req->off, .l_len = req->len};
	return fcntl(slot[req->h], command, &l);
}

static sigjmp_buf past_the_end;

static void on_bus_error(int sig)
{
	(void)sig;
	siglongjmp(past_the_end, 1);
}

/* What lies past the end of a mapped file is EFAULT here. */
static int64_t do_mmap(void)
{
	int fd = slot[req->h];
	int prot = PROT_READ | (req->nd ? PROT_WRITE : 0);
	char *volatile m = mmap(NULL, 4096, prot, req->flags, fd, 0);
	if (m == MAP_FAILED)
		return -1;
	volatile int64_t n = req->len > 4096 ? 4096 : req->len;
	if (sigsetjmp(past_the_end, 1)) {
		munmap(m, 4096);
		errno = EFAULT;
		return -1;
	}
	if (req->nd) {
		memcpy(m + req->off, data, req->nd);
		if (msync(m, 4096, MS_SYNC) < 0)
			n = -1;
	}
	if (n > 0)
		put(m, n);
	int err = errno;
	munmap(m, 4096);
	errno = err;
	return n;
}

static int64_t copy_range(void)
{
	off_t from = req->off;
	return copy_file_range(slot[req->h], req->flags2 ? &from : NULL, slot[req->h2], NULL, req->len, 0);
}

static int64_t send_file(void)
{
	off_t from = req->off;
	return sendfile(slot[req->h2], slot[req->h], req->flags2 ? &from : NULL, req->len);
}

static int64_t link_handle(void)
{
	char name[64];
	snprintf(name, sizeof name, "/proc/self/fd/%d", slot[req->h]);
	return linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

static int64_t get_xattr(void)
{
	char buf[256];
	ssize_t n = getxattr(path, path2, buf, sizeof buf);
	if (n > 0)
		put(buf, n);
	return n;
}

/* Only attributes of the user's are compared. */
static int64_t list_xattr(void)
{
	char buf[1024];
	ssize_t n = listxattr(path, buf, sizeof buf), found = 0;
	if (n < 0)
		return -1;
	for (char *p = buf; p < buf + n; p += strlen(p) + 1)
		if (!strncmp(p, "user.", 5)) {
			put(p, strlen(p) + 1);
			found++;
		}
	return found;
}

static int64_t drain(void)
{
	char buf[16 << 10] __attribute__((aligned(8)));
	int64_t events = 0;
	ssize_t n;
	while ((n = read(slot[req->h], buf, sizeof buf)) > 0)
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;
			int32_t head[2] = {e->wd, (int32_t)e->mask};
			put(head, sizeof head);
			put(e->len ? e->name : "", e->len ? strlen(e->name) + 1 : 1);
			p += sizeof *e + e->len;
			events++;
		}
	return events;
}

/* look says what can be seen of each path: its attributes and its content, its
 * entries, or its target. */
static int64_t look(void)
{
	int64_t n = 0;
	for (char *p = data; p < data + req->nd; p += strlen(p) + 1, n++) {
		struct stat s;
		struct { int32_t err, content_err; uint32_t nd, unused; struct attrs st; } head = {0};
		if (lstat(p, &s) < 0) {
			head.err = errno;
			put(&head, sizeof head);
			continue;
		}
		fill(&head.st, &s);
		size_t at = rep->nd;
		put(&head, sizeof head);
		if (S_ISREG(s.st_mode)) {
			static char buf[64 << 10];
			int fd = open(p, O_RDONLY | O_NOATIME | O_NOFOLLOW | O_CLOEXEC);
			ssize_t got = fd < 0 ? -1 : read(fd, buf, sizeof buf);
			if (got < 0)
				head.content_err = errno;
			else
				put(buf, got);
			if (fd >= 0)
				close(fd);
		} else if (S_ISDIR(s.st_mode)) {
			if (list(p) < 0)
				head.content_err = errno;
		} else if (S_ISLNK(s.st_mode)) {
			char to[PATH_MAX];
			ssize_t got = readlink(p, to, sizeof to);
			if (got < 0)
				head.content_err = errno;
			else
				put(to, got);
		}
		head.nd = rep->nd - at - sizeof head;
		memcpy(out + sizeof *rep + at, &head, sizeof head);
	}
	return n;
}

static void announce(void)
{
	memset(rep, 0, sizeof *rep);
	send(3 + channel, out, sizeof *rep, 0);
}

/* spawn makes a process for a channel, that has open what its parent has open. */
static int64_t spawn(void)
{
	pid_t pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0) {
		channel = req->h;
		memset(child, 0, sizeof child);
		announce();
		return INT64_MIN;
	}
	child[req->h] = pid;
	return 0;
}

static int64_t await_child(void)
{
	int status;
	pid_t pid = child[req->h];
	if (pid <= 0) {
		errno = ECHILD;
		return -1;
	}
	child[req->h] = 0;
	return waitpid(pid, &status, 0) == pid ? 0 : -1;
}

static int64_t watch(void)
{
	if (slot[req->h] < 0)
		slot[req->h] = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return inotify_add_watch(slot[req->h], path, req->flags);
}

static int64_t act(void)
{
	struct stat s;
	int fd = req->h >= 0 && req->h < SLOTS ? slot[req->h] : -1;
	switch (req->op) {
	case 1: return do_open();
	case 2: slot[req->h] = -1; return close(fd);
	case 3: return do_read(0);
	case 4: return write(fd, data, req->nd);
	case 5: return do_read(1);
	case 6: return pwrite(fd, data, req->nd, req->off);
	case 7: return lseek(fd, req->off, req->flags);
	case 8: return ftruncate(fd, req->off);
	case 9: return truncate(path, req->off);
	case 10: return fsync(fd);
	case 11: return fdatasync(fd);
	case 12: { int n = dup(fd); if (n >= 0) slot[req->h2] = n; return n < 0 ? -1 : 0; }
	case 13: return dup2(fd, slot[req->h2]) < 0 ? -1 : 0;
	case 14: return spawn();
	case 15: exit(0);
	case 16: return await_child();
	case 17: return linkat(AT_FDCWD, path, AT_FDCWD, path2, req->flags);
	case 18: return symlink(path, path2);
	case 19: { char to[PATH_MAX]; ssize_t n = readlink(path, to, sizeof to); if (n > 0) put(to, n); return n; }
	case 20: return unlink(path);
	case 21: return renameat2(AT_FDCWD, path, AT_FDCWD, path2, req->flags);
	case 22: return mkdir(path, req->mode);
	case 23: return rmdir(path);
	case 24: return told(stat(path, &s), &s);
	case 25: return told(lstat(path, &s), &s);
	case 26: return told(fstat(fd, &s), &s);
	case 27: return do_statx();
	case 28: return access(path, req->mode);
	case 29: return set_times(0);
	case 30: return set_times(1);
	case 31: return chmod(path, req->mode);
	case 32: return fchmod(fd, req->mode);
	case 33: return chown(path, (uid_t)req->off, (gid_t)req->len);
	case 34: return flock(fd, req->flags);
	case 35: return lock(F_SETLK);
	case 36: return lock(F_OFD_SETLK);
	case 37: return list(path);
	case 38: return watch();
	case 39: return drain();
	case 40: return do_mmap();
	case 41: return fallocate(fd, req->flags, req->off, req->len);
	case 42: return copy_range();
	case 43: return send_file();
	case 44: return setxattr(path, path2, data, req->nd, req->flags);
	case 45: return get_xattr();
	case 46: return list_xattr();
	case 47: return link_handle();
	case 48: return look();
	case 49: return chdir(path);
	case 50: return removexattr(path, path2);
	case 51: return fchown(fd, (uid_t)req->off, (gid_t)req->len);
	}
	errno = ENOSYS;
	return -1;
}

static void serve(void)
{
	for (;;) {
		ssize_t n = recv(3 + channel, in, MAXMSG, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)sizeof *req)
			exit(0);
		in[n] = 0;
		path = in + sizeof *req;
		path2 = path + req->n1;
		data = path2 + req->n2;
		memset(rep, 0, sizeof *rep);
		errno = 0;
		int64_t r = act();
		if (r == INT64_MIN) /* a new process: its parent answers */
			continue;
		rep->ret = r;
		rep->err = r < 0 ? errno : 0;
		if (send(3 + channel, out, sizeof *rep + rep->nd, 0) < 0)
			exit(0);
	}
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	umask(022);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGBUS, on_bus_error);
	for (int i = 0; i < SLOTS; i++)
		slot[i] = -1;
	if (!strcmp(argv[1], "stray")) {
		if (fork())
			_exit(0);
		setsid();
	}
	announce();
	serve();
}
