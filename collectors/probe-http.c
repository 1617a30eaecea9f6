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
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "latency.h"
#include "memory.h"
#include "message.h"
#include "number.h"
#include "options.h"
#include "prober.h"
#include "progress.h"
#include "schedule.h"
#include "writer.h"

enum {
	RETRIES_MAX = 20,
	BURST = 64,		/* requests sent before answers are looked at again */
	FLUSH_NS = 20000000,	/* what was written waits no longer */
	BODY_MAX = 64 << 20,
	STATUSES = 1000,
};

enum { COMPAT_NONE, COMPAT_MONITOR };
static const char *const compats[] = { "none", "monitor", NULL };
static const char *const versions[] = { "auto", "1.1", "2", NULL };

/* Attempts that wait for their back-off, which is the same for all of one list: so it is in order. */
struct waiting {
	struct probe *first, **end;
};

struct run {
	struct prober_plan plan;
	struct prober *prober;
	struct target *targets;
	size_t n_targets;
	struct schedule schedule;
	struct waiting waiting[RETRIES_MAX];
	uint64_t retries, backoff_ns;
	bool expected[STATUSES];
	int compat;
	int64_t epoch_ns;	/* of the monotonic clock's zero */
	struct writer *out;
	uint64_t flushed_ns;
	struct latency latency;
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

/* ---- rows ---- */

static uint64_t since(uint64_t later, uint64_t earlier)
{
	return later > earlier ? later - earlier : 0;
}

static void put_phase(struct writer *out, struct key key, int64_t ns)
{
	if (ns >= 0)
		writer_i64(out, key, ns);
}

/* What a probe came to: of one that was never sent, sent_ns is 0. */
static void put_row(struct run *run, const struct probe *p)
{
	struct writer *out = run->out;
	bool sent = p->sent_ns != 0;

	writer_begin(out, run->epoch_ns + (int64_t)p->end_ns, SLICE("http"));
	writer_raw(out, KEY("url"), (struct slice){ p->target->label, p->target->label_len });
	if (sent && p->status)
		writer_u64(out, KEY("status"), p->status);
	writer_u64(out, KEY("ok"), p->failure == FAILURE_NONE);
	if (p->failure)
		writer_raw(out, KEY("error"), slice_of(failure_names[p->failure]));
	writer_i64(out, KEY("intended_ts"), run->epoch_ns + (int64_t)p->intended_ns);
	writer_u64(out, KEY("wait_ns"), since(sent ? p->sent_ns : p->end_ns, p->intended_ns));
	if (sent) {
		put_phase(out, KEY("dns_ns"), p->dns_ns);
		put_phase(out, KEY("connect_ns"), p->connect_ns);
		put_phase(out, KEY("tls_ns"), p->tls_ns);
		if (p->first_ns)
			writer_u64(out, KEY("ttfb_ns"), since(p->first_ns, p->sent_ns));
		writer_u64(out, KEY("dur_ns"), p->end_ns - p->sent_ns);
		writer_u64(out, KEY("corrected_ns"), since(p->end_ns, p->intended_ns));
		writer_u64(out, KEY("rx_bytes"), p->rx_bytes);
	}
	writer_u64(out, KEY("attempt"), p->attempt);
	if (sent)
		writer_u64(out, KEY("reused"), p->reused);
	writer_end(out);
}

/* The row of monitor.py, which had no other keys, and local time without a zone. */
static void put_monitor_row(struct run *run, const struct probe *p)
{
	int64_t ts = run->epoch_ns + (int64_t)p->end_ns;
	time_t seconds = (time_t)(ts / 1000000000);
	uint64_t ns = p->end_ns - (p->sent_ns ? p->sent_ns : p->intended_ns);
	char text[64], *end = text;
	struct tm local;
	bool whole = true;

	localtime_r(&seconds, &local);
	end += strftime(text, sizeof text, "timestamp=%Y-%m-%dT%H:%M:%S", &local);
	end += snprintf(end, sizeof text - (size_t)(end - text), ".%06d", (int)(ts % 1000000000 / 1000));
	writer_bytes(run->out, text, (size_t)(end - text));
	end = text + number_put_real(text, (double)ns / 1e6);
	for (const char *c = text; c < end; c++)
		whole &= *c != '.' && *c != 'e';
	if (whole)
		end = stpcpy(end, ".0");	/* as Python writes a float */
	writer_raw(run->out, KEY("latency_ms"), (struct slice){ text, (size_t)(end - text) });
	writer_raw(run->out, KEY("success"), p->failure ? SLICE("False") : SLICE("True"));
	if (p->status)
		writer_u64(run->out, KEY("status_code"), p->status);
	writer_end(run->out);
}

static void put(struct run *run, const struct probe *probe)
{
	if (run->compat == COMPAT_MONITOR)
		put_monitor_row(run, probe);
	else
		put_row(run, probe);
}

/* ---- requests ---- */

static void send_first(struct run *run, uint64_t now)
{
	struct probe *probe = prober_take(run->prober);
	const struct target *target = &run->targets[run->schedule.taken % run->n_targets];

	probe->intended_ns = schedule_take(&run->schedule, now);
	probe->attempt = 1;
	prober_send(run->prober, probe, target);
	if (run->schedule.closed)
		probe->intended_ns = probe->sent_ns;
	latency_wait(&run->latency, since(probe->sent_ns, probe->intended_ns));
}

/* A request for which there was no connection in time: a row, too. */
static void give_up(struct run *run, uint64_t now)
{
	struct probe probe = {
		.target = &run->targets[run->schedule.taken % run->n_targets],
		.end_ns = now,
		.failure = FAILURE_LATE,
		.attempt = 1,
	};

	probe.intended_ns = schedule_take(&run->schedule, now);
	latency_wait(&run->latency, since(now, probe.intended_ns));
	latency_fail(&run->latency, FAILURE_LATE);
	put(run, &probe);
}

static void send_again(struct run *run, uint64_t now)
{
	for (uint64_t i = 0; i < run->retries; i++) {
		struct waiting *list = &run->waiting[i];
		struct probe *probe;

		while ((probe = list->first) && probe->again_ns <= now) {
			if (!(list->first = probe->next))
				list->end = &list->first;
			prober_send(run->prober, probe, probe->target);
		}
	}
}

/* Sends what is due, a burst of it at most, and gives up what waited too long. */
static void send_due(struct run *run, uint64_t now)
{
	uint64_t due;

	for (int n = 0; n < BURST && (due = schedule_due(&run->schedule)) <= now; n++) {
		if (!run->schedule.closed && since(now, due) >= run->plan.timeout_ns)
			give_up(run, now);
		else if (prober_has_idle(run->prober))
			send_first(run, now);
		else
			return;
	}
}

static bool retry(struct run *run, struct probe *probe)
{
	struct waiting *list;
	uint64_t wait = run->backoff_ns;

	if (!probe->failure || probe->attempt > run->retries || stops)
		return false;
	list = &run->waiting[probe->attempt - 1];
	for (unsigned i = 1; i < probe->attempt; i++)
		wait *= 2;
	probe->again_ns = probe->end_ns + wait;
	probe->attempt++;
	probe->next = NULL;
	*list->end = probe;
	list->end = &probe->next;
	return true;
}

static void finish(struct run *run, struct probe *probe)
{
	if (!probe->failure && !run->expected[probe->status])
		probe->failure = FAILURE_STATUS;
	if (probe->failure)
		latency_fail(&run->latency, probe->failure);
	else
		latency_add(&run->latency, probe->end_ns - probe->sent_ns, since(probe->end_ns, probe->intended_ns));
	put(run, probe);
	if (!retry(run, probe))
		prober_release(run->prober, probe);
}

static void finish_all(struct run *run)
{
	struct probe *probe;

	while ((probe = prober_finished(run->prober)))
		finish(run, probe);
}

/* ---- the run ---- */

/* When there is something to do, if no answer comes before; SCHEDULE_NEVER: all that is left are answers. */
static uint64_t next_moment(const struct run *run, bool *waits)
{
	uint64_t at = schedule_due(&run->schedule);

	if (at != SCHEDULE_NEVER && !prober_has_idle(run->prober))
		at = run->schedule.closed ? SCHEDULE_NEVER - 1 : at + run->plan.timeout_ns;
	for (uint64_t i = 0; i < run->retries; i++)
		if (run->waiting[i].first && run->waiting[i].first->again_ns < at)
			at = run->waiting[i].first->again_ns;
	*waits = at != SCHEDULE_NEVER || prober_in_flight(run->prober);
	return at;
}

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

/* After a signal: nothing more is sent, what was due is late, what is in flight may end. */
static void stop_schedule(struct run *run)
{
	uint64_t now = clock_monotonic(), signals;

	/* Emptied, so that it wakes us for the next signal only. */
	if (read(stop_event, &signals, sizeof signals) < 0 && errno != EAGAIN)
		message("cannot read an eventfd: %m");
	while (!run->schedule.closed && schedule_due(&run->schedule) <= now)
		give_up(run, now);
	run->schedule.count = run->schedule.taken;
	for (uint64_t i = 0; i < run->retries; i++) {
		for (struct probe *probe = run->waiting[i].first, *next; probe; probe = next) {
			next = probe->next;
			prober_release(run->prober, probe);
		}
		run->waiting[i] = (struct waiting){ NULL, &run->waiting[i].first };
	}
}

static void show(struct run *run, struct progress *progress, uint64_t now)
{
	uint64_t total = schedule_total(&run->schedule), length = run->schedule.length_ns;

	if (total != UINT64_MAX && (!run->schedule.closed || length == UINT64_MAX))
		progress_now(progress, run->latency.requests, total, run->latency.requests);
	else
		progress_now(progress, now - run->schedule.start_ns, length == UINT64_MAX ? 0 : length,
			     run->latency.requests);
}

/* False when it was cut short. */
static bool probe_all(struct run *run, struct progress *progress)
{
	bool waits = true, stopped = false;

	run->schedule.start_ns = clock_monotonic();
	while (waits && stops < 2) {
		uint64_t now = clock_monotonic(), next;

		if (stops && !stopped) {
			stopped = true;
			stop_schedule(run);
		}
		send_again(run, now);
		send_due(run, now);
		finish_all(run);
		next = next_moment(run, &waits);
		flush_when_due(run, now, &next);
		show(run, progress, now);
		if (waits)
			prober_wait(run->prober, next);
		finish_all(run);
	}
	if (stops < 2)
		return true;
	stop_schedule(run);
	prober_abandon(run->prober);
	finish_all(run);
	return false;
}

/* ---- the command line ---- */

/* `2xx,304`: which statuses are good. */
static void expect(struct run *run, const char *text)
{
	char **list = options_split(text);

	memset(run->expected, 0, sizeof run->expected);
	for (char **item = list; *item; item++) {
		const char *t = *item;
		bool is_class = strlen(t) == 3 && t[0] >= '1' && t[0] <= '9' && strcmp(t + 1, "xx") == 0;
		uint64_t from, n = is_class ? 100 : 1;

		if (is_class)
			from = (uint64_t)(t[0] - '0') * 100;
		else if (strlen(t) != 3 || !number_u64(slice_of(t), &from) || from < 100)
			message_usage("cannot use '%.200s' for --expect: it takes statuses, such as 200,3xx", t);
		memset(run->expected + from, 1, n);
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

/* The difference of the two clocks; of several readings that which was interrupted the least. */
static int64_t epoch_of_monotonic(void)
{
	uint64_t best = UINT64_MAX;
	int64_t offset = 0;

	for (int i = 0; i < 10; i++) {
		uint64_t before = clock_monotonic();
		int64_t epoch = clock_epoch();
		uint64_t took = clock_monotonic() - before;

		if (took < best) {
			best = took;
			offset = epoch - (int64_t)(before + took / 2);
		}
	}
	return offset;
}

int main(int argc, char **argv)
{
	static struct run run = { .plan = { .timeout_ns = 10000000000 }, .backoff_ns = 100000000 };
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
		  .to = &run.schedule.closed },
		{ 0, "timeout", "SECONDS", "a request may take so long (10)", OPTION_SECONDS,
		  .to = &run.plan.timeout_ns, .min = 1000000, .max = 86400000000000 },
		{ 'X', "method", "METHOD", "the request's method (GET, with --data POST)", OPTION_TEXT,
		  .to = &run.plan.method },
		{ 'H', "header", "HEADER", "send 'Name: value', too; may be repeated", OPTION_LIST, .to = &headers },
		{ 0, "data", "TEXT|@FILE", "the request's body", OPTION_TEXT, .to = &data },
		{ 0, "expect", "STATUS,...", "these are good, such as 200,3xx (2xx)", OPTION_TEXT, .to = &expected },
		{ 0, "retry", "N", "try again up to N times what failed (0)", OPTION_COUNT, .to = &run.retries,
		  .max = RETRIES_MAX },
		{ 0, "backoff", "MS", "wait so long before that, then twice as long each time (100)",
		  OPTION_MILLISECONDS, .to = &run.backoff_ns, .max = 3600000000000 },
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
	if (interval_ns == 0 && !run.schedule.closed)
		message_usage("cannot use an interval of 0 without --closed");
	check_headers(&headers);
	if (run.plan.method)
		check_method(run.plan.method);
	if (run.plan.proxy && has_control(run.plan.proxy))
		message_usage("cannot use the proxy: its URL holds a control character");
	expect(&run, expected ? expected : run.compat == COMPAT_MONITOR ? "200" : "2xx");
	open_targets(&run, urls);
	run.plan.probes = connections ? connections : run.schedule.closed ? 1 : 100;
	run.plan.http = (enum prober_http)http;
	run.plan.headers = headers.items;
	run.plan.n_headers = headers.count;
	run.plan.has_body = data != NULL;
	if (data)
		run.plan.body = body_of(data);
	run.schedule.interval_ns = has_rate ? 1e9L / (long double)rate : (long double)interval_ns;
	run.schedule.count = count ? count : UINT64_MAX;
	run.schedule.length_ns = count && !has_length ? UINT64_MAX : length_ns;
	for (size_t i = 0; i < RETRIES_MAX; i++)
		run.waiting[i].end = &run.waiting[i].first;

	prctl(PR_SET_TIMERSLACK, 1UL);	/* timers need not be shared with others to save power */
	catch_signals();
	run.out = writer_stdout();
	run.prober = prober_open(&run.plan);
	prober_watch(run.prober, stop_event);
	run.epoch_ns = epoch_of_monotonic();
	latency_start(&run.latency);
	progress_start(&progress, "requests", force, none);
	whole = probe_all(&run, &progress);
	progress_end(&progress);
	took = clock_monotonic() - run.schedule.start_ns;
	writer_close(run.out);
	latency_report(&run.latency, took);
	if (summary) {
		struct writer *out = writer_file(summary);

		latency_write(&run.latency, out, clock_epoch(), took);
		writer_close(out);
	}
	prober_close(run.prober);
	latency_free(&run.latency);
	for (size_t i = 0; i < run.n_targets; i++)
		target_free(&run.targets[i]);
	free(run.targets);
	free(headers.items);
	if (data && *data == '@')
		free((char *)(uintptr_t)run.plan.body.at);
	return whole ? EXIT_COMPLETE : EXIT_FAILED;
}
