// SPDX-License-Identifier: MIT
#include "spans/span.h"

#include "base/number.h"

/* As softirq_to_name of kernel/softirq.c has them; BLOCK_IOPOLL before 4.5 is IRQ_POLL. */
static const char *const vectors[] = {
	"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU",
};
enum { VECTORS = sizeof vectors / sizeof *vectors };

static void put_number(struct writer *out, struct key key, int64_t value)
{
	if (value >= 0)
		writer_i64(out, key, value);
}

static void put_text(struct writer *out, struct key key, struct slice value)
{
	if (value.len)
		writer_raw(out, key, value);
}

size_t span_who(char *to, int64_t pid, int64_t tid, struct slice comm)
{
	char *start = to;

	if (pid >= 0) {
		memcpy(to, "\tpid=", 5);
		to += 5 + number_put_i64(to + 5, pid);
	}
	if (tid >= 0) {
		memcpy(to, "\ttid=", 5);
		to += 5 + number_put_i64(to + 5, tid);
	}
	if (comm.len) {
		memcpy(to, "\tcomm=", 6);
		memcpy(to + 6, comm.at, comm.len);
		to += 6 + comm.len;
	}
	return (size_t)(to - start);
}

static void begin(struct writer *out, const struct span *span, struct slice ev)
{
	writer_begin(out, span->ts, ev);
	put_number(out, KEY("cpu"), span->cpu);
	if (span->who.len)
		writer_bytes(out, span->who.at, span->who.len);
	else
		out->at += span_who(writer_room(out, SPAN_WHO + span->comm.len), span->pid, span->tid, span->comm);
}

static void end(struct writer *out, const struct span *span)
{
	if (span->unfinished)
		writer_raw(out, KEY("unfinished"), SLICE("1"));
	if (span->clipped)
		writer_raw(out, KEY("clipped"), SLICE("1"));
	put_text(out, KEY("role"), span->role);
	writer_end(out);
}

void span_oncpu(struct writer *out, const struct span *span, struct slice why, struct span_other next)
{
	begin(out, span, SLICE("oncpu"));
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_text(out, KEY("why"), why);
	put_number(out, KEY("next_tid"), next.tid);
	put_text(out, KEY("next_comm"), next.comm);
	end(out, span);
}

void span_runq(struct writer *out, const struct span *span, struct slice why, struct span_other by,
	       struct span_throttled throttled)
{
	begin(out, span, SLICE("runq"));
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_text(out, KEY("why"), why);
	put_number(out, KEY("by_tid"), by.tid);
	put_text(out, KEY("by_comm"), by.comm);
	if (throttled.ns > 0) {
		writer_i64(out, KEY("throttled_ns"), throttled.ns);
		if (throttled.after_ns > 0)
			writer_i64(out, KEY("throttled_after_ns"), throttled.after_ns);
		put_text(out, KEY("cgroup"), throttled.cgroup);
	}
	end(out, span);
}

void span_blocked(struct writer *out, const struct span *span, char state, struct span_other waker,
		  bool waker_irq, struct slice stack)
{
	begin(out, span, SLICE("blocked"));
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_text(out, KEY("state"), (struct slice){ &state, 1 });
	put_number(out, KEY("waker_tid"), waker.tid);
	put_text(out, KEY("waker_comm"), waker.comm);
	if (waker_irq)
		writer_raw(out, KEY("waker_irq"), SLICE("1"));
	writer_bytes(out, stack.at, stack.len);
	end(out, span);
}

static const struct key arguments[SPAN_ARGUMENTS] = {
	{ "\targ0=", 6 }, { "\targ1=", 6 }, { "\targ2=", 6 }, { "\targ3=", 6 }, { "\targ4=", 6 }, { "\targ5=", 6 },
};

void span_syscall(struct writer *out, const struct span *span, const struct span_call *call)
{
	begin(out, span, SLICE("syscall"));
	put_text(out, KEY("name"), call->name);
	put_number(out, KEY("id"), call->id);
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_text(out, KEY("ret"), call->ret);
	put_number(out, KEY("fd"), call->fd);
	put_text(out, KEY("path"), call->path);
	put_number(out, KEY("bytes"), call->bytes);
	put_text(out, KEY("errno"), call->error);
	for (size_t i = 0; call->arguments && i < SPAN_ARGUMENTS; i++)
		writer_u64(out, arguments[i], call->arguments[i]);
	end(out, span);
}

void span_irq(struct writer *out, const struct span *span, int64_t irq, struct slice name,
	      struct slice ret)
{
	begin(out, span, SLICE("irq"));
	put_number(out, KEY("irq"), irq);
	put_text(out, KEY("name"), name);
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_text(out, KEY("ret"), ret);
	end(out, span);
}

int64_t span_softirq_vector(struct slice name)
{
	for (size_t i = 0; i < VECTORS; i++)
		if (slice_equal(name, slice_of(vectors[i])))
			return (int64_t)i;
	return -1;
}

void span_softirq(struct writer *out, const struct span *span, int64_t vec)
{
	begin(out, span, SLICE("softirq"));
	put_number(out, KEY("vec"), vec);
	if (vec >= 0 && vec < VECTORS)
		put_text(out, KEY("name"), slice_of(vectors[vec]));
	put_number(out, KEY("dur_ns"), span->dur_ns);
	end(out, span);
}

void span_block(struct writer *out, const struct span *span, const struct span_block *block)
{
	begin(out, span, SLICE("block"));
	put_text(out, KEY("dev"), block->dev);
	writer_u64(out, KEY("sector"), block->sector);
	writer_u64(out, KEY("bytes"), block->bytes);
	put_text(out, KEY("op"), block->op);
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_number(out, KEY("queue_ns"), block->queue_ns);
	put_text(out, KEY("errno"), block->error);
	end(out, span);
}

void span_cpu(struct writer *out, const struct span *span, struct slice stack)
{
	begin(out, span, SLICE("cpu"));
	put_text(out, KEY("stack"), stack);
	end(out, span);
}

void span_fork(struct writer *out, const struct span *parent, int64_t child_pid, struct span_other child)
{
	begin(out, parent, SLICE("fork"));
	put_number(out, KEY("child_pid"), child_pid);
	put_number(out, KEY("child_tid"), child.tid);
	put_text(out, KEY("child_comm"), child.comm);
	end(out, parent);
}

static void put_argv(struct writer *out, struct slice path, struct slice argv, bool truncated)
{
	put_text(out, KEY("path"), path);
	put_text(out, KEY("argv"), argv);
	if (truncated)
		writer_raw(out, KEY("argv_truncated"), SLICE("1"));
}

void span_exec(struct writer *out, const struct span *span, const struct span_exec *exec)
{
	begin(out, span, SLICE("exec"));
	put_argv(out, exec->path, exec->argv, exec->argv_truncated);
	put_text(out, KEY("errno"), exec->error);
	end(out, span);
}

void span_exit(struct writer *out, const struct span *span, const struct span_exit *exit)
{
	begin(out, span, SLICE("exit"));
	put_number(out, KEY("code"), exit->code);
	put_number(out, KEY("signal"), exit->signal);
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_number(out, KEY("cpu_ns"), exit->cpu_ns);
	put_number(out, KEY("process_ns"), exit->process_ns);
	put_number(out, KEY("process_cpu_ns"), exit->process_cpu_ns);
	put_number(out, KEY("maxrss_bytes"), exit->maxrss_bytes);
	put_argv(out, exit->path, exit->argv, exit->argv_truncated);
	end(out, span);
}

void span_rss(struct writer *out, const struct span *span, int64_t bytes)
{
	begin(out, span, SLICE("rss"));
	put_number(out, KEY("bytes"), bytes);
	end(out, span);
}

void span_pages(struct writer *out, const struct span *span, int64_t alloc_pages, int64_t free_pages)
{
	begin(out, span, SLICE("pages"));
	put_number(out, KEY("alloc_pages"), alloc_pages);
	put_number(out, KEY("free_pages"), free_pages);
	end(out, span);
}

void span_usage(struct writer *out, const struct span *span, int64_t cpu_ns, int64_t rss_bytes)
{
	begin(out, span, SLICE("usage"));
	put_number(out, KEY("cpu_ns"), cpu_ns);
	put_number(out, KEY("rss_bytes"), rss_bytes);
	end(out, span);
}

static void put_ends(struct writer *out, const struct span_ends *ends)
{
	put_text(out, KEY("role"), ends->role);
	put_text(out, KEY("saddr"), ends->saddr);
	put_number(out, KEY("sport"), ends->sport);
	put_text(out, KEY("daddr"), ends->daddr);
	put_number(out, KEY("dport"), ends->dport);
}

static void end_of(struct writer *out, const struct span *span)
{
	struct span without = *span;

	put_text(out, KEY("of"), span->role);
	without.role = SLICE("");
	end(out, &without);
}

void span_tcp(struct writer *out, const struct span *span, const struct span_tcp *tcp)
{
	begin(out, span, SLICE("tcp"));
	put_ends(out, &tcp->ends);
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_number(out, KEY("ttfb_ns"), tcp->ttfb_ns);
	put_number(out, KEY("tx_bytes"), tcp->tx_bytes);
	put_number(out, KEY("rx_bytes"), tcp->rx_bytes);
	put_text(out, KEY("http_method"), tcp->method);
	put_text(out, KEY("http_path"), tcp->path);
	put_number(out, KEY("http_status"), tcp->status);
	writer_bytes(out, tcp->stacks.at, tcp->stacks.len);
	end_of(out, span);
}

void span_conn(struct writer *out, const struct span *span, const struct span_conn *conn)
{
	begin(out, span, SLICE("conn"));
	put_ends(out, &conn->ends);
	put_number(out, KEY("dur_ns"), span->dur_ns);
	put_number(out, KEY("tx_bytes"), conn->tx_bytes);
	put_number(out, KEY("rx_bytes"), conn->rx_bytes);
	put_number(out, KEY("retransmits"), conn->retransmits);
	put_number(out, KEY("rtt_ns"), conn->rtt_ns);
	put_text(out, KEY("first_state"), conn->first_state);
	put_text(out, KEY("last_state"), conn->last_state);
	end_of(out, span);
}
