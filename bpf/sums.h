/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * Figures of durations that are kept in the kernel, for collectors with --aggregate: the exact count, sum, sum
 * of squares, least and greatest, and the buckets of the sketch that lib/stats/sketch.h describes.
 *
 * Each CPU has entries of its own, which nothing else changes: the callers are tracepoints, which do not
 * interrupt one another. User space reads one side while the kernel fills the other. Each CPU has an array of
 * places that are found by an index, for the groups and buckets that come first; those that find theirs taken
 * go to hash maps, which are several times slower and have room for many.
 */
#ifndef WEIR_BPF_SUMS_H
#define WEIR_BPF_SUMS_H

#include "shared.h"

enum {
	SUMS_MAX = 32768,	/* groups, times sides, times CPUs that counted any */
	SUMS_BUCKETS_MAX = 262144,
	SUMS_BITS = 6,		/* of the mantissa: SKETCH_BITS */
	SUMS_NEAR = 256,	/* places in a CPU's array, for groups and for buckets; powers of two */
	SUMS_NEAR_BUCKETS = 2048,
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

/* The places of one side; those of pid 0 are free. */
struct sums_near {
	struct {
		struct sums_key key;
		__u32 unused;
		struct sums sums;
	} group[SUMS_NEAR];
	struct {
		struct sums_bucket bucket;
		__u64 count;
	} bucket[SUMS_NEAR_BUCKETS];
};

struct sums_cpu {
	struct sums_near side[2];
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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);		/* user space sets it: CPUs */
	__type(key, __u32);
	__type(value, struct sums_cpu);
} sums_cpus SEC(".maps");

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

static __always_inline bool sums_same(const struct sums_key *a, const struct sums_key *b)
{
	return a->pid == b->pid && a->what == b->what;
}

static __always_inline __u32 sums_place(__u32 pid, __u32 what, __u32 number)
{
	__u32 mixed = (pid ^ what << 12 ^ number << 20) * 0x9e3779b1u ^ number;

	return mixed ^ mixed >> 15;
}

static __always_inline struct sums *sums_group(struct sums_near *near, const struct sums_key *key,
					       struct task_struct *task)
{
	struct sums new = { .min = -1ull }, *at;

	if (near) {
		__u32 i = sums_place(key->pid, key->what, 0) & (SUMS_NEAR - 1);

		if (sums_same(&near->group[i].key, key))
			return &near->group[i].sums;
		if (!near->group[i].key.pid) {
			near->group[i].sums.min = -1ull;
			bpf_probe_read_kernel(near->group[i].sums.comm, COMM, task->group_leader->comm);
			near->group[i].key = *key;
			return &near->group[i].sums;
		}
	}
	at = bpf_map_lookup_elem(&sums, key);
	if (at)
		return at;
	bpf_probe_read_kernel(new.comm, COMM, task->group_leader->comm);
	bpf_map_update_elem(&sums, key, &new, BPF_NOEXIST);
	return bpf_map_lookup_elem(&sums, key);
}

/* Counts one in the bucket; false: there is no room for it. */
static __always_inline bool sums_count(struct sums_near *near, const struct sums_bucket *bucket)
{
	__u64 *count, one = 1;

	if (near) {
		__u32 i = sums_place(bucket->key.pid, bucket->key.what, bucket->number) & (SUMS_NEAR_BUCKETS - 1);

		if (!near->bucket[i].bucket.key.pid)
			near->bucket[i].bucket = *bucket;
		if (sums_same(&near->bucket[i].bucket.key, &bucket->key) &&
		    near->bucket[i].bucket.number == bucket->number) {
			near->bucket[i].count++;
			return true;
		}
	}
	count = bpf_map_lookup_elem(&sums_buckets, bucket);
	if (!count)
		return !bpf_map_update_elem(&sums_buckets, bucket, &one, BPF_NOEXIST);
	++*count;
	return true;
}

/* Counts a duration of the process of TASK. */
static __always_inline void sums_add(struct task_struct *task, __u32 what, __u64 ns)
{
	struct sums_bucket bucket = { .key = { .pid = (__u32)task->tgid, .what = what } };
	__u32 number = bpf_get_smp_processor_id(), side = sums_control.side & 1;
	struct sums_cpu *cpu = bpf_map_lookup_elem(&sums_cpus, &number);
	struct sums_near *near = cpu ? &cpu->side[side] : NULL;
	struct sums *at;

	bucket.key.cpu = (__u16)number;
	bucket.key.side = (__u16)side;
	bucket.number = sums_bucket_of(ns);
	at = sums_group(near, &bucket.key, task);
	if (!at || !sums_count(near, &bucket)) {
		__sync_fetch_and_add(&sums_control.lost, 1);
		return;
	}
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
