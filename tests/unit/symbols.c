// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf zlib
// library: iberty
/*
 * symbols [-k KALLSYMS] [-m MAPS] [-e ELF[@BASE]]: writes the stack for each line `PID[/EXEC] ADDRESS...` of a live
 * process, `saved ADDRESS...`, `kernel ADDRESS...` (hexadecimal, the innermost first; a leading `!`: it is
 * truncated). Other lines: `wait` (for a byte on descriptor 3), `unwind PID [BYTES]` (a process that is stopped).
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "check.h"
#include "stacks/symbols.h"
#include "stacks/unwind.h"

/* Where the stopped process is, from what the kernel gives a debugger. */
static size_t unwind(struct symbols *symbols, pid_t pid, size_t bytes, uint64_t *at, size_t max, bool *whole)
{
	static char copy[1 << 20];
	uint64_t words[64];
	struct iovec vector = { words, sizeof words };
	struct unwind state = { .stack = copy };
	char path[64];
	ssize_t n;
	int fd;

	CHECK(ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 && ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0);
	CHECK(waitpid(pid, NULL, __WALL) == pid);
	CHECK(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector) == 0);
	CHECK(unwind_registers(&state, words));
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
#ifdef __x86_64__
	n = pread(fd, copy, bytes, (off_t)state.registers[7]);
#else
	n = pread(fd, copy, bytes, (off_t)state.registers[31]);
#endif
	CHECK(n > 0 && close(fd) == 0);
	state.stack_bytes = (size_t)n;
	max = symbols_unwind(symbols, symbols_process(symbols, pid), &state, at, max, whole);
	CHECK(ptrace(PTRACE_DETACH, pid, 0, 0) == 0);
	return max;
}

int main(int argc, char **argv)
{
	static char line[1 << 20];
	static uint64_t at[4096];
	struct symbols *symbols = symbols_new();
	struct space *saved = NULL;
	int letter;

	message_program("symbols");
	while ((letter = getopt(argc, argv, "k:m:e:")) != -1) {
		char *base = letter == 'e' ? strchr(optarg, '@') : NULL;

		if (base)
			*base++ = '\0';
		if (letter == 'k')
			symbols_kernel(symbols, strcmp(optarg, "live") == 0 ? NULL : optarg);
		else if (letter == 'm')
			saved = symbols_saved(symbols, optarg);
		else if (letter == 'e')
			symbols_saved_elf(symbols, saved = saved ? saved : symbols_saved(symbols, NULL), optarg,
					  base ? strtoull(base, NULL, 0) : 0);
	}
	while (fgets(line, sizeof line, stdin)) {
		bool truncated = line[0] == '!';
		char *word = strtok(line + truncated, " \n");
		struct stack stack = { .truncated = truncated };
		struct space *space = NULL;
		struct slice text;
		size_t n = 0;
		bool whole;
		char *bytes;

		CHECK(word);
		if (strcmp(word, "wait") == 0) {
			CHECK(read(3, line, 1) == 1);
			continue;
		}
		if (strcmp(word, "unwind") == 0) {
			word = strtok(NULL, " \n");
			bytes = strtok(NULL, " \n");
			n = unwind(symbols, atoi(word), bytes ? strtoull(bytes, NULL, 10) : 1 << 16, at,
				   sizeof at / sizeof *at, &whole);
			stack.truncated = !whole;
		}
		for (char *address; (address = strtok(NULL, " \n"));)
			at[n++] = strtoull(address, NULL, 16);
		if (strcmp(word, "kernel") == 0) {
			stack.kernel = at;
			stack.kernels = n;
		} else {
			char *exec = strchr(word, '/');

			space = strcmp(word, "saved") == 0 ? saved :
				symbols_program(symbols, atoll(word), exec ? strtoull(exec + 1, NULL, 10) : 0);
			stack.user = at;
			stack.users = n;
		}
		text = symbols_stack(symbols, space, &stack);
		printf("%.*s\n", (int)text.len, text.at);
	}
	fflush(stdout);
	symbols_report(symbols);
	symbols_free(symbols);
	return 0;
}
