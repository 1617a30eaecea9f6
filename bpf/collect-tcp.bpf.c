// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * Questions and answers on TCP connections. What a connection is doing is kept beside its socket, and goes
 * away with it. An exchange is told when it is known to be over: when the next question begins, or at the end
 * of the connection.
 */
#include "bpf.h"
#include "collect-tcp.h"
#include "news.h"

const volatile struct tcp_calls calls = { 0 };
const volatile bool connections = false, stacks = false, kernel_frames = false;

enum phase { IDLE, ASKED, ANSWERED };

enum {
	INET = 2, INET6 = 10, PROTOCOL_TCP = 6,
	NO_MORE_SENDS = 2, NO_MORE_AT_ALL = 3,	/* sk_shutdown */
	PEEK = 0x2, ERROR_QUEUE = 0x2000,		/* flags of a receive */
	INTERIM = 34,			/* the shortest two heads of answers, one behind the other */
};

struct flow {
	struct bpf_spin_lock lock;
	__u8 phase;		/* of the exchange in `row` */
	__u8 owned;		/* the thread in `row` is known */
	__u8 has_ends;
	__u8 unused;
	__u32 sender;
	__u32 written, copied;	/* the connection's own counts when they were looked at last */
	__u32 unused_too;
	__u64 sending;		/* since when a send is under way, of the thread `sender`; 0: none is */
	__u64 opened, closed;	/* the connection; closed 0: it is not */
	__u64 tx, rx;
	struct tcp_row row;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct flow);
} flows SEC(".maps");

/* Filled with `stacks` only. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tcp_stacks);
} places SEC(".maps");

struct tcp_stacks none;

struct row_with_stacks {
	struct tcp_row row;
	struct tcp_stacks stacks;
};

static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family;

	if (!sk || sk->sk_protocol != PROTOCOL_TCP)
		return false;
	family = sk->__sk_common.skc_family;
	return family == INET || family == INET6;
}

static __always_inline struct flow *flow_get(const struct sock *sk, __u64 flags)
{
	return bpf_sk_storage_get(&flows, (void *)sk, NULL, flags);
}

/* The two ends; both as of IPv6. */
static __always_inline void take_ends(struct flow *flow, const struct sock *sk)
{
	struct tcp_row *row = &flow->row;

	if (sk->__sk_common.skc_family == INET6) {
		BPF_CORE_READ_INTO(&row->saddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&row->daddr, sk, __sk_common.skc_v6_daddr);
	} else {
		row->saddr[10] = row->saddr[11] = row->daddr[10] = row->daddr[11] = 0xff;
		BPF_CORE_READ_INTO((__u32 *)&row->saddr[12], sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)&row->daddr[12], sk, __sk_common.skc_daddr);
	}
	row->sport = __builtin_bswap16(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
	row->dport = __builtin_bswap16(sk->__sk_common.skc_dport);
	flow->has_ends = 1;
}

/* Whose the connection is. A thread's name is looked at anew with each exchange. */
static __always_inline void take_owner(struct flow *flow, struct task_struct *task, __u8 role, bool asked)
{
	struct event *event = &flow->row.event;

	if (flow->owned && flow->phase == ANSWERED && event->tid == (__u32)task->pid) {
		event->cpu = bpf_get_smp_processor_id();
		return;
	}
	event_of(event, task, 0, TCP_EXCHANGE, role, asked);	/* its time is that of the telling */
	flow->owned = 1;
}

static __always_inline void take_counts(struct flow *flow, const struct sock *sk)
{
	flow->written = BPF_CORE_READ((const struct tcp_sock *)sk, write_seq);
	flow->copied = BPF_CORE_READ((const struct tcp_sock *)sk, copied_seq);
}

/* Of a connection that was open before it was heard of. Who opened it: connect() leaves its mark on a port. */
static __always_inline struct flow *flow_found(const struct sock *sk)
{
	struct flow *flow = flow_get(sk, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!flow || flow->opened)
		return flow;
	flow->opened = bpf_ktime_get_ns();
	flow->row.clipped = 1;
	flow->row.first_state = sk->__sk_common.skc_state;
	flow->row.client = BPF_CORE_READ((const struct inet_connection_sock *)sk, icsk_bind_hash, fastreuse) < 0;
	flow->row.retransmits = BPF_CORE_READ((const struct tcp_sock *)sk, total_retrans);
	take_counts(flow, sk);
	return flow;
}

static __always_inline struct flow *flow_of(const struct sock *sk)
{
	struct flow *flow = flow_get(sk, 0);

	return flow ? flow : flow_found(sk);
}

/* Where the thread is. */
static __always_inline void take_stack(void *ctx, const struct sock *sk, struct task_struct *task,
				       enum tcp_place place)
{
	struct tcp_stacks *at = bpf_sk_storage_get(&places, (void *)sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct tcp_stack *stack;
	long n;

	if (!at)
		return;
	stack = &at->at[place];
	stack->exec = task->self_exec_id;
	stack->pid = process_here(task);
	/* Without this program and the one that calls it. */
	n = kernel_frames ? bpf_get_stack(ctx, stack->kernel, sizeof stack->kernel, 2) : 0;
	stack->kernels = n > 0 ? n / sizeof(__u64) : 0;
	n = task->flags & PF_KTHREAD ? 0 : bpf_get_stack(ctx, stack->user, sizeof stack->user, BPF_F_USER_STACK);
	stack->users = n > 0 ? n / sizeof(__u64) : 0;
	if (place == TCP_ASK) {
		at->at[TCP_END].kernels = at->at[TCP_END].users = 0;
		news_tell_sometimes(task);
	}
}

static __always_inline struct tcp_row *row_reserve(const struct sock *sk)
{
	struct row_with_stacks *both;
	struct tcp_stacks *at;

	if (!stacks)
		return event_reserve(sizeof(struct tcp_row));
	both = event_reserve(sizeof *both);
	if (!both)
		return NULL;
	at = bpf_sk_storage_get(&places, (void *)sk, NULL, 0);
	bpf_probe_read_kernel(&both->stacks, sizeof both->stacks, at ? at : &none);
	return &both->row;
}

/* The exchange under way is over: tells it, if it was long enough. */
static __always_inline void finish(struct flow *flow, const struct sock *sk)
{
	__u8 phase = flow->phase;
	struct tcp_row *row;
	__u64 last;
	bool taken;

	if (phase == IDLE)
		return;
	last = phase == ANSWERED ? flow->row.last : flow->closed ? flow->closed : bpf_ktime_get_ns();
	if (last - flow->row.began < settings.threshold_ns) {
		flow->phase = IDLE;
		return;
	}
	row = row_reserve(sk);
	if (!row) {
		flow->phase = IDLE;
		return;
	}
	/* Another thread may have come first. */
	bpf_spin_lock(&flow->lock);
	taken = flow->phase == phase;
	*row = flow->row;
	flow->phase = IDLE;
	bpf_spin_unlock(&flow->lock);
	if (!taken) {
		bpf_ringbuf_discard(row, 0);
		return;
	}
	row->event.ts = bpf_ktime_get_ns();
	row->last = last;
	row->clipped = 0;
	row->unfinished = phase == ASKED;
	event_submit(row);
}

/* Where in user space the thread's system call has its bytes, and how many of its N lie there. */
static __always_inline const void *buffer_of(struct task_struct *task, __u64 *n)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct { const void *at; __u64 n; } piece = { 0 };
	const void *at;
	__u32 call;

	if (bpf_core_field_exists(regs->orig_ax)) {
		call = regs->orig_ax;
		at = (const void *)regs->si;
	} else if (bpf_core_field_exists(regs->syscallno)) {
		call = regs->syscallno;
		at = (const void *)regs->regs[1];
	} else {
		return NULL;
	}
	if (call == calls.read || call == calls.write || call == calls.recvfrom || call == calls.sendto)
		return at;
	/* struct msghdr: a pointer, a length of 4 bytes, the pointer to the pieces. */
	if (call == calls.recvmsg || call == calls.sendmsg) {
		if (bpf_probe_read_user(&at, sizeof at, at + 16))
			return NULL;
	} else if (call != calls.readv && call != calls.writev) {
		return NULL;
	}
	if (bpf_probe_read_user(&piece, sizeof piece, at))
		return NULL;
	if (piece.n < *n)
		*n = piece.n;
	return piece.at;
}

/* The first of N bytes that the thread's system call has sent or received; returns how many. */
static __always_inline __u8 take_text(char *to, __u32 room, struct task_struct *task, __u64 n)
{
	const void *at = buffer_of(task, &n);

	/* Older verifiers do not follow a bound that is checked of the lower half only, which would do for the compiler. */
	barrier_var(n);
	if (n > room)
		n = room;
	if (!at || !n || bpf_probe_read_user(to, n, at))
		return 0;
	return n;
}

/*
 * Whether the N bytes of an answer whose beginning is in ROW are nothing but `HTTP/1.1 100 Continue` or its like: the
 * answer itself would not have room behind.
 */
static __always_inline bool is_interim(const struct tcp_row *row, __u32 n)
{
	const char *s = row->status;

	return n < INTERIM && row->status_n > 12 && s[0] == 'H' && s[1] == 'T' && s[2] == 'T' && s[3] == 'P' &&
	       s[4] == '/' && s[5] == '1' && s[8] == ' ' && s[9] == '1' && s[10] == '0' && s[11] != '1';
}

/* What looked like the answer was not: the question goes on. */
static __always_inline void answer_is_to_come(struct flow *flow)
{
	bpf_spin_lock(&flow->lock);
	if (flow->phase == ANSWERED) {
		flow->phase = ASKED;
		flow->row.first = 0;
		flow->row.status_n = 0;
	}
	bpf_spin_unlock(&flow->lock);
}

/* When the thread's bytes moved, for the flow: those of a client's send, when it began. */
static __always_inline __u64 moved_at(struct flow *flow, struct task_struct *task, bool sent)
{
	__u64 began = flow->sending;

	if (!sent || !began || flow->sender != (__u32)task->pid)
		return bpf_ktime_get_ns();
	flow->sending = 0;
	return began;
}

/* N bytes were sent or received. */
static __always_inline void pass(void *ctx, struct flow *flow, const struct sock *sk, struct task_struct *task,
				 bool sent, __u32 n)
{
	struct tcp_row *row = &flow->row;
	bool asks = sent == row->client, first = false;
	__u64 ts = moved_at(flow, task, sent);
	__u8 phase;

	if (asks && flow->phase == ANSWERED)
		finish(flow, sk);
	bpf_spin_lock(&flow->lock);
	if (asks) {
		first = flow->phase != ASKED;
		if (first) {
			flow->phase = ASKED;
			row->began = ts;
			row->first = row->last = row->tx = row->rx = 0;
			row->head_n = row->status_n = 0;
		}
	} else if (flow->phase != IDLE) {
		first = flow->phase != ANSWERED;
		if (first) {
			flow->phase = ANSWERED;
			row->first = ts;
		}
		row->last = ts;
	}
	phase = flow->phase;
	if (sent) {
		flow->tx += n;
		row->tx += n;
	} else {
		flow->rx += n;
		row->rx += n;
	}
	bpf_spin_unlock(&flow->lock);
	if (stacks && phase == ASKED && first)
		take_stack(ctx, sk, task, TCP_ASK);
	else if (stacks && phase == ANSWERED && ts - row->began >= settings.threshold_ns)
		take_stack(ctx, sk, task, TCP_END);
	if (!first)
		return;
	if (phase == ASKED)
		row->head_n = take_text(row->head, TCP_HEAD, task, n);
	else
		row->status_n = take_text(row->status, TCP_STATUS, task, n);
	if (phase == ANSWERED && is_interim(row, n))
		answer_is_to_come(flow);
}

static __always_inline int sent_nothing(const struct sock *sk)
{
	struct flow *flow = flow_get(sk, 0);

	if (flow)
		flow->sending = 0;
	return 0;
}

static __always_inline int moves(void *ctx, struct sock *sk, bool sent, int n)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct flow *flow;
	__u8 role;
	bool asked;

	if (!is_tcp(sk))
		return 0;
	if (n < 0 || (n == 0 && sent))
		return sent ? sent_nothing(sk) : 0;
	if (!task_is_wanted(task, &role, &asked))
		return 0;
	flow = flow_of(sk);
	if (!flow)
		return 0;
	if (!flow->has_ends)
		take_ends(flow, sk);
	/* There will be no more of an answer. */
	if (n == 0 && !sent && flow->row.client)
		finish(flow, sk);
	if (n > 0)
		pass(ctx, flow, sk, task, sent, n);
	if (n > 0 || !flow->owned)
		take_owner(flow, task, role, asked);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_sent, struct sock *sk, int ret, int flags)
{
	run_begins();
	return moves(ctx, sk, true, ret);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_received, struct sock *sk, int ret, int flags)
{
	run_begins();
	return flags & (PEEK | ERROR_QUEUE) ? 0 : moves(ctx, sk, false, ret);
}

/* Before Linux 6.3, from 5.17 on. */
SEC("fexit/tcp_sendmsg")
int BPF_PROG(on_sent_fexit, struct sock *sk, void *msg, __u64 size, int ret)
{
	run_begins();
	return moves(ctx, sk, true, ret);
}

/* Before 5.19 there is one argument more, ahead of the flags, which are the last but one. */
SEC("fexit/tcp_recvmsg")
int BPF_PROG(on_received_fexit, struct sock *sk)
{
	__u64 flags, ret;

	run_begins();
	if (bpf_get_func_arg(ctx, bpf_get_func_arg_cnt(ctx) - 2, &flags) || bpf_get_func_ret(ctx, &ret))
		return 0;
	return flags & (PEEK | ERROR_QUEUE) ? 0 : moves(ctx, sk, false, (int)ret);
}

/*
 * Where functions cannot be traced so: the connection's own counts, whenever a thread that works on it is seen to
 * send a segment, or to have taken bytes. (Kprobes would not do: the kernel lets their programs neither find what is
 * kept beside a socket nor take a lock.)
 */
bool counting;	/* what is sent */

static __always_inline void count(void *ctx, struct sock *sk, bool sent)
{
	struct flow *flow = flow_of(sk);
	const struct tcp_sock *tcp = (const struct tcp_sock *)sk;
	__u32 now, n;

	if (!flow)
		return;
	now = sent ? BPF_CORE_READ(tcp, write_seq) : BPF_CORE_READ(tcp, copied_seq);
	n = now - (sent ? flow->written : flow->copied);
	if (!n || n >> 31)
		return;
	if (sent)
		flow->written = now;
	else
		flow->copied = now;
	moves(ctx, sk, sent, n);
}

/* Bytes that no thread was seen to send: those that go out when there is room again, and the last ones. */
static __always_inline void count_rest(struct flow *flow, const struct sock *sk, __u64 ts)
{
	__u32 n = BPF_CORE_READ((const struct tcp_sock *)sk, write_seq) - flow->written;

	if (!counting || !n || n >> 31)
		return;
	flow->written += n;
	flow->tx += n;
	flow->row.tx += n;
	if (flow->phase == ANSWERED && !flow->row.client)
		flow->row.last = ts;
}

/* Its own end, too, counts as a byte that is written. (In some other states it may be less than a socket.) */
static __always_inline bool may_write(const struct sock *sk)
{
	__u8 state = sk->__sk_common.skc_state;

	return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(on_sent_segment, struct sk_buff *segment)
{
	struct sock *sk = segment->sk;
	struct flow *flow;

	run_begins();
	if (!sk || !may_write(sk) || !is_tcp(sk))
		return 0;
	counting = true;
	if (sk->sk_lock.owned)
		count(ctx, sk, true);
	else if ((flow = flow_get(sk, 0)))
		count_rest(flow, sk, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(on_received_bytes, struct sock *sk)
{
	run_begins();
	if (!is_tcp(sk))
		return 0;
	if (counting && may_write(sk))
		count(ctx, sk, true);
	count(ctx, sk, false);
	return 0;
}

/* A client's send begins, or goes on: while it lasts, the other side may answer already. */
static __always_inline int sends(const struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct flow *flow = flow_get(sk, 0);

	if (!flow || !flow->row.client || flow->phase == ASKED)
		return 0;
	if (!flow->sending || flow->sender != (__u32)task->pid) {
		flow->sending = bpf_ktime_get_ns();
		flow->sender = task->pid;
	}
	return 0;
}

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(on_sending, const struct sock *sk)
{
	run_begins();
	return sends(sk);
}

SEC("fentry/tcp_sendmsg")
int BPF_PROG(on_sending_fentry, struct sock *sk)
{
	run_begins();
	return sends(sk);
}

static __always_inline bool all_are_wanted(void)
{
	return settings.names_by == NAMES_ALL && !settings.job_only && !settings.cgroups_n;
}

static __always_inline bool connection_is_wanted(const struct flow *flow)
{
	return connections && (flow->owned || all_are_wanted());
}

/* Makes ROW, a copy of the flow's, that of the connection. */
static __always_inline void make_connection(struct tcp_row *row, const struct flow *flow, const struct sock *sk,
					    __u64 ts)
{
	row->event.ts = ts;
	row->event.kind = TCP_CONNECTION;
	row->began = flow->opened;
	row->first = 0;
	row->last = flow->closed ? flow->closed : ts;
	row->tx = flow->tx;
	row->rx = flow->rx;
	row->srtt = BPF_CORE_READ((const struct tcp_sock *)sk, srtt_us);
	row->retransmits = BPF_CORE_READ((const struct tcp_sock *)sk, total_retrans) - row->retransmits;
	row->head_n = row->status_n = 0;
}

static __always_inline void tell_connection(struct flow *flow, const struct sock *sk)
{
	struct tcp_row *row;

	if (!connection_is_wanted(flow))
		return;
	row = row_reserve(sk);
	if (!row)
		return;
	*row = flow->row;
	make_connection(row, flow, sk, bpf_ktime_get_ns());
	event_submit(row);
}

/* The socket is not used any more, or for another connection. */
static __always_inline void end_flow(struct flow *flow, const struct sock *sk)
{
	finish(flow, sk);
	tell_connection(flow, sk);
	bpf_sk_storage_delete(&flows, (void *)sk);
}

static __always_inline void begin_flow(const struct sock *sk, __u64 ts, int state)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct flow *flow = flow_get(sk, 0);
	__u8 role;
	bool asked;

	if (flow)
		end_flow(flow, sk);
	flow = flow_get(sk, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!flow)
		return;
	flow->opened = ts;
	flow->row.first_state = state;
	flow->row.client = state == TCP_SYN_SENT;
	/* Who connects is known; who accepts is not here. */
	if (flow->row.client && task_is_wanted(task, &role, &asked))
		take_owner(flow, task, role, asked);
}

/* This side says that it sends no more. Bytes that have come before may be read yet, unless it was closed. */
static __always_inline bool nothing_follows(const struct flow *flow, const struct sock *sk, int old, int new)
{
	if (!flow->row.client)
		return sk->sk_shutdown & NO_MORE_SENDS;
	return old == TCP_ESTABLISHED && new == TCP_FIN_WAIT1 && sk->sk_shutdown == NO_MORE_AT_ALL;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, const struct sock *sk, int old, int new)
{
	__u64 ts = bpf_ktime_get_ns();
	struct flow *flow;

	run_begins();
	if (!is_tcp(sk))
		return 0;
	if ((new == TCP_SYN_SENT && old == TCP_CLOSE) || (new == TCP_SYN_RECV && old == TCP_LISTEN)) {
		begin_flow(sk, ts, new);
		return 0;
	}
	flow = flow_get(sk, 0);
	if (!flow)
		return 0;
	if (new == TCP_ESTABLISHED)
		take_counts(flow, sk);
	else if (old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT)
		count_rest(flow, sk, ts);
	if (nothing_follows(flow, sk, old, new))
		finish(flow, sk);
	if (new == TCP_CLOSE) {
		if (!flow->has_ends)
			take_ends(flow, sk);
		flow->row.last_state = old;
		flow->closed = ts;
	}
	return 0;
}

/* The connection is over and its process has closed it: the last bytes may be read between the two. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_end, struct sock *sk)
{
	struct flow *flow;

	run_begins();
	if (!is_tcp(sk) || !(flow = flow_get(sk, 0)))
		return 0;
	end_flow(flow, sk);
	return 0;
}

/* Once at the start: the connections that are open, and by whom. */
SEC("iter/task_file")
int begin_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct flow *flow;
	struct sock *sk;
	__u8 role, state;
	bool asked;

	if (!task || !file || task->pid != task->tgid)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!is_tcp(sk))
		return 0;
	state = sk->__sk_common.skc_state;
	if (state == TCP_LISTEN || state == TCP_CLOSE || !task_is_wanted(task, &role, &asked))
		return 0;
	flow = flow_of(sk);
	if (flow && !flow->owned)
		take_owner(flow, task, role, asked);
	return 0;
}

static __always_inline void write_row(struct bpf_iter__bpf_sk_storage_map *ctx, struct sock *sk, struct tcp_row *row)
{
	struct tcp_stacks *at;

	bpf_seq_write(ctx->meta->seq, row, sizeof *row);
	if (!stacks)
		return;
	at = bpf_sk_storage_get(&places, sk, NULL, 0);
	bpf_seq_write(ctx->meta->seq, at ? at : &none, sizeof *at);
}

/* Once at the end: the exchanges under way, and the connections that are open. */
SEC("iter/bpf_sk_storage_map")
int end_flows(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct flow *flow = ctx->value;
	struct sock *sk = ctx->sk;
	__u64 ts = bpf_ktime_get_ns();
	struct tcp_row row;

	if (!sk || !flow)
		return 0;
	row = flow->row;
	row.event.ts = ts;
	if (flow->phase != IDLE) {
		if (flow->phase == ASKED)
			row.last = flow->closed ? flow->closed : ts;
		row.unfinished = flow->phase == ASKED;
		row.clipped = 0;
		if (row.last - row.began >= settings.threshold_ns)
			write_row(ctx, sk, &row);
	}
	if (connection_is_wanted(flow)) {
		row.clipped = flow->row.clipped;
		row.unfinished = !flow->closed;
		if (!flow->closed)
			row.last_state = sk->__sk_common.skc_state;
		make_connection(&row, flow, sk, ts);
		write_row(ctx, sk, &row);
	}
	return 0;
}
