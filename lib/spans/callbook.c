// SPDX-License-Identifier: MIT
#include "spans/callbook.h"

#include <asm/unistd.h>

#include "callnumbers.h"	/* made by the Makefile of the system's headers: native_names, compat_names */

/*
 * The arguments as include/linux/syscalls.h names them (`payload.pid`: pid is the caller's), up to the last one
 * that tells something; `-` for pointers.
 */
static const struct {
	const char *name, *arguments;
} signatures[] = {
	{ "read", "fd,-,count" }, { "write", "fd,-,count" }, { "pread64", "fd,-,count,pos" },
	{ "pwrite64", "fd,-,count,pos" }, { "readv", "fd,-,vlen" }, { "writev", "fd,-,vlen" },
	{ "preadv", "fd,-,vlen,pos_l,pos_h" }, { "pwritev", "fd,-,vlen,pos_l,pos_h" },
	{ "preadv2", "fd,-,vlen,pos_l,pos_h,flags" }, { "pwritev2", "fd,-,vlen,pos_l,pos_h,flags" },
	{ "sendto", "fd,-,len,flags,-,addr_len" }, { "recvfrom", "fd,-,size,flags" },
	{ "send", "fd,-,len,flags" }, { "recv", "fd,-,size,flags" },
	{ "sendmsg", "fd,-,flags" }, { "recvmsg", "fd,-,flags" }, { "sendmmsg", "fd,-,vlen,flags" },
	{ "recvmmsg", "fd,-,vlen,flags" }, { "sendfile", "out_fd,in_fd,-,count" },
	{ "sendfile64", "out_fd,in_fd,-,count" }, { "splice", "fd_in,-,fd_out,-,len,flags" },
	{ "tee", "fdin,fdout,len,flags" }, { "vmsplice", "fd,-,nr_segs,flags" },
	{ "copy_file_range", "fd_in,-,fd_out,-,len,flags" }, { "getdents", "fd,-,count" },
	{ "getdents64", "fd,-,count" }, { "getrandom", "-,count,flags" }, { "readahead", "fd,offset,count" },
	{ "lseek", "fd,offset,whence" }, { "_llseek", "fd,offset_high,offset_low,-,whence" },
	{ "process_vm_readv", "payload.pid,-,liovcnt,-,riovcnt,flags" },
	{ "process_vm_writev", "payload.pid,-,liovcnt,-,riovcnt,flags" },
	{ "mq_timedreceive", "mqdes,-,msg_len" }, { "mq_timedsend", "mqdes,-,msg_len,msg_prio" },
	{ "mq_notify", "mqdes" }, { "mq_getsetattr", "mqdes" }, { "msgrcv", "msqid,-,msgsz,msgtyp,msgflg" },
	{ "msgsnd", "msqid,-,msgsz,msgflg" },

	{ "open", "filename,flags,mode" }, { "openat", "dfd,filename,flags,mode" },
	{ "openat2", "dfd,filename,-,usize" }, { "creat", "pathname,mode" }, { "open_tree", "dfd,filename,flags" },
	{ "open_by_handle_at", "mountdirfd,-,flags" }, { "name_to_handle_at", "dfd,-,-,-,flag" },
	{ "mq_open", "-,oflag,mode" }, { "memfd_create", "uname,flags" }, { "memfd_secret", "flags" },
	{ "close", "fd" }, { "close_range", "fd,max_fd,flags" }, { "dup", "fildes" }, { "dup2", "oldfd,newfd" },
	{ "dup3", "oldfd,newfd,flags" }, { "fcntl", "fd,cmd,arg" }, { "fcntl64", "fd,cmd,arg" },
	{ "ioctl", "fd,cmd,arg" }, { "pipe", "-" }, { "pipe2", "-,flags" }, { "socket", "family,type,protocol" },
	{ "socketpair", "family,type,protocol" }, { "bind", "fd,-,addrlen" }, { "connect", "fd,-,addrlen" },
	{ "listen", "fd,backlog" }, { "accept", "fd" }, { "accept4", "fd,-,-,flags" }, { "getsockname", "fd" },
	{ "getpeername", "fd" }, { "setsockopt", "fd,level,optname,-,optlen" },
	{ "getsockopt", "fd,level,optname" }, { "shutdown", "fd,how" },
	{ "epoll_create", "size" }, { "epoll_create1", "flags" }, { "epoll_ctl", "epfd,op,fd" },
	{ "epoll_wait", "epfd,-,maxevents,timeout" }, { "epoll_pwait", "epfd,-,maxevents,timeout" },
	{ "epoll_pwait2", "epfd,-,maxevents" }, { "eventfd", "count" }, { "eventfd2", "count,flags" },
	{ "signalfd", "ufd,-,sizemask" }, { "signalfd4", "ufd,-,sizemask,flags" },
	{ "timerfd_create", "clockid,flags" }, { "timerfd_settime", "ufd,flags" }, { "timerfd_gettime", "ufd" },
	{ "inotify_init1", "flags" }, { "inotify_add_watch", "fd,pathname,mask" }, { "inotify_rm_watch", "fd,wd" },
	{ "fanotify_init", "flags,event_f_flags" }, { "fanotify_mark", "fanotify_fd,flags,mask,dfd,pathname" },
	{ "userfaultfd", "flags" }, { "perf_event_open", "-,payload.pid,payload.cpu,group_fd,flags" },
	{ "pidfd_open", "payload.pid,flags" }, { "pidfd_getfd", "pidfd,fd,flags" },
	{ "pidfd_send_signal", "pidfd,sig" }, { "io_uring_setup", "entries" },
	{ "io_uring_enter", "fd,to_submit,min_complete,flags" }, { "io_uring_register", "fd,opcode,-,nr_args" },
	{ "fsopen", "-,flags" }, { "fsmount", "fs_fd,flags,attr_flags" }, { "fspick", "dfd,path,flags" },
	{ "fsconfig", "fd,cmd" }, { "finit_module", "fd" }, { "poll", "-,nfds,timeout_msecs" }, { "ppoll", "-,nfds" },
	{ "select", "n" }, { "pselect6", "n" }, { "bpf", "cmd,-,size" },

	{ "stat", "filename" }, { "lstat", "filename" }, { "stat64", "filename" }, { "lstat64", "filename" },
	{ "newfstatat", "dfd,filename,-,flag" }, { "fstatat64", "dfd,filename,-,flag" },
	{ "statx", "dfd,filename,flags,mask" }, { "fstat", "fd" }, { "fstat64", "fd" }, { "statfs", "pathname" },
	{ "statfs64", "pathname,sz" }, { "fstatfs", "fd" }, { "fstatfs64", "fd,sz" }, { "access", "filename,mode" },
	{ "faccessat", "dfd,filename,mode" }, { "faccessat2", "dfd,filename,mode,flags" },
	{ "readlink", "path,-,bufsiz" }, { "readlinkat", "dfd,pathname,-,bufsiz" }, { "unlink", "pathname" },
	{ "unlinkat", "dfd,pathname,flag" }, { "rmdir", "pathname" }, { "mkdir", "pathname,mode" },
	{ "mkdirat", "dfd,pathname,mode" }, { "mknod", "filename,mode,dev" }, { "mknodat", "dfd,filename,mode,dev" },
	{ "rename", "oldname" }, { "renameat", "olddfd,oldname,newdfd" }, { "renameat2", "olddfd,oldname,newdfd,-,flags" },
	{ "link", "oldname" }, { "linkat", "olddfd,oldname,newdfd,-,flags" }, { "symlink", "-,newname" },
	{ "symlinkat", "-,newdfd,newname" }, { "truncate", "path,length" }, { "truncate64", "path,length" },
	{ "ftruncate", "fd,length" }, { "ftruncate64", "fd,length" }, { "fallocate", "fd,mode,offset,len" },
	{ "chdir", "filename" }, { "fchdir", "fd" }, { "chroot", "filename" }, { "chmod", "filename,mode" },
	{ "fchmod", "fd,mode" }, { "fchmodat", "dfd,filename,mode" }, { "chown", "filename,user,group" },
	{ "lchown", "filename,user,group" }, { "fchown", "fd,user,group" },
	{ "fchownat", "dfd,filename,user,group,flag" }, { "utime", "filename" }, { "utimes", "filename" },
	{ "utimensat", "dfd,filename,-,flags" }, { "futimesat", "dfd,filename" }, { "acct", "filename" },
	{ "getxattr", "pathname" }, { "lgetxattr", "pathname" }, { "fgetxattr", "fd" }, { "setxattr", "pathname" },
	{ "lsetxattr", "pathname" }, { "fsetxattr", "fd" }, { "listxattr", "pathname" }, { "llistxattr", "pathname" },
	{ "flistxattr", "fd" }, { "removexattr", "pathname" }, { "lremovexattr", "pathname" },
	{ "fremovexattr", "fd" }, { "umount2", "-,flags" }, { "swapon", "specialfile,swap_flags" },
	{ "swapoff", "specialfile" }, { "pivot_root", "-" }, { "uselib", "-" }, { "fsync", "fd" },
	{ "fdatasync", "fd" }, { "syncfs", "fd" }, { "sync_file_range", "fd,offset,nbytes,flags" },
	{ "fadvise64", "fd,offset,len,advice" }, { "flock", "fd,cmd" }, { "quotactl_fd", "fd,cmd" },
	{ "cachestat", "fd" }, { "execve", "filename" }, { "execveat", "fd,filename,-,-,flags" },

	{ "mmap", "addr,len,prot,flags,fd,offset" }, { "mmap2", "addr,len,prot,flags,fd,pgoff" },
	{ "munmap", "addr,len" }, { "mremap", "addr,old_len,new_len,flags,new_addr" }, { "mprotect", "start,len,prot" },
	{ "madvise", "start,len_in,behavior" }, { "msync", "start,len,flags" }, { "brk", "brk" },
	{ "clone", "flags,newsp" }, { "clone3", "-,size" }, { "unshare", "unshare_flags" }, { "setns", "fd,flags" },
	{ "exit", "error_code" }, { "exit_group", "error_code" }, { "wait4", "upid,-,options" },
	{ "waitid", "which,upid,-,options" }, { "kill", "payload.pid,sig" }, { "tkill", "payload.pid,sig" },
	{ "tgkill", "tgid,payload.pid,sig" }, { "futex", "uaddr,op,val" }, { "nanosleep", "-" },
	{ "clock_nanosleep", "which_clock,flags" }, { "prctl", "option,arg2,arg3,arg4,arg5" },
	{ "prlimit64", "payload.pid,resource" }, { "rt_sigaction", "sig" }, { "rt_sigprocmask", "how" },
	{ "getpriority", "which,who" }, { "setpriority", "which,who,niceval" },
	{ "sched_setaffinity", "payload.pid,len" }, { "sched_getaffinity", "payload.pid,len" },
};

static struct slice next_name(const char **list)
{
	struct slice name = { *list, strcspn(*list, ",") };

	*list += name.len + ((*list)[name.len] == ',');
	return name;
}

static bool is_path(const struct syscall *syscall, struct slice argument)
{
	if (syscall->does == SYSCALL_SYMLINK)
		return slice_equal(argument, SLICE("newname"));
	return syscalls_argument(argument) == ARGUMENT_PATH || slice_equal(argument, SLICE("uname"));
}

static bool is_int(struct slice argument)
{
	static const char *const names[] = {
		"newfd", "newdfd", "mountdirfd", "group_fd", "fs_fd", "error_code", "upid", "payload.pid", "sig",
		"timeout", "timeout_msecs", "backlog",
	};
	enum syscall_argument is = syscalls_argument(argument);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_equal(argument, slice_of(names[i])))
			return true;
	return is == ARGUMENT_FD || is == ARGUMENT_DESCRIPTOR || is == ARGUMENT_DIRECTORY;
}

/* The same choice as spans(1) makes among the fields of a record. */
static void take_arguments(struct callbook_entry *entry, const char *list)
{
	while (*list && entry->arguments < CALLBOOK_ARGUMENTS) {
		struct slice name = next_name(&list);
		enum syscall_argument is = syscalls_argument(name);
		unsigned place = entry->arguments + 1;

		entry->is_int[entry->arguments] = is_int(name);
		entry->argument[entry->arguments++] = name;
		if (is == ARGUMENT_FD || (is == ARGUMENT_DESCRIPTOR && !entry->fd))
			entry->fd = place;
		else if (!entry->path && is_path(entry->syscall, name))
			entry->path = place;
		else if (!entry->directory && is == ARGUMENT_DIRECTORY)
			entry->directory = place;
	}
	/* Of another process; or what the path of the program is relative to. */
	if (entry->syscall->does == SYSCALL_FOREIGN || entry->syscall->does == SYSCALL_EXEC)
		entry->fd = 0;
}

static enum callbook_result result_of(struct slice name)
{
	if (slice_equal(name, SLICE("mmap")) || slice_equal(name, SLICE("mmap2")) ||
	    slice_equal(name, SLICE("mremap")) || slice_equal(name, SLICE("shmat")))
		return CALLBOOK_ADDRESS;
	if (slice_equal(name, SLICE("rt_sigreturn")) || slice_equal(name, SLICE("sigreturn")))
		return CALLBOOK_NO_RESULT;
	return CALLBOOK_NUMBER;
}

static void fill(struct callbook_entry *entry, const char *name)
{
	entry->name = slice_of(name);
	entry->syscall = syscalls_find(entry->name);
	entry->result = result_of(entry->name);
	for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
		if (strcmp(name, signatures[i].name) == 0)
			take_arguments(entry, signatures[i].arguments);
}

void callbook_fill(callbook book)
{
	memset(book, 0, CALLBOOK_ABIS * sizeof *book);
	for (size_t n = 0; n < CALLBOOK_NUMBERS; n++) {
		if (native_names[n])
			fill(&book[CALLBOOK_NATIVE][n], native_names[n]);
		if (compat_names[n])
			fill(&book[CALLBOOK_COMPAT][n], compat_names[n]);
	}
}
