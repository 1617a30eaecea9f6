// SPDX-License-Identifier: MIT
// Functions of every kind, for tests/symbols.bats: static, inlined into each other, of C++, named as Rust does.
#include <dlfcn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static inline __attribute__((always_inline)) int innermost(volatile int *p) { return *p += 3; }
static inline __attribute__((always_inline)) int middle(volatile int *p) { return innermost(p) * 2; }

namespace space {
struct thing {
	template <class T> static __attribute__((noinline)) int go(T x)
	{
		volatile int v = (int)x;

		return middle(&v) + v;
	}
};
}

extern "C" {
int rust_old(int a) __asm__("_ZN7mycrate6module3old17h0123456789abcdefE");
int rust_v0(int a) __asm__("_RNvNtCs1234_7mycrate6module3new");
__attribute__((noinline)) int rust_old(int a) { return space::thing::go<long>(a) + 1; }
__attribute__((noinline)) int rust_v0(int a) { return rust_old(a) * 3; }
static __attribute__((noinline)) int plain_static(int a) { return rust_v0(a) + 5; }
int plain_global(int a) { return plain_static(a) - 1; }
}

/* Tells where it has what, then waits for a line: runs the program of the arguments, or ends. */
int main(int, char **argv)
{
	void *made = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *vdso = dlopen("linux-vdso.so.1", RTLD_NOLOAD | RTLD_LAZY);

	plain_global(1);
	printf("pid=%d main=%lx global=%lx made=%lx vdso=%lx\n", getpid(), (long)main, (long)plain_global, (long)made,
	       vdso ? (long)dlsym(vdso, "__vdso_clock_gettime") : 0);
	fflush(stdout);
	getchar();
	if (argv[1])
		execvp(argv[1], argv + 1);
	return 0;
}
