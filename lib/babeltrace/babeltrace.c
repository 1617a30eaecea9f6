// SPDX-License-Identifier: MIT
// pkg-config: babeltrace2
#include "babeltrace/babeltrace.h"

#include <babeltrace2/babeltrace.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "babeltrace/eventwriter.h"
#include "base/memory.h"
#include "base/table.h"
#include "traces/discards.h"

enum { PLANS_NEAR = 1024 };	/* plans found without a hash table */

struct source {
	bt_graph *graph;
	const bt_component_source *component;
};

struct babeltrace {
	const bt_plugin *plugin;
	struct source *sources;	/* by the trace's number */
	size_t room;
};

/* The message that is next in a stream. */
struct input {
	struct stream *stream;
	uint32_t number;		/* of the stream */
	bt_message_iterator *iterator;
	bt_message_array_const messages;
	uint64_t count, at;
	const bt_message *message;	/* an event or a loss */
	bool is_event;
	struct eventplan *plan;
	int64_t ts;
	uint64_t skip;			/* messages that an earlier worker did */
	uint64_t left;			/* messages that may still come */
	struct discards discards;
	bool is_padded;			/* its last event is not what was recorded */
	bt_message_iterator *counter;	/* to know beforehand which one that is */
	const bt_packet *packet;	/* whose context is known: */
	int64_t cpu;
	char name[256];			/* of the stream, for ev=lost */
};

struct decoder {
	struct babeltrace *babeltrace;
	struct share *share;
	struct selection *selection;
	struct input *inputs;
	struct input **heap;		/* the earliest first */
	size_t n, waiting;
	struct ring_writer out;
	struct table *plans;		/* by the event class's address */
	struct {
		const bt_event_class *class;
		struct eventplan *plan;
	} near[PLANS_NEAR];
	/* While a sink is connected: */
	struct input *connecting;
	size_t connecting_n;
};

/* ---- errors ---- */

/* Addresses of its objects tell people nothing: `, msg-it-addr=0x55af8784d260`. */
static void drop_addresses(char *text)
{
	char *at;

	while ((at = strstr(text, "addr=0x"))) {
		char *end = at + 7 + strspn(at + 7, "0123456789abcdef");

		while (at > text && ((at[-1] >= 'a' && at[-1] <= 'z') || at[-1] == '-'))
			at--;
		if (strncmp(end, ", ", 2) == 0)
			end += 2;
		else
			while (at > text && strchr(" ,:", at[-1]))
				at--;
		memmove(at, end, strlen(end) + 1);
	}
}

/* Why: the first cause that libbabeltrace2 recorded is the most precise one. One line. */
static void take_reason(char *why, const char *otherwise)
{
	const bt_error *error = bt_current_thread_take_error();
	const char *text = otherwise;

	if (error && bt_error_get_cause_count(error))
		text = bt_error_cause_get_message(bt_error_borrow_cause_by_index(error, 0));
	snprintf(why, BABELTRACE_TEXT, "%s", text);
	for (char *p = why; *p; p++)
		if (*p == '\n')
			*p = ' ';
	drop_addresses(why);
	if (error)
		bt_error_release(error);
}

/*
 * What makes libbabeltrace2 refuse metadata is in no cause, but in its log, which goes to this child's
 * stderr, a file: the first line since FROM, `DATE TIME PID TID E MODULE FUNCTION [COMPONENT] TEXT`.
 */
static bool logged_reason(off_t from, char *why)
{
	char log[1024], *text, *end;
	ssize_t n = from < 0 ? -1 : pread(STDERR_FILENO, log, sizeof log - 1, from);

	if (n <= 0)
		return false;
	log[n] = '\0';
	end = log + strcspn(log, "\n");
	*end = '\0';
	text = strstr(log, "] ");
	if (!text)
		return false;
	snprintf(why, BABELTRACE_TEXT, "%s", text + 2);
	drop_addresses(why);
	return true;
}

/* ---- opening ---- */

struct babeltrace *babeltrace_load(char *why)
{
	struct babeltrace *babeltrace = memory_zeroed(sizeof *babeltrace);

	bt_logging_set_global_level(BT_LOGGING_LEVEL_NONE);
	/* A Python interpreter would be started to look for plugins that we do not use. */
	setenv("LIBBABELTRACE2_DISABLE_PYTHON_PLUGINS", "1", 1);
	if (bt_plugin_find("ctf", BT_FALSE, BT_FALSE, BT_TRUE, BT_TRUE, BT_FALSE, &babeltrace->plugin) ==
	    BT_PLUGIN_FIND_STATUS_OK)
		return babeltrace;
	take_reason(why, "its plugin 'ctf' is not installed");
	free(babeltrace);
	return NULL;
}

static bt_value *parameters(const struct trace *trace)
{
	bt_value *map = bt_value_map_create(), *inputs = NULL;

	if (!map || bt_value_map_insert_empty_array_entry(map, "inputs", &inputs))
		return map;
	for (size_t i = 0; i < trace->n; i++)
		bt_value_array_append_string_element(inputs, trace->paths[i]);
	if (trace->live)
		bt_value_map_insert_string_entry(map, "session-not-found-action", "fail");
	return map;
}

bool babeltrace_open(struct babeltrace *babeltrace, uint32_t number, const struct trace *trace, char *why)
{
	size_t before = babeltrace->room;
	const bt_component_class_source *class = bt_plugin_borrow_source_component_class_by_name_const(
		babeltrace->plugin, trace->live ? "lttng-live" : "fs");
	bt_value *map = parameters(trace);
	off_t log = lseek(STDERR_FILENO, 0, SEEK_END);
	struct source *source;
	bool good;

	if (number >= babeltrace->room || !babeltrace->sources) {
		babeltrace->sources = memory_grow(babeltrace->sources, &babeltrace->room, number + 1,
						  sizeof *babeltrace->sources);
		memset(babeltrace->sources + before, 0,
		       (babeltrace->room - before) * sizeof *babeltrace->sources);
	}
	source = &babeltrace->sources[number];
	/* A graph for each: what fails in one does not stop the others. */
	source->graph = bt_graph_create(0);
	good = class && map && source->graph &&
	       bt_graph_add_source_component(source->graph, class, "source", map, BT_LOGGING_LEVEL_ERROR,
					     &source->component) == BT_GRAPH_ADD_COMPONENT_STATUS_OK;
	if (!good) {
		take_reason(why, "out of memory");
		logged_reason(log, why);
		source->component = NULL;
	}
	bt_value_put_ref(map);
	return good;
}

uint64_t babeltrace_ports(const struct babeltrace *babeltrace, uint32_t number)
{
	return bt_component_source_get_output_port_count(babeltrace->sources[number].component);
}

const char *babeltrace_port(const struct babeltrace *babeltrace, uint32_t number, uint64_t i)
{
	const bt_port_output *port = bt_component_source_borrow_output_port_by_index_const(
		babeltrace->sources[number].component, i);

	return bt_port_get_name(bt_port_output_as_port_const(port));
}

/* ---- our sink: it only gives us the iterators ---- */

static void break_stream(struct input *input, const char *otherwise)
{
	take_reason(input->stream->reason, otherwise);
	atomic_store(&input->stream->state, STREAM_BROKEN);
}

static bt_component_class_initialize_method_status
sink_begin(bt_self_component_sink *self, bt_self_component_sink_configuration *configuration,
	   const bt_value *params, void *data)
{
	struct decoder *decoder = data;
	char name[24];

	(void)configuration;
	(void)params;
	bt_self_component_set_data(bt_self_component_sink_as_self_component(self), decoder);
	for (size_t i = 0; i < decoder->connecting_n; i++) {
		snprintf(name, sizeof name, "in%zu", i);
		if (bt_self_component_sink_add_input_port(self, name, NULL, NULL))
			return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_MEMORY_ERROR;
	}
	return BT_COMPONENT_CLASS_INITIALIZE_METHOD_STATUS_OK;
}

static bt_component_class_sink_graph_is_configured_method_status sink_configured(bt_self_component_sink *self)
{
	struct decoder *decoder = bt_self_component_get_data(bt_self_component_sink_as_self_component(self));

	for (size_t i = 0; i < decoder->connecting_n; i++) {
		struct input *input = &decoder->connecting[i];

		atomic_store(&decoder->share->current, input->number);
		if (bt_message_iterator_create_from_sink_component(
			    self, bt_self_component_sink_borrow_input_port_by_index(self, i),
			    &input->iterator)) {
			input->iterator = NULL;
			break_stream(input, "out of memory");
		} else if (input->is_padded) {
			bt_message_iterator_create_from_sink_component(
				self, bt_self_component_sink_borrow_input_port_by_index(self, i),
				&input->counter);
		}
	}
	return BT_COMPONENT_CLASS_SINK_GRAPH_IS_CONFIGURED_METHOD_STATUS_OK;
}

static bt_component_class_sink_consume_method_status sink_consume(bt_self_component_sink *self)
{
	(void)self;
	return BT_COMPONENT_CLASS_SINK_CONSUME_METHOD_STATUS_AGAIN;
}

/* Connects N inputs, all of one trace. */
static void connect(struct decoder *decoder, struct input *inputs, size_t n)
{
	struct source *source = &decoder->babeltrace->sources[inputs->stream->trace];
	bt_component_class_sink *class = bt_component_class_sink_create("weir", sink_consume);
	const bt_component_sink *sink = NULL;
	bool good;

	decoder->connecting = inputs;
	decoder->connecting_n = n;
	bt_component_class_sink_set_initialize_method(class, sink_begin);
	bt_component_class_sink_set_graph_is_configured_method(class, sink_configured);
	good = bt_graph_add_sink_component_with_initialize_method_data(
		       source->graph, class, "sink", NULL, decoder, BT_LOGGING_LEVEL_NONE, &sink) == 0;
	for (size_t i = 0; good && i < n; i++) {
		const bt_port_output *from = bt_component_source_borrow_output_port_by_name_const(
			source->component, inputs[i].stream->port);

		good = from &&
		       bt_graph_connect_ports(source->graph, from,
					      bt_component_sink_borrow_input_port_by_index_const(sink, i),
					      NULL) == 0;
	}
	/* Configures the graph; our sink does not consume. */
	if (good)
		bt_graph_run_once(source->graph);
	for (size_t i = 0; i < n; i++)
		if (!inputs[i].iterator && atomic_load(&inputs[i].stream->state) == STREAM_OPEN)
			break_stream(&inputs[i], "cannot connect it");
	bt_current_thread_clear_error();
	bt_component_class_sink_put_ref(class);
}

/* ---- messages ---- */

static struct eventplan *find_plan(struct decoder *decoder, const bt_event *event)
{
	const bt_event_class *class = bt_event_borrow_class_const(event);
	size_t slot = (uintptr_t)class / 64 % PLANS_NEAR;
	struct eventplan **plan;

	if (decoder->near[slot].class == class)
		return decoder->near[slot].plan;
	plan = table_at(decoder->plans, (uintptr_t)class);
	if (!*plan)
		*plan = eventplan_new(bt_stream_borrow_trace_const(bt_event_borrow_stream_const(event)), class,
				      decoder->selection);
	decoder->near[slot].class = class;
	decoder->near[slot].plan = *plan;
	return *plan;
}

static bool integer(const bt_field *structure, const char *name, int64_t *value)
{
	const bt_field *field = bt_field_structure_borrow_member_field_by_name_const(structure, name);
	bt_field_class_type type;

	if (!field)
		return false;
	type = bt_field_get_class_type(field);
	if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER))
		*value = (int64_t)bt_field_integer_unsigned_get_value(field);
	else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER))
		*value = bt_field_integer_signed_get_value(field);
	else
		return false;
	return true;
}

/* What the packet tells about its events. */
static void enter_packet(struct input *input, const bt_packet *packet)
{
	const bt_field *context = packet ? bt_packet_borrow_context_field_const(packet) : NULL;

	input->packet = packet;
	if (!context || !integer(context, "cpu_id", &input->cpu))
		input->cpu = CPU_UNKNOWN;
}

static void enter_stream(struct input *input, const bt_stream *stream)
{
	const char *name = bt_stream_get_name(stream), *base = name ? strrchr(name, '/') : NULL;

	snprintf(input->stream->file, sizeof input->stream->file, "%s", name ? name : "");
	if (name)
		snprintf(input->name, sizeof input->name, "%s", base ? base + 1 : name);
	else
		snprintf(input->name, sizeof input->name, "%llu",
			 (unsigned long long)bt_stream_get_id(stream));
}

/* An event whose stream has no clock. */
static void untimed(struct input *input)
{
	input->ts = 0;
	input->stream->timeless++;
}

/* The time of a snapshot; where it has none that fits 64 bits, the stream's last one. */
static int64_t nanoseconds(struct input *input, const bt_clock_snapshot *snapshot)
{
	int64_t ns;

	if (snapshot && bt_clock_snapshot_get_ns_from_origin(snapshot, &ns) == 0)
		return ns;
	input->stream->timeless++;
	bt_current_thread_clear_error();
	return input->ts == INT64_MIN ? 0 : input->ts;
}

static bool loss_times(struct input *input, const bt_message *message, bool packets, int64_t *first,
		       int64_t *last)
{
	const bt_stream *stream = packets ? bt_message_discarded_packets_borrow_stream_const(message)
					  : bt_message_discarded_events_borrow_stream_const(message);
	const bt_stream_class *class = bt_stream_borrow_class_const(stream);

	if (packets) {
		if (!bt_stream_class_discarded_packets_have_default_clock_snapshots(class))
			return false;
		*first = nanoseconds(
			input,
			bt_message_discarded_packets_borrow_beginning_default_clock_snapshot_const(message));
		*last = nanoseconds(
			input, bt_message_discarded_packets_borrow_end_default_clock_snapshot_const(message));
		return true;
	}
	if (!bt_stream_class_discarded_events_have_default_clock_snapshots(class))
		return false;
	*first = nanoseconds(
		input, bt_message_discarded_events_borrow_beginning_default_clock_snapshot_const(message));
	*last = nanoseconds(input,
			    bt_message_discarded_events_borrow_end_default_clock_snapshot_const(message));
	return true;
}

/* A loss comes before the packet that tells of it: whose it is, that packet says. */
static void enter_packet_ahead(struct input *input)
{
	for (uint64_t i = input->at; i < input->count && i <= input->at + 1; i++) {
		const bt_message *next = input->messages[i];

		if (bt_message_get_type(next) == BT_MESSAGE_TYPE_PACKET_BEGINNING)
			enter_packet(input, bt_message_packet_beginning_borrow_packet_const(next));
	}
}

/* Looks at a message; true when it is one that becomes a record. */
static bool examine(struct decoder *decoder, struct input *input, const bt_message *message)
{
	int64_t last;

	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_EVENT: {
		const bt_event *event = bt_message_event_borrow_event_const(message);

		input->plan = find_plan(decoder, event);
		input->is_event = true;
		if (input->plan->has_clock)
			input->ts = nanoseconds(
				input, bt_message_event_borrow_default_clock_snapshot_const(message));
		else
			untimed(input);
		return true;
	}
	case BT_MESSAGE_TYPE_STREAM_BEGINNING:
		enter_stream(input, bt_message_stream_beginning_borrow_stream_const(message));
		return false;
	case BT_MESSAGE_TYPE_PACKET_BEGINNING:
		enter_packet(input, bt_message_packet_beginning_borrow_packet_const(message));
		return false;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		input->is_event = false;
		enter_packet_ahead(input);
		if (!loss_times(input, message,
				bt_message_get_type(message) == BT_MESSAGE_TYPE_DISCARDED_PACKETS,
				&input->ts, &last) &&
		    input->ts == INT64_MIN)
			input->ts = 0;
		return true;
	default:
		return false;
	}
}

static void put_message(struct input *input)
{
	bt_message_put_ref(input->message);
	input->message = NULL;
}

/* Gets messages; false when the stream has ended, one way or the other. */
static bool fetch(struct decoder *decoder, struct input *input)
{
	for (;;) {
		bt_message_iterator_next_status status =
			bt_message_iterator_next(input->iterator, &input->messages, &input->count);

		input->at = 0;
		if (status == BT_MESSAGE_ITERATOR_NEXT_STATUS_OK)
			return true;
		input->count = 0;
		if (status == BT_MESSAGE_ITERATOR_NEXT_STATUS_AGAIN) {
			static const struct timespec pause = { .tv_nsec = 50000000 };

			bell_ring(decoder->share->ring->bell);
			nanosleep(&pause, NULL);
			continue;
		}
		if (status == BT_MESSAGE_ITERATOR_NEXT_STATUS_END)
			atomic_store(&input->stream->state, STREAM_ENDED);
		else
			break_stream(input, "libbabeltrace2 does not say why");
		return false;
	}
}

/*
 * Where a packet was cut off, an event class that does not exist ends the stream; the event before has its
 * last bytes from behind the cut.
 */
static void count_to_cut(struct decoder *decoder, struct input *input)
{
	bt_message_iterator_next_status status;
	bt_message_array_const messages;
	uint64_t n = 0, count;

	if (!input->counter)
		return;
	while ((status = bt_message_iterator_next(input->counter, &messages, &count)) == 0) {
		for (uint64_t i = 0; i < count; i++) {
			bt_message_type type = bt_message_get_type(messages[i]);

			n += type == BT_MESSAGE_TYPE_EVENT || type == BT_MESSAGE_TYPE_DISCARDED_EVENTS ||
			     type == BT_MESSAGE_TYPE_DISCARDED_PACKETS;
			bt_message_put_ref(messages[i]);
		}
		atomic_fetch_add(&decoder->share->beat, 1);
	}
	if (status != BT_MESSAGE_ITERATOR_NEXT_STATUS_END)
		input->left = n > input->skip ? n - 1 : 0;
	bt_current_thread_clear_error();
	bt_message_iterator_put_ref(input->counter);
	input->counter = NULL;
}

/* Goes to the stream's next event or loss; false: there is none. */
static bool advance(struct decoder *decoder, struct input *input)
{
	int64_t before = input->ts;

	atomic_store_explicit(&decoder->share->current, input->number, memory_order_relaxed);
	atomic_store_explicit(&decoder->share->beat,
			      atomic_load_explicit(&decoder->share->beat, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	if (input->message)
		put_message(input);
	if (input->left-- == 0) {
		break_stream(input, "the packet is cut off here");
		return false;
	}
	for (;;) {
		if (input->at == input->count && !fetch(decoder, input))
			return false;
		input->message = input->messages[input->at++];
		if (!examine(decoder, input, input->message)) {
			put_message(input);
		} else if (input->skip) {
			input->skip--;
			input->left--;
			before = input->ts;
			put_message(input);
		} else {
			break;
		}
	}
	if (input->ts < before)
		input->stream->backwards++;
	return true;
}

/* ---- records ---- */

static void write_loss(struct decoder *decoder, struct input *input)
{
	const bt_message *message = input->message;
	bool packets = bt_message_get_type(message) == BT_MESSAGE_TYPE_DISCARDED_PACKETS, timed;
	struct writer *out = &decoder->out.writer;
	struct stream *stream = input->stream;
	int64_t first = input->ts, last = input->ts;
	uint64_t n = LOST_UNKNOWN, missing = 0, count;

	timed = loss_times(input, message, packets, &first, &last);
	if (packets) {
		if (bt_message_discarded_packets_get_count(message, &count) ==
		    BT_PROPERTY_AVAILABILITY_AVAILABLE &&
		    !discards_absurd(count, timed, first, last))
			missing = count;
	} else if (bt_message_discarded_events_get_count(message, &count) ==
		   BT_PROPERTY_AVAILABILITY_AVAILABLE) {
		n = discards_count(&input->discards, count, 64, timed, first, last);
	}
	if (n == 0 || first > decoder->selection->end_ns || last < decoder->selection->begin_ns)
		return;
	stream->lost_places++;
	if (n == LOST_UNKNOWN)
		stream->lost_unknown++;
	else
		stream->lost += n;
	writer_begin(out, input->ts, SLICE("lost"));
	if (input->cpu != CPU_UNKNOWN)
		writer_i64(out, KEY("cpu"), input->cpu);
	if (n == LOST_UNKNOWN)
		writer_raw(out, KEY("n"), SLICE("?"));
	else
		writer_u64(out, KEY("n"), n);
	writer_text(out, KEY("source"), slice_of(input->name));
	if (timed) {
		writer_i64(out, KEY("first_ts"), first);
		writer_i64(out, KEY("last_ts"), last);
	}
	if (missing)
		writer_u64(out, KEY("packets"), missing);
	writer_end(out);
	ring_publish(&decoder->out, input->ts, stream->order);
}

static void write_event(struct decoder *decoder, struct input *input)
{
	const bt_event *event = bt_message_event_borrow_event_const(input->message);
	const bt_packet *packet;

	if (!input->plan->wanted || !selection_time(decoder->selection, input->ts))
		return;
	packet = bt_event_borrow_packet_const(event);
	if (packet != input->packet)
		enter_packet(input, packet);
	if (!eventwriter_put(input->plan, &decoder->out.writer, event, input->ts, input->cpu))
		input->stream->cut++;
	ring_publish(&decoder->out, input->ts, input->stream->order);
}

/* ---- merging ---- */

static bool is_before(const struct input *a, const struct input *b)
{
	return a->ts < b->ts || (a->ts == b->ts && a->stream->order < b->stream->order);
}

static void sift_down(struct decoder *decoder, size_t at)
{
	struct input **heap = decoder->heap, *input = heap[at];
	size_t child;

	while ((child = 2 * at + 1) < decoder->waiting) {
		if (child + 1 < decoder->waiting && is_before(heap[child + 1], heap[child]))
			child++;
		if (!is_before(heap[child], input))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = input;
}

static void end_input(struct input *input)
{
	if (input->message)
		put_message(input);
	while (input->at < input->count)
		bt_message_put_ref(input->messages[input->at++]);
}

static void merge(struct decoder *decoder)
{
	while (decoder->waiting) {
		struct input *input = decoder->heap[0];
		struct stream *stream = input->stream;
		bool more;

		ring_now(&decoder->out, input->ts);
		if (input->is_event)
			write_event(decoder, input);
		else
			write_loss(decoder, input);
		atomic_store_explicit(&stream->consumed,
				      atomic_load_explicit(&stream->consumed, memory_order_relaxed) + 1,
				      memory_order_release);
		atomic_store_explicit(&decoder->share->events,
				      atomic_load_explicit(&decoder->share->events, memory_order_relaxed) + 1,
				      memory_order_relaxed);
		more = input->ts <= decoder->selection->end_ns;
		if (!more)
			atomic_store(&stream->state, STREAM_ENDED);
		else
			more = advance(decoder, input);
		if (!more) {
			end_input(input);
			decoder->heap[0] = decoder->heap[--decoder->waiting];
		}
		if (decoder->waiting)
			sift_down(decoder, 0);
	}
}

/* Tells the time of the first event, and waits until the window in time is known. */
static void wait_for_start(struct decoder *decoder, const struct start *start)
{
	static const struct timespec pause = { .tv_nsec = 200000 };
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < decoder->waiting; i++)
		if (decoder->heap[i]->ts < first)
			first = decoder->heap[i]->ts;
	if (!atomic_load(&decoder->share->has_first)) {
		decoder->share->first_ts = first;
		atomic_store(&decoder->share->has_first, 1);
		bell_ring(decoder->share->ring->bell);
	}
	while (!atomic_load(&start->is_set))
		nanosleep(&pause, NULL);
	decoder->selection->begin_ns = start->begin_ns;
	decoder->selection->end_ns = start->end_ns;
}

void babeltrace_decode(struct babeltrace *babeltrace, const struct trace *traces, struct stream *streams,
		       uint32_t n, uint32_t worker, struct share *share, const struct start *start,
		       struct selection *selection)
{
	struct decoder *decoder = memory_zeroed(sizeof *decoder);
	size_t first = 0;

	decoder->babeltrace = babeltrace;
	decoder->share = share;
	decoder->selection = selection;
	decoder->plans = table_new(sizeof(struct eventplan *));
	decoder->inputs = memory_zeroed(n * sizeof *decoder->inputs);
	decoder->heap = memory_zeroed(n * sizeof *decoder->heap);
	for (uint32_t i = 0; i < n; i++)
		if (streams[i].worker == worker && atomic_load(&streams[i].state) == STREAM_OPEN)
			decoder->inputs[decoder->n++] =
				(struct input){ .stream = &streams[i], .number = i, .cpu = CPU_UNKNOWN,
						.ts = INT64_MIN, .skip = atomic_load(&streams[i].consumed),
						.left = UINT64_MAX,
						.is_padded = traces[streams[i].trace].is_padded };
	for (size_t i = 1; i <= decoder->n; i++) {
		if (i < decoder->n &&
		    decoder->inputs[i].stream->trace == decoder->inputs[first].stream->trace)
			continue;
		connect(decoder, &decoder->inputs[first], i - first);
		first = i;
	}
	for (size_t i = 0; i < decoder->n; i++) {
		struct input *input = &decoder->inputs[i];

		atomic_store(&share->current, input->number);
		count_to_cut(decoder, input);
		if (input->iterator && advance(decoder, input))
			decoder->heap[decoder->waiting++] = input;
	}
	for (size_t i = decoder->waiting; i-- > 0;)
		sift_down(decoder, i);
	ring_produce(&decoder->out, share->ring);
	wait_for_start(decoder, start);
	merge(decoder);
	atomic_store(&share->current, UINT32_MAX);
	ring_over(share->ring);
	/* The process ends now: what it holds, it need not put back. */
}
