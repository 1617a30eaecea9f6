// SPDX-License-Identifier: MIT
// pkg-config: libbpf libdw libelf zlib
// library: iberty
/*
 * collect-tcp: questions and answers on TCP connections, timed to the last byte, live.
 *
 *	# collect-tcp -d 10 -t 200 -p nova-api | list -f ts,role,daddr,dport,dur_ns,http_path
 */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "../bpf/collect-tcp.h"
#include "base/memory.h"
#include "base/message.h"
#include "http/requestline.h"
#include "live/collect.h"
#include "live/news.h"
#include "stacks/symbols.h"

#include "collect-tcp.skel.h"

static struct bpfobject_program programs[] = {
	{ .name = "on_sent", .gives = "bytes that are sent", .instead = "on_sent_fexit" },
	{ .name = "on_sent_fexit", .gives = "the same, before Linux 6.3", .instead = "on_sent_segment" },
	{ .name = "on_sent_segment", .gives = "the same, where functions cannot be traced" },
	{ .name = "on_received", .gives = "bytes that are received", .instead = "on_received_fexit" },
	{ .name = "on_received_fexit", .gives = "the same, before Linux 6.3", .instead = "on_received_bytes" },
	{ .name = "on_received_bytes", .gives = "the same, where functions cannot be traced" },
	{ .name = "on_sending", .gives = "when a send begins", .instead = "on_sending_fentry" },
	{ .name = "on_sending_fentry", .gives = "the same, before Linux 6.16; without it, when the send returns",
	  .optional = true },
	{ .name = "on_state", .gives = "connections open and close" },
	{ .name = "on_end", .gives = "sockets end" },
	{ .name = "begin_files", .gives = "connections that are open at the start" },
	{ .name = "end_flows", .gives = "exchanges and connections under way at the end", .map = "flows" },
	COLLECT_PROGRAMS,
	{ 0 },
};

/* include/net/tcp_states.h */
static const char *const states[] = {
	"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
	"LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
};

struct tcp {
	struct collect *collect;
	struct writer *out;
	struct symbols *symbols;	/* NULL: no stacks are asked for */
	char *fields;			/* the stacks of the exchange at hand */
	size_t fields_room, fields_len;
};

static struct slice state_name(uint8_t state)
{
	return slice_of(state < sizeof states / sizeof *states ? states[state] : "");
}

/* TO has room for INET6_ADDRSTRLEN bytes. */
static struct slice address(const uint8_t at[16], char *to)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	bool old = memcmp(at, mapped, sizeof mapped) == 0;

	inet_ntop(old ? AF_INET : AF_INET6, old ? at + sizeof mapped : at, to, INET6_ADDRSTRLEN);
	return slice_of(to);
}

static struct span_ends ends_of(const struct tcp_row *row, char *saddr, char *daddr)
{
	return (struct span_ends){
		.role = row->client ? SLICE("client") : SLICE("server"),
		.saddr = address(row->saddr, saddr),
		.daddr = address(row->daddr, daddr),
		.sport = row->sport,
		.dport = row->dport,
	};
}

static void put_connection(struct tcp *tcp, const struct tcp_row *row, const struct span *span)
{
	char saddr[INET6_ADDRSTRLEN], daddr[INET6_ADDRSTRLEN];
	struct span_conn conn = {
		.ends = ends_of(row, saddr, daddr),
		.tx_bytes = (int64_t)row->tx,
		.rx_bytes = (int64_t)row->rx,
		.retransmits = row->retransmits,
		.rtt_ns = row->srtt ? (int64_t)row->srtt * 125 : -1,
		.first_state = state_name(row->first_state),
		.last_state = state_name(row->last_state),
	};

	span_conn(tcp->out, span, &conn);
}

static void add_stack(struct tcp *tcp, struct slice key, const struct tcp_stack *at)
{
	struct stack stack = {
		.kernel = (const uint64_t *)at->kernel, .kernels = at->kernels < TCP_DEPTH ? at->kernels : TCP_DEPTH,
		.user = (const uint64_t *)at->user, .users = at->users < TCP_DEPTH ? at->users : TCP_DEPTH,
		.truncated = at->kernels == TCP_DEPTH || at->users == TCP_DEPTH,
	};
	struct slice frames;

	if (stack.kernels + stack.users == 0)
		return;
	frames = symbols_stack(tcp->symbols, symbols_program(tcp->symbols, at->pid, at->exec), &stack);
	tcp->fields = memory_grow(tcp->fields, &tcp->fields_room, tcp->fields_len + key.len + frames.len, 1);
	memcpy(tcp->fields + tcp->fields_len, key.at, key.len);
	memcpy(tcp->fields + tcp->fields_len + key.len, frames.at, frames.len);
	tcp->fields_len += key.len + frames.len;
}

/* The fields with the stacks. Valid until the next call. */
static struct slice stacks_of(struct tcp *tcp, const struct tcp_stacks *stacks)
{
	tcp->fields_len = 0;
	if (tcp->symbols) {
		add_stack(tcp, SLICE("\tstack="), &stacks->at[TCP_ASK]);
		add_stack(tcp, SLICE("\tend_stack="), &stacks->at[TCP_END]);
	}
	return tcp->fields_len ? (struct slice){ tcp->fields, tcp->fields_len } : SLICE("");
}

static void put_exchange(struct tcp *tcp, const struct tcp_row *row, const struct span *span)
{
	char saddr[INET6_ADDRSTRLEN], daddr[INET6_ADDRSTRLEN], path[4 * TCP_HEAD];
	struct slice head = { row->head, row->head_n < TCP_HEAD ? row->head_n : TCP_HEAD };
	struct slice answer = { row->status, row->status_n < TCP_STATUS ? row->status_n : TCP_STATUS };
	struct requestline line = { 0 };
	struct span_tcp exchange = {
		.ends = ends_of(row, saddr, daddr),
		.ttfb_ns = row->first ? (int64_t)(row->first - row->began) : -1,
		.tx_bytes = (int64_t)row->tx,
		.rx_bytes = (int64_t)row->rx,
		.status = requestline_status(answer),
	};

	if (requestline_read(head, answer, &line)) {
		exchange.method = line.method;
		exchange.path = (struct slice){ path, writer_escape(path, line.path) };
	}
	exchange.stacks = stacks_of(tcp, (const struct tcp_stacks *)(row + 1));
	span_tcp(tcp->out, span, &exchange);
}

static void put(struct tcp *tcp, const struct tcp_row *row, struct span *span)
{
	uint64_t began = row->clipped ? collect_began(tcp->collect) : row->began;

	span->ts = collect_ts(tcp->collect, row->last);
	span->dur_ns = (int64_t)(row->last - began);
	span->clipped = row->clipped;
	span->unfinished = row->unfinished;
	if (!span->tid)		/* nobody that is known has used the connection */
		span->pid = span->tid = span->cpu = -1;
	if (row->event.kind == TCP_CONNECTION)
		put_connection(tcp, row, span);
	else
		put_exchange(tcp, row, span);
}

static size_t row_size(const struct tcp *tcp)
{
	return sizeof(struct tcp_row) + (tcp->symbols ? sizeof(struct tcp_stacks) : 0);
}

static void on_event(void *state, const struct event *event, size_t size, struct span *span)
{
	if (size >= row_size(state))
		put(state, (const struct tcp_row *)event, span);
}

static void put_last(void *state, const void *record)
{
	struct tcp *tcp = state;
	const struct tcp_row *row = record;
	struct label comm;
	struct span span;

	if (!collect_wants(tcp->collect, &row->event))
		return;
	collect_span(tcp->collect, &row->event, &comm, &span);
	put(tcp, row, &span);
}

static void ignore(void *state, const void *record)
{
	(void)state;
	(void)record;
}

int main(int argc, char **argv)
{
	struct collect_options common = COLLECT_DEFAULTS;
	bool connections = false, stacks = false, kernel = false;
	const struct option options[] = {
		{ 0, "connections", NULL, "write the connections too (ev=conn), when they end", OPTION_FLAG,
		  .to = &connections },
		{ 0, "stacks", NULL, "tell where the thread was at the first byte, and at the last (end_stack)",
		  OPTION_FLAG, .to = &stacks },
		{ 'k', "kernel", NULL, "with --stacks: frames of the kernel too", OPTION_FLAG, .to = &kernel },
		COLLECT_THRESHOLD(common),
		COLLECT_OPTIONS(common),
		{ 0 },
	};
	const struct program program = {
		.name = "collect-tcp",
		.does = "record exchanges on TCP connections: what was asked, and how long the answer took",
		.operands = "[-- COMMAND [ARGUMENT...]]",
		.options = options,
		.examples = "  collect-tcp -d 10 -p nova-api | list -f ts,role,daddr,dport,dur_ns,http_path\n"
			    "  collect-tcp -t 0 -- curl -s http://localhost/ | stats ttfb_ns dur_ns\n",
	};
	struct tcp tcp = { 0 };
	struct collect_tcp *skeleton;
	struct news *news = NULL;
	int status;

	(void)argc;
	common.threshold_ns = 100000000;
	common.command = options_parse(&program, argv);
	if (kernel && !stacks)
		message_usage("-k goes with --stacks");
	if (stacks)
		common.rights = NEWS_RIGHTS;
	skeleton = collect_tcp__open();
	tcp.collect = collect_new(&common, skeleton ? skeleton->skeleton : NULL, programs);
	skeleton->rodata->connections = connections;
	skeleton->rodata->stacks = stacks;
	skeleton->rodata->kernel_frames = kernel;
	if (stacks)
		tcp.symbols = symbols_new();
	if (kernel)
		symbols_kernel(tcp.symbols, NULL);
	skeleton->rodata->calls = (struct tcp_calls){
		.read = SYS_read, .write = SYS_write, .recvfrom = SYS_recvfrom, .sendto = SYS_sendto,
		.readv = SYS_readv, .writev = SYS_writev, .recvmsg = SYS_recvmsg, .sendmsg = SYS_sendmsg,
	};
	collect_start(tcp.collect);
	if (bpfobject_has(collect_object(tcp.collect), "on_sent_segment") ||
	    bpfobject_has(collect_object(tcp.collect), "on_received_bytes"))
		message("this kernel does not tell all sends and receives: they are seen by the counts of connections");
	tcp.out = collect_out(tcp.collect);
	if (stacks)
		news = news_new(tcp.symbols, bpf_map__fd(skeleton->maps.news));
	bpfobject_iterate(collect_object(tcp.collect), "begin_files", 1, ignore, NULL);
	collect_run(tcp.collect, on_event, NULL, &tcp);
	bpfobject_iterate(collect_object(tcp.collect), "end_flows", row_size(&tcp), put_last, &tcp);
	if (stacks)
		symbols_report(tcp.symbols);
	news_free(news);
	symbols_free(tcp.symbols);
	free(tcp.fields);
	status = collect_end(tcp.collect);
	free(skeleton);		/* what it held went with the collector */
	return status;
}
