// SPDX-License-Identifier: MIT
/*
 * curl-loop URL CONNECTIONS SECONDS: the floor of probe-http. libcurl's multi interface, driven by epoll as its
 * manual says, asks for URL over so many connections in a closed loop, and nothing else: no records, no figures of
 * the single request. Prints the requests done.
 *
 *	$ cc -O2 -o curl-loop curl-loop.c -lcurl
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

enum { EVENTS = 256, FILES = 4096 };

static int epoll;
static long timeout_ms = -1;
static uint32_t armed[FILES];	/* what epoll watches of each descriptor: it stays watched between requests */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int on_watch(CURL *easy, curl_socket_t fd, int what, void *data, void *of_socket)
{
	uint32_t wanted = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	struct epoll_event event = { .events = wanted, .data.fd = fd };

	(void)easy;
	(void)data;
	(void)of_socket;
	if (what == CURL_POLL_REMOVE || fd >= FILES || wanted == armed[fd])
		return 0;
	epoll_ctl(epoll, armed[fd] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	armed[fd] = wanted;
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *data)
{
	(void)multi;
	(void)data;
	timeout_ms = ms;
	return 0;
}

static size_t on_body(char *at, size_t size, size_t n, void *data)
{
	(void)at;
	(void)data;
	return size * n;
}

static void wait_for_some(CURLM *multi)
{
	struct epoll_event events[EVENTS];
	int running, n = epoll_wait(epoll, events, EVENTS, timeout_ms < 0 || timeout_ms > 1000 ? 1000 : (int)timeout_ms);

	if (n <= 0 || timeout_ms == 0) {
		timeout_ms = -1;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	for (int i = 0; i < n; i++)
		curl_multi_socket_action(multi, events[i].data.fd,
					 (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
					 (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0), &running);
}

int main(int argc, char **argv)
{
	long connections = argc > 3 ? atol(argv[2]) : 1, done = 0;
	double end = now() + (argc > 3 ? atof(argv[3]) : 1);
	CURLM *multi = curl_multi_init();
	struct CURLMsg *message;
	int left;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
	for (long i = 0; i < connections; i++) {
		CURL *easy = curl_easy_init();

		curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
		curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 10000L);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
		curl_multi_add_handle(multi, easy);
	}
	while (now() < end) {
		wait_for_some(multi);
		while ((message = curl_multi_info_read(multi, &left))) {
			CURL *easy = message->easy_handle;

			if (message->data.result) {
				fprintf(stderr, "curl-loop: %s\n", curl_easy_strerror(message->data.result));
				return 1;
			}
			done++;
			curl_multi_remove_handle(multi, easy);
			curl_multi_add_handle(multi, easy);
		}
	}
	printf("%ld\n", done);
	return 0;
}
