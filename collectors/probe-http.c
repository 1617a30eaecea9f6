// SPDX-License-Identifier: MIT
// pkg-config: libcurl
/*
 * probe-http: asks for URLs on a schedule, a record for each attempt.
 *
 *	$ probe-http -i 0.3 -d 60 http://localhost:5000/process | stats corrected_ns
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "base/progress.h"
#include "http/proberow.h"
#include "http/probing.h"
#include "records/writer.h"

enum {
	FLUSH_NS = 20000000,	/* what was written waits no longer */
	BODY_MAX = 64 << 20,
};

enum { COMPAT_NONE, COMPAT_MONITOR };
static const char *const compats[] = { "none", "monitor", NULL };
static const char *const versions[] = { "auto", "1.1", "2", NULL };

struct run {
	struct prober_plan plan;
	struct probing probing;
	struct target *targets;
	size_t n_targets;
	int compat;
	int64_t epoch_ns;	/* of the monotonic clock's zero */
	struct writer *out;
	uint64_t flushed_ns;
};

static volatile sig_atomic_t stops;	/* signals that came */
static int stop_event = -1;

static void on_signal(int number)
{
	uint64_t one = 1;
	int before = errno;

	if (++stops > 1)
		signal(number, SIG_DFL);
	if (write(stop_event, &one, sizeof one) < 0)
		errno = before;	/* it is full: the loop knows already */
	errno = before;
}

static void catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;

	stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(caught[i], &action, NULL);
}

/* A signal has come: the event is emptied, so that it wakes us for the next one only. */
static void take_signal(void)
{
	uint64_t signals;

	if (read(stop_event, &signals, sizeof signals) < 0 && errno != EAGAIN)
		message("cannot read an eventfd: %m");
}

static void put(void *data, const struct probe *probe)
{
	struct run *run = data;

	if (run->compat == COMPAT_MONITOR)
		proberow_put_monitor(run->out, run->epoch_ns, probe);
	else
		proberow_put(run->out, run->epoch_ns, probe);
}

/* Full blocks when busy, without much delay when not. */
static void flush_when_due(struct run *run, uint64_t now, uint64_t *next)
{
	if (run->out->at == run->out->buffer)
		return;
	if (now - run->flushed_ns >= FLUSH_NS) {
		writer_flush(run->out);
		run->flushed_ns = now;
	} else if (run->flushed_ns + FLUSH_NS < *next) {
		*next = run->flushed_ns + FLUSH_NS;
	}
}

static void show(const struct probing *probing, struct progress *progress, uint64_t now)
{
	const struct schedule *schedule = &probing->schedule;
	uint64_t total = schedule_total(schedule), length = schedule->length_ns, n = probing->latency.requests;

	if (total != UINT64_MAX && (!schedule->closed || length == UINT64_MAX))
		progress_now(progress, n, total, n);
	else
		progress_now(progress, now - schedule->start_ns, length == UINT64_MAX ? 0 : length, n);
}

/* False when it was cut short. */
static bool probe_all(struct run *run, struct progress *progress)
{
	struct probing *probing = &run->probing;
	uint64_t next;

	probing_start(probing);
	while (stops < 2 && probing_send(probing, &next)) {
		uint64_t now = clock_monotonic();

		if (stops && !probing->stopped) {
			take_signal();
			probing_stop(probing);
			continue;
		}
		flush_when_due(run, now, &next);
		show(probing, progress, now);
		prober_wait(probing->prober, next);
	}
	if (stops < 2)
		return true;
	probing_abandon(probing);
	return false;
}

/* ---- the command line ---- */

/* `2xx,304`: which statuses are good. */
static void expect(bool *good, const char *text)
{
	char **list = options_split(text);

	for (char **item = list; *item; item++) {
		const char *t = *item;
		bool is_class = strlen(t) == 3 && t[0] >= '1' && t[0] <= '9' && strcmp(t + 1, "xx") == 0;
		uint64_t from, n = is_class ? 100 : 1;

		if (is_class)
			from = (uint64_t)(t[0] - '0') * 100;
		else if (strlen(t) != 3 || !number_u64(slice_of(t), &from) || from < 100)
			message_usage("cannot use '%.200s' for --expect: it takes statuses, such as 200,3xx", t);
		memset(good + from, 1, n);
	}
	free(list);
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return true;
	return false;
}

static void check_headers(const struct option_list *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		const char *text = headers->items[i], *colon = strpbrk(text, ":;");

		if (has_control(text))
			message_usage("cannot use '%.200s' as a header: it holds a control character", text);
		if (!colon || colon == text)
			message_usage("cannot use '%.200s' as a header: it is not 'Name: value'", text);
	}
}

static void check_method(const char *method)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";

	if (!*method || method[strspn(method, letters)])
		message_usage("cannot use '%.200s' as a method", method);
}

static void check_proxy(const char *proxy)
{
	static const char *const schemes[] = { "http", "https", "socks4", "socks4a", "socks5", "socks5h" };
	size_t len = strcspn(proxy, ":");
	bool known = strncmp(proxy + len, "://", 3) != 0;

	if (has_control(proxy))
		message_usage("cannot use the proxy: its URL holds a control character");
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		known |= len == strlen(schemes[i]) && strncasecmp(proxy, schemes[i], len) == 0;
	if (!known)
		message_usage("cannot use '%.*s://' for --proxy: it takes http, https, socks4, socks4a, socks5, socks5h",
			      len < 200 ? (int)len : 200, proxy);
}

/* The body of --data: the text itself, or the file behind an @. */
static struct slice body_of(const char *text)
{
	size_t room = 0, len = 0, n;
	char *bytes = NULL;
	FILE *file;

	if (*text != '@')
		return slice_of(text);
	file = fopen(text + 1, "re");
	if (!file)
		message_die("cannot open %s: %m", text + 1);
	do {
		bytes = memory_grow(bytes, &room, len + 65536, 1);
		n = fread(bytes + len, 1, room - len, file);
		len += n;
		if (len > BODY_MAX)
			message_die("cannot send %s: it is larger than %d MiB", text + 1, BODY_MAX >> 20);
	} while (n);
	if (ferror(file))
		message_die("cannot read %s: %m", text + 1);
	fclose(file);
	return (struct slice){ bytes, len };
}

static void open_targets(struct run *run, char **urls)
{
	while (urls[run->n_targets])
		run->n_targets++;
	if (!run->n_targets)
		message_usage("cannot probe: no URL is given");
	run->targets = memory_zeroed(run->n_targets * sizeof *run->targets);
	for (size_t i = 0; i < run->n_targets; i++) {
		const char *wrong = target_open(&run->targets[i], urls[i]);

		if (wrong)
			message_usage("cannot use '%.200s' as a URL: %s", urls[i], wrong);
	}
}

int main(int argc, char **argv)
{
	static struct run run = { .plan = { .timeout_ns = 10000000000 }, .probing = { .backoff_ns = 100000000 } };
	struct probing *probing = &run.probing;
	struct schedule *schedule = &probing->schedule;
	uint64_t interval_ns = 300000000, length_ns = 300000000000, count = 0, connections = 0;
	bool has_interval = false, has_rate = false, has_length = false, force = false, none = false, whole;
	struct option_list headers = { 0 };
	const char *expected = NULL, *data = NULL, *summary = NULL;
	int http = PROBER_HTTP_AUTO;
	double rate = 0;
	const struct option options[] = {
		{ 'i', "interval", "SECONDS", "a request is due so often (0.3)", OPTION_SECONDS, .to = &interval_ns,
		  .max = 86400000000000, .seen = &has_interval },
		{ 'r', "rate", "RATE", "so many requests are due each second, instead of -i", OPTION_REAL, .to = &rate,
		  .max = 10000000, .seen = &has_rate },
		{ 'd', "duration", "SECONDS", "go on for so long (300, or with -n without end)", OPTION_SECONDS,
		  .to = &length_ns, .min = 1, .seen = &has_length },
		{ 'n', "count", "COUNT", "stop after so many requests", OPTION_COUNT, .to = &count, .min = 1 },
		{ 'c', "connections", "N", "requests in flight at most (100, with --closed 1)", OPTION_COUNT,
		  .to = &connections, .min = 1, .max = PROBER_MOST },
		{ 0, "closed", NULL, "wait for an answer before the next request, however late that is", OPTION_FLAG,
		  .to = &schedule->closed },
		{ 0, "timeout", "SECONDS", "a request may take so long (10)", OPTION_SECONDS,
		  .to = &run.plan.timeout_ns, .min = 1000000, .max = 86400000000000 },
		{ 'X', "method", "METHOD", "the request's method (GET, with --data POST)", OPTION_TEXT,
		  .to = &run.plan.method },
		{ 'H', "header", "HEADER", "send 'Name: value', too; may be repeated", OPTION_LIST, .to = &headers },
		{ 0, "data", "TEXT|@FILE", "the request's body", OPTION_TEXT, .to = &data },
		{ 0, "expect", "STATUS,...", "these are good, such as 200,3xx (2xx)", OPTION_TEXT, .to = &expected },
		{ 0, "retry", "N", "try again up to N times what failed (0)", OPTION_COUNT, .to = &probing->retries,
		  .max = PROBING_RETRIES },
		{ 0, "backoff", "MS", "wait so long before that, then twice as long each time (100)",
		  OPTION_MILLISECONDS, .to = &probing->backoff_ns, .max = 3600000000000 },
		{ 0, "http", "VERSION", "auto (HTTP/2 where TLS offers it), 1.1 or 2", OPTION_CHOICE, .to = &http,
		  .choices = versions },
		{ 0, "no-reuse", NULL, "make a new connection for each request", OPTION_FLAG, .to = &run.plan.fresh },
		{ 'k', "insecure", NULL, "accept any certificate", OPTION_FLAG, .to = &run.plan.insecure },
		{ 0, "cacert", "FILE", "trust these certificates", OPTION_TEXT, .to = &run.plan.ca_file },
		{ 0, "proxy", "URL", "ask this proxy; '' for none, whatever the environment says", OPTION_TEXT,
		  .to = &run.plan.proxy },
		{ 0, "compat", "FORM", "monitor: rows as monitor.py had them", OPTION_CHOICE, .to = &run.compat,
		  .choices = compats },
		{ 0, "summary", "FILE", "write the summary to FILE, too, as records", OPTION_TEXT, .to = &summary },
		PROGRESS_OPTIONS(force, none),
		{ 0 },
	};
	const struct program program = {
		.name = "probe-http",
		.does = "ask for URLs on a schedule; a record for each attempt",
		.operands = "URL...",
		.options = options,
		.examples = "  probe-http -i 0.3 -d 60 http://localhost:5000/process | stats dur_ns corrected_ns\n"
			    "  probe-http --closed -i 0 -c 64 -n 100000 http://localhost/ >rows.tskv\n",
	};
	char **urls = options_parse(&program, argv);
	struct progress progress;
	uint64_t took;

	(void)argc;
	if (has_rate && has_interval)
		message_usage("cannot use -i and -r together");
	if (has_rate && rate < 1.0 / 86400)
		message_usage("cannot use a rate of less than one request in a day");
	if (interval_ns == 0 && !schedule->closed)
		message_usage("cannot use an interval of 0 without --closed");
	check_headers(&headers);
	if (run.plan.method)
		check_method(run.plan.method);
	if (run.plan.method && data && strcmp(run.plan.method, "HEAD") == 0)
		message_usage("cannot use --data with HEAD");
	if (run.plan.proxy)
		check_proxy(run.plan.proxy);
	if (run.plan.ca_file && access(run.plan.ca_file, R_OK))
		message_die("cannot read %s: %m", run.plan.ca_file);
	expect(probing->good, expected ? expected : run.compat == COMPAT_MONITOR ? "200" : "2xx");
	open_targets(&run, urls);
	run.plan.probes = connections ? connections : schedule->closed ? 1 : 100;
	run.plan.http = (enum prober_http)http;
	run.plan.headers = headers.items;
	run.plan.n_headers = headers.count;
	run.plan.has_body = data != NULL;
	if (data)
		run.plan.body = body_of(data);
	schedule->interval_ns = has_rate ? 1e9L / (long double)rate : (long double)interval_ns;
	schedule->count = count ? count : UINT64_MAX;
	schedule->length_ns = count && !has_length ? UINT64_MAX : length_ns;
	probing->patience_ns = run.plan.timeout_ns;
	probing->targets = run.targets;
	probing->n_targets = run.n_targets;
	probing->put = put;
	probing->data = &run;

	prctl(PR_SET_TIMERSLACK, 1UL);	/* timers need not be shared with others to save power */
	catch_signals();
	run.out = writer_stdout();
	probing->prober = prober_open(&run.plan);
	prober_watch(probing->prober, stop_event);
	run.epoch_ns = clock_monotonic_epoch();
	progress_start(&progress, "requests", force, none);
	whole = probe_all(&run, &progress);
	progress_end(&progress);
	took = clock_monotonic() - schedule->start_ns;
	writer_close(run.out);
	latency_report(&probing->latency, took);
	if (summary) {
		struct writer *out = writer_file(summary);

		latency_write(&probing->latency, out, clock_epoch(), took);
		writer_close(out);
	}
	prober_close(probing->prober);
	latency_free(&probing->latency);
	for (size_t i = 0; i < run.n_targets; i++)
		target_free(&run.targets[i]);
	free(run.targets);
	free(headers.items);
	if (data && *data == '@')
		free((char *)(uintptr_t)run.plan.body.at);
	return whole ? EXIT_COMPLETE : EXIT_FAILED;
}
