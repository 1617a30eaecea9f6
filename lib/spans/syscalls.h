/* SPDX-License-Identifier: MIT */
/*
 * What system calls do to file descriptors, what their return values are, and the names of errors.
 * From the manual pages, section 2, and include/uapi/asm-generic/errno.h.
 */
#ifndef WEIR_SYSCALLS_H
#define WEIR_SYSCALLS_H

#include "base/slice.h"

enum syscall_does {
	SYSCALL_OTHER,
	SYSCALL_OPENS,		/* returns a new descriptor of the path it is given */
	SYSCALL_MAKES,		/* returns a new descriptor of what the table names */
	SYSCALL_MEMFD, SYSCALL_SOCKET, SYSCALL_ACCEPT, SYSCALL_PIPE,
	SYSCALL_CONNECT,
	SYSCALL_DUP, SYSCALL_DUP2, SYSCALL_FCNTL, SYSCALL_IOCTL,
	SYSCALL_CLOSE, SYSCALL_CLOSE_RANGE,
	SYSCALL_WORKS,		/* works on a descriptor of what the table names, and on no other */
	SYSCALL_CHDIR, SYSCALL_FCHDIR, SYSCALL_UNSHARE, SYSCALL_CLONE, SYSCALL_EXEC,
	SYSCALL_SYMLINK,	/* its path is the second one */
	SYSCALL_FOREIGN,	/* the descriptor it is given is another process' */
};

/* When the new descriptor is closed by exec. */
enum syscall_cloexec { CLOEXEC_NO, CLOEXEC_YES, CLOEXEC_UNKNOWN, CLOEXEC_BY_FLAGS };

struct syscall {
	const char *name;
	enum syscall_does does;
	bool bytes;		/* returns how many bytes it moved */
	enum syscall_cloexec cloexec;
	uint64_t flag;		/* CLOEXEC_BY_FLAGS: this bit of them */
	const char *makes;	/* of what is the descriptor that it makes, or works on */
};

/* By the name, and where the tracer has no name for it, by the number: from 424 up, equal everywhere. */
const struct syscall *syscalls_find(struct slice name);
const struct syscall *syscalls_by_number(int64_t number);

/* Whether the call returns a new descriptor when it succeeds; that of fcntl depends on its command. */
bool syscalls_makes_descriptor(const struct syscall *call);

/* Commands of fcntl that do. */
enum { SYSCALL_DUPFD = 0, SYSCALL_DUPFD_CLOEXEC = 1030 };

/* What an argument is, by the name that the kernel gives it. */
enum syscall_argument {
	ARGUMENT_OTHER,
	ARGUMENT_FD,		/* the descriptor that the call works on, whichever others there are */
	ARGUMENT_DESCRIPTOR,	/* it is the first one of these, else */
	ARGUMENT_PATH,
	ARGUMENT_DIRECTORY,	/* the descriptor that a path is relative to */
};
enum syscall_argument syscalls_argument(struct slice name);

/* Hands over the names of all that are not ARGUMENT_OTHER. */
void syscalls_argument_names(void add(const char *name, void *data), void *data);

/* `ENOENT` for 2; empty for what is no error. */
struct slice syscalls_error(int64_t number);

#endif
