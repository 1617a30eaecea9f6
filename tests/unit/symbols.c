// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf zlib
// library: iberty
/*
 * symbols [-k KALLSYMS] [-m MAPS] [-e ELF[@BASE]] [-p PID]...: reads a line for each stack: `PID ADDRESS...` of a
 * live process, `saved ADDRESS...`, `kernel ADDRESS...` (hexadecimal, the innermost first; a leading `!`: it is
 * truncated), `note PID`, `exec PID`, `wait` (for a line on the descriptor 3). Writes the stack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "message.h"
#include "symbols.h"

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

		CHECK(word);
		if (strcmp(word, "note") == 0) {
			symbols_process(symbols, atoll(strtok(NULL, " \n")));
			continue;
		}
		if (strcmp(word, "exec") == 0) {
			symbols_exec(symbols, atoll(strtok(NULL, " \n")));
			continue;
		}
		if (strcmp(word, "wait") == 0) {
			CHECK(read(3, line, 1) == 1);
			continue;
		}
		for (char *address; (address = strtok(NULL, " \n"));)
			at[n++] = strtoull(address, NULL, 16);
		if (strcmp(word, "kernel") == 0) {
			stack.kernel = at;
			stack.kernels = n;
		} else {
			space = strcmp(word, "saved") == 0 ? saved : symbols_process(symbols, atoll(word));
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
