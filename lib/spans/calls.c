// SPDX-License-Identifier: MIT
#include "spans/calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "spans/address.h"

/* The kernel's numbers, which the host's headers need not have. */
enum {
	AT_CWD = -100,
	F_SETFD_ = 2, FD_CLOEXEC_ = 1,
	FIONCLEX_ = 0x5450, FIOCLEX_ = 0x5451,
	EXEC_IS_TOLD = 1,
	O_CLOEXEC_ = 02000000, CLONE_FS_ = 0x200, CLONE_FILES_ = 0x400,
	CLOSE_RANGE_UNSHARE_ = 2, CLOSE_RANGE_CLOEXEC_ = 4,
	EINTR_ = 4, EBADF_ = 9, EISCONN_ = 106, EALREADY_ = 114, EINPROGRESS_ = 115, ERESTARTSYS_ = 512,
};

enum field {
	RET, FLAGS, EPFD, NEWFD, UFD, CMD, ARG, FAMILY, TYPE, PROTOCOL, SPORT, DPORT, UNAME,
	FILDES_0, FILDES_1, MAX_FD, UNSHARE_FLAGS, NEWNAME, NEWDFD, ARGV, ARGS_0, ARGS_1, ARGS_2,
	DUMP_TABLE, DUMP_PID, DUMP_FILENAME, FD, FIELDS,
};
#define FIELD_KEYS { \
	[RET] = LOOKUP("ret"), [FLAGS] = LOOKUP("flags"), [EPFD] = LOOKUP("epfd"), \
	[NEWFD] = LOOKUP("newfd"), [UFD] = LOOKUP("ufd"), [CMD] = LOOKUP("cmd"), [ARG] = LOOKUP("arg"), \
	[FAMILY] = LOOKUP("family"), [TYPE] = LOOKUP("type"), [PROTOCOL] = LOOKUP("protocol"), \
	[SPORT] = LOOKUP("sport"), [DPORT] = LOOKUP("dport"), [UNAME] = LOOKUP("uname"), \
	[FILDES_0] = LOOKUP("fildes.0"), [FILDES_1] = LOOKUP("fildes.1"), [MAX_FD] = LOOKUP("max_fd"), \
	[UNSHARE_FLAGS] = LOOKUP("unshare_flags"), [NEWNAME] = LOOKUP("newname"), \
	[NEWDFD] = LOOKUP("newdfd"), [ARGV] = LOOKUP("argv"), [ARGS_0] = LOOKUP("args.0"), \
	[ARGS_1] = LOOKUP("args.1"), [ARGS_2] = LOOKUP("args.2"), \
	[DUMP_TABLE] = LOOKUP("file_table_address"), [DUMP_PID] = LOOKUP("payload.pid"), \
	[DUMP_FILENAME] = LOOKUP("filename"), [FD] = LOOKUP("fd") }

/* `argv.0`, `argv.1` ... are below `argv`. */
void calls_keys(void add(const char *key, void *data), void *data)
{
	static const struct lookup fields[FIELDS] = FIELD_KEYS;

	for (size_t i = 0; i < FIELDS; i++)
		add(fields[i].key.at, data);
	syscalls_argument_names(add, data);
	address_keys(add, data);
}

/* Where the records of one shape have these, + 1; 0: nowhere. */
struct places {
	bool known;
	uint16_t fd, path, directory;
};

struct calls {
	struct threads *threads;
	struct processes *processes;
	struct lookup field[FIELDS];
	struct address_fields addresses;
	struct places *places;	/* by shape id */
	size_t room;
	uint64_t asked, answered;

	/* The record at hand: */
	const struct record *record;
	bool blind;		/* in a gap: nothing is learnt */
};

struct calls *calls_new(struct threads *threads)
{
	struct calls *calls = memory_get(sizeof *calls);

	*calls = (struct calls){
		.threads = threads,
		.processes = threads->processes,
		.field = FIELD_KEYS,
	};
	address_fields_init(&calls->addresses);
	return calls;
}

void calls_free(struct calls *calls)
{
	for (size_t i = 0; i < FIELDS; i++)
		lookup_free(&calls->field[i]);
	address_fields_free(&calls->addresses);
	free(calls->places);
	free(calls);
}

uint64_t calls_asked(const struct calls *calls)
{
	return calls->asked;
}

uint64_t calls_answered(const struct calls *calls)
{
	return calls->answered;
}

/* The argument named fd, or the first one that is a descriptor; the first path. */
static struct places look(const struct shape *shape)
{
	struct places places = { .known = true };

	for (uint16_t i = 0; i < shape->n; i++) {
		uint16_t place = (uint16_t)(i + 1);

		switch (syscalls_argument(shape->key[i])) {
		case ARGUMENT_FD: places.fd = place; break;
		case ARGUMENT_DESCRIPTOR: places.fd = places.fd ? places.fd : place; break;
		case ARGUMENT_PATH: places.path = places.path ? places.path : place; break;
		case ARGUMENT_DIRECTORY: places.directory = places.directory ? places.directory : place; break;
		default: break;
		}
	}
	return places;
}

static struct places places_of(struct calls *calls, const struct shape *shape)
{
	size_t room = calls->room;

	if (shape->id == SHAPE_PASSING)
		return look(shape);
	if (shape->id >= room) {
		calls->places = memory_grow(calls->places, &calls->room, shape->id + 1,
					    sizeof *calls->places);
		memset(calls->places + room, 0, (calls->room - room) * sizeof *calls->places);
	}
	if (!calls->places[shape->id].known)
		calls->places[shape->id] = look(shape);
	return calls->places[shape->id];
}

static struct slice text(struct calls *calls, enum field field)
{
	const struct slice *value = lookup_value(&calls->field[field], calls->record);

	return value ? *value : (struct slice){ "", 0 };
}

static bool number(struct calls *calls, enum field field, uint64_t *value)
{
	const struct slice *at = lookup_value(&calls->field[field], calls->record);

	return at && number_padded_bits(*at, value);
}

static int64_t number_or(struct calls *calls, enum field field, int64_t otherwise)
{
	uint64_t value;

	return number(calls, field, &value) ? (int64_t)value : otherwise;
}

/* A descriptor is 32 bits, with or without sign; -1 where it is none. */
static int64_t descriptor_of(uint64_t value)
{
	int32_t fd = (int32_t)(uint32_t)value;

	return fd < 0 ? -1 : fd;
}

static int64_t descriptor(struct calls *calls, enum field field)
{
	uint64_t value;

	return number(calls, field, &value) ? descriptor_of(value) : -1;
}

struct process *calls_process(struct calls *calls, struct thread *thread)
{
	return thread->pid < 0 ? processes_held(calls->processes, thread->process) :
		processes_at(calls->processes, &thread->process, thread->pid);
}

static struct text *keep(struct calls *calls, struct slice value)
{
	return value.len ? text_new(calls->processes, value, SLICE(""), SLICE("")) : NULL;
}

static bool is_absolute(struct slice path)
{
	return path.len && path.at[0] == '/';
}

/* PATH from the directory DIRECTORY (AT_CWD: the working directory), as far as that is known. */
static struct text *path_from(struct calls *calls, struct process *process, int64_t directory,
			      struct slice path)
{
	struct slice base = { "", 0 };

	if (!is_absolute(path) && process) {
		if (directory == AT_CWD)
			base = text_slice(process->cwd);
		else if (directory >= 0) {
			struct file *file = files_known(calls->processes, process->files, directory);

			base = text_slice(file ? file->name : NULL);
		}
	}
	if (!is_absolute(base))
		return keep(calls, path);
	return text_new(calls->processes, base, base.at[base.len - 1] == '/' ? SLICE("") : SLICE("/"), path);
}

static int64_t place_number(const struct record *record, uint16_t place)
{
	uint64_t value;

	if (!place || !number_padded_bits(record->value[place - 1], &value))
		return AT_CWD;
	return (int32_t)(uint32_t)value;
}

/* What the call is given: a path, or a descriptor, or both. */
static void take_arguments(struct calls *calls, const struct syscall *does, struct process *process,
			   struct call *call)
{
	const struct record *record = calls->record;
	struct places at = places_of(calls, record->shape);
	int64_t directory = place_number(record, at.directory);
	struct slice path = at.path ? record->value[at.path - 1] : (struct slice){ "", 0 };
	uint64_t value;

	call->fd = at.fd && number_padded_bits(record->value[at.fd - 1], &value) ? descriptor_of(value) : -1;
	if (does->does == SYSCALL_FOREIGN) {
		call->fd = -1;
		return;
	}
	if (does->does == SYSCALL_SYMLINK) {
		path = text(calls, NEWNAME);
		directory = number_or(calls, NEWDFD, AT_CWD);
	} else if (does->does == SYSCALL_EXEC && at.fd) {
		directory = call->fd;
		call->fd = -1;
	}
	if (path.len) {
		call->path = path_from(calls, process, directory, path);
		return;
	}
	/* An empty path, as of fstat by newfstatat, means the directory's descriptor itself. */
	if (at.path && at.directory && directory >= 0)
		call->fd = directory;
	if (call->fd >= 0 && process) {
		call->came_later = !files_find(calls->processes, process->files, call->fd);
		call->file = file_hold(files_known(calls->processes, process->files, call->fd));
		call->path = text_hold(call->file ? call->file->name : NULL);
	}
}

static void set_path(struct call *call, struct text *path)
{
	text_drop(call->path);
	call->path = path;
}

/* From now until the end of the call, what FD stands for is in doubt. */
static void begin_change(struct calls *calls, struct process *process, int64_t fd)
{
	if (process && fd >= 0)
		files_at(calls->processes, process->files, fd)->changing++;
}

/* Until the end of the call it is in doubt whether an exec closes it: a copy made meanwhile loses it then. */
static void begin_flag(struct descriptor *at)
{
	if (!at)
		return;
	at->overlap = at->overlap || at->flagging;
	at->flagging++;
	at->cloexec = true;
}

static void end_flag(struct descriptor *at, const struct call *call, bool cloexec)
{
	if (!at || at->version > call->version || !at->flagging)
		return;
	at->cloexec = cloexec || at->overlap;
	if (--at->flagging == 0)
		at->overlap = false;
}

static void begin_change_each(struct processes *processes, struct files *files, int64_t fd, void *data)
{
	const struct call *call = data;
	struct descriptor *at = files_find(processes, files, fd);

	if (call->argument2 & CLOSE_RANGE_CLOEXEC_)
		begin_flag(at);
	else
		at->changing++;
}

/*
 * The call that was to change FD is over. True when nobody else changed it since. An entry that only marked
 * the change goes.
 */
static bool end_change(struct calls *calls, struct process *process, const struct call *call, int64_t fd)
{
	struct descriptor *at = files_find(calls->processes, process->files, fd);

	if (!at)
		return true;
	if (at->version > call->version)
		return false;
	if (at->changing)
		at->changing--;
	if (!at->file && !at->changing)
		files_set(calls->processes, process->files, fd, NULL, false);
	return true;
}

static void begin_close_range(struct calls *calls, struct process *process, struct call *call)
{
	uint64_t first = 0, last = 0, flags = 0;

	if (!number(calls, ARGS_0, &first) || !number(calls, ARGS_1, &last) ||
	    !number(calls, ARGS_2, &flags)) {
		first = (uint64_t)number_or(calls, FD, -1);
		last = (uint64_t)number_or(calls, MAX_FD, 0);
		flags = (uint64_t)number_or(calls, FLAGS, 0);
	}
	call->fd = -1;
	text_drop(call->path);
	call->path = NULL;
	call->argument = (uint32_t)first;
	call->argument2 = (uint64_t)(uint32_t)last << 32 | (uint32_t)flags;
	if (process && !calls->blind && !(flags & CLOSE_RANGE_UNSHARE_))
		files_each(calls->processes, process->files, (uint32_t)first, (uint32_t)last,
			   begin_change_each, call);
}

static void begin_connect(struct calls *calls, struct call *call)
{
	struct address address = {
		.family = call->file ? call->file->family : -1,
		.type = call->file ? call->file->type : -1,
		.protocol = call->file ? call->file->protocol : -1,
	};
	int64_t family = number_or(calls, FAMILY, -1);
	char to[ADDRESS_TEXT];

	if (family < 0 || (family == 0 && !call->file))
		return;
	call->argument = family;
	if (family)
		address.family = (int32_t)family;
	address_read(&address, &calls->addresses, calls->record, number_or(calls, DPORT, -1));
	set_path(call, keep(calls, address_text(&address, to)));
}

static struct slice argv_of(struct calls *calls, char **to)
{
	struct slice argv = text(calls, ARGV);
	size_t len = 0, room = 0;

	*to = NULL;
	if (argv.len)
		/* A tracer that does not follow the pointer gives it. */
		return argv.len > 2 && memcmp(argv.at, "0x", 2) == 0 ? (struct slice){ "", 0 } : argv;
	for (uint32_t i = 0, n = 0; i < calls->record->shape->n; i++) {
		char key[NUMBER_TEXT + 8];
		struct slice value = calls->record->value[i];

		snprintf(key, sizeof key, "argv.%u", n);
		if (!slice_equal(calls->record->shape->key[i], slice_of(key)))
			continue;
		if (len + value.len + 1 > FILES_TEXT_MAX)
			break;
		*to = memory_grow(*to, &room, len + value.len + 1, 1);
		if (n++)
			(*to)[len++] = ' ';
		memcpy(*to + len, value.at, value.len);
		len += value.len;
	}
	return (struct slice){ *to, len };
}

static struct text *keep_argv(struct calls *calls)
{
	char *joined;
	struct slice argv = argv_of(calls, &joined);
	struct text *kept = keep(calls, argv);

	free(joined);
	return kept;
}

static int64_t fcntl_command(struct calls *calls)
{
	struct slice cmd = text(calls, CMD);

	if (slice_equal(cmd, SLICE("F_DUPFD")))
		return SYSCALL_DUPFD;
	if (slice_equal(cmd, SLICE("F_SETFD")))
		return F_SETFD_;
	return slice_equal(cmd, SLICE("F_DUPFD_CLOEXEC")) ? SYSCALL_DUPFD_CLOEXEC : number_or(calls, CMD, -1);
}

static enum syscall_cloexec cloexec_of(struct calls *calls, const struct syscall *syscall)
{
	uint64_t flags;

	if (syscall->cloexec != CLOEXEC_BY_FLAGS)
		return syscall->cloexec;
	if (!number(calls, syscall->does == SYSCALL_SOCKET ? TYPE : FLAGS, &flags))
		return CLOEXEC_UNKNOWN;
	return flags & syscall->flag ? CLOEXEC_YES : CLOEXEC_NO;
}

static void begin_socket(struct calls *calls, struct call *call)
{
	struct address address = {
		.family = (int32_t)number_or(calls, FAMILY, -1),
		.type = (int32_t)number_or(calls, TYPE, -1),
		.protocol = (int32_t)number_or(calls, PROTOCOL, -1),
	};
	char to[ADDRESS_TEXT];

	if (address.type >= 0)
		address.type &= 0xf;	/* SOCK_CLOEXEC and SOCK_NONBLOCK are above */
	set_path(call, keep(calls, address_text(&address, to)));
	call->file = file_new(text_hold(call->path));
	call->file->family = address.family;
	call->file->type = address.type;
	call->file->protocol = address.protocol;
}

static void see(struct calls *calls, const struct record *record, int64_t ts)
{
	calls->record = record;
	calls->blind = ts <= calls->threads->gap_until;
}

void calls_begin(struct calls *calls, const struct record *record, struct thread *thread,
		 const struct syscall *syscall, int64_t ts)
{
	struct process *process = calls_process(calls, thread);
	struct call *call = &thread->call;

	see(calls, record, ts);
	call->syscall = syscall;
	call->epoch = calls->blind ? UINT64_MAX : calls->processes->epoch;
	call->version = calls->processes->version;
	call->argument = -1;
	take_arguments(calls, syscall, process, call);
	call->cloexec = cloexec_of(calls, syscall);
	switch (syscall->does) {
	case SYSCALL_MAKES:
		/* signalfd may also change one that there is. */
		if (syscall->makes && call->fd < 0)
			set_path(call, keep(calls, slice_of(syscall->makes)));
		break;
	case SYSCALL_MEMFD:
		set_path(call, text_new(calls->processes, SLICE("memfd:"), text(calls, UNAME), SLICE("")));
		break;
	case SYSCALL_SOCKET: begin_socket(calls, call); break;
	case SYSCALL_CONNECT: begin_connect(calls, call); break;
	case SYSCALL_DUP2:
		call->argument = descriptor(calls, NEWFD);
		if (call->argument != call->fd && !calls->blind)
			begin_change(calls, process, call->argument);
		break;
	case SYSCALL_FCNTL:
		call->argument = fcntl_command(calls);
		call->argument2 = (uint64_t)number_or(calls, ARG, FD_CLOEXEC_);
		if (process && call->argument == F_SETFD_)
			begin_flag(files_find(calls->processes, process->files, call->fd));
		break;
	case SYSCALL_IOCTL:
		call->argument = number_or(calls, CMD, -1);
		if (process && (call->argument == FIOCLEX_ || call->argument == FIONCLEX_))
			begin_flag(files_find(calls->processes, process->files, call->fd));
		break;
	case SYSCALL_CLOSE:
		if (!calls->blind)
			begin_change(calls, process, call->fd);
		break;
	case SYSCALL_CLOSE_RANGE: begin_close_range(calls, process, call); break;
	case SYSCALL_WORKS: call->argument = descriptor(calls, EPFD); break;
	case SYSCALL_UNSHARE: call->argument = number_or(calls, UNSHARE_FLAGS, -1); break;
	case SYSCALL_CLONE: call->argument = number_or(calls, FLAGS, -1); break;
	case SYSCALL_EXEC: call->argv = keep_argv(calls); break;
	default: break;
	}
}

/*
 * FD is a new descriptor of FILE (NULL: of something). Where a close of FD is under way, that has been before,
 * as FD was free; but when nothing is known to have been there to be closed, it may still come.
 */
static void install(struct calls *calls, struct process *process, const struct call *call, int64_t fd,
		    struct file *file)
{
	struct descriptor *at = files_find(calls->processes, process->files, fd);

	if (at && at->changing && !at->file)
		return;
	files_set(calls->processes, process->files, fd, file, call->cloexec != CLOEXEC_NO);
}

static void install_path(struct calls *calls, struct process *process, const struct call *call, int64_t fd)
{
	struct file *file = call->path ? file_new(text_hold(call->path)) : NULL;

	install(calls, process, call, fd, file);
	file_drop(file);
}

static void end_pipe(struct calls *calls, struct process *process, struct call *call, struct span_call *told)
{
	char id[NUMBER_TEXT];

	told->fd = descriptor(calls, FILDES_0);
	if (told->fd < 0)
		return;
	set_path(call, text_new(calls->processes, SLICE("pipe:"), SLICE(""),
				(struct slice){ id, number_put_u64(id, ++calls->processes->pipes) }));
	install_path(calls, process, call, told->fd);
	install_path(calls, process, call, descriptor(calls, FILDES_1));
}

/* What FD stands for was not known and is now, unless something changed it since the call began. */
static struct file *learn(struct calls *calls, struct process *process, const struct call *call, int64_t fd,
			  struct slice name)
{
	struct descriptor *at = files_find(calls->processes, process->files, fd);
	struct file *file;

	if (at || fd < 0 || !files_same(process->files, fd, call->version))
		return NULL;
	file = file_new(keep(calls, name));
	/* Whether an exec closes it is not known. */
	files_set(calls->processes, process->files, fd, file, true);
	return file;
}

/* A socket of which no more was known accepts connections of the family of ADDRESS. */
static void learn_listener(struct calls *calls, struct process *process, const struct call *call,
			   const struct address *address)
{
	struct file *file = file_hold(call->file);
	char to[ADDRESS_TEXT];
	struct text *name = keep(calls, address_text(address, to));

	if (!file)
		file = learn(calls, process, call, call->fd, text_slice(name));
	else if (slice_equal(text_slice(file->name), SLICE("socket:")))
		file_rename(file, name);
	text_drop(name);
	if (file) {
		file->family = address->family;
		file->type = address->type;
	}
	file_drop(file);
}

static void end_accept(struct calls *calls, struct process *process, struct call *call, int64_t ret)
{
	struct address address = {
		.family = call->file ? call->file->family : -1,
		.type = call->file ? call->file->type : -1,
		.protocol = call->file ? call->file->protocol : -1,
	};
	int64_t family = number_or(calls, FAMILY, -1);
	struct file *file;
	char to[ADDRESS_TEXT];

	if (address.family < 0 && address_is_known(family)) {
		/* What accepts connections on the internet is TCP, but for SCTP, which is rare. */
		address.family = (int32_t)family;
		address.type = ADDRESS_STREAM;
		learn_listener(calls, process, call, &address);
	}
	if (family == address.family)
		address_read(&address, &calls->addresses, calls->record, number_or(calls, SPORT, -1));
	set_path(call, keep(calls, address_text(&address, to)));
	file = file_new(text_hold(call->path));
	file->family = address.family;
	file->type = address.type;
	file->protocol = address.protocol;
	install(calls, process, call, ret, file);
	file_drop(file);
}

static void end_connect(struct calls *calls, struct process *process, struct call *call, int64_t ret)
{
	struct file *file = call->file;

	/* A connection that is not made yet will be, or the socket is of no use. */
	if (!call->path || (ret != 0 && ret != -EINPROGRESS_ && ret != -EALREADY_ && ret != -EISCONN_ &&
			    ret != -EINTR_ && ret != -ERESTARTSYS_))
		return;
	if (file) {
		file_rename(file, call->path);
		return;
	}
	file = learn(calls, process, call, call->fd, text_slice(call->path));
	if (file)
		file->family = (int32_t)call->argument;
	file_drop(file);
}

/* It succeeded, so what it works on is of the kind on which it does. */
static void end_works(struct calls *calls, struct process *process, struct call *call)
{
	int64_t fd = call->argument >= 0 ? call->argument : call->fd;
	struct slice kind = slice_of(call->syscall->makes);

	if (call->file && call->fd == fd)
		return;
	file_drop(learn(calls, process, call, fd, kind));
	if (!call->path && call->fd == fd)
		call->path = keep(calls, kind);
}

static void end_dup(struct calls *calls, struct process *process, struct call *call, int64_t ret)
{
	/* What was duplicated is in doubt when another thread has changed it meanwhile. */
	bool sure = call->file && (files_known(calls->processes, process->files, call->fd) == call->file);

	install(calls, process, call, ret, sure ? call->file : NULL);
}

static void end_dup2(struct calls *calls, struct process *process, struct call *call, int64_t ret)
{
	if (call->argument == call->fd)
		return;
	if (!end_change(calls, process, call, call->argument))
		install(calls, process, call, call->argument, NULL);
	else if (ret >= 0)
		end_dup(calls, process, call, ret);
}

static void end_range_each(struct processes *processes, struct files *files, int64_t fd, void *data)
{
	const struct call *call = data;
	struct descriptor *at = files_find(processes, files, fd);

	if (!at || at->version > call->version)
		return;
	if (call->argument2 & CLOSE_RANGE_UNSHARE_ && call->argument2 & CLOSE_RANGE_CLOEXEC_)
		at->cloexec = true;
	else if (call->argument2 & CLOSE_RANGE_CLOEXEC_)
		end_flag(at, call, true);
	else
		files_set(processes, files, fd, NULL, false);
}

/* A failed one has closed nothing: its arguments were wrong; what it marked stays in doubt. */
static void end_close_range(struct calls *calls, struct thread *thread, struct call *call, int64_t ret)
{
	uint32_t first = (uint32_t)call->argument, last = (uint32_t)(call->argument2 >> 32);

	if (ret != 0)
		return;
	if (call->argument2 & CLOSE_RANGE_UNSHARE_)
		processes_unshare(calls->processes, &thread->process);
	files_each(calls->processes, thread->process->files, first, last, end_range_each, call);
}

static void change_directory(struct process *process, struct text *path)
{
	text_drop(process->cwd);
	process->cwd = !process->lost_cwd && is_absolute(text_slice(path)) ? text_hold(path) : NULL;
}

/* What a call that succeeded has done to its process. */
static void apply(struct calls *calls, struct thread *thread, struct process *process, struct call *call,
		  int64_t ret, struct span_call *told)
{
	switch (call->syscall->does) {
	case SYSCALL_OPENS:
	case SYSCALL_MEMFD:
	case SYSCALL_FOREIGN: install_path(calls, process, call, ret); break;
	case SYSCALL_MAKES:
		if (call->fd < 0)
			install_path(calls, process, call, ret);
		break;
	case SYSCALL_SOCKET: install(calls, process, call, ret, call->file); break;
	case SYSCALL_ACCEPT: end_accept(calls, process, call, ret); break;
	case SYSCALL_PIPE: end_pipe(calls, process, call, told); break;
	case SYSCALL_DUP: end_dup(calls, process, call, ret); break;
	case SYSCALL_FCNTL:
		if (call->argument == F_SETFD_)
			end_flag(files_find(calls->processes, process->files, call->fd), call,
				 call->argument2 & FD_CLOEXEC_);
		call->cloexec = call->argument == SYSCALL_DUPFD ? CLOEXEC_NO : CLOEXEC_YES;
		if (call->argument == SYSCALL_DUPFD || call->argument == SYSCALL_DUPFD_CLOEXEC)
			end_dup(calls, process, call, ret);
		break;
	case SYSCALL_IOCTL:
		if (call->argument == FIOCLEX_ || call->argument == FIONCLEX_)
			end_flag(files_find(calls->processes, process->files, call->fd), call,
				 call->argument == FIOCLEX_);
		break;
	case SYSCALL_WORKS: end_works(calls, process, call); break;
	case SYSCALL_EXEC:
		/* Unless its event has told it already. */
		if (call->argument != EXEC_IS_TOLD)
			processes_exec(calls->processes, process, text_hold(call->path),
				       text_hold(call->argv));
		break;
	case SYSCALL_CHDIR:
	case SYSCALL_FCHDIR: change_directory(process, call->path); break;
	case SYSCALL_UNSHARE:
		if (call->argument & CLONE_FS_)
			change_directory(process, NULL);
		if (call->argument & CLONE_FILES_)
			processes_unshare(calls->processes, &thread->process);
		break;
	default: break;
	}
}

static bool returns_descriptor(const struct call *call)
{
	if (call->syscall->does == SYSCALL_FCNTL)
		return call->argument == SYSCALL_DUPFD || call->argument == SYSCALL_DUPFD_CLOEXEC;
	return syscalls_makes_descriptor(call->syscall);
}

/* The exit of the call that made the descriptor may come after the entry of one that uses it. */
static void look_again(struct calls *calls, struct process *process, struct call *call)
{
	struct file *file = files_come(calls->processes, process->files, call->fd, call->version);

	call->file = file_hold(file);
	call->path = text_hold(file ? file->name : NULL);
}

static void end_call(struct calls *calls, struct thread *thread, int64_t ret, struct span_call *told)
{
	struct process *process = calls_process(calls, thread);
	struct call *call = &thread->call;

	if (!process || calls->blind || call->epoch != calls->processes->epoch)
		return;
	if (ret >= 0 && call->came_later && !call->file && !call->path)
		look_again(calls, process, call);
	switch (call->syscall->does) {
	case SYSCALL_CLOSE:
		/* Whatever it returns, the descriptor is gone, or was none. */
		if (call->fd >= 0 && end_change(calls, process, call, call->fd))
			files_set(calls->processes, process->files, call->fd, NULL, false);
		break;
	case SYSCALL_DUP2: end_dup2(calls, process, call, ret); break;
	case SYSCALL_CLOSE_RANGE: end_close_range(calls, thread, call, ret); break;
	case SYSCALL_CONNECT: end_connect(calls, process, call, ret); break;
	default:
		if (ret >= 0)
			apply(calls, thread, process, call, ret, told);
		break;
	}
}

/* A path whose page was not there at the entry: collect-syscalls tells it with the exit. */
static void take_late_path(struct calls *calls, struct call *call)
{
	uint16_t at = places_of(calls, calls->record->shape).path;
	struct slice path = at ? calls->record->value[at - 1] : (struct slice){ "", 0 };

	if (call->syscall->does == SYSCALL_SYMLINK)
		path = text(calls, NEWNAME);
	if (path.len)
		set_path(call, keep(calls, path));
}

void calls_end(struct calls *calls, const struct record *record, struct thread *thread, int64_t ts,
	       struct span_call *told)
{
	struct call *call = &thread->call;
	uint64_t value;
	int64_t ret = 0;
	bool returned;

	see(calls, record, ts);
	returned = record && number(calls, RET, &value);
	told->fd = call->fd;
	told->bytes = -1;
	told->error = (struct slice){ "", 0 };
	if (returned) {
		ret = (int64_t)value;
		take_late_path(calls, call);
		end_call(calls, thread, ret, told);
		if (ret < 0 && ret >= -4095)
			told->error = syscalls_error(-ret);
		else if (call->syscall->bytes)
			told->bytes = ret;
		if (ret >= 0 && returns_descriptor(call))
			told->fd = descriptor_of(value);
	}
	told->path = text_slice(call->path);
	if (call->fd >= 0 && !(returned && ret == -EBADF_)) {
		calls->asked++;
		calls->answered += told->path.len > 0;
	}
}

void calls_fork(struct calls *calls, struct thread *parent, struct thread *child)
{
	struct process *process = parent ? calls_process(calls, parent) : NULL;
	bool same = process && process->pid == child->pid;
	int64_t flags = -1;

	if (parent && parent->call.open && parent->call.syscall &&
	    parent->call.syscall->does == SYSCALL_CLONE)
		flags = parent->call.argument;
	/* Of fork, vfork, and where the flags are not traced: threads share all, processes nothing. */
	processes_fork(calls->processes, process, &child->process, child->pid,
		       flags < 0 ? same : flags & CLONE_FILES_, flags < 0 ? same : flags & CLONE_FS_);
}

void calls_exec(struct calls *calls, const struct record *record, struct thread *thread, struct slice path)
{
	struct process *process = calls_process(calls, thread);
	struct call *call = &thread->call;
	bool calling = call->open && call->syscall && call->syscall->does == SYSCALL_EXEC;
	struct text *argv;

	if (!process)
		return;
	calls->record = record;
	argv = keep_argv(calls);
	if (!argv && calling)
		argv = text_hold(call->argv);
	if (calling)
		call->argument = EXEC_IS_TOLD;
	processes_exec(calls->processes, process,
		       path.len ? keep(calls, path) : text_hold(calling ? call->path : NULL), argv);
}

/* What the dump says of a table follows what it says of its first thread. */
void calls_dump_thread(struct calls *calls, const struct record *record, struct thread *thread)
{
	struct process *process = calls_process(calls, thread);
	uint64_t address;

	calls->record = record;
	if (process && number(calls, DUMP_TABLE, &address))
		processes_address(calls->processes, process, address);
}

/* Kernel names of what spans name otherwise. */
static struct text *dumped_name(struct calls *calls, struct slice name)
{
	static const struct {
		const char *kernel, *ours;
	} names[] = {
		{ "anon_inode:[eventpoll]", "epoll:" }, { "anon_inode:[eventfd]", "eventfd:" },
		{ "anon_inode:[signalfd]", "signalfd:" }, { "anon_inode:[timerfd]", "timerfd:" },
		{ "anon_inode:inotify", "inotify:" }, { "anon_inode:[fanotify]", "fanotify:" },
		{ "anon_inode:[userfaultfd]", "userfaultfd:" }, { "anon_inode:[perf_event]", "perf_event:" },
		{ "anon_inode:[pidfd]", "pidfd:" }, { "anon_inode:[io_uring]", "io_uring:" },
	};
	struct slice memfd = SLICE("/memfd:"), deleted = SLICE(" (deleted)");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_equal(name, slice_of(names[i].kernel)))
			return keep(calls, slice_of(names[i].ours));
	if (name.len > memfd.len + deleted.len && memcmp(name.at, memfd.at, memfd.len) == 0 &&
	    memcmp(name.at + name.len - deleted.len, deleted.at, deleted.len) == 0)
		name = (struct slice){ name.at + 1, name.len - 1 - deleted.len };
	return keep(calls, name);
}

void calls_dump_file(struct calls *calls, const struct record *record, int64_t ts)
{
	struct process *process;
	struct files *files;
	struct thread *thread;
	uint64_t address, flags;
	int64_t fd, pid;
	struct file *file;

	see(calls, record, ts);
	fd = descriptor(calls, FD);
	pid = number_or(calls, DUMP_PID, -1);
	if (number(calls, DUMP_TABLE, &address)) {
		files = processes_by_address(calls->processes, address);
	} else {
		/* Tracers before LTTng 2.12 tell the process instead. */
		thread = pid > 0 ? threads_at(calls->threads, pid, ts) : NULL;
		if (thread && thread->pid < 0)
			thread->pid = pid;
		process = thread ? calls_process(calls, thread) : NULL;
		files = process ? process->files : NULL;
	}
	if (!files || fd < 0 || calls->blind || files_find(calls->processes, files, fd))
		return;
	file = file_new(dumped_name(calls, text(calls, DUMP_FILENAME)));
	files_set(calls->processes, files, fd, file, !number(calls, FLAGS, &flags) || flags & O_CLOEXEC_);
	file_drop(file);
}
