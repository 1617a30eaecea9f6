// SPDX-License-Identifier: MIT
// pkg-config: babeltrace2
#include "babeltrace/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"

enum {
	MEMORY_MAX = 1 << 30,	/* of a child's data */
	LOG_MAX = 16 << 20,	/* of what it says on stderr */
	IDLE_SECONDS = 4,	/* of computing without progress, and for each GiB that is being indexed */
	EXIT_HUNG = 70,
};

enum open_state { UNTOUCHED, OPENED, REFUSED };

struct crew_board {
	struct bell bell;
	struct start start;
	_Atomic uint32_t opening;		/* the trace that is being opened, from 1 */
	_Atomic uint32_t is_open;		/* all are tried */
	_Atomic uint64_t beat;			/* the nursery's */
	_Atomic uint32_t n_streams;
	uint32_t n_workers;
	struct selection window;		/* not used but for its times */
	uint8_t state[TRACES_MAX];
	char reason[TRACES_MAX][BABELTRACE_TEXT];
	struct share *shares;
	struct stream streams[STREAMS_MAX];
};

static struct crew *at_exit;

static void end_at_exit(void)
{
	if (at_exit)
		crew_end(at_exit);
}

void crew_new(struct crew *crew, uint32_t workers)
{
	size_t shares = workers * sizeof(struct share);
	char *map;

	*crew = (struct crew){ .room = workers, .nursery = -1, .go = -1 };
	map = mmap(NULL, sizeof *crew->board + shares + 64, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	crew->log = memfd_create("stderr", MFD_CLOEXEC);
	if (map == MAP_FAILED || crew->log < 0)
		message_die("cannot make shared memory: %m");
	crew->board = (struct crew_board *)(void *)map;
	crew->board->shares = (struct share *)(void *)(map + (sizeof *crew->board + 63) / 64 * 64);
	for (uint32_t i = 0; i < workers; i++) {
		struct share *share = &crew->board->shares[i];

		share->ring = ring_new(&crew->board->bell);
		if (!share->ring)
			message_die("cannot make shared memory: %m");
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	at_exit = crew;
	atexit(end_at_exit);
}

/* ---- children ---- */

static _Atomic uint64_t *heart;	/* what a child that makes progress changes */
static volatile int patience = IDLE_SECONDS;

/* Once in a second of computing. */
static void listen_to_heart(int signal)
{
	static uint64_t last;
	static int idle;

	(void)signal;
	if (atomic_load(heart) != last)
		idle = 0;
	else if (++idle >= patience)
		_exit(EXIT_HUNG);
	last = atomic_load(heart);
}

static void confine(struct crew *crew, pid_t parent, _Atomic uint64_t *beat)
{
	const struct rlimit none = { 0, 0 }, log = { LOG_MAX, LOG_MAX };
	const struct itimerval second = { { 1, 0 }, { 1, 0 } };
	struct sigaction action = { .sa_handler = listen_to_heart, .sa_flags = SA_RESTART };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILED);
	at_exit = NULL;
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	dup2(crew->log, STDERR_FILENO);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_FSIZE, &log);
#ifndef __SANITIZE_ADDRESS__
	const struct rlimit data = { MEMORY_MAX, MEMORY_MAX };

	setrlimit(RLIMIT_DATA, &data);
#endif
	heart = beat;
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &second, NULL);
}

/* Leaves without ending what the parent began; a coverage build's counts are kept. */
extern void __gcov_dump(void) __attribute__((weak));
static void leave(int status)
{
	if (__gcov_dump)
		__gcov_dump();
	_exit(status);
}

/* What a child died of, with the last line that it (GLib, perhaps) said. */
static void say_death(const struct crew *crew, int status, char *reason)
{
	char log[1024], *line;
	off_t end = lseek(crew->log, 0, SEEK_END), from = end > 1000 ? end - 1000 : 0;
	ssize_t n = pread(crew->log, log, sizeof log - 1, from);

	while (n > 0 && (log[n - 1] == '\n' || log[n - 1] == '\0'))
		n--;
	log[n > 0 ? n : 0] = '\0';
	line = strrchr(log, '\n');
	line = line ? line + 1 : log;
	if (ftruncate(crew->log, 0) == 0)
		lseek(crew->log, 0, SEEK_SET);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_HUNG)
		snprintf(reason, BABELTRACE_TEXT, "libbabeltrace2 hangs");
	else if (WIFSIGNALED(status))
		snprintf(reason, BABELTRACE_TEXT, "libbabeltrace2 died: %s%s%.200s",
			 strsignal(WTERMSIG(status)), *line ? ": " : "", line);
	else
		snprintf(reason, BABELTRACE_TEXT, "libbabeltrace2 ended%s%.200s", *line ? ": " : "", line);
}

static void work(struct crew *crew, struct babeltrace *babeltrace, uint32_t number,
		 struct selection *selection)
{
	struct crew_board *board = crew->board;

	babeltrace_decode(babeltrace, crew->traces, board->streams, atomic_load(&board->n_streams), number,
			  &board->shares[number], &board->start, selection);
	leave(EXIT_COMPLETE);
}

static pid_t hire(struct crew *crew, struct babeltrace *babeltrace, uint32_t number,
		  struct selection *selection)
{
	pid_t parent = getpid(), pid = fork();

	if (pid > 0)
		atomic_store(&crew->board->shares[number].pid, pid);
	if (pid == 0) {
		confine(crew, parent, &crew->board->shares[number].beat);
		work(crew, babeltrace, number, selection);
	}
	return pid;
}

/* A worker died: its stream is given up, or all of them when we cannot tell which one it was. */
static void bury(struct crew *crew, uint32_t number, int status)
{
	struct share *share = &crew->board->shares[number];
	uint32_t current = atomic_load(&share->current), n = atomic_load(&crew->board->n_streams);
	char reason[BABELTRACE_TEXT];

	say_death(crew, status, reason);
	for (uint32_t i = 0; i < n; i++) {
		struct stream *stream = &crew->board->streams[i];

		if (stream->worker != number || atomic_load(&stream->state) != STREAM_OPEN ||
		    (current < n && i != current))
			continue;
		memcpy(stream->reason, reason, sizeof reason);
		atomic_store(&stream->state, STREAM_BROKEN);
	}
}

static void nurse(struct crew *crew, struct babeltrace *babeltrace, struct selection *selection)
{
	uint32_t n = crew->board->n_workers, left = 0;
	pid_t *pids = memory_get(n * sizeof *pids), pid;
	int status;

	for (uint32_t i = 0; i < n; i++) {
		pids[i] = hire(crew, babeltrace, i, selection);
		left += pids[i] > 0;
		if (pids[i] < 0)
			bury(crew, i, 0);
	}
	while (left && ((pid = wait(&status)) > 0 || errno == EINTR)) {
		uint32_t i = 0;

		while (i < n && pids[i] != pid)
			i++;
		if (pid < 0 || i == n)
			continue;
		left--;
		if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
		    atomic_load(&crew->board->shares[i].ring->over))
			continue;
		bury(crew, i, status);
		atomic_fetch_add(&crew->board->beat, 1);
		pids[i] = hire(crew, babeltrace, i, selection);
		left += pids[i] > 0;
	}
	for (uint32_t i = 0; i < n; i++)
		ring_over(crew->board->shares[i].ring);
}

static void list_streams(struct crew *crew, struct babeltrace *babeltrace, uint32_t trace)
{
	struct crew_board *board = crew->board;
	uint64_t ports = babeltrace_ports(babeltrace, trace);

	for (uint64_t i = 0; i < ports && board->n_streams < STREAMS_MAX; i++) {
		struct stream *stream = &board->streams[board->n_streams];

		memset(stream, 0, sizeof *stream);
		snprintf(stream->port, sizeof stream->port, "%s", babeltrace_port(babeltrace, trace, i));
		stream->trace = trace;
		board->n_streams++;
	}
}

static void open_traces(struct crew *crew, struct babeltrace *babeltrace)
{
	struct crew_board *board = crew->board;

	board->n_streams = 0;
	for (uint32_t i = 0; i < crew->n_traces; i++) {
		if (board->state[i] == REFUSED)
			continue;
		atomic_store(&board->opening, i + 1);
		patience = IDLE_SECONDS * (int)(1 + (crew->traces[i].bytes >> 30));
		if (babeltrace_open(babeltrace, i, &crew->traces[i], board->reason[i])) {
			list_streams(crew, babeltrace, i);
			board->state[i] = OPENED;
		} else {
			board->state[i] = REFUSED;
		}
		atomic_fetch_add(&board->beat, 1);
	}
	patience = IDLE_SECONDS;
	atomic_store(&board->opening, 0);
	atomic_store(&board->is_open, 1);
	bell_ring(&board->bell);
}

static void be_nursery(struct crew *crew, pid_t parent, int go)
{
	struct selection *selection;
	struct babeltrace *babeltrace;
	char why[BABELTRACE_TEXT];

	confine(crew, parent, &crew->board->beat);
	babeltrace = babeltrace_load(why);
	if (!babeltrace) {
		snprintf(crew->board->reason[0], sizeof crew->board->reason[0], "%s", why);
		leave(EXIT_USAGE);
	}
	open_traces(crew, babeltrace);
	if (read(go, &selection, sizeof selection) == sizeof selection)
		nurse(crew, babeltrace, selection);
	leave(EXIT_COMPLETE);
}

/* ---- this process ---- */

static bool fork_nursery(struct crew *crew)
{
	pid_t parent = getpid();
	int pipes[2];

	if (pipe(pipes))
		message_die("cannot make a pipe: %m");
	crew->nursery = fork();
	if (crew->nursery < 0)
		message_die("cannot fork: %m");
	if (crew->nursery == 0) {
		close(pipes[1]);
		be_nursery(crew, parent, pipes[0]);
	}
	close(pipes[0]);
	crew->go = pipes[1];
	return true;
}

/* Until the nursery has tried all traces; false: it died. */
static bool wait_open(struct crew *crew, int *status)
{
	struct crew_board *board = crew->board;

	while (!atomic_load(&board->is_open)) {
		if (waitpid(crew->nursery, status, WNOHANG) == crew->nursery) {
			crew->nursery = -1;
			return atomic_load(&board->is_open);
		}
		atomic_store(&board->bell.waiting, 1);
		if (!atomic_load(&board->is_open))
			bell_wait(&board->bell, 20000000);
	}
	return true;
}

/* `ID | CLASS | STREAM`: numbers in their order, not that of their digits. */
static int compare_ports(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a >= '0' && *a <= '9' && *b >= '0' && *b <= '9') {
		size_t digits_a = strspn(a, "0123456789"), digits_b = strspn(b, "0123456789");

		if (digits_a != digits_b)
			return digits_a < digits_b ? -1 : 1;
	} else if ((*a >= '0' && *a <= '9') != (*b >= '0' && *b <= '9')) {
		return *a >= '0' && *a <= '9' ? 1 : -1;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static int compare_streams(const void *a, const void *b)
{
	const struct stream *one = a, *two = b;

	if (one->trace != two->trace)
		return one->trace < two->trace ? -1 : 1;
	return compare_ports(one->port, two->port);
}

bool crew_open(struct crew *crew, struct trace *traces, size_t n)
{
	struct crew_board *board = crew->board;

	if (crew->nursery > 0)
		crew_end(crew);
	if (n > TRACES_MAX)
		message_die("cannot read more than %d traces at once", TRACES_MAX);
	crew->traces = traces;
	crew->n_traces = n;
	memset(board->state, UNTOUCHED, sizeof board->state);
	for (;;) {
		int status = 0;
		uint32_t opening;

		atomic_store(&board->is_open, 0);
		atomic_store(&board->opening, 0);
		fork_nursery(crew);
		if (wait_open(crew, &status))
			break;
		opening = atomic_load(&board->opening);
		if (opening == 0) {
			message("cannot use libbabeltrace2: %s", board->reason[0]);
			return false;
		}
		close(crew->go);
		board->state[opening - 1] = REFUSED;
		say_death(crew, status, board->reason[opening - 1]);
	}
	qsort(board->streams, board->n_streams, sizeof *board->streams, compare_streams);
	for (uint32_t i = 0; i < board->n_streams; i++)
		board->streams[i].order = i;
	return true;
}

const char *crew_refusal(const struct crew *crew, size_t trace)
{
	return crew->board->state[trace] == REFUSED ? crew->board->reason[trace] : NULL;
}

struct stream *crew_streams(const struct crew *crew, uint32_t *n)
{
	*n = crew->board->n_streams;
	return crew->board->streams;
}

struct share *crew_share(const struct crew *crew, uint32_t worker)
{
	return &crew->board->shares[worker];
}

struct bell *crew_bell(const struct crew *crew)
{
	return &crew->board->bell;
}

void crew_start(struct crew *crew, struct selection *selection)
{
	struct crew_board *board = crew->board;
	uint32_t n = board->n_streams < crew->room ? board->n_streams : crew->room;

	/* Neighbours are the CPUs of one channel, alike in size: dealt out in turn, each gets its part. */
	for (uint32_t i = 0; i < board->n_streams; i++)
		board->streams[i].worker = i % n;
	for (uint32_t i = 0; i < n; i++)
		atomic_store(&board->shares[i].current, UINT32_MAX);
	board->n_workers = n;
	crew->n_workers = n;
	/* The nursery is a copy of this process, and SELECTION at the same place there. */
	if (n && write(crew->go, &selection, sizeof selection) != sizeof selection)
		message("cannot start the decoders: %m");
}

void crew_begin(struct crew *crew, struct selection *selection)
{
	struct crew_board *board = crew->board;
	int64_t first = INT64_MAX;

	for (uint32_t i = 0; i < crew->n_workers; i++) {
		struct share *share = &board->shares[i];

		while (!atomic_load(&share->has_first) && !atomic_load(&share->ring->over)) {
			atomic_store(&board->bell.waiting, 1);
			if (!atomic_load(&share->has_first))
				bell_wait(&board->bell, 10000000);
			crew_look_after(crew);
		}
		if (atomic_load(&share->has_first) && share->first_ts < first)
			first = share->first_ts;
	}
	selection_start(selection, first == INT64_MAX ? 0 : first);
	board->start.begin_ns = selection->begin_ns;
	board->start.end_ns = selection->end_ns;
	atomic_store(&board->start.is_set, 1);
}

void crew_look_after(struct crew *crew)
{
	int status;

	if (crew->nursery < 0 || waitpid(crew->nursery, &status, WNOHANG) != crew->nursery)
		return;
	crew->nursery = -1;
	for (uint32_t i = 0; i < crew->n_workers; i++) {
		if (atomic_load(&crew->board->shares[i].ring->over))
			continue;
		bury(crew, i, status);
		ring_over(crew->board->shares[i].ring);
	}
}

void crew_stop(struct crew *crew)
{
	struct crew_board *board = crew->board;

	if (crew->nursery <= 0)
		return;
	crew_end(crew);
	for (uint32_t i = 0; i < board->n_streams; i++)
		if (atomic_load(&board->streams[i].state) == STREAM_OPEN)
			atomic_store(&board->streams[i].state, STREAM_ENDED);
	for (uint32_t i = 0; i < crew->n_workers; i++)
		ring_over(board->shares[i].ring);
}

void crew_end(struct crew *crew)
{
	if (crew->go >= 0)
		close(crew->go);
	crew->go = -1;
	if (crew->nursery <= 0)
		return;
	/* Unless all is done, and it ends by itself. The kernel kills the workers with it. */
	if (!crew->is_done)
		kill(crew->nursery, SIGKILL);
	while (waitpid(crew->nursery, NULL, 0) < 0 && errno == EINTR)
		continue;
	crew->nursery = -1;
	/* They are ours now (a subreaper's); those that the nursery has seen end are not found. */
	for (uint32_t i = 0; i < crew->n_workers && !crew->is_done; i++)
		while (waitpid(atomic_load(&crew->board->shares[i].pid), NULL, 0) < 0 && errno == EINTR)
			continue;
}
