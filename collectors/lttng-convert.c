// SPDX-License-Identifier: MIT
// pkg-config: babeltrace2
// pkg-config-if-there: json-c
/*
 * lttng-convert: LTTng and other CTF traces, or the text that babeltrace prints of them, as records.
 *
 *	$ lttng-convert ~/lttng-traces/redis-20261121-013813 > redis.tskv
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "babeltrace/crew.h"
#include "babeltrace/merge.h"
#include "babeltrace/rescue.h"
#include "babeltrace/textfeed.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "base/progress.h"
#include "ctf/merge.h"
#include "ctf/trace.h"
#include "records/listing.h"
#include "records/loss.h"
#include "spans/pairing.h"
#include "traces/tracefind.h"

/* Who decodes: our own reader (lib/ctf), libbabeltrace2, or ours where it can. */
enum { READER_AUTO, READER_FAST, READER_BABELTRACE };
static const char *const readers[] = { "auto", "fast", "babeltrace", NULL };

/* Whom the records are for. */
enum { FOR_ALL, FOR_SPANS };
static const char *const filters[] = { "all", "spans", NULL };

/* What a run is about, and what came of it. */
struct conversion {
	struct selection selection;
	struct tracefind find;
	struct trace *traces;
	size_t n_traces, room;
	char **texts;		/* operands that are text */
	struct textfeed *feeds;	/* those that could be opened */
	size_t n_texts, texts_room, n_feeds;
	uint64_t workers;
	int64_t span, first_ts;	/* of the traces, for progress: ns, 0 when not known */
	struct crew crew;
	struct rescue rescue;
	struct progress progress;
	bool force_progress, no_progress;
	struct writer *out;
	bool complete;
	uint64_t lost, lost_places;
	bool lost_unknown;
	int reader, filter;
};

static bool is_live(const char *operand)
{
	return strncmp(operand, "net", 3) == 0 && strstr(operand, "://");
}

static void add_trace(struct conversion *run, struct trace trace)
{
	run->traces = memory_grow(run->traces, &run->room, run->n_traces + 1, sizeof *run->traces);
	run->traces[run->n_traces++] = trace;
}

static void add_operand(struct conversion *run, char *operand)
{
	struct stat status;

	if (strcmp(operand, "-") != 0 && is_live(operand)) {
		char **path = memory_get(sizeof *path);

		*path = operand;
		add_trace(run, (struct trace){ .paths = path, .n = 1, .live = true, .name = operand });
		return;
	}
	if (strcmp(operand, "-") != 0 && stat(operand, &status)) {
		message("cannot open %s: %m", operand);
		run->complete = false;
		return;
	}
	if (strcmp(operand, "-") != 0 && S_ISDIR(status.st_mode)) {
		run->complete &= tracefind_below(&run->find, operand);
		return;
	}
	run->texts = memory_grow(run->texts, &run->texts_room, run->n_texts + 1, sizeof *run->texts);
	run->texts[run->n_texts++] = operand;
}

/* The chunks of one trace are decoded together. */
static void group_found(struct conversion *run)
{
	const struct found *found = run->find.found;
	size_t *head = memory_get(run->find.n * sizeof *head), first = run->n_traces;
	uint64_t begin = UINT64_MAX, end = 0;

	for (size_t i = 0; i < run->find.n; i++) {
		size_t at = first;
		struct trace *trace;

		begin = found[i].first < begin ? found[i].first : begin;
		end = found[i].last > end ? found[i].last : end;
		while (at < run->n_traces && !(found[i].has_uuid && found[head[at - first]].has_uuid &&
					       memcmp(found[i].uuid, found[head[at - first]].uuid, 16) == 0))
			at++;
		if (at == run->n_traces) {
			head[at - first] = i;
			add_trace(run, (struct trace){ .name = found[i].path });
		}
		trace = &run->traces[at];
		trace->paths = memory_resize(trace->paths, (trace->n + 1) * sizeof *trace->paths);
		trace->paths[trace->n++] = found[i].path;
		trace->bytes += found[i].bytes;
	}
	/* LTTng's clocks count nanoseconds; another clock may give a wrong percentage. */
	run->span = begin < end && end - begin < INT64_MAX ? (int64_t)(end - begin) : 0;
	free(head);
}

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* A live trace is read until somebody has seen enough: then what came so far goes out. */
static void stop_when_interrupted(const struct conversion *run)
{
	const struct sigaction action = { .sa_handler = interrupt };

	for (size_t i = 0; i < run->n_traces; i++) {
		if (run->traces[i].live) {
			sigaction(SIGINT, &action, NULL);
			sigaction(SIGTERM, &action, NULL);
		}
	}
}

static void idle(void *data)
{
	struct conversion *run = data;
	uint64_t events = 0;
	int64_t now = INT64_MAX;

	if (interrupted)
		crew_stop(&run->crew);
	crew_look_after(&run->crew);
	for (size_t i = 0; i < run->n_feeds; i++) {
		textfeed_look_after(&run->feeds[i]);
		events += run->feeds[i].sum->records;
	}
	for (uint32_t i = 0; i < run->crew.n_workers; i++) {
		struct share *share = crew_share(&run->crew, i);

		if (!share->ring->over && share->ring->now < now)
			now = share->ring->now;
		if (share->has_first && (!run->first_ts || share->first_ts < run->first_ts))
			run->first_ts = share->first_ts;
		events += share->events;
	}
	/* How far text is, nobody knows. */
	if (run->n_feeds || now == INT64_MAX || now <= run->first_ts || now - run->first_ts > run->span)
		progress_now(&run->progress, 0, 0, events);
	else
		progress_now(&run->progress, (uint64_t)(now - run->first_ts), (uint64_t)run->span, events);
}

static void merge(struct conversion *run)
{
	size_t n = run->crew.n_workers, i;
	struct ring **rings = memory_get((n + run->n_feeds) * sizeof *rings);

	for (i = 0; i < n; i++)
		rings[i] = crew_share(&run->crew, (uint32_t)i)->ring;
	for (i = 0; i < run->n_feeds; i++)
		rings[n + i] = run->feeds[i].ring;
	progress_start(&run->progress, "events", run->force_progress, run->no_progress);
	merge_run(&(struct merge){ .rings = rings, .n = n + run->n_feeds, .bell = crew_bell(&run->crew),
				   .out = run->out, .idle = idle, .data = run });
	progress_end(&run->progress);
	free(rings);
}

/* What is odd about events, whoever decoded them. */
static void report_events(uint64_t cut, uint64_t timeless)
{
	if (cut)
		message("warning: %llu records have been shortened: NAME.length is the full length of a field",
			(unsigned long long)cut);
	if (timeless)
		message("warning: %llu events have no time, or none that fits 64 bits of nanoseconds",
			(unsigned long long)timeless);
}

/* A stream's file as its trace was named: libbabeltrace2 has real paths. */
static const char *name_of_file(const struct trace *trace, const char *file)
{
	static char shown[PATH_MAX + sizeof ((struct stream *)NULL)->file];
	char real[PATH_MAX];

	for (size_t i = 0; i < trace->n && !trace->live; i++) {
		size_t len = realpath(trace->paths[i], real) ? strlen(real) : 0;

		if (len && strncmp(file, real, len) == 0 && file[len] == '/') {
			snprintf(shown, sizeof shown, "%s%s", trace->paths[i], file + len);
			return shown;
		}
	}
	return file;
}

/* What became of each stream. */
static void report_streams(struct conversion *run)
{
	uint32_t n;
	const struct stream *streams = crew_streams(&run->crew, &n);
	uint64_t cut = 0, timeless = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct stream *stream = &streams[i];
		const struct trace *trace = &run->traces[stream->trace];
		bool is_named = *stream->file && !trace->rescued;
		const char *name = is_named ? name_of_file(trace, stream->file) : trace->name;

		if (stream->state != STREAM_ENDED) {
			const char *reason = *stream->reason ? stream->reason : "it was not read to its end";

			if (stream->consumed)
				message("%s: %s, after %llu messages", name, reason,
					(unsigned long long)stream->consumed);
			else
				message("cannot read %s: %s", name, reason);
			run->complete = false;
		}
		if (stream->backwards)
			message("warning: %s: time goes back in %llu places; the records there are not "
				"sorted",
				name, (unsigned long long)stream->backwards);
		cut += stream->cut;
		timeless += stream->timeless;
		run->lost += stream->lost;
		run->lost_unknown |= stream->lost_unknown != 0;
		run->lost_places += stream->lost_places;
	}
	report_events(cut, timeless);
}

/* Opens the traces and starts their workers. */
static void start_traces(struct conversion *run)
{
	if (!run->n_traces)
		return;
	if (!rescue_open(&run->rescue, &run->crew, &run->traces, &run->n_traces)) {
		run->complete = false;
		return;
	}
	run->complete &= !run->rescue.incomplete;
	stop_when_interrupted(run);
	crew_start(&run->crew, &run->selection);
}

static void start_texts(struct conversion *run)
{
	run->feeds = memory_get(run->n_texts * sizeof *run->feeds);
	for (size_t i = 0; i < run->n_texts; i++) {
		if (textfeed_start(&run->feeds[run->n_feeds], run->texts[i], &run->selection,
				   crew_bell(&run->crew), (uint32_t)(STREAMS_MAX + i)))
			run->n_feeds++;
		else
			run->complete = false;
	}
}

/*
 * Opens the traces with our own reader. False when it is not for them, and libbabeltrace2 may try; with
 * --reader fast those that cannot be read are reported, and the others are opened.
 */
static bool open_fast(struct conversion *run, struct ctf_traces *traces)
{
	if (run->reader == READER_BABELTRACE || (run->reader == READER_AUTO && run->n_texts))
		return false;
	for (size_t i = 0; i < run->n_traces; i++) {
		const struct trace *trace = &run->traces[i];
		char why[300] = "it is live";

		if (!trace->live && ctf_traces_open(traces, trace->paths, trace->n, &run->selection, why, sizeof why))
			continue;
		if (run->reader == READER_AUTO) {
			if (!trace->live)
				message("%s/metadata: %s; reading it with libbabeltrace2", trace->name, why);
			ctf_traces_close(traces);
			return false;
		}
		message("cannot read %s: %s", trace->name, why);
		run->complete = false;
	}
	return true;
}

/* Where the last events are left out, their time is not: what is under way at the end lasts until then. */
static void write_end(struct conversion *run, const struct ctf_traces *traces, int64_t latest)
{
	int64_t end = latest;

	for (uint32_t i = 0; run->selection.reads && i < traces->n; i++)
		if (traces->readers[i].last_included > end)
			end = traces->readers[i].last_included;
	if (end > latest) {
		writer_begin(run->out, end, SLICE("end"));
		writer_end(run->out);
	}
}

static void convert_fast(struct conversion *run, struct ctf_traces *traces)
{
	struct ctf_sum sum = { 0 };
	int64_t first = 0, latest;

	ctf_traces_first(traces, &first);
	selection_start(&run->selection, first);
	progress_start(&run->progress, "events", run->force_progress, run->no_progress);
	latest = ctf_merge(traces->readers, traces->n, (unsigned)run->workers, run->out, &run->progress, traces->bytes);
	progress_end(&run->progress);
	write_end(run, traces, latest);
	run->complete &= ctf_traces_report(traces, &sum);
	report_events(sum.cut, sum.timeless);
	run->lost = sum.lost;
	run->lost_places = sum.lost_places;
	run->lost_unknown = sum.lost_unknown;
	ctf_traces_close(traces);
}

/* What the traces say of themselves: a record each. */
static void describe(struct conversion *run)
{
	for (size_t i = 0; i < run->n_traces; i++) {
		const struct trace *trace = &run->traces[i];
		struct ctf_traces one = { 0 };
		char why[300] = "it is live";

		if (trace->live || !ctf_traces_open(&one, trace->paths, trace->n, &run->selection, why, sizeof why)) {
			message("cannot describe %s: %s", trace->name, why);
			run->complete = false;
			continue;
		}
		ctf_traces_describe(&one, 0, trace->name, run->out);
		ctf_traces_close(&one);
	}
}

static void convert_with_crew(struct conversion *run)
{
	/* What --for allows to be left out is left out by our own reader only. */
	if (run->selection.reads) {
		free(run->selection.fields);
		run->selection.fields = NULL;
	}
	crew_new(&run->crew, (uint32_t)run->workers);
	start_texts(run);
	start_traces(run);
	crew_begin(&run->crew, &run->selection);
	merge(run);
	run->crew.is_done = true;
	crew_end(&run->crew);
	for (size_t i = 0; i < run->n_feeds; i++) {
		run->complete &= textfeed_end(&run->feeds[i]);
		run->lost += run->feeds[i].sum->events;
		run->lost_places += run->feeds[i].sum->places;
		run->lost_unknown |= run->feeds[i].sum->unknown;
	}
	report_streams(run);
	rescue_end(&run->rescue);
}

int main(int argc, char **argv)
{
	static struct conversion run = { .complete = true };
	bool strict = false, list = false, info = false;
	const char *fields = NULL;
	const struct option options[] = {
		{ 'e', "event", "GLOB", "convert only events whose name matches; may be repeated",
		  OPTION_LIST, .to = &run.selection.include },
		{ 'x', "exclude", "GLOB", "leave out events whose name matches; may be repeated", OPTION_LIST,
		  .to = &run.selection.exclude },
		{ 'f', "fields", "FIELD,...", "write only these fields, besides ts and ev", OPTION_TEXT,
		  .to = &fields },
		{ 0, "for", "FILTER", "leave out what FILTER does not read: spans, or all (default)", OPTION_CHOICE,
		  .to = &run.filter, .choices = filters },
		{ 0, "bare", NULL, "with --for: write the other events, too, as ts and ev", OPTION_FLAG,
		  .to = &run.selection.bare },
		{ 0, "begin", "TIME", "leave out what is before TIME", OPTION_MOMENT,
		  .to = &run.selection.begin, .seen = &run.selection.has_begin },
		{ 0, "end", "TIME", "leave out what is after TIME", OPTION_MOMENT, .to = &run.selection.end,
		  .seen = &run.selection.has_end },
		{ 'j', "jobs", "N", "decode with N CPUs; default: all there are", OPTION_COUNT,
		  .to = &run.workers, .min = 1, .max = 256 },
		{ 0, "reader", "READER", "who decodes: auto (default), fast (our own), babeltrace (libbabeltrace2)",
		  OPTION_CHOICE, .to = &run.reader, .choices = readers },
		{ 0, "list", NULL, "write the event types, how many there are, and their fields", OPTION_FLAG,
		  .to = &list },
		{ 0, "info", NULL, "write what each trace says of itself: host, kernel, tracer", OPTION_FLAG, .to = &info },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		PROGRESS_OPTIONS(run.force_progress, run.no_progress),
		{ 0 },
	};
	const struct program program = {
		.name = "lttng-convert",
		.does = "traces of LTTng, or the text that babeltrace prints of them, as records",
		.operands = "[TRACE...]",
		.options = options,
		.examples = "  lttng-convert ~/lttng-traces/redis | spans | stats -g name dur_ns\n"
			    "  lttng-convert --for spans ~/lttng-traces/redis | spans\n"
			    "  lttng-convert -e 'sched_*' --begin +2s --end +3s -f cpu,tid TRACE\n"
			    "  babeltrace2 TRACE | lttng-convert\n",
	};
	char **operands;
	static char dash[] = "-", *only_stdin[] = { dash, NULL };
	struct ctf_traces traces = { 0 };
	struct listing *listing = NULL;
	struct loss loss = LOSS;
	int status;

	(void)argc;
	run.workers = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	operands = options_parse(&program, argv);
	if (!*operands && isatty(STDIN_FILENO))
		message_usage("cannot convert: no trace is named");
	if (!*operands)
		operands = only_stdin;
	run.selection.fields = fields ? options_split(fields) : NULL;
	if (run.selection.bare && run.filter == FOR_ALL)
		message_usage("cannot use --bare without --for");
	if (run.filter == FOR_SPANS) {
		if (fields)
			message_usage("cannot use --fields with --for, which chooses them");
		run.selection.fields = pairing_keys();
		run.selection.reads = pairing_reads;
	}
	run.workers = run.workers < 1 ? 1 : run.workers > 256 ? 256 : run.workers;
	run.out = list ? listing_open(&listing) : writer_stdout();
	for (; *operands; operands++)
		add_operand(&run, *operands);
	group_found(&run);
	if (info)
		describe(&run);
	else if (open_fast(&run, &traces))
		convert_fast(&run, &traces);
	else
		convert_with_crew(&run);
	writer_close(run.out);
	if (listing)
		run.complete &= listing_close(listing);
	loss.records = run.lost_places;
	loss.events = run.lost;
	loss.unknown = run.lost_unknown;
	status = loss_report(&loss, "the trace is", strict);
	return run.complete ? status : EXIT_FAILED;
}
