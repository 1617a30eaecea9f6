// SPDX-License-Identifier: MIT
#include "spans/requests.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/table.h"

struct requests *requests_new(void)
{
	struct requests *requests = memory_zeroed(sizeof *requests);

	requests->by_key = table_new(sizeof(struct request *));
	return requests;
}

void requests_free(struct requests *requests)
{
	requests_forget(requests);
	table_free(requests->by_key);
	free(requests);
}

static uint64_t hash(struct request_key key)
{
	uint64_t words[] = { (uint64_t)key.dev, key.sector, (uint64_t)key.kind };

	return slice_hash((struct slice){ (const char *)words, sizeof words });
}

static bool is(const struct request *request, struct request_key key, bool issued)
{
	return request->issued == issued && request->key.dev == key.dev &&
		request->key.sector == key.sector && request->key.kind == key.kind;
}

/* At the end of its chain: the oldest is the first. */
static void add(struct requests *requests, struct request *request)
{
	struct request **at = table_at(requests->by_key, hash(request->key));

	while (*at)
		at = &(*at)->next;
	request->next = NULL;
	*at = request;
}

/* Takes out the oldest that is so; of SECTORS left, or any number. NULL: there is none. */
static struct request *take(struct requests *requests, struct request_key key, bool issued,
			    const uint64_t *sectors)
{
	struct request **head = table_find(requests->by_key, hash(key)), *taken;

	for (struct request **at = head; at && *at; at = &(*at)->next) {
		if (!is(*at, key, issued) || (sectors && (*at)->left != *sectors))
			continue;
		taken = *at;
		*at = taken->next;
		if (!*head)
			table_remove(requests->by_key, hash(key));
		return taken;
	}
	return NULL;
}

static struct request *make(struct requests *requests, struct request_key key)
{
	struct request *request;

	if (requests->n >= REQUESTS_MAX) {
		requests->forgotten++;
		return NULL;
	}
	requests->n++;
	request = memory_zeroed(sizeof *request);
	request->key = key;
	request->queued_ts = request->issued_ts = -1;
	request->order = requests->order++;
	return request;
}

static void discard(struct requests *requests, struct request *request)
{
	requests->n -= request != NULL;
	free(request);
}

void requests_insert(struct requests *requests, struct request_key key, int64_t ts)
{
	struct request *request = make(requests, key);

	if (!request)
		return;
	request->queued_ts = ts;
	add(requests, request);
}

struct request *requests_issue(struct requests *requests, struct request_key key, int64_t ts,
			       uint64_t sectors)
{
	struct request *request = take(requests, key, false, NULL);

	if (!request)
		request = make(requests, key);
	if (!request)
		return NULL;
	request->issued = true;
	request->issued_ts = ts;
	request->left = sectors;
	add(requests, request);
	return request;
}

void requests_requeue(struct requests *requests, struct request_key key)
{
	struct request *request = take(requests, key, true, NULL);

	if (!request)
		return;
	request->issued = false;
	if (request->queued_ts < 0)
		request->queued_ts = request->issued_ts;
	add(requests, request);
}

void requests_front_merge(struct requests *requests, struct request_key key, uint64_t sectors)
{
	struct request_key was = key;
	struct request *request;

	was.sector += sectors;
	request = take(requests, was, false, NULL);
	if (!request)
		return;
	request->key = key;
	add(requests, request);
}

void requests_merge(struct requests *requests, struct request_key key)
{
	discard(requests, take(requests, key, false, NULL));
}

bool requests_complete(struct requests *requests, struct request_key key, uint64_t sectors, int64_t error,
		       struct request *done, bool *unknown)
{
	struct request *request = take(requests, key, true, &sectors);

	*unknown = false;
	if (!request)
		request = take(requests, key, true, NULL);
	if (!request) {
		*unknown = true;
		return false;
	}
	if (error)
		request->error = error;
	if (request->left > sectors) {
		request->left -= sectors;
		request->key.sector += sectors;
		add(requests, request);
		return false;
	}
	*done = *request;
	discard(requests, request);
	return true;
}

void requests_forget(struct requests *requests)
{
	size_t n = table_count(requests->by_key);
	uint64_t *keys = n ? table_keys(requests->by_key) : NULL;

	for (size_t i = 0; i < n; i++) {
		struct request *each = *(struct request **)table_find(requests->by_key, keys[i]);

		for (struct request *next; each; each = next) {
			next = each->next;
			discard(requests, each);
		}
		table_remove(requests->by_key, keys[i]);
	}
	free(keys);
}

static int by_order(const void *a, const void *b)
{
	const struct request *x = *(struct request *const *)a, *y = *(struct request *const *)b;

	return (x->order > y->order) - (x->order < y->order);
}

struct request **requests_in_flight(struct requests *requests, size_t *n)
{
	size_t chains = table_count(requests->by_key);
	uint64_t *keys = table_keys(requests->by_key);
	struct request **all = memory_get((requests->n + 1) * sizeof *all);

	*n = 0;
	for (size_t i = 0; i < chains; i++) {
		struct request *each = *(struct request **)table_find(requests->by_key, keys[i]);

		for (; each; each = each->next)
			if (each->issued)
				all[(*n)++] = each;
	}
	free(keys);
	qsort(all, *n, sizeof *all, by_order);
	return all;
}

/* As blk_fill_rwbs() of the kernel writes them; the bits are LTTng's. */
struct label requests_op(struct slice rwbs)
{
	enum { WRITE = 1, DISCARD = 2, READ = 4, RAHEAD = 8, SYNC = 32, META = 64, SECURE = 128, FLUSH = 256,
	       FUA = 512, PREFLUSH = 1024 };
	struct label op;
	uint64_t bits;
	char text[8];
	size_t n = 0;

	if (!number_bits(rwbs, &bits)) {
		label_set(&op, rwbs);
		return op;
	}
	if (bits & PREFLUSH)
		text[n++] = 'F';
	text[n++] = bits & WRITE ? 'W' : bits & DISCARD ? 'D' : bits & FLUSH ? 'F' : bits & READ ? 'R' : 'N';
	if (bits & SECURE)
		text[n++] = 'E';
	if (bits & FUA)
		text[n++] = 'F';
	if (bits & RAHEAD)
		text[n++] = 'A';
	if (bits & SYNC)
		text[n++] = 'S';
	if (bits & META)
		text[n++] = 'M';
	label_set(&op, (struct slice){ text, n });
	return op;
}

char requests_kind(const struct label *op)
{
	if (op->len > 1 && op->at[0] == 'F' && memchr("WDRNF", op->at[1], 5))
		return op->at[1];
	return op->len ? op->at[0] : 'N';
}
