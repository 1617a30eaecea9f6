/* SPDX-License-Identifier: MIT */
/*
 * The processes of a trace and the files that they have open: what each descriptor stands for.
 *
 * A process starts with nothing known; what its system calls open, duplicate and close is followed, its
 * children begin with a copy, an exec closes what is to be closed by it. A descriptor of which nothing is
 * known has no entry, just as one that is closed. After events were lost nothing is known any more, of any
 * process; of tables that several processes share, never again, since one may have left by an exec.
 *
 * Texts and open files are counted references: whoever keeps one holds it, and drops it.
 */
#ifndef WEIR_FILES_H
#define WEIR_FILES_H

#include "base/slice.h"

enum {
	FILES_MAX = 1 << 20,		/* descriptors known at a time; past that all are forgotten */
	FILES_TEXT_MAX = 16 << 10,	/* bytes of one text; a longer one is not known */
	FILES_TEXTS_MAX = 256 << 20,	/* bytes of all texts; past that new ones are not known */
};

struct processes;

/* A path, an address, a command line, in its escaped form. It does not change. */
struct text {
	struct processes *all;
	uint32_t holders;
	uint32_t len;
	char at[];
};

/* An open file, of which several descriptors may be duplicates. */
struct file {
	struct text *name;
	uint32_t holders;
	int32_t family;		/* of a socket; -1: it is none, or not known to be one */
	int32_t type;		/* -1: not known */
	int32_t protocol;
};

/* A descriptor of one table. */
struct descriptor {
	struct file *file;	/* NULL: not known */
	uint64_t version;	/* grows with each change of any descriptor */
	uint32_t changing;	/* calls under way that may close it, or put another file there */
	uint16_t flagging;	/* calls under way that may change the next: */
	bool cloexec;		/* an exec closes it, or may do so */
	bool overlap;		/* several of these calls were, at the same time: their order is not known */
};

enum { FILES_GONE = 8 };

/* The table of open files of one process, or of several. */
struct files {
	struct table *table;
	struct files *next, *before;
	uint64_t epoch;
	uint32_t processes;
	bool dark;		/* who shares it is not known: nothing is learnt any more */
	/* What was taken out lately, a ring: all that was since the version `since`. */
	struct {
		int64_t fd;
		uint64_t version;
	} gone[FILES_GONE];
	uint32_t gone_n;
	uint64_t since;
};

struct process {
	int64_t pid;
	uint32_t threads;	/* that hold it */
	uint64_t epoch;
	struct files *files;
	bool lost_cwd;		/* shared in ways that are not followed: never known again */
	struct text *cwd, *path, *argv;
};

struct processes {
	struct table *by_pid, *by_address;
	struct files *first;
	uint64_t epoch;		/* counts losses */
	uint64_t version;
	uint64_t pipes;
	size_t descriptors, text_bytes;
	uint64_t forgotten;	/* how often all was, because there were too many */
};

struct processes *processes_new(void);
void processes_free(struct processes *processes);

/* Events were lost. O(1). */
void processes_lost(struct processes *processes);

/*
 * The process PID for a thread that holds *HELD (NULL: none yet), made when it is new; *HELD holds it
 * then. NULL when PID is below 0. O(1).
 */
struct process *processes_at(struct processes *processes, struct process **held, int64_t pid);

/* What *HELD holds, nothing else: NULL when that is none. What was lost since is forgotten here. */
struct process *processes_held(struct processes *processes, struct process *held);
void processes_leave(struct processes *processes, struct process **held);

/*
 * A child of PARENT (NULL: not known) that is *HELD by its thread. SHARES_FILES, SHARES_CWD: as by clone's
 * flags. A thread of the same process that shares both is the same process.
 */
void processes_fork(struct processes *processes, struct process *parent, struct process **held, int64_t pid,
		    bool shares_files, bool shares_cwd);

/* The thread that holds *HELD gets a table of its own (unshare), with the same files. */
void processes_unshare(struct processes *processes, struct process **held);

/* An exec: closes what is to be closed. Takes over one hold of PATH and ARGV (each may be NULL). */
void processes_exec(struct processes *processes, struct process *process, struct text *path,
		    struct text *argv);

/* A dump of the tracer says that the table of a process has this address; and which one has it. */
void processes_address(struct processes *processes, struct process *process, uint64_t address);
struct files *processes_by_address(struct processes *processes, uint64_t address);
void processes_forget_addresses(struct processes *processes);

/* The descriptor's entry or NULL; made when it is not there. Valid until the next call. */
struct descriptor *files_find(struct processes *processes, struct files *files, int64_t fd);
struct descriptor *files_at(struct processes *processes, struct files *files, int64_t fd);

/* What the descriptor stands for without doubt, or NULL. Not held. */
struct file *files_known(struct processes *processes, struct files *files, int64_t fd);

/* True: what FD stood for at VERSION has not gone since. */
bool files_same(const struct files *files, int64_t fd, uint64_t version);

/* What FD stands for, when nothing was known of it at VERSION, if nothing else has been there since. */
struct file *files_come(struct processes *processes, struct files *files, int64_t fd, uint64_t version);

/* From now on FD is FILE (NULL: nothing is known), which is held. */
void files_set(struct processes *processes, struct files *files, int64_t fd, struct file *file, bool cloexec);

/* For each entry from FIRST to LAST: calls VISIT, which may change or remove that one. O(all entries). */
void files_each(struct processes *processes, struct files *files, uint64_t first, uint64_t last,
		void visit(struct processes *, struct files *, int64_t fd, void *data), void *data);

/* A file named NAME, of which one hold is taken over; held once. */
struct file *file_new(struct text *name);
struct file *file_hold(struct file *file);
void file_drop(struct file *file);
void file_rename(struct file *file, struct text *name);

/* The text A B C; NULL when it would be too long, or there are too many. */
struct text *text_new(struct processes *processes, struct slice a, struct slice b, struct slice c);
struct text *text_hold(struct text *text);
void text_drop(struct text *text);

static inline struct slice text_slice(const struct text *text)
{
	return text ? (struct slice){ text->at, text->len } : (struct slice){ "", 0 };
}

#endif
