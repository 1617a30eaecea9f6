// SPDX-License-Identifier: MIT
// pkg-config: libcurl
#include "http/prober.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/message.h"

enum {
	EVENTS = 256,		/* taken from epoll at a time */
	SPARE_FILES = 64,	/* descriptors for all but connections */
};

/*
 * What epoll watches of a descriptor, and what libcurl wants watched. A connection that is idle between two
 * requests stays watched, which saves two system calls for each request; should it be heard of meanwhile
 * (the server closes it), the watching ends.
 */
struct watch {
	uint32_t armed, wanted;
	bool ours;		/* opened and closed under our eyes: `armed` can be relied on */
};

struct prober {
	const struct prober_plan *plan;
	CURLM *multi;
	struct curl_slist *headers;
	int epoll, timer;
	uint64_t armed_ns;	/* what the timer is set to */
	uint64_t expiry_ns;	/* when libcurl wants to be called */
	struct watch *watches;	/* by descriptor */
	size_t room;
	struct probe *probes, *idle, *finished, **finished_end;
	size_t in_flight, opened;
	size_t sockets;		/* connections, in use or kept */
	bool spoiled_h2;	/* see fresh_only() */
};

/* ---- what libcurl calls ---- */

static struct watch *watch_of(struct prober *p, int fd)
{
	size_t before = p->room;

	if ((size_t)fd >= p->room) {
		p->watches = memory_grow(p->watches, &p->room, (size_t)fd + 1, sizeof *p->watches);
		memset(p->watches + before, 0, (p->room - before) * sizeof *p->watches);
	}
	return &p->watches[fd];
}

static void arm(struct prober *p, int fd, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	int op = !events ? EPOLL_CTL_DEL : watch->armed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (epoll_ctl(p->epoll, op, fd, &event) && events) {
		op = op == EPOLL_CTL_MOD ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
		if (epoll_ctl(p->epoll, op, fd, &event))
			message_die("cannot watch a connection: %m");
	}
	watch->armed = events;
}

static int on_watch(CURL *easy, curl_socket_t fd, int what, void *prober, void *data)
{
	struct prober *p = prober;
	struct watch *watch = watch_of(p, fd);

	(void)easy;
	(void)data;
	watch->wanted = what == CURL_POLL_IN ? EPOLLIN : what == CURL_POLL_OUT ? EPOLLOUT :
			what == CURL_POLL_INOUT ? EPOLLIN | EPOLLOUT : 0;
	if (watch->wanted == watch->armed || (!watch->wanted && watch->ours))
		return 0;
	arm(p, fd, watch, watch->wanted);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *prober)
{
	struct prober *p = prober;

	(void)multi;
	p->expiry_ns = ms < 0 ? UINT64_MAX : clock_monotonic() + (uint64_t)ms * 1000000;
	return 0;
}

static curl_socket_t on_open(void *prober, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct prober *p = prober;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	*watch_of(p, fd) = (struct watch){ .ours = true };
	p->sockets++;
	return fd;
}

static int on_close(void *prober, curl_socket_t fd)
{
	struct prober *p = prober;

	*watch_of(p, fd) = (struct watch){ 0 };
	p->sockets--;
	return close(fd);
}

static size_t on_header(char *at, size_t size, size_t n, void *data)
{
	struct probe *probe = data;

	(void)at;
	(void)size;
	if (!probe->first_ns)
		probe->first_ns = clock_monotonic();
	probe->header_bytes += n;
	probe->flooded = probe->header_bytes > PROBER_HEADER_BYTES;
	return probe->flooded ? 0 : n;
}

static size_t on_body(char *at, size_t size, size_t n, void *data)
{
	(void)at;
	(void)data;
	return size * n;
}

/* ---- set up ---- */

#define SET(easy, option, value) \
	do { \
		CURLcode set = curl_easy_setopt(easy, option, value); \
		if (set) \
			message_die("cannot set up requests: %s: %s", #option, curl_easy_strerror(set)); \
	} while (0)

static void set_method(const struct prober *p, CURL *easy)
{
	const struct prober_plan *plan = p->plan;

	if (plan->has_body) {
		SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)plan->body.len);
		SET(easy, CURLOPT_POSTFIELDS, plan->body.at);
	}
	if (plan->method && strcmp(plan->method, "HEAD") == 0 && !plan->has_body)
		SET(easy, CURLOPT_NOBODY, 1L);	/* else libcurl would wait for a body */
	else if (plan->method && strcmp(plan->method, plan->has_body ? "POST" : "GET") != 0)
		SET(easy, CURLOPT_CUSTOMREQUEST, plan->method);
	SET(easy, CURLOPT_HTTPHEADER, p->headers);
}

static void set_connection(struct prober *p, CURL *easy)
{
	static const long versions[] = {
		CURL_HTTP_VERSION_2TLS, CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
	};
	const struct prober_plan *plan = p->plan;

	SET(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(easy, CURLOPT_OPENSOCKETDATA, p);
	SET(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	SET(easy, CURLOPT_CLOSESOCKETDATA, p);
	SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);	/* a proxy's word is not the answer */
	SET(easy, CURLOPT_HTTP_VERSION, versions[plan->http]);
	if (plan->insecure) {
		SET(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (plan->ca_file)
		SET(easy, CURLOPT_CAINFO, plan->ca_file);
	if (plan->proxy)
		SET(easy, CURLOPT_PROXY, plan->proxy);
}

static CURL *make_easy(struct prober *p, struct probe *probe)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		message_die("cannot set up requests: out of memory");
	SET(easy, CURLOPT_PRIVATE, probe);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_NOPROGRESS, 1L);
	SET(easy, CURLOPT_USERAGENT, "weir-probe-http/" WEIR_VERSION);
	SET(easy, CURLOPT_HEADERFUNCTION, on_header);
	SET(easy, CURLOPT_HEADERDATA, probe);
	SET(easy, CURLOPT_WRITEFUNCTION, on_body);
	SET(easy, CURLOPT_TIMEOUT_MS, (long)((p->plan->timeout_ns + 999999) / 1000000));
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(easy, CURLOPT_QUICK_EXIT, 1L);	/* else a timeout waits for the resolver's thread */
#endif
	set_connection(p, easy);
	set_method(p, easy);
	return easy;
}

static void allow_files(size_t probes)
{
	const rlim_t wanted = probes + SPARE_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	if (limit.rlim_max < wanted)
		message_die("cannot have %zu requests in flight: only %llu files may be open (ulimit -Hn)", probes,
			    (unsigned long long)limit.rlim_max);
	limit.rlim_cur = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		message_die("cannot open %zu files: %m", (size_t)wanted);
}

struct prober *prober_open(const struct prober_plan *plan)
{
	struct prober *p = memory_zeroed(sizeof *p);
	unsigned version;

	allow_files(plan->probes);
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		message_die("cannot set up libcurl");
	*p = (struct prober){
		.plan = plan,
		.multi = curl_multi_init(),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		.armed_ns = UINT64_MAX,
		.expiry_ns = UINT64_MAX,
		.probes = memory_zeroed(plan->probes * sizeof *p->probes),
	};
	if (!p->multi || p->epoll < 0 || p->timer < 0)
		message_die("cannot set up requests: %m");
	p->finished_end = &p->finished;
	version = curl_version_info(CURLVERSION_NOW)->version_num;
	p->spoiled_h2 = plan->http == PROBER_HTTP_2 && version >= 0x075800 && version < 0x080000;
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)plan->probes);
	for (size_t i = 0; i < plan->n_headers; i++)
		p->headers = curl_slist_append(p->headers, plan->headers[i]);
	/* A large body goes at once, not after a second's wait for `100 Continue`. */
	if (plan->has_body)
		p->headers = curl_slist_append(p->headers, "Expect:");
	prober_watch(p, p->timer);
	return p;
}

void prober_close(struct prober *p)
{
	prober_abandon(p);
	for (size_t i = 0; i < p->opened; i++)
		curl_easy_cleanup(p->probes[i].easy);
	curl_multi_cleanup(p->multi);
	curl_slist_free_all(p->headers);
	curl_global_cleanup();
	close(p->epoll);
	close(p->timer);
	free(p->watches);
	free(p->probes);
	free(p);
}

/* ---- requests ---- */

struct probe *prober_take(struct prober *p)
{
	struct probe *probe = p->idle;

	if (probe) {
		p->idle = probe->next;
	} else if (p->opened < p->plan->probes) {
		probe = &p->probes[p->opened++];
		probe->prober = p;
		probe->easy = make_easy(p, probe);
	}
	return probe;
}

bool prober_has_idle(const struct prober *p)
{
	return p->idle || p->opened < p->plan->probes;
}

void prober_release(struct prober *p, struct probe *probe)
{
	probe->next = p->idle;
	p->idle = probe;
}

static enum failure connect_failure(CURL *easy)
{
	long error = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
	return error == ECONNREFUSED ? FAILURE_REFUSED : error == ECONNRESET ? FAILURE_RESET :
	       error == ETIMEDOUT ? FAILURE_TIMEOUT : FAILURE_CONNECT;
}

static enum failure failure_of(CURL *easy, const struct probe *probe, CURLcode code)
{
	long error = 0, refusal = 0;

	if (probe->flooded)
		return FAILURE_PROTOCOL;
	switch (code) {
	case CURLE_OK:
		return FAILURE_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
		return FAILURE_DNS;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		return FAILURE_PROXY;
	case CURLE_COULDNT_CONNECT:
		return connect_failure(easy);
	case CURLE_OPERATION_TIMEDOUT:
		return FAILURE_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_USE_SSL_FAILED:
		return FAILURE_TLS;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
		curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &refusal);
		if (refusal >= 300)
			return FAILURE_PROXY;
		if (error == ECONNRESET || error == EPIPE || code == CURLE_SEND_ERROR)
			return FAILURE_RESET;
		/* Not the system's error, but libcurl's: of TLS an end without notice, else nonsense. */
		return probe->target->plain ? FAILURE_PROTOCOL : FAILURE_CLOSED;
	case CURLE_ABORTED_BY_CALLBACK:
		return FAILURE_STOPPED;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return FAILURE_CLOSED;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:	/* an answer without a status line */
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_OUT_OF_MEMORY:		/* a header beyond libcurl's bound of 100 kB */
		return FAILURE_PROTOCOL;
	default:
		return FAILURE_OTHER;
	}
}

static int64_t info_ns(CURL *easy, CURLINFO info)
{
	curl_off_t us = 0;

	curl_easy_getinfo(easy, info, &us);
	return us * 1000;
}

static void take_phases(CURL *easy, struct probe *probe)
{
	int64_t resolved = info_ns(easy, CURLINFO_NAMELOOKUP_TIME_T);
	int64_t connected = info_ns(easy, CURLINFO_CONNECT_TIME_T);
	int64_t secured = info_ns(easy, CURLINFO_APPCONNECT_TIME_T);

	if (resolved > 0 || connected > 0)
		probe->dns_ns = resolved;
	if (connected > 0)
		probe->connect_ns = connected - resolved;
	if (connected > 0 && secured > 0)
		probe->tls_ns = secured - connected;
}

static void take_end(CURL *easy, CURLINFO address, CURLINFO port, struct probe_end *end)
{
	const char *text = NULL;
	long number = 0;

	curl_easy_getinfo(easy, address, &text);
	curl_easy_getinfo(easy, port, &number);
	*end = (struct probe_end){ .port = number > 0 && number <= UINT16_MAX ? (unsigned)number : 0 };
	if (text && strlen(text) < sizeof end->address)
		strcpy(end->address, text);
	else
		end->port = 0;
}

/* A handle keeps the system's last error for ever: the next failure must not be told by it. */
static void renew(struct prober *p, struct probe *probe)
{
	long error = 0;

	curl_easy_getinfo(probe->easy, CURLINFO_OS_ERRNO, &error);
	if (!error)
		return;
	curl_easy_cleanup(probe->easy);
	probe->easy = make_easy(p, probe);
	probe->url = NULL;
}

static void take_results(struct prober *p, struct probe *probe, CURLcode code)
{
	CURL *easy = probe->easy;
	long status = 0, connects = 0;
	curl_off_t body = 0;

	probe->end_ns = clock_monotonic();
	probe->failure = failure_of(easy, probe, code);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
	probe->status = status > 0 && status < 1000 ? (unsigned)status : 0;
	probe->rx_bytes = probe->header_bytes + (uint64_t)body;
	probe->dns_ns = probe->connect_ns = probe->tls_ns = -1;
	probe->reused = connects == 0 && probe->first_ns;
	if (!probe->reused)
		take_phases(easy, probe);
	take_end(easy, CURLINFO_LOCAL_IP, CURLINFO_LOCAL_PORT, &probe->here);
	take_end(easy, CURLINFO_PRIMARY_IP, CURLINFO_PRIMARY_PORT, &probe->there);
	curl_multi_remove_handle(p->multi, easy);
	renew(p, probe);
	probe->in_flight = false;
	p->in_flight--;
	probe->next = NULL;
	*p->finished_end = probe;
	p->finished_end = &probe->next;
}

static void collect(struct prober *p)
{
	struct CURLMsg *done;
	int left;

	while ((done = curl_multi_info_read(p->multi, &left))) {
		CURLcode code = done->data.result;	/* removing the handle frees it */
		void *probe;

		if (done->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, &probe);
		take_results(p, probe, code);
	}
}

static void act(struct prober *p, curl_socket_t fd, int events)
{
	CURLMcode code;
	int running;

	code = curl_multi_socket_action(p->multi, fd, events, &running);
	if (code)
		message_die("cannot go on with requests: %s", curl_multi_strerror(code));
	collect(p);
}

/*
 * libcurl 7.88 cannot send a second request over a plain connection of HTTP/2 (curl's issue 10634): there,
 * each gets a new one.
 */
static bool fresh_only(const struct prober *p, const struct target *target)
{
	return p->plan->fresh || (p->spoiled_h2 && target->plain);
}

static void set_target(const struct prober *p, struct probe *probe, const struct target *target)
{
	SET(probe->easy, CURLOPT_CURLU, target->url);
	SET(probe->easy, CURLOPT_ADDRESS_SCOPE, (long)target->scope);
	SET(probe->easy, CURLOPT_FORBID_REUSE, (long)fresh_only(p, target));
	probe->url = target->url;
}

/* Where all connections are in use, libcurl need not look at each of them to see that. */
static bool all_busy(const struct prober *p, const struct target *target)
{
	return target->plain && p->plan->http != PROBER_HTTP_2 && p->sockets <= p->in_flight;
}

void prober_send(struct prober *p, struct probe *probe, const struct target *target)
{
	CURLMcode code;

	if (probe->url != target->url)
		set_target(p, probe, target);
	probe->target = target;
	SET(probe->easy, CURLOPT_FRESH_CONNECT, (long)(fresh_only(p, target) || all_busy(p, target)));
	probe->first_ns = 0;
	probe->header_bytes = 0;
	probe->flooded = false;
	probe->in_flight = true;
	p->in_flight++;
	probe->sent_ns = clock_monotonic();
	code = curl_multi_add_handle(p->multi, probe->easy);
	if (code)
		message_die("cannot send a request: %s", curl_multi_strerror(code));
	act(p, CURL_SOCKET_TIMEOUT, 0);
}

struct probe *prober_finished(struct prober *p)
{
	struct probe *probe = p->finished;

	if (probe && !(p->finished = probe->next))
		p->finished_end = &p->finished;
	return probe;
}

void prober_abandon(struct prober *p)
{
	for (size_t i = 0; i < p->opened; i++)
		if (p->probes[i].in_flight)
			take_results(p, &p->probes[i], CURLE_ABORTED_BY_CALLBACK);
}

size_t prober_in_flight(const struct prober *p)
{
	return p->in_flight;
}

/* ---- waiting ---- */

void prober_watch(struct prober *p, int fd)
{
	arm(p, fd, watch_of(p, fd), EPOLLIN);
}

static void set_timer(struct prober *p, uint64_t ns)
{
	struct itimerspec at = { 0 };

	if (ns == p->armed_ns)
		return;
	p->armed_ns = ns;
	if (ns != UINT64_MAX) {
		at.it_value.tv_sec = (time_t)(ns / 1000000000);
		at.it_value.tv_nsec = (long)(ns % 1000000000);
	}
	timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void heard(struct prober *p, int fd, uint32_t events)
{
	struct watch *watch = watch_of(p, fd);

	if (fd == p->timer) {
		p->armed_ns = 0;	/* it went off: to be set anew */
		return;
	}
	if (!watch->ours && !watch->wanted)
		return;		/* the caller's, who stops waiting now */
	if (!watch->wanted) {
		arm(p, fd, watch, 0);
		return;
	}
	act(p, fd, (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
}

void prober_wait(struct prober *p, uint64_t until_ns)
{
	struct epoll_event events[EVENTS];
	uint64_t now = clock_monotonic(), at = until_ns < p->expiry_ns ? until_ns : p->expiry_ns;
	int n;

	if (at > now && !p->finished)
		set_timer(p, at);
	n = epoll_wait(p->epoll, events, EVENTS, at > now && !p->finished ? -1 : 0);
	if (n < 0 && errno != EINTR)
		message_die("cannot wait for answers: %m");
	for (int i = 0; i < n; i++)
		heard(p, events[i].data.fd, events[i].events);
	if (p->expiry_ns <= clock_monotonic()) {
		p->expiry_ns = UINT64_MAX;
		act(p, CURL_SOCKET_TIMEOUT, 0);
	}
}
