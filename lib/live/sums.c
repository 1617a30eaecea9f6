// SPDX-License-Identifier: MIT
/* pkg-config: libbpf */
#include "live/sums.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/memory.h"
#include "base/message.h"
#include "stats/figures.h"
#include "stats/partial.h"

/* A group of the side that is read, of all CPUs. */
struct group {
	uint32_t pid, what;
	char comm[COMM];
	struct figures figures;
};

struct sums_reader {
	struct collect *collect;
	struct bpfobject *object;	/* of it */
	sums_names *names;
	void *state;
	struct sums_cpu *cpus;	/* the kernel's array, mapped when it is there */
	int cpus_n;
	uint64_t interval;
	int64_t since;		/* the beginning of the interval; 0: nothing was read yet */
	uint64_t lost;
	struct figure figure[4];
	struct figures_plan plan;
	struct partial *partial;
	struct group *groups;
	size_t n, room;
};

struct sums_reader *sums_reader_new(struct collect *collect, uint64_t interval_ns, sums_names *names, void *state)
{
	struct sums_reader *reader = memory_zeroed(sizeof *reader);

	reader->collect = collect;
	reader->object = collect_object(collect);
	reader->names = names;
	reader->state = state;
	reader->interval = interval_ns;
	figures_parse("sum", &reader->figure[0]);
	figures_parse("p50", &reader->figure[1]);
	reader->plan = (struct figures_plan){ .figure = reader->figure, .n = 2, .memory_kept = UINT64_MAX };
	figures_start(&reader->plan);
	reader->partial = partial_new(SLICE("dur_ns"));
	reader->cpus_n = libbpf_num_possible_cpus();
	if (reader->cpus_n < 1)
		message_die("cannot find out how many CPUs there are: %s", strerror(-reader->cpus_n));
	bpfobject_room(reader->object, "sums_cpus", (uint32_t)reader->cpus_n);
	bpfobject_room(reader->object, "sums", SUMS_MAX);
	bpfobject_room(reader->object, "sums_buckets", SUMS_BUCKETS_MAX);
	return reader;
}

void sums_reader_free(struct sums_reader *reader)
{
	if (!reader)
		return;
	if (reader->cpus)
		munmap(reader->cpus, (size_t)reader->cpus_n * sizeof *reader->cpus);
	partial_free(reader->partial);
	free(reader->groups);
	free(reader);
}

static int by_key(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->what == y->what ? 0 : x->what < y->what ? -1 : 1;
}

static struct group *find(struct sums_reader *reader, const struct sums_key *key)
{
	struct group wanted = { .pid = key->pid, .what = key->what };

	return reader->n ? bsearch(&wanted, reader->groups, reader->n, sizeof wanted, by_key) : NULL;
}

/* Calls EACH with the keys of SIDE and deletes them. */
static void take_side(struct sums_reader *reader, const char *name, uint16_t side, size_t key_size,
		      void (*each)(struct sums_reader *reader, const void *key, const void *value))
{
	int map = bpfobject_map(reader->object, name);
	_Alignas(struct sums_bucket) char key[sizeof(struct sums_bucket)], next[sizeof key];
	union {
		struct sums sums;
		uint64_t count;
	} value;
	struct { char *at; size_t n, room; } taken = { 0 };
	bool more = bpf_map_get_next_key(map, NULL, next) == 0;

	while (more) {
		const struct sums_key *of = (const struct sums_key *)(void *)next;

		memcpy(key, next, sizeof key);
		if (of->side == side && bpf_map_lookup_elem(map, key, &value) == 0) {
			each(reader, key, &value);
			taken.at = memory_grow(taken.at, &taken.room, taken.n + 1, key_size);
			memcpy(taken.at + taken.n++ * key_size, key, key_size);
		}
		more = bpf_map_get_next_key(map, key, next) == 0;
	}
	for (size_t i = 0; i < taken.n; i++)
		bpf_map_delete_elem(map, taken.at + i * key_size);
	free(taken.at);
}

/* All entries first, one for each CPU; they are joined when they are sorted. */
static void take_sums(struct sums_reader *reader, const void *key_at, const void *value)
{
	const struct sums_key *key = key_at;
	const struct sums *sums = value;
	struct group *group;

	reader->groups = memory_grow(reader->groups, &reader->room, reader->n + 1, sizeof *reader->groups);
	group = &reader->groups[reader->n++];
	*group = (struct group){ .pid = key->pid, .what = key->what };
	memcpy(group->comm, sums->comm, COMM);
	group->figures.count = sums->count;
	group->figures.sum = sums->sum;
	group->figures.squares[0] = sums->squares_low;
	group->figures.squares[1] = sums->squares_high;
	group->figures.min = sums->min;
	group->figures.max = sums->max;
	figures_to_sketch(&reader->plan, &group->figures);
}

static void join(struct figures *to, const struct figures *from)
{
	unsigned __int128 squares = (unsigned __int128)to->squares[1] << 64 | to->squares[0];

	squares += (unsigned __int128)from->squares[1] << 64 | from->squares[0];
	to->squares[0] = (uint64_t)squares;
	to->squares[1] = (uint64_t)(squares >> 64);
	to->count += from->count;
	to->sum += from->sum;
	if (from->min < to->min)
		to->min = from->min;
	if (from->max > to->max)
		to->max = from->max;
}

static void join_cpus(struct sums_reader *reader)
{
	size_t kept = 0;

	if (reader->n)
		qsort(reader->groups, reader->n, sizeof *reader->groups, by_key);
	for (size_t i = 0; i < reader->n; i++) {
		struct group *group = &reader->groups[i];

		if (kept && by_key(&reader->groups[kept - 1], group) == 0) {
			join(&reader->groups[kept - 1].figures, &group->figures);
			figures_free(&reader->plan, &group->figures);
		} else {
			reader->groups[kept++] = *group;
		}
	}
	reader->n = kept;
}

static void take_bucket(struct sums_reader *reader, const void *key_at, const void *value)
{
	const struct sums_bucket *bucket = key_at;
	struct group *group = find(reader, &bucket->key);
	uint64_t count;

	memcpy(&count, value, sizeof count);
	if (!group)
		return;
	if (bucket->number == 0) {
		group->figures.sketch->zeros += count;
		group->figures.sketch->n += count;
	} else {
		sketch_add_bucket(group->figures.sketch, &group->figures.sketch->above, bucket->number, count);
	}
}

static void map_cpus(struct sums_reader *reader)
{
	void *at = mmap(NULL, (size_t)reader->cpus_n * sizeof *reader->cpus, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpfobject_map(reader->object, "sums_cpus"), 0);

	if (at == MAP_FAILED)
		message_die("cannot map the kernel's sums: %s", strerror(errno));
	reader->cpus = at;
}

/* What the places of the CPUs hold of SIDE: first groups, then, when these are joined, buckets. Frees them. */
static void take_near_groups(struct sums_reader *reader, uint16_t side)
{
	for (int cpu = 0; cpu < reader->cpus_n; cpu++) {
		struct sums_near *near = &reader->cpus[cpu].side[side];

		for (size_t i = 0; i < SUMS_NEAR; i++)
			if (near->group[i].key.pid)
				take_sums(reader, &near->group[i].key, &near->group[i].sums);
		memset(near->group, 0, sizeof near->group);
	}
}

static void take_near_buckets(struct sums_reader *reader, uint16_t side)
{
	for (int cpu = 0; cpu < reader->cpus_n; cpu++) {
		struct sums_near *near = &reader->cpus[cpu].side[side];

		for (size_t i = 0; i < SUMS_NEAR_BUCKETS; i++)
			if (near->bucket[i].bucket.key.pid)
				take_bucket(reader, &near->bucket[i].bucket, &near->bucket[i].count);
		memset(near->bucket, 0, sizeof near->bucket);
	}
}

static void put(struct sums_reader *reader, int64_t ts, struct group *group)
{
	struct writer *out = collect_out(reader->collect);
	struct label comm;

	collect_name(&comm, group->comm);
	writer_begin(out, ts, SLICE("partial"));
	reader->names(reader->state, out, group->what);
	writer_u64(out, KEY("group.pid"), group->pid);
	writer_raw(out, KEY("group.comm"), label_text(&comm));
	writer_u64(out, KEY("interval_ns"), reader->interval);
	writer_i64(out, KEY("first_ts"), reader->since);
	writer_i64(out, KEY("last_ts"), ts - 1);
	partial_write(reader->partial, &reader->plan, &group->figures, out);
	writer_end(out);
}

void sums_reader_pass(struct sums_reader *reader, int64_t ts, bool last)
{
	struct sums_control *control = bpfobject_variables(reader->object, ".data.sums", sizeof *control);
	int64_t interval = (int64_t)reader->interval, end = ts - ts % interval;
	uint16_t side = (uint16_t)control->side;
	uint64_t lost;

	if (!reader->since)
		reader->since = ts;
	if (!reader->cpus)
		map_cpus(reader);
	if (!last && end <= reader->since)
		return;
	__atomic_store_n(&control->side, !side, __ATOMIC_SEQ_CST);
	/* Programs that read the old side are over long before. */
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	take_near_groups(reader, side);
	take_side(reader, "sums", side, sizeof(struct sums_key), take_sums);
	join_cpus(reader);
	take_near_buckets(reader, side);
	take_side(reader, "sums_buckets", side, sizeof(struct sums_bucket), take_bucket);
	for (size_t i = 0; i < reader->n; i++) {
		collect_summed(reader->collect, reader->groups[i].figures.count);
		put(reader, last ? ts : end, &reader->groups[i]);
		figures_free(&reader->plan, &reader->groups[i].figures);
	}
	reader->n = 0;
	reader->since = last ? ts : end;
	lost = __atomic_load_n(&control->lost, __ATOMIC_ACQUIRE) - reader->lost;
	if (lost && !reader->lost)
		message("an interval has more groups than there is room for: a shorter --aggregate helps");
	reader->lost += lost;
	if (lost)
		collect_lost(reader->collect, lost, "aggregate");
}
