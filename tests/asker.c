// SPDX-License-Identifier: MIT
/*
 * asker: two exchanges over a connection with itself, each side from functions of known names, then its end. System
 * calls are its own, as a libc without frame pointers would hide who calls it.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline __attribute__((always_inline)) long direct(long number, long a, long b, long c)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#else
	return syscall(number, a, b, c);
#endif
}

#define FUNCTION __attribute__((noinline, noclone)) static void
FUNCTION send_text(int fd, const char *text)
{
	direct(SYS_write, fd, (long)text, (long)strlen(text));
	__asm__ volatile("");
}

FUNCTION ask(int fd)
{
	send_text(fd, "GET /stacked HTTP/1.1\r\n\r\n");
	__asm__ volatile("");
}

FUNCTION take(int fd)
{
	char buffer[100];

	direct(SYS_read, fd, (long)buffer, sizeof buffer);
	__asm__ volatile("");
}

FUNCTION answer(int fd)
{
	usleep(30000);
	send_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
	__asm__ volatile("");
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server;
	socklen_t size = sizeof address;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    connect(client, (struct sockaddr *)&address, size))
		return 1;
	server = accept(listener, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		ask(client);
		take(server);
		answer(server);
		take(client);
	}
	return 0;
}
