// SPDX-License-Identifier: MIT
#include "explain/account.h"

#include <stdio.h>

enum { SHOWN = 4, NAME_SHOWN = 64 };

#define NAME(text) { "\t" text "=", sizeof("\t" text "=") - 1 }

#define THRICE(before, behind) \
	{ NAME(before ".0." behind), NAME(before ".1." behind), NAME(before ".2." behind) }

/* In both forms, for the span itself and for the server's side of it. */
struct keys {
	struct key main, run, user, call, irq, runq, idle, others, throttled, cgroup, blocked, outside, unknown;
	struct key on[CAUSES];
	struct key by_tid[HISTORY_TOP], by_comm[HISTORY_TOP], by_ns[HISTORY_TOP];
	struct key sleep_ns, sleep_on, sleep_call, waker_tid, waker_comm, waker_irq;
	struct key call_name[HISTORY_TOP], call_n[HISTORY_TOP], call_ns[HISTORY_TOP], call_run[HISTORY_TOP];
};
#define KEYS(side) { \
	.main = NAME(side "main"), .run = NAME(side "run_ns"), .user = NAME(side "run_user_ns"), \
	.call = NAME(side "run_call_ns"), .irq = NAME(side "irq_ns"), .runq = NAME(side "runq_ns"), \
	.idle = NAME(side "runq_idle_ns"), .others = NAME(side "runq_others_ns"), \
	.throttled = NAME(side "throttled_ns"), .cgroup = NAME(side "throttled.cgroup"), \
	.blocked = NAME(side "blocked_ns"), .outside = NAME(side "outside_ns"), \
	.unknown = NAME(side "unknown_ns"), \
	.on = { \
		[CAUSE_DISK] = NAME(side "blocked_disk_ns"), [CAUSE_SOCKET] = NAME(side "blocked_socket_ns"), \
		[CAUSE_LOCK] = NAME(side "blocked_lock_ns"), [CAUSE_TIMER] = NAME(side "blocked_timer_ns"), \
		[CAUSE_PIPE] = NAME(side "blocked_pipe_ns"), [CAUSE_FD] = NAME(side "blocked_fd_ns"), \
		[CAUSE_CHILD] = NAME(side "blocked_child_ns"), [CAUSE_FAULT] = NAME(side "blocked_fault_ns"), \
		[CAUSE_STOP] = NAME(side "blocked_stop_ns"), [CAUSE_OTHER] = NAME(side "blocked_other_ns"), \
		[CAUSE_DNS] = NAME(side "outside_dns_ns"), [CAUSE_CONNECT] = NAME(side "outside_connect_ns"), \
		[CAUSE_TLS] = NAME(side "outside_tls_ns"), \
	}, \
	.by_tid = THRICE(side "runq_by", "tid"), .by_comm = THRICE(side "runq_by", "comm"), \
	.by_ns = THRICE(side "runq_by", "dur_ns"), \
	.sleep_ns = NAME(side "sleep.dur_ns"), .sleep_on = NAME(side "sleep.on"), \
	.sleep_call = NAME(side "sleep.call"), .waker_tid = NAME(side "sleep.waker_tid"), \
	.waker_comm = NAME(side "sleep.waker_comm"), .waker_irq = NAME(side "sleep.waker_irq"), \
	.call_name = THRICE(side "call", "name"), .call_n = THRICE(side "call", "n"), \
	.call_ns = THRICE(side "call", "dur_ns"), .call_run = THRICE(side "call", "run_ns"), \
}
static const struct keys sides[2] = { KEYS(""), KEYS("server.") };

bool account_has_key(struct slice key)
{
	/* Whole keys, and beginnings of keys, which end in `.` or `_`. */
	static const char *const names[] = {
		"by", "main", "incomplete", "late_ns", "wait_ns", "transfer_ns", "run_ns", "irq_ns", "unknown_ns",
		"throttled_ns", "throttled.", "sleep.", "call.", "server.", "run_", "runq_", "blocked_", "outside_",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i]);
		bool beginning = names[i][n - 1] == '.' || names[i][n - 1] == '_';

		if ((beginning ? key.len > n : key.len == n) && memcmp(key.at, names[i], n) == 0)
			return true;
	}
	return false;
}

static void put_text(struct writer *out, struct key key, struct slice text)
{
	if (text.len)
		writer_raw(out, key, text);
}

static void put_tid(struct writer *out, struct key key, int64_t tid)
{
	if (tid >= 0)
		writer_i64(out, key, tid);
}

enum cause account_main(const struct split *s)
{
	enum cause most = CAUSES;

	for (int c = 0; c < CAUSES; c++)
		if (s->part[c] > (most == CAUSES ? 0 : s->part[most]))
			most = (enum cause)c;
	return most;
}

static void write_parts(struct writer *out, const struct split *s, const struct keys *k)
{
	enum cause most = account_main(s);
	int64_t blocked = 0, outside = 0;

	for (int c = CAUSE_DISK; c <= CAUSE_OTHER; c++)
		blocked += s->part[c];
	if (most != CAUSES)
		writer_raw(out, k->main, cause_name(most));
	writer_i64(out, k->run, s->part[CAUSE_RUN]);
	if (s->knows_calls) {
		writer_i64(out, k->user, s->run_user);
		writer_i64(out, k->call, s->run_call);
	}
	writer_i64(out, k->irq, s->part[CAUSE_IRQ]);
	writer_i64(out, k->runq, s->part[CAUSE_RUNQ]);
	writer_i64(out, k->idle, s->by_nobody);
	writer_i64(out, k->others, s->by_others);
	if (s->part[CAUSE_THROTTLED])
		writer_i64(out, k->throttled, s->part[CAUSE_THROTTLED]);
	writer_i64(out, k->blocked, blocked);
	for (int c = CAUSE_DISK; c <= CAUSE_OTHER; c++)
		writer_i64(out, k->on[c], s->part[c]);
	for (int c = CAUSE_DNS; c <= CAUSE_OUTSIDE; c++)
		outside += s->part[c];
	if (outside)
		writer_i64(out, k->outside, outside);
	for (int c = CAUSE_DNS; c <= CAUSE_TLS; c++)
		if (s->part[c])
			writer_i64(out, k->on[c], s->part[c]);
	writer_i64(out, k->unknown, s->part[CAUSE_UNKNOWN]);
}

void account_write(struct writer *out, const struct history *h, const struct split *s, bool server)
{
	const struct keys *k = &sides[server];

	write_parts(out, s, k);
	for (size_t i = 0; i < s->by_n; i++) {
		writer_i64(out, k->by_tid[i], s->by[i].tid);
		put_text(out, k->by_comm[i], history_name(h, s->by[i].name));
		writer_i64(out, k->by_ns[i], s->by[i].ns);
	}
	if (s->throttled.ns)
		put_text(out, k->cgroup, history_name(h, s->throttled.cgroup));
	if (s->sleep.ns) {
		writer_i64(out, k->sleep_ns, s->sleep.ns);
		writer_raw(out, k->sleep_on, cause_name(s->sleep.cause));
		put_text(out, k->sleep_call, history_name(h, s->sleep.call));
		put_tid(out, k->waker_tid, s->sleep.waker_tid);
		put_text(out, k->waker_comm, history_name(h, s->sleep.waker));
		if (s->sleep.by_irq)
			writer_raw(out, k->waker_irq, SLICE("1"));
	}
	for (size_t i = 0; i < s->call_n; i++) {
		put_text(out, k->call_name[i], history_name(h, s->call[i].name));
		writer_u64(out, k->call_n[i], s->call[i].n);
		writer_i64(out, k->call_ns[i], s->call[i].ns);
		writer_i64(out, k->call_run[i], s->call[i].run);
	}
}

/* ` (NAME/TID VERB)`, as much of it as is known. */
static int put_who(char *to, size_t room, const char *before, struct slice name, int64_t tid,
		   const char *behind)
{
	int n = (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN);

	if (tid < 0)
		return 0;
	return snprintf(to, room, " (%s%.*s%s%lld%s)", before, n, name.at, n ? "/" : "", (long long)tid, behind);
}

/* Of a long path the end, which tells most. */
static int put_cgroup(char *to, size_t room, struct slice path)
{
	const char *last = path.len > NAME_SHOWN ? memrchr(path.at, '/', path.len) : NULL;
	size_t skipped = last ? (size_t)(last - path.at) : 0, n = path.len - skipped;

	return snprintf(to, room, " (%s%.*s)", last ? "..." : "", (int)(n < NAME_SHOWN ? n : NAME_SHOWN),
			path.at + skipped);
}

static size_t put_share(char *to, const struct history *h, const struct split *s, enum cause cause,
			double share, bool calls)
{
	const size_t room = ACCOUNT_SENTENCE / SHOWN - 2;
	size_t len = (size_t)snprintf(to, room, "%.0f %% %s", 100 * share, cause_phrase(cause).at);
	struct slice call = history_name(h, s->sleep.call), cgroup = history_name(h, s->throttled.cgroup);

	if (cause == CAUSE_RUNQ && s->by_nobody > (s->by_n ? s->by[0].ns : 0))
		return len + (size_t)snprintf(to + len, room - len, " (nobody ran)");
	if (cause == CAUSE_RUNQ && s->by_n)
		return len + (size_t)put_who(to + len, room - len, "", history_name(h, s->by[0].name),
					     s->by[0].tid, " ran");
	if (cause == CAUSE_THROTTLED && cgroup.len)
		return len + (size_t)put_cgroup(to + len, room - len, cgroup);
	if (cause != s->sleep.cause || s->sleep.ns == 0)
		return len;
	if (cause == CAUSE_LOCK && !s->sleep.by_irq)
		return len + (size_t)put_who(to + len, room - len, "woken by ",
					     history_name(h, s->sleep.waker), s->sleep.waker_tid, "");
	if (calls && call.len)
		len += (size_t)snprintf(to + len, room - len, " (%.*s)",
					(int)(call.len < NAME_SHOWN ? call.len : NAME_SHOWN), call.at);
	return len;
}

size_t account_sentence(char *to, const struct history *h, const struct split *s, bool calls)
{
	struct split left = *s;
	double sum = 0;
	size_t len = 0;

	for (int c = 0; c < CAUSES; c++)
		sum += (double)s->part[c];
	for (int i = 0; i < SHOWN; i++) {
		enum cause most = account_main(&left);
		double share = most == CAUSES ? 0 : (double)s->part[most] / sum;

		if (i ? share < 0.01 : most == CAUSES)
			break;
		if (i) {
			memcpy(to + len, ", ", 2);
			len += 2;
		}
		len += put_share(to + len, h, s, most, share, calls);
		left.part[most] = 0;
	}
	return len;
}
