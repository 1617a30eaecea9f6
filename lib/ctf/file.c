// SPDX-License-Identifier: MIT
#include "ctf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Thread_local sigjmp_buf *volatile ctf_file_guard;
static struct sigaction before_guard;

static void fault(int number, siginfo_t *info, void *context)
{
	if (ctf_file_guard)
		siglongjmp(*ctf_file_guard, 1);
	if (before_guard.sa_flags & SA_SIGINFO) {
		before_guard.sa_sigaction(number, info, context);
		return;
	}
	/* Not ours: what caused it is run again, and ends as it would have. */
	sigaction(SIGBUS, &before_guard, NULL);
}

static void install_guard(void)
{
	struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, &before_guard);
}

bool ctf_file_open(struct ctf_file *file, const char *path, char *error, size_t error_size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);	/* a fifo must not keep us */
	void *at = NULL;
	struct stat st;

	pthread_once(&once, install_guard);

	*file = (struct ctf_file){ .path = path, .repeats_from = UINT64_MAX };
	if (fd < 0 || fstat(fd, &st))
		goto failed;
	if (!S_ISREG(st.st_mode)) {
		snprintf(error, error_size, "it is not a file");
		close(fd);
		return false;
	}
	if (st.st_size) {
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			goto failed;
		/* Headers are looked at one by one: no more of a packet is read than is wanted. */
		madvise(at, (size_t)st.st_size, MADV_RANDOM);
	}
	close(fd);
	file->at = at;
	file->size = (uint64_t)st.st_size;
	return true;
failed:
	snprintf(error, error_size, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return false;
}

void ctf_file_close(struct ctf_file *file)
{
	if (file->at)
		munmap((void *)(uintptr_t)file->at, file->size);
	file->at = NULL;
}
