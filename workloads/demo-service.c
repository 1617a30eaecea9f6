// SPDX-License-Identifier: MIT
/*
 * demo-service: an HTTP service to be measured, with faults on demand.
 * pkg-config: libmicrohttpd libcurl sqlite3 json-c
 *
 *	$ demo-service --latency lognormal:20ms,200ms --error-rate 0.01
 *
 * Each connection has a thread of its own, so that what a thread did is what happened to its request. The
 * upstream that the service plays for itself listens apart: those who wait for it cannot keep it waiting.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/halt.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "records/writer.h"
#include "service/chain.h"
#include "service/door.h"
#include "service/fault.h"
#include "service/listener.h"
#include "service/reply.h"

enum { IDLE_SECONDS = 30, REQUEST_MEMORY = 32 << 10, PATH_SHOWN = 512, GRACE_STEP_NS = 5000000,
       LAST_WORDS_NS = 1000000000 };
enum { COMPUTE_USUAL = 100000, COMPUTE_MOST = 1000000000, ID_MOST = 1000000 };

struct service {
	const char *address, *database, *base, *fault_path;
	uint64_t port, threads, users, wait_ns, grace_ns, duration_ns;
	bool requests;		/* a record of each goes to stdout */
	struct fault_plan faults;
	struct upstream_plan calls;

	char url[LISTENER_URL];
	uint64_t begun;
	atomic_bool stopping, not_stored;
	struct fault *fault;
	struct upstream *upstream;
	struct ledger *ledger;
	struct traffic *traffic;
	pthread_mutex_t out_lock;
	struct writer *out;
};

/* Answers a request, or returns without: 404. REST is what follows the page's path. */
typedef void answer(struct request *request, const char *rest);

static answer answer_index, answer_process, answer_health, answer_compute, answer_info, answer_slow, answer_fail,
	      answer_metrics, answer_post, answer_user;

/* A path that ends in a slash stands for all below it, where REST is not empty. */
static const struct page {
	const char *path, *does;
	answer *answer;
} pages[] = {
	{ "/process", "two chained calls to the upstream; stores what comes", answer_process },
	{ "/health", "whether the service can answer and store", answer_health },
	{ "/compute", "adds the numbers below ?n= (100000)", answer_compute },
	{ "/info", "what this service is", answer_info },
	{ "/slow", "waits ?ms= (1000)", answer_slow },
	{ "/fail", "fails with the probability ?rate= (1)", answer_fail },
	{ "/metrics", "figures for Prometheus", answer_metrics },
	{ "/upstream/posts/", "a post, as an upstream would answer", answer_post },
	{ "/upstream/users/", "a user, likewise", answer_user },
	{ "/", "this list", answer_index },
	{ "other", NULL, NULL },	/* counts what is not there */
};
enum { PAGES = sizeof pages / sizeof *pages, OTHER = PAGES - 1 };

static size_t find_page(const char *path)
{
	for (size_t i = 0; i < OTHER; i++) {
		size_t len = strlen(pages[i].path);

		if (len > 1 && pages[i].path[len - 1] == '/' ? strncmp(path, pages[i].path, len) == 0 && path[len] :
		    strcmp(path, pages[i].path) == 0)
			return i;
	}
	return OTHER;
}

static void answer_index(struct request *request, const char *rest)
{
	struct json_object *object = reply_object("ok"), *list = json_object_new_object();

	(void)rest;
	for (size_t i = 0; i < OTHER; i++)
		reply_add_text(list, pages[i].path, pages[i].does);
	json_object_object_add(object, "pages", list);
	reply_json(request, MHD_HTTP_OK, object);
}

/* What could not be stored is said, at most once a second. */
static void say_not_stored(struct service *service, const char *error)
{
	static atomic_uint_fast64_t said;
	uint64_t last = atomic_load(&said), now = clock_monotonic();

	traffic_not_stored(service->traffic);
	if ((!last || now - last >= 1000000000) && atomic_compare_exchange_strong(&said, &last, now))
		message("cannot write %s: %s", service->database, error);
}

static void answer_process(struct request *request, const char *rest)
{
	struct service *service = request->service;
	uint64_t begun = clock_monotonic();
	struct json_object *object;
	char error[LEDGER_ERROR];
	struct chain chain;
	bool good, stored;

	(void)rest;
	good = chain_follow(&chain, service->upstream, service->traffic);
	stored = chain_store(&chain, service->ledger, error);
	atomic_store(&service->not_stored, !stored);
	if (!stored)
		say_not_stored(service, error);
	if (good && !stored)
		snprintf(chain.problem, CHAIN_PROBLEM, "cannot write %.100s: %s", service->database, error);
	good = good && stored;

	object = reply_object(good ? "ok" : "error");
	if (good) {
		json_object_object_add(object, "post", json_object_get(chain.post));
		json_object_object_add(object, "user", json_object_get(chain.user));
	} else {
		reply_add_text(object, "error", chain.problem);
	}
	json_object_object_add(object, "calls", chain_describe(&chain));
	reply_add_ms(object, "total_latency_ms", clock_monotonic() - begun);
	reply_json(request, good ? MHD_HTTP_OK : MHD_HTTP_INTERNAL_SERVER_ERROR, object);
	chain_free(&chain);
}

static void answer_health(struct request *request, const char *rest)
{
	struct service *service = request->service;
	const char *wrong = atomic_load(&service->stopping) ? "stopping" :
			    atomic_load(&service->not_stored) ? "the database was not written the last time" : NULL;

	(void)rest;
	if (wrong)
		reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", wrong);
	else
		reply_json(request, MHD_HTTP_OK, reply_object("ok"));
}

static uint64_t thread_cpu(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void answer_compute(struct request *request, const char *rest)
{
	uint64_t n = COMPUTE_USUAL, sum = 0, begun = clock_monotonic(), used = thread_cpu();
	struct json_object *object;

	(void)rest;
	if (!reply_whole(request, "n", COMPUTE_MOST, &n))
		return;
	for (uint64_t i = 0; i < n; i++) {
		sum += i;
		__asm__ volatile("" : "+r"(sum));	/* each sum is made: no formula instead */
	}
	object = reply_object("ok");
	reply_add_number(object, "result", sum);
	reply_add_ms(object, "cpu_ms", thread_cpu() - used);
	reply_add_ms(object, "latency_ms", clock_monotonic() - begun);
	reply_json(request, MHD_HTTP_OK, object);
}

static void answer_info(struct request *request, const char *rest)
{
	struct service *service = request->service;
	struct json_object *object = reply_object("ok");

	(void)rest;
	reply_add_text(object, "service", "weir demo-service");
	reply_add_number(object, "pid", (uint64_t)getpid());
	reply_add_number(object, "threads", service->threads);
	reply_add_text(object, "upstream", service->calls.base);
	reply_add_number(object, "requests", traffic_ended(service->traffic));
	reply_add_number(object, "failed", traffic_failed(service->traffic));
	reply_add_ms(object, "uptime_ms", clock_monotonic() - service->begun);
	reply_json(request, MHD_HTTP_OK, object);
}

/* False: the service stops, which has been answered. */
static bool pause_request(struct request *request, uint64_t until)
{
	if (halt_pause(until))
		return true;
	reply_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "the service stops");
	return false;
}

static void answer_slow(struct request *request, const char *rest)
{
	uint64_t ms = 1000;
	struct json_object *object;

	(void)rest;
	if (!reply_whole(request, "ms", FAULT_LONGEST / 1000000, &ms) ||
	    !pause_request(request, request->begun + ms * 1000000))
		return;
	object = reply_object("ok");
	reply_add_ms(object, "latency_ms", clock_monotonic() - request->begun);
	reply_json(request, MHD_HTTP_OK, object);
}

static void answer_fail(struct request *request, const char *rest)
{
	struct service *service = request->service;
	double rate = 1;

	(void)rest;
	if (!reply_share(request, "rate", &rate))
		return;
	if (fault_happens(service->fault, rate))
		reply_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed, as asked for");
	else
		reply_json(request, MHD_HTTP_OK, reply_object("ok"));
}

static void answer_metrics(struct request *request, const char *rest)
{
	struct service *service = request->service;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)rest;
	if (!out)
		message_die("cannot write the figures: out of memory");
	traffic_write(service->traffic, out);
	fclose(out);
	reply_text(request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text, len);
}

/* The upstream that the service plays for itself: answers with the same members as jsonplaceholder's. */

static bool parse_id(const char *rest, uint64_t *id)
{
	return number_u64(slice_of(rest), id) && *id >= 1 && *id <= ID_MOST;
}

static void answer_post(struct request *request, const char *rest)
{
	struct json_object *object;
	char title[40];
	uint64_t id;

	if (!parse_id(rest, &id))
		return;
	snprintf(title, sizeof title, "Post %llu", (unsigned long long)id);
	object = json_object_new_object();
	reply_add_number(object, "userId", (id - 1) / 10 + 1);
	reply_add_number(object, "id", id);
	reply_add_text(object, "title", title);
	reply_add_text(object, "body", "Water finds its level.");
	reply_json(request, MHD_HTTP_OK, object);
}

static void answer_user(struct request *request, const char *rest)
{
	struct json_object *object;
	char name[40], email[60];
	uint64_t id;

	if (!parse_id(rest, &id))
		return;
	snprintf(name, sizeof name, "User %llu", (unsigned long long)id);
	snprintf(email, sizeof email, "user%llu@example.org", (unsigned long long)id);
	object = json_object_new_object();
	reply_add_number(object, "id", id);
	reply_add_text(object, "name", name);
	reply_add_text(object, "email", email);
	reply_json(request, MHD_HTTP_OK, object);
}

/* The faults that the request meets. True: it has been answered by one of them. */
static bool meet_faults(struct request *request)
{
	struct service *service = request->service;
	uint64_t now = clock_monotonic(), latency, stall;

	if (strncmp(request->path, service->fault_path, strlen(service->fault_path)))
		return false;
	latency = fault_latency(service->fault);
	stall = fault_stall_end(service->fault, now);
	if ((stall || latency) && !pause_request(request, (stall ? stall : now) + latency))
		return true;
	if (!fault_error(service->fault))
		return false;
	reply_error(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "injected by --error-rate");
	return true;
}

static struct request *begin_request(struct service *service, struct MHD_Connection *connection, const char *path,
				     const char *method)
{
	static _Thread_local bool named;
	struct request *request = memory_zeroed(sizeof *request);

	if (!named)	/* libmicrohttpd gives the thread a name of its own */
		named = pthread_setname_np(pthread_self(), "demo-service") == 0;
	request->connection = connection;
	request->service = service;
	request->path = path;
	request->method = method;
	request->page = find_page(path);
	request->begun = clock_monotonic();
	request->last = atomic_load(&service->stopping);
	traffic_begin(service->traffic);
	/* However long the work takes, that is not idleness. */
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	return request;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
			      const char *version, const char *data, size_t *data_size, void **kept)
{
	struct request *request = *kept;

	(void)version;
	(void)data;
	(void)data_size;
	if (!request) {
		*kept = request = begin_request(cls, connection, path, method);
		/* What has a body is refused before that has come. */
		if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
			return MHD_YES;
		reply_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, "there are GET and HEAD only");
	} else if (!meet_faults(request)) {
		const struct page *page = &pages[request->page];

		if (page->answer)
			page->answer(request, path + strlen(page->path));
		if (!request->status)
			reply_error(request, MHD_HTTP_NOT_FOUND, "there is no such page; / lists them");
	}
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)IDLE_SECONDS);
	return request->status ? MHD_YES : MHD_NO;
}

static void write_request(struct service *service, const struct request *request, uint64_t dur_ns)
{
	struct slice path = slice_of(request->path);

	path.len = path.len > PATH_SHOWN ? PATH_SHOWN : path.len;
	pthread_mutex_lock(&service->out_lock);
	writer_begin(service->out, clock_epoch(), SLICE("served"));
	writer_u64(service->out, KEY("pid"), (uint64_t)getpid());
	writer_u64(service->out, KEY("tid"), (uint64_t)gettid());
	writer_text(service->out, KEY("comm"), SLICE("demo-service"));
	writer_text(service->out, KEY("method"), slice_of(request->method));
	writer_text(service->out, KEY("path"), path);
	writer_u64(service->out, KEY("status"), request->status);
	writer_u64(service->out, KEY("dur_ns"), dur_ns);
	writer_end(service->out);
	writer_flush(service->out);
	pthread_mutex_unlock(&service->out_lock);
}

static void end_request(void *cls, struct MHD_Connection *connection, void **kept,
			enum MHD_RequestTerminationCode how)
{
	struct service *service = cls;
	struct request *request = *kept;
	uint64_t dur_ns;

	(void)connection;
	(void)how;
	if (!request)
		return;
	dur_ns = clock_monotonic() - request->begun;
	if (!request->status)
		request->status = MHD_HTTP_BAD_REQUEST;	/* the client left before its request was whole */
	traffic_end(service->traffic, request->page, request->status, dur_ns);
	if (service->requests)
		write_request(service, request, dur_ns);
	free(request);
	*kept = NULL;
}

/* One address that is listened on: who comes in there is served by the daemon, once its door is open. */
struct front {
	struct door *door;
	struct MHD_Daemon *daemon;
};

static void start_front(struct front *front, struct service *service, int fd, uint64_t connections)
{
	front->door = door_new(fd, connections);
	front->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC |
			MHD_USE_NO_LISTEN_SOCKET, 0,
		NULL, NULL, handle, service,
		MHD_OPTION_CONNECTION_LIMIT, 2 * (unsigned)connections + 16,	/* never met: the door has the limit */
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY,
		MHD_OPTION_NOTIFY_CONNECTION, door_notify, front->door,
		MHD_OPTION_NOTIFY_COMPLETED, end_request, service,
		MHD_OPTION_END);
	if (!front->daemon)
		message_die("cannot start to serve on %s: %m", service->url);
}

static void stop_front(struct front *front)
{
	if (!front->daemon)
		return;
	MHD_stop_daemon(front->daemon);
	door_free(front->door);
}

static void write_listening(struct service *service)
{
	writer_begin(service->out, clock_epoch(), SLICE("listening"));
	writer_u64(service->out, KEY("pid"), (uint64_t)getpid());
	writer_text(service->out, KEY("comm"), SLICE("demo-service"));
	writer_text(service->out, KEY("url"), slice_of(service->url));
	writer_u64(service->out, KEY("port"), service->port);
	writer_end(service->out);
	writer_flush(service->out);
	message("listening on %s", service->url);
}

/* Waits for requests under way, no longer than NS or until a signal comes. */
static void wait_for_requests(struct service *service, uint64_t ns)
{
	uint64_t until = clock_monotonic() + ns;

	while (traffic_in_flight(service->traffic) && clock_monotonic() < until && !halt_wait(GRACE_STEP_NS))
		;
}

/* No new connections; requests under way may end until the grace has passed, then their pauses end. */
static void stop_serving(struct service *service, struct front *own, struct front *upstream)
{
	atomic_store(&service->stopping, true);
	door_close(own->door);
	wait_for_requests(service, service->grace_ns);
	halt_now();
	wait_for_requests(service, LAST_WORDS_NS);
	stop_front(own);
	if (upstream->daemon)
		door_close(upstream->door);
	stop_front(upstream);
}

static bool pause_call(uint64_t ns, void *data)
{
	(void)data;
	return halt_pause(clock_monotonic() + ns);
}

static struct traffic *count_pages(void)
{
	const char *path[PAGES];

	for (size_t i = 0; i < PAGES; i++)
		path[i] = pages[i].path;
	return traffic_new(path, PAGES);
}

static void serve(struct service *service)
{
	struct front own = { 0 }, upstream = { 0 };
	char upstream_url[LISTENER_URL + 16];
	uint64_t any_port = 0;
	int fd, upstream_fd = -1;

	service->begun = clock_monotonic();
	service->fault = fault_new(&service->faults, service->begun);
	fd = listener_open(service->address, &service->port, service->url);
	service->calls.base = service->base;
	if (!service->base) {
		upstream_fd = listener_open("127.0.0.1", &any_port, upstream_url);
		strcat(upstream_url, "/upstream");
		service->calls.base = upstream_url;
		service->calls.direct = true;
	}
	service->calls.pause = pause_call;
	service->upstream = upstream_new(&service->calls);
	service->ledger = ledger_open(service->database, service->users, service->wait_ns);
	service->traffic = count_pages();
	if (upstream_fd >= 0) {
		start_front(&upstream, service, upstream_fd, service->threads);
		door_open(upstream.door, upstream.daemon);
	}
	start_front(&own, service, fd, service->threads);
	write_listening(service);	/* before threads write what they have served */
	door_open(own.door, own.daemon);

	halt_wait(service->duration_ns);
	stop_serving(service, &own, &upstream);
	message("stopped after %llu requests, %llu of which failed",
		(unsigned long long)traffic_ended(service->traffic),
		(unsigned long long)traffic_failed(service->traffic));
	ledger_close(service->ledger);
	upstream_free(service->upstream);
	fault_free(service->fault);
	traffic_free(service->traffic);
}

int main(int argc, char **argv)
{
	struct service service = {
		.address = "127.0.0.1", .database = "database.db", .fault_path = "/process",
		.port = 5000, .threads = 64, .users = 1000, .wait_ns = 1000000000, .grace_ns = 5000000000,
		.faults = { .after_ns = 10000000000, .seed = 1 },
		.calls = { .timeout_ns = 5000000000, .retries = 2, .backoff_ns = 50000000 },
		.out_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	const struct option options[] = {
		{ 'l', "listen", "ADDRESS", "listen on ADDRESS (default: 127.0.0.1)", OPTION_TEXT,
		  .to = &service.address },
		{ 'p', "port", "PORT", "listen on PORT (default: 5000); 0: one that is free", OPTION_COUNT,
		  .to = &service.port, .max = 65535 },
		{ 'n', "threads", "COUNT", "serve COUNT connections at a time (default: 64)", OPTION_COUNT,
		  .to = &service.threads, .min = 1, .max = 20000 },
		{ 'd', "duration", "TIME", "stop after TIME", OPTION_SECONDS, .to = &service.duration_ns,
		  .min = 1 },
		{ 0, "database", "FILE", "store in FILE (default: database.db)", OPTION_TEXT, .to = &service.database },
		{ 0, "users", "COUNT", "how many users a new database has (default: 1000)", OPTION_COUNT,
		  .to = &service.users, .max = 10000000 },
		{ 0, "wait", "TIME", "wait no longer for a locked database (default: 1s)", OPTION_SECONDS,
		  .to = &service.wait_ns, .max = 3600000000000 },
		{ 0, "upstream", "URL", "ask URL/posts/1 and URL/users/ID instead of itself", OPTION_TEXT,
		  .to = &service.base },
		{ 0, "timeout", "TIME", "of an attempt to ask the upstream (default: 5s)", OPTION_SECONDS,
		  .to = &service.calls.timeout_ns, .min = 1000000, .max = 3600000000000 },
		{ 0, "retries", "COUNT", "attempts after the first (default: 2)", OPTION_COUNT,
		  .to = &service.calls.retries, .max = UPSTREAM_RETRIES },
		{ 0, "backoff", "TIME", "pause before the first retry, then doubled (default: 50ms)", OPTION_MILLISECONDS,
		  .to = &service.calls.backoff_ns, .max = 60000000000 },
		{ 0, "latency", "DISTRIBUTION", "hold answers back (see the man page)", OPTION_TEXT,
		  .to = &service.faults.latency },
		{ 0, "error-rate", "SHARE", "fail this share of the requests, from 0 to 1", OPTION_REAL,
		  .to = &service.faults.error_rate, .max = 1 },
		{ 0, "stall", "TIME", "answer nothing for TIME", OPTION_SECONDS, .to = &service.faults.stall_ns,
		  .max = FAULT_LONGEST },
		{ 0, "stall-after", "TIME", "TIME after the start (default: 10s)", OPTION_SECONDS,
		  .to = &service.faults.after_ns, .max = 86400000000000 },
		{ 0, "stall-every", "TIME", "and every TIME from then on", OPTION_SECONDS,
		  .to = &service.faults.every_ns, .max = 86400000000000 },
		{ 0, "fault-path", "PATH", "faults meet paths that begin with PATH (default: /process)", OPTION_TEXT,
		  .to = &service.fault_path },
		{ 0, "seed", "NUMBER", "of the random numbers for faults (default: 1)", OPTION_COUNT,
		  .to = &service.faults.seed },
		{ 0, "grace", "TIME", "how long requests may take to end at a stop (default: 5s)", OPTION_SECONDS,
		  .to = &service.grace_ns, .max = 3600000000000 },
		{ 0, "requests", NULL, "write a record of each request to stdout", OPTION_FLAG, .to = &service.requests },
		{ 0 },
	};
	const struct program program = {
		.name = "demo-service",
		.does = "an HTTP service to be measured, with faults on demand",
		.operands = "",
		.options = options,
		.examples = "  demo-service --latency lognormal:20ms,200ms --error-rate 0.01\n"
			    "  demo-service --port 0 --stall 1s --stall-after 10s --stall-every 30s\n"
			    "  demo-service --upstream https://jsonplaceholder.typicode.com --retries 4\n",
	};
	char **operands = options_parse(&program, argv);

	(void)argc;
	if (*operands)
		message_usage("cannot use '%.200s': there are no operands", *operands);
	if (*service.fault_path != '/')
		message_usage("cannot use '%.200s' for --fault-path: a path begins with /", service.fault_path);
	service.out = writer_stdout();
	halt_start();
	serve(&service);
	writer_close(service.out);
	return EXIT_COMPLETE;
}
