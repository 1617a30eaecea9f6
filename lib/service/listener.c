// SPDX-License-Identifier: MIT
#include "service/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/message.h"

static void name(int fd, uint64_t *port, char *url)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof bound;
	char host[64], number[16];

	if (getsockname(fd, (struct sockaddr *)&bound, &size) ||
	    getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, number, sizeof number,
			NI_NUMERICHOST | NI_NUMERICSERV))
		message_die("cannot tell the address of the socket that listens");
	*port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port :
						     ((struct sockaddr_in *)&bound)->sin_port);
	snprintf(url, LISTENER_URL, bound.ss_family == AF_INET6 ? "http://[%.45s]:%s" : "http://%.45s:%s", host,
		 number);
}

int listener_open(const char *address, uint64_t *port, char *url)
{
	const struct addrinfo want = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *at;
	char text[24];
	int fd, one = 1;

	snprintf(text, sizeof text, "%llu", (unsigned long long)*port);
	if (getaddrinfo(address, text, &want, &at))
		message_usage("cannot listen on '%.100s': it is no address of IPv4 or IPv6", address);
	fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    bind(fd, at->ai_addr, at->ai_addrlen) || listen(fd, 1024))
		message_die("cannot listen on %s port %s: %m%s", address, text,
			    errno == EADDRINUSE ? "; name another with --port, or 0 for any that is free" :
			    errno == EACCES ? "; ports below 1024 want root or CAP_NET_BIND_SERVICE" : "");
	freeaddrinfo(at);
	name(fd, port, url);
	return fd;
}
