// SPDX-License-Identifier: MIT
#include "spans/syscalls.h"

/* O_CLOEXEC, and SOCK_, EFD_, TFD_, ... with it, on all machines but alpha, parisc and sparc. */
#define FLAG 02000000

#define OPENS(n) { .name = n, .does = SYSCALL_OPENS, .cloexec = CLOEXEC_BY_FLAGS, .flag = FLAG }
#define MAKES(n, what, bit) \
	{ .name = n, .does = SYSCALL_MAKES, .cloexec = CLOEXEC_BY_FLAGS, .flag = bit, .makes = what }
#define ALWAYS(n, when, what) { .name = n, .does = SYSCALL_MAKES, .cloexec = when, .makes = what }
#define BYTES(n) { .name = n, .bytes = true }
#define WORKS(n, what) { .name = n, .does = SYSCALL_WORKS, .makes = what }
#define MOVES(n, what) { .name = n, .does = SYSCALL_WORKS, .makes = what, .bytes = true }
#define DOES(n, d) { .name = n, .does = d }

static const struct syscall calls[] = {
	{ .name = "" },
	BYTES("read"), BYTES("write"), BYTES("pread64"), BYTES("pwrite64"), BYTES("readv"), BYTES("writev"),
	BYTES("preadv"), BYTES("pwritev"), BYTES("preadv2"), BYTES("pwritev2"), BYTES("sendfile"),
	BYTES("sendfile64"), BYTES("splice"), BYTES("tee"), BYTES("vmsplice"), BYTES("copy_file_range"),
	BYTES("getdents"), BYTES("getdents64"), BYTES("getrandom"), BYTES("process_vm_readv"),
	BYTES("process_vm_writev"), BYTES("msgrcv"), MOVES("mq_timedreceive", "mqueue:"),
	MOVES("send", "socket:"), MOVES("recv", "socket:"), MOVES("sendto", "socket:"),
	MOVES("recvfrom", "socket:"), MOVES("sendmsg", "socket:"), MOVES("recvmsg", "socket:"),

	OPENS("open"), OPENS("openat"), OPENS("open_tree"),
	{ .name = "creat", .does = SYSCALL_OPENS },
	{ .name = "openat2", .does = SYSCALL_OPENS, .cloexec = CLOEXEC_UNKNOWN },
	MAKES("open_by_handle_at", NULL, FLAG), MAKES("fsopen", NULL, 1), MAKES("fsmount", NULL, 1),
	MAKES("fspick", NULL, 1), { .name = "pidfd_getfd", .does = SYSCALL_FOREIGN, .cloexec = CLOEXEC_YES },
	MAKES("mq_open", "mqueue:", 0),
	ALWAYS("epoll_create", CLOEXEC_NO, "epoll:"), MAKES("epoll_create1", "epoll:", FLAG),
	ALWAYS("eventfd", CLOEXEC_NO, "eventfd:"), MAKES("eventfd2", "eventfd:", FLAG),
	ALWAYS("signalfd", CLOEXEC_NO, "signalfd:"), MAKES("signalfd4", "signalfd:", FLAG),
	MAKES("timerfd_create", "timerfd:", FLAG),
	ALWAYS("inotify_init", CLOEXEC_NO, "inotify:"), MAKES("inotify_init1", "inotify:", FLAG),
	MAKES("fanotify_init", "fanotify:", 1), MAKES("userfaultfd", "userfaultfd:", FLAG),
	MAKES("perf_event_open", "perf_event:", 8), ALWAYS("pidfd_open", CLOEXEC_YES, "pidfd:"),
	ALWAYS("io_uring_setup", CLOEXEC_YES, "io_uring:"), MAKES("memfd_secret", "secretmem:", FLAG),
	ALWAYS("landlock_create_ruleset", CLOEXEC_YES, "landlock:"),
	{ .name = "memfd_create", .does = SYSCALL_MEMFD, .cloexec = CLOEXEC_BY_FLAGS, .flag = 1 },
	{ .name = "socket", .does = SYSCALL_SOCKET, .cloexec = CLOEXEC_BY_FLAGS, .flag = FLAG },
	DOES("accept", SYSCALL_ACCEPT),
	{ .name = "accept4", .does = SYSCALL_ACCEPT, .cloexec = CLOEXEC_BY_FLAGS, .flag = FLAG },
	DOES("pipe", SYSCALL_PIPE),
	{ .name = "pipe2", .does = SYSCALL_PIPE, .cloexec = CLOEXEC_BY_FLAGS, .flag = FLAG },
	DOES("connect", SYSCALL_CONNECT),

	DOES("dup", SYSCALL_DUP), DOES("dup2", SYSCALL_DUP2),
	{ .name = "dup3", .does = SYSCALL_DUP2, .cloexec = CLOEXEC_BY_FLAGS, .flag = FLAG },
	DOES("fcntl", SYSCALL_FCNTL), DOES("fcntl64", SYSCALL_FCNTL), DOES("ioctl", SYSCALL_IOCTL),
	DOES("close", SYSCALL_CLOSE), DOES("close_range", SYSCALL_CLOSE_RANGE),
	WORKS("epoll_ctl", "epoll:"), WORKS("epoll_wait", "epoll:"), WORKS("epoll_pwait", "epoll:"),
	WORKS("epoll_pwait2", "epoll:"),
	WORKS("timerfd_settime", "timerfd:"), WORKS("timerfd_gettime", "timerfd:"),
	WORKS("inotify_add_watch", "inotify:"), WORKS("inotify_rm_watch", "inotify:"),
	WORKS("fanotify_mark", "fanotify:"), WORKS("mq_timedsend", "mqueue:"), WORKS("mq_notify", "mqueue:"),
	WORKS("mq_getsetattr", "mqueue:"), WORKS("sendmmsg", "socket:"), WORKS("recvmmsg", "socket:"),
	WORKS("listen", "socket:"), WORKS("bind", "socket:"), WORKS("shutdown", "socket:"),
	WORKS("getsockname", "socket:"), WORKS("getpeername", "socket:"), WORKS("getsockopt", "socket:"),
	WORKS("setsockopt", "socket:"),
	DOES("chdir", SYSCALL_CHDIR), DOES("fchdir", SYSCALL_FCHDIR), DOES("unshare", SYSCALL_UNSHARE),
	DOES("clone", SYSCALL_CLONE), DOES("clone3", SYSCALL_CLONE), DOES("fork", SYSCALL_CLONE),
	DOES("vfork", SYSCALL_CLONE), DOES("execve", SYSCALL_EXEC), DOES("execveat", SYSCALL_EXEC),
	DOES("symlink", SYSCALL_SYMLINK), DOES("symlinkat", SYSCALL_SYMLINK),
};

const struct syscall *syscalls_find(struct slice name)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (slice_equal(name, slice_of(calls[i].name)))
			return &calls[i];
	return &calls[0];
}

const struct syscall *syscalls_by_number(int64_t number)
{
	switch (number) {
	case 425: return syscalls_find(SLICE("io_uring_setup"));
	case 434: return syscalls_find(SLICE("pidfd_open"));
	case 436: return syscalls_find(SLICE("close_range"));
	case 437: return syscalls_find(SLICE("openat2"));
	case 438: return syscalls_find(SLICE("pidfd_getfd"));
	case 444: return syscalls_find(SLICE("landlock_create_ruleset"));
	case 447: return syscalls_find(SLICE("memfd_secret"));
	default: return &calls[0];
	}
}

bool syscalls_makes_descriptor(const struct syscall *call)
{
	switch (call->does) {
	case SYSCALL_OPENS: case SYSCALL_MAKES: case SYSCALL_MEMFD: case SYSCALL_SOCKET:
	case SYSCALL_ACCEPT: case SYSCALL_DUP: case SYSCALL_DUP2: case SYSCALL_FOREIGN: return true;
	default: return false;
	}
}

static const struct {
	const char *name;
	enum syscall_argument is;
} arguments[] = {
	{ "fd", ARGUMENT_FD },
	{ "fildes", ARGUMENT_DESCRIPTOR }, { "oldfd", ARGUMENT_DESCRIPTOR }, { "epfd", ARGUMENT_DESCRIPTOR },
	{ "ufd", ARGUMENT_DESCRIPTOR }, { "in_fd", ARGUMENT_DESCRIPTOR }, { "out_fd", ARGUMENT_DESCRIPTOR },
	{ "fd_in", ARGUMENT_DESCRIPTOR }, { "fd_out", ARGUMENT_DESCRIPTOR }, { "fdin", ARGUMENT_DESCRIPTOR },
	{ "fdout", ARGUMENT_DESCRIPTOR }, { "pidfd", ARGUMENT_DESCRIPTOR }, { "mqdes", ARGUMENT_DESCRIPTOR },
	{ "fanotify_fd", ARGUMENT_DESCRIPTOR },
	{ "filename", ARGUMENT_PATH }, { "pathname", ARGUMENT_PATH }, { "path", ARGUMENT_PATH },
	{ "oldname", ARGUMENT_PATH }, { "dir_name", ARGUMENT_PATH }, { "specialfile", ARGUMENT_PATH },
	{ "dfd", ARGUMENT_DIRECTORY }, { "olddfd", ARGUMENT_DIRECTORY },
};

enum syscall_argument syscalls_argument(struct slice name)
{
	for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
		if (slice_equal(name, slice_of(arguments[i].name)))
			return arguments[i].is;
	return ARGUMENT_OTHER;
}

void syscalls_argument_names(void add(const char *name, void *data), void *data)
{
	for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
		add(arguments[i].name, data);
}

/* 35 and 95 have two names: the other ones are EDEADLOCK and ENOTSUP. */
static const char *const errors[] = {
	NULL, "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD",
	"EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR",
	"EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS",
	"EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLK", "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY",
	"ELOOP", NULL, "ENOMSG", "EIDRM", "ECHRNG", "EL2NSYNC", "EL3HLT", "EL3RST", "ELNRNG", "EUNATCH",
	"ENOCSI", "EL2HLT", "EBADE", "EBADR", "EXFULL", "ENOANO", "EBADRQC", "EBADSLT", NULL, "EBFONT",
	"ENOSTR", "ENODATA", "ETIME", "ENOSR", "ENONET", "ENOPKG", "EREMOTE", "ENOLINK", "EADV", "ESRMNT",
	"ECOMM", "EPROTO", "EMULTIHOP", "EDOTDOT", "EBADMSG", "EOVERFLOW", "ENOTUNIQ", "EBADFD", "EREMCHG",
	"ELIBACC", "ELIBBAD", "ELIBSCN", "ELIBMAX", "ELIBEXEC", "EILSEQ", "ERESTART", "ESTRPIPE", "EUSERS",
	"ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE", "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT",
	"ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT", "EAFNOSUPPORT", "EADDRINUSE", "EADDRNOTAVAIL",
	"ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNABORTED", "ECONNRESET", "ENOBUFS", "EISCONN",
	"ENOTCONN", "ESHUTDOWN", "ETOOMANYREFS", "ETIMEDOUT", "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH",
	"EALREADY", "EINPROGRESS", "ESTALE", "EUCLEAN", "ENOTNAM", "ENAVAIL", "EISNAM", "EREMOTEIO",
	"EDQUOT", "ENOMEDIUM", "EMEDIUMTYPE", "ECANCELED", "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED",
	"EKEYREJECTED", "EOWNERDEAD", "ENOTRECOVERABLE", "ERFKILL", "EHWPOISON",
};

/* Seen by tracers only: include/linux/errno.h. */
static const struct {
	int number;
	const char *name;
} restarts[] = {
	{ 512, "ERESTARTSYS" }, { 513, "ERESTARTNOINTR" }, { 514, "ERESTARTNOHAND" },
	{ 515, "ENOIOCTLCMD" }, { 516, "ERESTART_RESTARTBLOCK" }, { 517, "EPROBE_DEFER" },
	{ 518, "EOPENSTALE" }, { 519, "ENOPARAM" }, { 521, "EBADHANDLE" }, { 522, "ENOTSYNC" },
	{ 523, "EBADCOOKIE" }, { 524, "ENOTSUPP" }, { 525, "ETOOSMALL" }, { 526, "ESERVERFAULT" },
	{ 527, "EBADTYPE" }, { 528, "EJUKEBOX" }, { 529, "EIOCBQUEUED" }, { 530, "ERECALLCONFLICT" },
};

struct slice syscalls_error(int64_t number)
{
	if (number > 0 && number < (int64_t)(sizeof errors / sizeof *errors) && errors[number])
		return slice_of(errors[number]);
	for (size_t i = 0; i < sizeof restarts / sizeof *restarts; i++)
		if (restarts[i].number == number)
			return slice_of(restarts[i].name);
	return (struct slice){ "", 0 };
}
