// SPDX-License-Identifier: MIT
#include "babeltrace/textfeed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "babeltrace/babeltext.h"
#include "base/memory.h"
#include "base/message.h"

/* Sums up ev=lost as it passes. */
static void see(void *data, struct slice line)
{
	static const char lost[] = "\tev=lost\t", number[] = "\tn=";
	struct textfeed_sum *sum = data;
	const char *ev = memchr(line.at, '\t', line.len), *n;
	size_t left = ev ? line.len - (size_t)(ev - line.at) : 0;
	uint64_t events;

	sum->records++;
	if (left < sizeof lost - 1 || memcmp(ev, lost, sizeof lost - 1) != 0)
		return;
	sum->places++;
	n = memmem(ev, left, number, sizeof number - 1);
	if (n) {
		const char *end = line.at + line.len;

		n += sizeof number - 1;
		end = memchr(n, '\t', (size_t)(end - n)) ? memchr(n, '\t', (size_t)(end - n)) : end - 1;
		if (number_u64((struct slice){ n, (size_t)(end - n) }, &events)) {
			sum->events += events;
			return;
		}
	}
	sum->unknown = true;
}

static void work(struct textfeed *feed, int fd, const char *name, struct selection *selection,
		 uint32_t source)
{
	struct ring_writer out;
	bool complete;

	ring_produce_lines(&out, feed->ring, source, see, feed->sum);
	complete = babeltext_convert(fd, name, selection, &out.writer);
	writer_flush(&out.writer);
	ring_over(feed->ring);
	_exit(complete ? EXIT_COMPLETE : EXIT_FAILED);
}

/* One that this process no longer wants (a closed pipe) shall not be left behind. */
static pid_t *pids;
static size_t n_pids, room;

static void end_at_exit(void)
{
	for (size_t i = 0; i < n_pids; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static void forget(pid_t pid)
{
	for (size_t i = 0; i < n_pids; i++)
		if (pids[i] == pid)
			pids[i] = pids[--n_pids];
}

bool textfeed_start(struct textfeed *feed, const char *name, struct selection *selection, struct bell *bell,
		    uint32_t source)
{
	bool is_stdin = strcmp(name, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	pid_t parent = getpid();

	if (fd < 0) {
		message("cannot open %s: %m", name);
		return false;
	}
	feed->ring = ring_new(bell);
	feed->sum = mmap(NULL, sizeof *feed->sum, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!feed->ring || feed->sum == MAP_FAILED)
		message_die("cannot make shared memory: %m");
	feed->pid = fork();
	if (feed->pid < 0)
		message_die("cannot fork: %m");
	if (feed->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILED);
		n_pids = 0;
		work(feed, fd, is_stdin ? "stdin" : name, selection, source);
	}
	if (!pids)
		atexit(end_at_exit);
	pids = memory_grow(pids, &room, n_pids + 1, sizeof *pids);
	pids[n_pids++] = feed->pid;
	/* Here it is not read, and Ctrl-C must not end this process before the rest has come. */
	if (is_stdin && !isatty(fd) && lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE)
		signal(SIGINT, SIG_IGN);
	if (!is_stdin)
		close(fd);
	return true;
}

static bool reap(struct textfeed *feed, int options)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(feed->pid, &status, options)) < 0 && errno == EINTR)
		continue;
	if (pid != feed->pid)
		return false;
	forget(pid);
	feed->pid = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_COMPLETE ? 0 : -1;
	return true;
}

void textfeed_look_after(struct textfeed *feed)
{
	if (feed->pid > 0 && reap(feed, WNOHANG))
		ring_over(feed->ring);
}

bool textfeed_end(struct textfeed *feed)
{
	if (feed->pid > 0)
		reap(feed, 0);
	ring_free(feed->ring);
	return feed->pid == 0;
}
