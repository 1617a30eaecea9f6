// SPDX-License-Identifier: MIT
/*
 * fd-torture SEED STEPS DIRECTORY >RECORDS 2>EXPECTED: does random things to file descriptors, in processes
 * and threads that share their tables or do not, and prints what a tracer would have recorded of it.
 *
 * For each call that has a descriptor, EXPECTED has a line: time of the exit, descriptor, what the kernel
 * itself says that it is (readlink /proc/thread-self/fd, getpeername), before the call, or for a new one
 * after it.
 * `-`: a tracer cannot know (it came over a socket, or from socketpair); a leading `?`: another call that
 * changes it is under way, so that nobody can know.
 *
 * Only one worker acts at a time, but a call takes several turns: its entry is printed in one, it happens
 * in a later one, its exit is printed in a third. The same SEED does the same, but for numbers of processes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 10, HIGH = 32, SHM = 60, HIDDEN = 4096, TEXT = 4400 };

struct worker {
	bool alive;
	int pid, tid, table; /* workers with equal tables share it */
	bool relative; /* its working directory is known */
	/* A call under way on these descriptors (-1: none, or not known yet): */
	int changes, source;
	bool opens, aims; /* makes a descriptor; of a number that it was given */
};

static struct shared {
	uint64_t random, ts;
	int turn, steps, tables;
	struct worker worker[WORKERS];
	int hidden_n;
	unsigned long hidden[HIDDEN];
	char directory[256];
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} *all;
static __thread int me;

#define FAIL(what)                                                                                           \
	do {                                                                                                 \
		perror(what);                                                                                \
		_exit(1);                                                                                    \
	} while (0)

static unsigned rnd(unsigned n)
{
	all->random = all->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(all->random >> 33) % n;
}

static void put(int to, const char *form, ...)
{
	char line[TEXT + 512];
	va_list args;
	int n;

	va_start(args, form);
	n = vsnprintf(line, sizeof line, form, args);
	va_end(args);
	if (write(to, line, (size_t)n) != n)
		_exit(1);
}

/* A record of this worker. */
static uint64_t record(const char *ev, const char *form, ...)
{
	struct worker *w = &all->worker[me];
	char fields[TEXT];
	va_list args;

	va_start(args, form);
	vsnprintf(fields, sizeof fields, form, args);
	va_end(args);
	all->ts += 10;
	put(1, "ts=%lu\tev=%s\tcpu=%d\tpid=%d\ttid=%d\tcomm=fd-torture%s%s\n", all->ts, ev, me, w->pid,
	    w->tid, *fields ? "\t" : "", fields);
	return all->ts;
}

static void hide(int fd)
{
	char link[80], text[TEXT];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/thread-self/fd/%d", fd);
	n = readlink(link, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = 0;
	if (all->hidden_n < HIDDEN && sscanf(text, "socket:[%lu", &all->hidden[all->hidden_n]) == 1)
		all->hidden_n++;
}

static void address(char *to, const char *kind, const struct sockaddr *any)
{
	char host[64];

	if (any->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)any;

		sprintf(to, "%s:%s:%d", kind, inet_ntop(AF_INET, &in->sin_addr, host, sizeof host),
			ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in = (const void *)any;

		sprintf(to, "%s:[%s]:%d", kind, inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host),
			ntohs(in->sin6_port));
	}
}

/* What the kernel says that FD is, in the words of spans(1). */
static void describe(int fd, char *to)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t len = sizeof peer, size = sizeof(int);
	int domain, type;
	char link[80];
	const char *kind;
	unsigned long inode;
	ssize_t n;

	snprintf(link, sizeof link, "/proc/thread-self/fd/%d", fd);
	n = readlink(link, to, PATH_MAX);
	to[n < 0 ? 0 : n] = 0;
	if (n < 0 || strstr(to, "/invisible"))
		strcpy(to, "-");
	if (sscanf(to, "socket:[%lu", &inode) != 1)
		return;
	for (int i = 0; i < all->hidden_n; i++)
		if (all->hidden[i] == inode) {
			strcpy(to, "-");
			return;
		}
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	kind = domain == AF_UNIX      ? "unix"
	       : domain == AF_NETLINK ? "netlink"
	       : type == SOCK_STREAM  ? "tcp"
				      : "udp";
	if ((domain == AF_INET || domain == AF_INET6) && getpeername(fd, (void *)&peer, &len) == 0)
		address(to, kind, (void *)&peer);
	else
		sprintf(to, "%s:", kind);
}

/* Whether a call of another worker may be changing what FD is. */
static bool doubtful(int fd)
{
	for (int i = 0; i < WORKERS; i++) {
		struct worker *w = &all->worker[i];

		if (i != me && w->alive && w->table == all->worker[me].table &&
		    (w->opens || w->changes == fd || w->source == fd))
			return true;
	}
	return false;
}
static bool alone(void)
{
	for (int i = 0; i < WORKERS; i++) {
		struct worker *w = &all->worker[i];

		if (i != me && w->alive && w->table == all->worker[me].table &&
		    (w->opens || w->changes >= 0 || w->source >= 0))
			return false;
	}
	return true;
}

/* Another one is about to put something on a number, which a new descriptor could get now. */
static bool aimed(void)
{
	for (int i = 0; i < WORKERS; i++) {
		struct worker *w = &all->worker[i];

		if (i != me && w->alive && w->table == all->worker[me].table && w->aims)
			return true;
	}
	return false;
}

static int others(bool by_pid)
{
	int n = 0;

	for (int i = 0; i < WORKERS; i++)
		n += i != me && all->worker[i].alive &&
		     (by_pid ? all->worker[i].pid == all->worker[me].pid
			     : all->worker[i].table == all->worker[me].table);
	return n;
}

static void futex(int op, int value)
{
	syscall(SYS_futex, &all->turn, op, value, NULL, NULL, 0);
}

/* Another worker, or this one again, acts. */
static void pass(void)
{
	int next;

	do
		next = (int)rnd(WORKERS);
	while (!all->worker[next].alive);
	__atomic_store_n(&all->turn, next, __ATOMIC_SEQ_CST);
	futex(FUTEX_WAKE, INT_MAX);
}
static void await(void)
{
	int turn;

	while ((turn = __atomic_load_n(&all->turn, __ATOMIC_SEQ_CST)) != me)
		futex(FUTEX_WAIT, turn);
}
static void pause_sometimes(void)
{
	if (rnd(3))
		return;
	pass();
	await();
}

static char before[TEXT]; /* of the whole process: only used between two turns */

/* One call: its entry, the call itself, its exit, its expectation. FD: what it works on; -1: it makes one. */
static long call(const char *name, int fd, int changes, bool makes, long number, const char *entry, long a,
		 long b, long c, long d)
{
	struct worker *w = &all->worker[me];
	char ev[64], expected[TEXT] = "-", fields[64];
	bool doubt = false;
	uint64_t ts;
	long ret;

	if (fd >= 0) {
		doubt = doubtful(fd);
		describe(fd, expected);
	}
	w->changes = changes;
	w->opens = makes;
	w->source = makes ? fd : -1;
	w->aims = changes >= 0 && (makes ? changes != fd : strcmp(expected, "-") == 0);
	sprintf(ev, "syscall_entry_%s", name);
	record(ev, "%s", entry);
	pause_sometimes();
	/* What came since the entry is what the call works on; its own exit may not have told of it yet. */
	if (fd >= 0 && strcmp(expected, "-") == 0) {
		describe(fd, expected);
		doubt = doubt || strcmp(expected, "-") != 0;
	}
	ret = syscall(number, a, b, c, d, 0, 0);
	if (ret < 0)
		ret = -errno;
	if (makes && ret >= 0)
		w->changes = (int)ret;
	if (makes && ret >= 0)
		describe((int)ret, expected);
	pause_sometimes();
	sprintf(ev, "syscall_exit_%s", name);
	sprintf(fields, "ret=%ld", ret);
	ts = record(ev, "%s", fields);
	/* Others may have closed the new one before it was told of: then the kernel tells of another. */
	if (makes && ret >= 0) {
		char now[TEXT];

		describe((int)ret, now);
		doubt = doubt || strcmp(now, expected) != 0;
	}
	w->changes = w->source = -1;
	w->opens = w->aims = false;
	if (fd >= 0 || makes)
		put(2, "%lu\t%ld\t%s%s\n", ts, makes && ret >= 0 ? ret : fd, doubt ? "?" : "", expected);
	return ret;
}
#define CALL(name, fd, changes, makes, a, b, c, d, ...)                                                      \
	(snprintf(before, sizeof before, __VA_ARGS__),                                                       \
	 call(#name, fd, changes, makes, SYS_##name, strdupa(before), (long)(a), (long)(b), (long)(c),       \
	      (long)(d)))

static int any_fd(void)
{
	return 3 + (int)rnd(HIGH - 3);
}
static int open_fd(mode_t kind)
{
	struct stat st;

	for (int i = 0; i < 50; i++) {
		int fd = any_fd();

		if (fstat(fd, &st) == 0 && (!kind || (st.st_mode & S_IFMT) == kind))
			return fd;
	}
	return -1;
}

static void opens(void)
{
	char path[PATH_MAX];
	int flags = O_RDWR | O_CREAT | O_NONBLOCK | (rnd(2) ? O_CLOEXEC : 0), dir;

	snprintf(path, sizeof path, "%s/d%u/f%u", all->directory, rnd(3), rnd(9));
	switch (rnd(5)) {
	case 0:
		CALL(openat, -1, -1, true, AT_FDCWD, path, flags, 0600,
		     "dfd=-100\tfilename=%s\tflags=%d\tmode=384", path, flags);
		break;
	case 1: CALL(creat, -1, -1, true, path, 0600, 0, 0, "pathname=%s\tmode=384", path); break;
	case 2:
		snprintf(path, sizeof path, "%s/d%u", all->directory, rnd(3));
		CALL(open, -1, -1, true, path, O_DIRECTORY, 0, 0, "filename=%s\tflags=%d\tmode=0", path,
		     O_DIRECTORY);
		break;
	case 3:
		if (all->worker[me].relative) {
			sprintf(path, "r%u", rnd(9));
			CALL(openat, -1, -1, true, AT_FDCWD, path, flags, 0600,
			     "dfd=-100\tfilename=%s\tflags=%d\tmode=384", path, flags);
		}
		break;
	default:
		dir = open_fd(S_IFDIR);
		sprintf(path, "r%u", rnd(9));
		if (dir >= 0 && alone())
			CALL(openat, -1, dir, true, dir, path, flags, 0600,
			     "dfd=%d\tfilename=%s\tflags=%d\tmode=384", dir, path, flags);
	}
}

static void makes(void)
{
	int flags = rnd(2) ? O_CLOEXEC : 0, n[2];
	sigset_t none;
	char name[32];
	uint64_t ts;

	switch (rnd(7)) {
	case 0:
		CALL(eventfd2, -1, -1, true, 0, flags | O_NONBLOCK, 0, 0, "count=0\tflags=%d",
		     flags | O_NONBLOCK);
		break;
	case 1: CALL(epoll_create1, -1, -1, true, flags, 0, 0, 0, "flags=%d", flags); break;
	case 2:
		CALL(timerfd_create, -1, -1, true, CLOCK_MONOTONIC, flags | O_NONBLOCK, 0, 0,
		     "clockid=1\tflags=%d", flags | O_NONBLOCK);
		break;
	case 3:
		sigemptyset(&none);
		CALL(signalfd4, -1, -1, true, -1, &none, 8, flags | O_NONBLOCK,
		     "ufd=-1\tuser_mask=1\tsizemask=8\tflags=%d", flags | O_NONBLOCK);
		break;
	case 4:
		CALL(inotify_init1, -1, -1, true, flags | O_NONBLOCK, 0, 0, 0, "flags=%d",
		     flags | O_NONBLOCK);
		break;
	case 5:
		sprintf(name, "m%u", rnd(5));
		CALL(memfd_create, -1, -1, true, name, flags ? 1 : 0, 0, 0, "uname=%s\tflags=%d", name,
		     flags ? 1 : 0);
		break;
	default:
		/* In one turn: the numbers of both ends belong to the exit. */
		record("syscall_entry_pipe2", "flags=%d", flags | O_NONBLOCK);
		if (pipe2(n, flags | O_NONBLOCK) < 0) {
			record("syscall_exit_pipe2", "ret=%d", -errno);
			break;
		}
		ts = record("syscall_exit_pipe2", "ret=0\tfildes.0=%d\tfildes.1=%d", n[0], n[1]);
		describe(n[0], before);
		put(2, "%lu\t%d\t%s\n", ts, n[0], before);
	}
}

/* ADDRESS as LTTng has it; PORT is what it calls the port. */
static void fields_of(char *to, const char *port, const struct sockaddr *any)
{
	if (any->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)any;
		const unsigned char *host = (const void *)&in->sin_addr;

		sprintf(to,
			"family=2\t%s=%d\tv4addr.0=%d\tv4addr.1=%d\tv4addr.2=%d\tv4addr.3=%d\tv6addr=", port,
			ntohs(in->sin_port), host[0], host[1], host[2], host[3]);
	} else if (any->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)any;

		to += sprintf(to, "family=10\t%s=%d\tv4addr=", port, ntohs(in->sin6_port));
		for (int i = 0; i < 8; i++)
			to += sprintf(to, "\tv6addr.%d=%d", i,
				      in->sin6_addr.s6_addr[2 * i] << 8 | in->sin6_addr.s6_addr[2 * i + 1]);
	} else {
		sprintf(to, "family=%d\t%s=0\tv4addr=\tv6addr=", any->sa_family, port);
	}
}

static void sockets(void)
{
	static const int kinds[][3] = {
		{ AF_INET, SOCK_STREAM, 0 },
		{ AF_INET, SOCK_DGRAM, 0 },
		{ AF_INET6, SOCK_STREAM, 6 },
		{ AF_UNIX, SOCK_STREAM, 0 },
		{ AF_NETLINK, SOCK_RAW, NETLINK_ROUTE },
		{ AF_INET, SOCK_STREAM, 6 },
	};
	const int *kind = kinds[rnd(6)];
	int type = kind[1] | SOCK_NONBLOCK | (rnd(2) ? SOCK_CLOEXEC : 0), client, n[2];
	struct sockaddr_storage to = { 0 };
	socklen_t len = sizeof to;
	char fields[512], expected[TEXT];
	uint64_t ts;
	long fd, new;

	if (rnd(8) == 0) {
		if (!alone())
			return;
		record("syscall_entry_socketpair", "family=1\ttype=2\tprotocol=0");
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, n) < 0) {
			record("syscall_exit_socketpair", "ret=%d", -errno);
			return;
		}
		hide(n[0]);
		hide(n[1]);
		record("syscall_exit_socketpair", "ret=0\tusockvec=0x1");
		return;
	}
	fd = CALL(socket, -1, -1, true, kind[0], type, kind[2], 0, "family=%d\ttype=%d\tprotocol=%d", kind[0],
		  type, kind[2]);
	if (fd < 0 || !alone() || others(false) || kind[0] == AF_UNIX || kind[0] == AF_NETLINK)
		return;
	if (rnd(2) || kind[1] == SOCK_DGRAM) {
		if (kind[0] == AF_INET)
			memcpy(&to, &all->v4, sizeof all->v4);
		else
			memcpy(&to, &all->v6, sizeof all->v6);
		if (!((struct sockaddr_in *)&to)->sin_port)
			return;
		fields_of(fields, "dport", (void *)&to);
		record("syscall_entry_connect", "fd=%ld\tuservaddr=0x1\taddrlen=0x10\t%s", fd, fields);
		new = connect((int)fd, (void *)&to, kind[0] == AF_INET ? sizeof all->v4 : sizeof all->v6) < 0
			      ? -errno
			      : 0;
		ts = record("syscall_exit_connect", "ret=%ld", new);
		address(expected, kind[1] == SOCK_STREAM ? "tcp" : "udp", (void *)&to);
		put(2, "%lu\t%ld\t%s\n", ts, fd, expected);
		return;
	}
	CALL(listen, (int)fd, -1, false, fd, 5, 0, 0, "fd=%ld\tbacklog=5", fd);
	if (getsockname((int)fd, (void *)&to, &len) < 0)
		return;
	client = socket(kind[0], SOCK_STREAM, 0);
	if (client < 0 || connect(client, (void *)&to, len) < 0) {
		close(client);
		return;
	}
	describe((int)fd, expected);
	record("syscall_entry_accept4", "fd=%ld\tupeer_sockaddr=0x1\tupeer_addrlen=128\tflags=0x%x", fd,
	       rnd(2) ? 0 : SOCK_CLOEXEC);
	len = sizeof to;
	new = accept4((int)fd, (void *)&to, &len, 0);
	if (new < 0)
		ts = record("syscall_exit_accept4",
			    "ret=%d\tupeer_addrlen=128\tfamily=0\tsport=0\tv4addr=\tv6addr=", -errno);
	else {
		fields_of(fields, "sport", (void *)&to);
		ts = record("syscall_exit_accept4", "ret=%ld\tupeer_addrlen=16\t%s", new, fields);
		describe((int)new, expected);
		/* As the record of the entry has it, or not. */
		fcntl((int)new, F_SETFD, FD_CLOEXEC);
		CALL(fcntl, (int)new, -1, false, new, F_SETFD, FD_CLOEXEC, 0, "fd=%ld\tcmd=2\targ=1", new);
	}
	put(2, "%lu\t%ld\t%s\n", ts, new < 0 ? fd : new, expected);
	close(client);
}

/* A descriptor that comes over a socket: no tracer sees which. */
static void receive(void)
{
	char path[PATH_MAX], control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec io = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int pair[2], fd;

	if (!alone() || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
		return;
	snprintf(path, sizeof path, "%s/invisible", all->directory);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0) {
		close(pair[0]);
		close(pair[1]);
		return;
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	sendmsg(pair[0], &msg, 0);
	close(fd);
	recvmsg(pair[1], &msg, 0);
	close(pair[0]);
	close(pair[1]);
}

static void duplicates(void)
{
	int fd = rnd(8) ? open_fd(0) : any_fd(), new = any_fd(), min = any_fd(),
	    flag = rnd(2) ? O_CLOEXEC : 0;

	if (fd < 0 || doubtful(fd))
		return;
	switch (rnd(5)) {
	case 0: CALL(dup, fd, fd, true, fd, 0, 0, 0, "fildes=%d", fd); break;
	case 1:
		if (!doubtful(new) && alone())
			CALL(dup2, fd, new, true, fd, new, 0, 0, "oldfd=%d\tnewfd=%d", fd, new);
		break;
	case 2:
		if (!doubtful(new) && alone())
			CALL(dup3, fd, new, true, fd, new, flag, 0, "oldfd=%d\tnewfd=%d\tflags=%d", fd, new,
			     flag);
		break;
	default:
		flag = flag ? F_DUPFD_CLOEXEC : F_DUPFD;
		CALL(fcntl, fd, fd, true, fd, flag, min, 0, "fd=%d\tcmd=%d\targ=%d", fd, flag, min);
	}
}

static void uses(void)
{
	int fd = rnd(8) ? open_fd(0) : any_fd(), on = (int)rnd(2);
	char byte;

	if (fd < 0)
		return;
	switch (rnd(doubtful(fd) ? 4 : 6)) {
	case 4: CALL(fcntl, fd, fd, false, fd, F_SETFD, on, 0, "fd=%d\tcmd=2\targ=%d", fd, on); break;
	case 5:
		CALL(ioctl, fd, fd, false, fd, on ? FIOCLEX : FIONCLEX, 0, 0, "fd=%d\tcmd=%d\targ=0", fd,
		     on ? (int)FIOCLEX : (int)FIONCLEX);
		break;
	case 0:
		CALL(newfstatat, fd, -1, false, fd, "", before + 64, AT_EMPTY_PATH,
		     "dfd=%d\tfilename=\tflag=4096", fd);
		break;
	case 1: CALL(lseek, fd, -1, false, fd, 0, 0, 0, "fd=%d\toffset=0\twhence=0", fd); break;
	case 2:
		if (rnd(2))
			CALL(read, fd, -1, false, fd, &byte, 0, 0, "fd=%d\tcount=0", fd);
		break;
	default: CALL(fsync, fd, -1, false, fd, 0, 0, 0, "fd=%d", fd);
	}
}

static void closes(void)
{
	int fd = rnd(6) ? open_fd(0) : any_fd(), last = fd + (int)rnd(8), how;
	char what[TEXT];

	if (fd < 0 || doubtful(fd))
		return;
	/* Where nothing is known to be, a new one may come before this close, or after it. */
	describe(fd, what);
	if (strcmp(what, "-") == 0 && !alone())
		return;
	if (rnd(6) || !alone()) {
		CALL(close, fd, fd, false, fd, 0, 0, 0, "fd=%d", fd);
		return;
	}
	/* As LTTng has calls that are newer than itself. */
	if (last >= HIGH)
		last = HIGH - 1;
	how = (int)rnd(3) * 2;
	if (how == 2 && others(true))
		how = 0;
	record("syscall_entry_unknown",
	       "id=436\targs.0=%d\targs.1=%d\targs.2=%d\targs.3=0\targs.4=0\targs.5=0", fd, last, how);
	how = (int)syscall(SYS_close_range, fd, last, how) < 0 ? -errno : how;
	record("syscall_exit_unknown",
	       "id=436\tret=%d\targs.0=0\targs.1=0\targs.2=0\targs.3=0\targs.4=0\targs.5=0",
	       how < 0 ? how : 0);
	if (how == 2) {
		all->worker[me].table = ++all->tables;
		all->worker[me].relative = false;
	}
}

static void directories(void)
{
	char path[PATH_MAX];
	int fd = open_fd(S_IFDIR);

	if (others(true) || !alone())
		return;
	if (rnd(2)) {
		snprintf(path, sizeof path, "%s/d%u", all->directory, rnd(3));
		CALL(chdir, -1, -1, false, path, 0, 0, 0, "filename=%s", path);
	} else if (fd >= 0) {
		CALL(fchdir, fd, -1, false, fd, 0, 0, 0, "fd=%d", fd);
		describe(fd, path);
		if (*path != '/')
			all->worker[me].relative = false;
	}
}

static void work(void);

static int free_slot(void)
{
	for (int i = 0; i < WORKERS; i++)
		if (!all->worker[i].alive)
			return i;
	return -1;
}

static void begin(int slot, int pid, int tid, int table)
{
	all->worker[slot] = (struct worker){
		.alive = true,
		.pid = pid,
		.tid = tid,
		.table = table,
		.changes = -1,
		.source = -1,
		.relative = all->worker[me].relative,
	};
}

static void forks(void)
{
	int slot = free_slot(), flags = SIGCHLD | (rnd(3) ? 0 : CLONE_FILES);
	long child;

	if (slot < 0 || !alone())
		return;
	record("syscall_entry_clone", "flags=0x%x\tnewsp=0x0\tparent_tid=0x0\tchild_tid=0x0", flags);
	child = syscall(SYS_clone, flags, 0, 0, 0, 0);
	if (child < 0)
		FAIL("clone");
	if (child == 0) {
		me = slot;
		await();
		record("syscall_exit_clone", "ret=0");
		work();
	}
	begin(slot, (int)child, (int)child, flags & CLONE_FILES ? all->worker[me].table : ++all->tables);
	record("sched_process_fork",
	       "parent_comm=x\tparent_tid=%d\tparent_pid=%d\tchild_comm=x\tchild_tid=%ld\tchild_pid=%ld",
	       all->worker[me].tid, all->worker[me].pid, child, child);
	record("syscall_exit_clone", "ret=%ld", child);
}

static void *thread(void *slot)
{
	me = (int)(intptr_t)slot;
	all->worker[me].tid = (int)syscall(SYS_gettid);
	await();
	work();
	return NULL;
}

static void threads(void)
{
	int slot = free_slot();
	pthread_t id;

	if (slot < 0)
		return;
	record("syscall_entry_unknown",
	       "id=435\targs.0=1\targs.1=88\targs.2=0\targs.3=0\targs.4=0\targs.5=0");
	begin(slot, all->worker[me].pid, 0, all->worker[me].table);
	if (pthread_create(&id, NULL, thread, (void *)(intptr_t)slot))
		FAIL("pthread_create");
	pthread_detach(id);
	while (!__atomic_load_n(&all->worker[slot].tid, __ATOMIC_SEQ_CST))
		sched_yield();
	record("sched_process_fork",
	       "parent_comm=x\tparent_tid=%d\tparent_pid=%d\tchild_comm=x\tchild_tid=%d\tchild_pid=%d",
	       all->worker[me].tid, all->worker[me].pid, all->worker[slot].tid, all->worker[me].pid);
	record("syscall_exit_unknown",
	       "id=435\tret=%d\targs.0=1\targs.1=88\targs.2=0\targs.3=0\targs.4=0\targs.5=0",
	       all->worker[slot].tid);
}

static void unshares(void)
{
	if (!alone())
		return;
	record("syscall_entry_unshare", "unshare_flags=1024");
	record("syscall_exit_unshare", "ret=%d", unshare(CLONE_FILES) < 0 ? -errno : 0);
	all->worker[me].table = ++all->tables;
	for (int i = 0; i < WORKERS; i++)
		if (all->worker[i].pid == all->worker[me].pid)
			all->worker[i].relative = false;
}

static void execs(void)
{
	char slot[16];

	if (others(true) || !alone() || all->worker[me].tid != all->worker[me].pid)
		return;
	sprintf(slot, "%d", me);
	record("syscall_entry_execve", "filename=/proc/self/exe\targv=0x1\tenvp=0x1");
	all->worker[me].table = ++all->tables;
	execl("/proc/self/exe", "fd-torture", "resume", slot, NULL);
	FAIL("execl");
}

/* Never the last worker, and no first thread before the others. */
static void exits(void)
{
	struct worker *w = &all->worker[me];
	bool first = w->tid == w->pid;
	int n = 0;

	for (int i = 0; i < WORKERS; i++)
		n += all->worker[i].alive;
	if (n < 3 || !alone() || (first && others(true)))
		return;
	record(first ? "syscall_entry_exit_group" : "syscall_entry_exit", "error_code=0");
	record("sched_process_exit", "payload.comm=x\tpayload.tid=%d\tprio=20", w->tid);
	w->alive = false;
	/* Its place may be another one's at once. */
	pass();
	if (first)
		_exit(0);
	syscall(SYS_exit, 0);
}

/* More than half of the numbers that are played with are in use. */
static bool full(void)
{
	int n = 0;

	for (int fd = 3; fd < HIGH; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n > HIGH / 2;
}

static void work(void)
{
	for (;;) {
		unsigned what = rnd(100);

		if (all->steps-- <= 0)
			break;
		if (what < 56 && aimed())
			uses();
		else if (what < 42 && full())
			closes();
		else if (what < 24)
			opens();
		else if (what < 34)
			makes();
		else if (what < 42)
			sockets();
		else if (what < 44)
			receive();
		else if (what < 56)
			duplicates();
		else if (what < 78)
			uses();
		else if (what < 90)
			closes();
		else if (what < 93)
			directories();
		else if (what < 95)
			forks();
		else if (what < 96)
			threads();
		else if (what < 97)
			unshares();
		else if (what < 98)
			execs();
		else if (what < 99)
			exits();
		pass();
		await();
	}
	/* Whoever finds that it is over ends all. */
	for (int i = 0; i < WORKERS; i++)
		if (i != me && all->worker[i].alive && all->worker[i].pid != all->worker[me].pid)
			kill(all->worker[i].pid, SIGKILL);
	_exit(0);
}

static void map(int fd)
{
	all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (all == MAP_FAILED)
		FAIL("mmap");
}

static int listener(int family, void *address_to, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	((struct sockaddr *)address_to)->sa_family = (sa_family_t)family;
	if (fd < 0 || bind(fd, address_to, len) < 0 || listen(fd, 4096) < 0 ||
	    getsockname(fd, address_to, &len) < 0)
		memset(address_to, 0, len);
	return fd;
}

static void start(const char *seed, const char *steps, const char *directory)
{
	char path[PATH_MAX];
	int shm = memfd_create("shared", 0), status;
	pid_t child;

	if (shm < 0 || ftruncate(shm, sizeof *all) < 0 || dup2(shm, SHM) < 0)
		FAIL("memfd_create");
	close(shm);
	map(SHM);
	all->random = strtoull(seed, NULL, 10);
	all->steps = atoi(steps);
	all->ts = 1000000000;
	snprintf(all->directory, sizeof all->directory, "%s", directory);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/d%d", directory, i);
		mkdir(path, 0700);
	}
	all->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	all->v6.sin6_addr = in6addr_loopback;
	listener(AF_INET, &all->v4, sizeof all->v4);
	listener(AF_INET6, &all->v6, sizeof all->v6);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	child = fork();
	if (child == 0) {
		/* The listeners stay open here, in the parent. */
		for (int fd = 3; fd < SHM; fd++)
			close(fd);
		all->worker[0] = (struct worker){
			.alive = true,
			.pid = getpid(),
			.tid = getpid(),
			.changes = -1,
			.source = -1,
			.relative = true,
		};
		snprintf(path, sizeof path, "%s/d0", directory);
		CALL(chdir, -1, -1, false, path, 0, 0, 0, "filename=%s", path);
		work();
	}
	while ((child = waitpid(-1, &status, 0)) > 0)
		if (status && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
			fprintf(stderr, "worker %d ended with %#x\n", child, status);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "resume") == 0) {
		map(SHM);
		me = atoi(argv[2]);
		record("sched_process_exec", "filename=/proc/self/exe\tpayload.tid=%d\told_tid=%d",
		       all->worker[me].tid, all->worker[me].tid);
		record("syscall_exit_execve", "ret=0");
		pass();
		await();
		work();
	}
	if (argc != 4) {
		fprintf(stderr, "usage: fd-torture SEED STEPS DIRECTORY >RECORDS 2>EXPECTED\n");
		return 2;
	}
	start(argv[1], argv[2], argv[3]);
	return 0;
}
