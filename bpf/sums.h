/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * Figures of durations that are kept in the kernel, for collectors with --aggregate: the exact count, sum, sum
 * of squares, least and greatest, and the buckets of the sketch that lib/sketch.h describes.
 *
 * Each CPU has entries of its own, which nothing else changes: the callers are tracepoints, which do not
 * interrupt one another. User space reads one side while the kernel fills the other.
 */
#ifndef WEIR_BPF_SUMS_H
#define WEIR_BPF_SUMS_H

#include "shared.h"

enum {
	SUMS_MAX = 32768,	/* groups, times sides, times CPUs that counted any */
	SUMS_BUCKETS_MAX = 262144,
	SUMS_BITS = 6,		/* of the mantissa: SKETCH_BITS */
};

struct sums_key {
	__u32 pid;
	__u32 what;		/* the collector's own: which of the process' durations */
	__u16 cpu;
	__u16 side;
};

struct sums_bucket {
	struct sums_key key;
	__u32 number;		/* that of the sketch; 0: the duration 0 */
};

struct sums {
	__u64 count, sum;
	__u64 squares_low, squares_high;
	__u64 min, max;
	char comm[COMM];	/* of the process' first thread */
};

struct sums_control {
	__u32 side;		/* which one the kernel fills: user space sets it */
	__u32 unused;
	__u64 lost;		/* durations that found no room */
};

#ifdef __bpf__

struct sums_control sums_control SEC(".data.sums");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);		/* user space sets it when the sums are wanted */
	__type(key, struct sums_key);
	__type(value, struct sums);
} sums SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct sums_bucket);
	__type(value, __u64);
} sums_buckets SEC(".maps");

/* The number of the bucket: exponent and upper bits of the mantissa of VALUE as an IEEE double. */
static __always_inline __u32 sums_bucket_of(__u64 value)
{
	__u32 log = 0;
	__u64 rest = value;

	if (!value)
		return 0;
	for (int bits = 32; bits; bits /= 2) {
		if (rest >> bits) {
			rest >>= bits;
			log += bits;
		}
	}
	rest = log >= SUMS_BITS ? value >> (log - SUMS_BITS) : value << (SUMS_BITS - log);
	return ((1023 + log) << SUMS_BITS) + (__u32)(rest & ((1 << SUMS_BITS) - 1));
}

/* (high * 2^32 + low)^2 into 128 bits; the product of both counts twice. */
static __always_inline void sums_square(struct sums *to, __u64 value)
{
	__u64 high = value >> 32, low = value & 0xffffffff, cross = high * low, square = low * low, carry;

	square += cross << 33;
	carry = (square < cross << 33) + (cross >> 31) + high * high;
	to->squares_low += square;
	to->squares_high += carry + (to->squares_low < square);
}

/* Counts a duration of the process of TASK. */
static __always_inline void sums_add(struct task_struct *task, __u32 what, __u64 ns)
{
	struct sums_bucket bucket = { .key = { .pid = (__u32)task->tgid, .what = what } };
	struct sums *at;
	__u64 *count, one = 1;

	bucket.key.cpu = (__u16)bpf_get_smp_processor_id();
	bucket.key.side = (__u16)sums_control.side;
	bucket.number = sums_bucket_of(ns);
	at = bpf_map_lookup_elem(&sums, &bucket.key);
	if (!at) {
		struct sums new = { .min = ns };

		bpf_probe_read_kernel(new.comm, COMM, task->group_leader->comm);
		bpf_map_update_elem(&sums, &bucket.key, &new, BPF_NOEXIST);
		at = bpf_map_lookup_elem(&sums, &bucket.key);
	}
	count = bpf_map_lookup_elem(&sums_buckets, &bucket);
	if (!at || (!count && bpf_map_update_elem(&sums_buckets, &bucket, &one, BPF_NOEXIST))) {
		__sync_fetch_and_add(&sums_control.lost, 1);
		return;
	}
	if (count)
		++*count;
	at->count++;
	at->sum += ns;
	sums_square(at, ns);
	if (ns < at->min)
		at->min = ns;
	if (ns > at->max)
		at->max = ns;
}

#endif

#ifndef __bpf__
_Static_assert(sizeof(struct sums_bucket) == 16, "a key has no holes");
_Static_assert(sizeof(struct sums) == 64, "a value has no holes");
#endif

#endif
