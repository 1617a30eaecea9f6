// SPDX-License-Identifier: MIT
#include "explain/cause.h"

#include <stdlib.h>

static const struct {
	const char *name, *phrase;
} causes[CAUSES] = {
	[CAUSE_RUN] = { "run", "running" },
	[CAUSE_IRQ] = { "irq", "interrupted" },
	[CAUSE_RUNQ] = { "runq", "runnable" },
	[CAUSE_THROTTLED] = { "throttled", "throttled" },
	[CAUSE_DISK] = { "disk", "blocked on disk" },
	[CAUSE_SOCKET] = { "socket", "blocked on a socket" },
	[CAUSE_LOCK] = { "lock", "blocked on a lock" },
	[CAUSE_TIMER] = { "timer", "blocked on a timer" },
	[CAUSE_PIPE] = { "pipe", "blocked on a pipe" },
	[CAUSE_FD] = { "fd", "blocked on a descriptor" },
	[CAUSE_CHILD] = { "child", "waiting for a child" },
	[CAUSE_FAULT] = { "fault", "blocked in a page fault" },
	[CAUSE_STOP] = { "stop", "stopped" },
	[CAUSE_OTHER] = { "other", "blocked otherwise" },
	[CAUSE_DNS] = { "dns", "looking up the name" },
	[CAUSE_CONNECT] = { "connect", "connecting" },
	[CAUSE_TLS] = { "tls", "shaking hands (TLS)" },
	[CAUSE_OUTSIDE] = { "outside", "outside the server" },
	[CAUSE_UNKNOWN] = { "unknown", "unknown" },
};

/* In the order of strcmp(). Linux's names, as its tracepoints have them. */
static const struct call {
	const char *name;
	enum call_kind kind;
} calls[] = {
	{ "accept", CALL_SOCKET }, { "accept4", CALL_SOCKET }, { "access", CALL_TREE }, { "brk", CALL_MEMORY },
	{ "chdir", CALL_TREE }, { "chmod", CALL_TREE }, { "chown", CALL_TREE },
	{ "clock_nanosleep", CALL_SLEEP }, { "clock_nanosleep_time64", CALL_SLEEP }, { "close", CALL_TREE },
	{ "connect", CALL_SOCKET }, { "copy_file_range", CALL_FILE }, { "creat", CALL_TREE },
	{ "epoll_pwait", CALL_POLL }, { "epoll_pwait2", CALL_POLL }, { "epoll_wait", CALL_POLL },
	{ "execve", CALL_TREE }, { "execveat", CALL_TREE }, { "faccessat", CALL_TREE },
	{ "faccessat2", CALL_TREE }, { "fadvise64", CALL_TREE }, { "fallocate", CALL_TREE },
	{ "fchmod", CALL_TREE }, { "fchmodat", CALL_TREE }, { "fchown", CALL_TREE },
	{ "fchownat", CALL_TREE }, { "fcntl", CALL_LOCK }, { "fdatasync", CALL_SYNC }, { "flock", CALL_LOCK },
	{ "fstat", CALL_TREE }, { "fstatfs", CALL_TREE }, { "fsync", CALL_SYNC }, { "ftruncate", CALL_TREE },
	{ "futex", CALL_LOCK }, { "futex_time64", CALL_LOCK }, { "futex_wait", CALL_LOCK },
	{ "futex_waitv", CALL_LOCK }, { "getdents", CALL_TREE }, { "getdents64", CALL_TREE },
	{ "io_getevents", CALL_EVENTS }, { "io_pgetevents", CALL_EVENTS }, { "io_submit", CALL_TREE },
	{ "io_uring_enter", CALL_FILE }, { "lchown", CALL_TREE }, { "link", CALL_TREE },
	{ "linkat", CALL_TREE }, { "lseek", CALL_TREE }, { "lstat", CALL_TREE }, { "madvise", CALL_MEMORY },
	{ "mkdir", CALL_TREE }, { "mkdirat", CALL_TREE }, { "mlock", CALL_MEMORY },
	{ "mlock2", CALL_MEMORY }, { "mlockall", CALL_MEMORY }, { "mmap", CALL_MEMORY },
	{ "mmap2", CALL_MEMORY }, { "mmap_pgoff", CALL_MEMORY }, { "mount", CALL_TREE },
	{ "mprotect", CALL_MEMORY }, { "mremap", CALL_MEMORY }, { "msync", CALL_SYNC },
	{ "munmap", CALL_MEMORY }, { "nanosleep", CALL_SLEEP }, { "newfstat", CALL_TREE },
	{ "newfstatat", CALL_TREE }, { "newlstat", CALL_TREE }, { "newstat", CALL_TREE },
	{ "open", CALL_TREE }, { "openat", CALL_TREE }, { "openat2", CALL_TREE }, { "pause", CALL_SIGNAL },
	{ "poll", CALL_POLL }, { "ppoll", CALL_POLL }, { "pread64", CALL_FILE }, { "preadv", CALL_FILE },
	{ "preadv2", CALL_FILE }, { "pselect6", CALL_POLL }, { "pwrite64", CALL_FILE },
	{ "pwritev", CALL_FILE }, { "pwritev2", CALL_FILE }, { "read", CALL_FILE },
	{ "readahead", CALL_TREE }, { "readlink", CALL_TREE }, { "readlinkat", CALL_TREE },
	{ "readv", CALL_FILE }, { "recv", CALL_SOCKET }, { "recvfrom", CALL_SOCKET },
	{ "recvmmsg", CALL_SOCKET }, { "recvmsg", CALL_SOCKET }, { "rename", CALL_TREE },
	{ "renameat", CALL_TREE }, { "renameat2", CALL_TREE }, { "rmdir", CALL_TREE },
	{ "rt_sigsuspend", CALL_SIGNAL }, { "rt_sigtimedwait", CALL_SIGNAL }, { "select", CALL_POLL },
	{ "semop", CALL_LOCK }, { "semtimedop", CALL_LOCK }, { "send", CALL_SOCKET },
	{ "sendfile", CALL_FILE }, { "sendfile64", CALL_FILE }, { "sendmmsg", CALL_SOCKET },
	{ "sendmsg", CALL_SOCKET }, { "sendto", CALL_SOCKET }, { "shutdown", CALL_SOCKET },
	{ "splice", CALL_FILE }, { "stat", CALL_TREE }, { "statfs", CALL_TREE }, { "statx", CALL_TREE },
	{ "symlink", CALL_TREE }, { "symlinkat", CALL_TREE }, { "sync", CALL_SYNC },
	{ "sync_file_range", CALL_SYNC }, { "syncfs", CALL_SYNC }, { "tee", CALL_FILE },
	{ "truncate", CALL_TREE }, { "umount", CALL_TREE }, { "unlink", CALL_TREE },
	{ "unlinkat", CALL_TREE }, { "utimensat", CALL_TREE }, { "vfork", CALL_CHILD },
	{ "vmsplice", CALL_FILE }, { "wait4", CALL_CHILD }, { "waitid", CALL_CHILD },
	{ "waitpid", CALL_CHILD }, { "write", CALL_FILE }, { "writev", CALL_FILE },
};

struct slice cause_name(enum cause cause)
{
	return slice_of(causes[cause].name);
}

struct slice cause_phrase(enum cause cause)
{
	return slice_of(causes[cause].phrase);
}

static int by_name(const void *key, const void *item)
{
	return slice_compare(*(const struct slice *)key, slice_of(((const struct call *)item)->name));
}

enum call_kind cause_call(struct slice name)
{
	const struct call *call = bsearch(&name, calls, sizeof calls / sizeof *calls, sizeof *calls, by_name);

	return call ? call->kind : CALL_OTHER;
}

static bool begins(struct slice text, const char *with)
{
	size_t n = strlen(with);

	return text.len >= n && memcmp(text.at, with, n) == 0;
}

enum path_kind cause_path(struct slice path)
{
	static const struct {
		const char *prefix;
		enum path_kind kind;
	} prefixes[] = {
		{ "/", PATH_FILE }, { "memfd:", PATH_FILE }, { "pipe:", PATH_PIPE }, { "tcp:", PATH_SOCKET },
		{ "udp:", PATH_SOCKET }, { "unix:", PATH_SOCKET }, { "socket:", PATH_SOCKET },
		{ "netlink:", PATH_SOCKET }, { "raw:", PATH_SOCKET }, { "sctp:", PATH_SOCKET },
		{ "mptcp:", PATH_SOCKET }, { "udplite:", PATH_SOCKET }, { "inet:", PATH_SOCKET },
		{ "packet:", PATH_SOCKET }, { "alg:", PATH_SOCKET }, { "vsock:", PATH_SOCKET },
		{ "xdp:", PATH_SOCKET }, { "timerfd:", PATH_TIMER },
	};

	if (path.len == 0)
		return PATH_UNKNOWN;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (begins(path, prefixes[i].prefix))
			return prefixes[i].kind;
	return PATH_OTHER;
}

bool cause_timed_out(enum call_kind kind, int64_t ret)
{
	enum { EAGAIN_ = 11, ETIMEDOUT_ = 110 };	/* on every machine but alpha, mips, parisc and sparc */

	switch (kind) {
	case CALL_POLL:
	case CALL_EVENTS:
		return ret == 0;
	case CALL_LOCK:
		return ret == -ETIMEDOUT_;
	case CALL_SIGNAL:
		return ret == -EAGAIN_;
	default:
		return false;
	}
}

/* A descriptor that is not a file's: what woke the thread tells something. */
static enum cause of_descriptor(const struct wait *w)
{
	return w->by_irq ? CAUSE_SOCKET : CAUSE_FD;
}

static enum cause of_file(const struct wait *w)
{
	switch (w->path) {
	case PATH_PIPE:
		return CAUSE_PIPE;
	case PATH_SOCKET:
		return CAUSE_SOCKET;
	case PATH_TIMER:
		return CAUSE_TIMER;
	case PATH_FILE:
		return w->state == 'D' ? CAUSE_DISK : CAUSE_OTHER;
	case PATH_OTHER:
		return CAUSE_FD;
	default:
		return w->state == 'D' ? CAUSE_DISK : of_descriptor(w);
	}
}

enum cause cause_of_sleep(const struct wait *w)
{
	if (w->state == 'T' || w->state == 't')
		return CAUSE_STOP;
	if (w->timed_out)
		return CAUSE_TIMER;
	if (w->request && w->state == 'D' && w->call != CALL_NONE)
		return CAUSE_DISK;
	switch (w->call) {
	case CALL_SYNC:
	case CALL_EVENTS:
		return CAUSE_DISK;
	case CALL_SOCKET:
		return CAUSE_SOCKET;
	case CALL_LOCK:
		return CAUSE_LOCK;
	case CALL_SLEEP:
		return CAUSE_TIMER;
	case CALL_CHILD:
		return CAUSE_CHILD;
	case CALL_POLL:
		return w->path == PATH_SOCKET ? CAUSE_SOCKET : of_descriptor(w);
	case CALL_FILE:
		return of_file(w);
	case CALL_MEMORY:
		return w->state == 'D' ? CAUSE_LOCK : CAUSE_OTHER;
	case CALL_NONE:
		return w->state == 'D' ? CAUSE_FAULT : CAUSE_OTHER;
	case CALL_TREE:
	case CALL_UNKNOWN:
		return w->state == 'D' ? CAUSE_DISK : CAUSE_OTHER;
	default:
		return CAUSE_OTHER;
	}
}
