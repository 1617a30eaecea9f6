/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* What the two sides of collect-tcp tell each other. */
#ifndef WEIR_BPF_COLLECT_TCP_H
#define WEIR_BPF_COLLECT_TCP_H

#include "shared.h"

enum {
	TCP_HEAD = 128,		/* bytes of what is asked, where HTTP has method and path */
	TCP_STATUS = 16,	/* bytes of the answer: `HTTP/1.1 200 ` */
};

enum tcp_kind { TCP_EXCHANGE, TCP_CONNECTION };

/* System calls by which sockets are written and read, with the buffer in their second argument. */
struct tcp_calls {
	__u32 read, write, recvfrom, sendto;	/* the buffer itself */
	__u32 readv, writev;			/* pieces of it */
	__u32 recvmsg, sendmsg;			/* a struct msghdr, which has the pieces */
};

/* An exchange, or a connection, that has ended; an IPv4 address is ::ffff:1.2.3.4. */
struct tcp_row {
	struct event event;	/* ts: when the end was known; of the thread that was the last to send or receive */
	__u64 began, first, last;	/* the first byte of the question and of the answer (0: none), the last one */
	__u64 tx, rx;
	__u32 srtt;		/* of a connection; eighths of a microsecond */
	__u32 retransmits;
	__u8 saddr[16], daddr[16];
	__u16 sport, dport;
	__u8 client;		/* this side opened the connection */
	__u8 clipped, unfinished;
	__u8 first_state, last_state;
	__u8 head_n, status_n;	/* bytes */
	__u8 unused[5];
	char status[TCP_STATUS];
	char head[TCP_HEAD];
};

/* Where the thread was at the first byte of the question and at the last byte; the innermost address first. */
enum tcp_place { TCP_ASK, TCP_END, TCP_PLACES };
enum { TCP_DEPTH = 127 };	/* as kernel.perf_event_max_stack has it */

struct tcp_stack {
	__u64 exec;			/* changes when the process executes another program */
	__u32 pid;
	__u32 kernels, users;
	__u32 unused;
	__u64 kernel[TCP_DEPTH], user[TCP_DEPTH];
};

/* Behind a row, when stacks are asked for. */
struct tcp_stacks {
	struct tcp_stack at[TCP_PLACES];
};

#ifndef __bpf__
_Static_assert(sizeof(struct tcp_row) == 280, "no holes");
#endif

#endif
