// SPDX-License-Identifier: MIT
#include "explain/explained.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/display.h"
#include "base/memory.h"
#include "base/number.h"

void explained_fields_free(struct explained_fields *f)
{
	lookup_free(&f->dns);
	lookup_free(&f->connect);
	lookup_free(&f->tls);
	lookup_free(&f->ttfb);
	lookup_free(&f->intended);
	lookup_free(&f->wait);
	free(f->kept);
}

static bool is_who(struct slice key)
{
	return slice_equal(key, SLICE("cpu")) || slice_equal(key, SLICE("pid")) ||
	       slice_equal(key, SLICE("tid")) || slice_equal(key, SLICE("comm"));
}

enum { FIRST_FIELDS = 64 };

static struct explained_kept choose(const struct shape *shape)
{
	struct explained_kept kept = { 0 };

	for (uint32_t i = 0; i < shape->n && i < FIRST_FIELDS; i++) {
		struct slice key = shape->key[i];

		if (is_who(key))
			kept.who |= 1ull << i;
		else if (!slice_equal(key, SLICE("ts")) && !slice_equal(key, SLICE("ev")) &&
			 !account_has_key(key))
			kept.rest |= 1ull << i;
	}
	return kept;
}

static struct explained_kept kept_of(struct explained_fields *f, const struct shape *shape)
{
	size_t had = f->room;

	if (shape->id == SHAPE_PASSING)
		return choose(shape);
	if (shape->id >= had) {
		f->kept = memory_grow(f->kept, &f->room, shape->id + 1, sizeof *f->kept);
		memset(f->kept + had, 0, (f->room - had) * sizeof *f->kept);
	}
	if (!f->kept[shape->id].who)
		f->kept[shape->id] = choose(shape);
	return f->kept[shape->id];
}

/* Copies the chosen fields behind TEXT's LEN bytes, as far as there is room; the new length. */
static size_t copy_fields(char *text, size_t len, const struct record *record, uint64_t chosen)
{
	for (; chosen; chosen &= chosen - 1) {
		int i = __builtin_ctzll(chosen);
		struct slice key = record->shape->key[i], value = record->value[i];

		if (len + key.len + value.len + 2 > EXPLAINED_BYTES)
			continue;
		text[len] = '\t';
		memcpy(text + len + 1, key.at, key.len);
		text[len + 1 + key.len] = '=';
		memcpy(text + len + 2 + key.len, value.at, value.len);
		len += key.len + value.len + 2;
	}
	return len;
}

static int64_t phase(struct lookup *field, const struct record *record, int64_t absent)
{
	int64_t ns;

	return lookup_i64(field, record, &ns) && ns >= 0 ? ns : absent;
}

/* A request's time: until the first byte of the answer, less what came before it was sent; the rest. */
static void split_phases(struct explained_fields *f, const struct record *record, struct explained *item)
{
	struct lookup *phases[] = { &f->dns, &f->connect, &f->tls };
	int64_t dur = item->to - item->from, ttfb = phase(&f->ttfb, record, -1), before = 0;

	item->wait_ns = item->transfer_ns = -1;
	item->late_ns = lookup_value(&f->intended, record) ? phase(&f->wait, record, -1) : -1;
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
		item->phase[i] = phase(phases[i], record, 0);
		if (__builtin_add_overflow(before, item->phase[i], &before))
			before = INT64_MAX;
	}
	if (ttfb < 0 || ttfb > dur)
		return;
	item->transfer_ns = dur - ttfb;
	if (before <= ttfb)
		item->wait_ns = ttfb - before;
}

struct explained *explained_new(struct explained_fields *fields, const struct record *record,
			   const struct history_span *span, struct slice connection)
{
	char text[EXPLAINED_BYTES];
	struct explained_kept kept = kept_of(fields, record->shape);
	size_t who = copy_fields(text, 0, record, kept.who), len = copy_fields(text, who, record, kept.rest);
	struct explained *item = memory_get(sizeof *item + len);

	*item = (struct explained){ .from = span->from, .to = span->to, .tid = span->tid, .who = who,
				    .len = len, .waits_for = EXPLAINED_OWN_SIDE };
	memcpy(item->text, text, len);
	split_phases(fields, record, item);
	if (connection.len) {
		item->waits_for = EXPLAINED_EXCHANGE;
		item->server = memory_zeroed(sizeof *item->server);
		item->server->exchange.len = connection.len;
		memcpy(item->server->exchange.connection, connection.at, connection.len);
	}
	return item;
}

struct explained *explained_lost(const struct record *record)
{
	struct explained *item = memory_get(sizeof *item + record->len);

	*item = (struct explained){ .waits_for = EXPLAINED_DONE, .lost = true, .len = record->len };
	memcpy(item->text, record->line, record->len);
	return item;
}

void explained_free(struct explained *item)
{
	if (item)
		free(item->server);
	free(item);
}

void explained_outside(struct explained *item, int64_t before, int64_t after)
{
	for (int c = CAUSE_DNS; c <= CAUSE_TLS; c++) {
		int64_t ns = item->phase[c - CAUSE_DNS];

		item->split.part[c] = ns < before ? ns : before;
		before -= item->split.part[c];
	}
	item->split.part[CAUSE_OUTSIDE] = before + after;
}

void explained_write(struct writer *out, const struct history *h, const struct explained *item,
		     struct slice by)
{
	writer_begin(out, item->to, SLICE("explain"));
	writer_bytes(out, item->text, item->who);
	writer_raw(out, KEY("by"), by);
	writer_bytes(out, item->text + item->who, item->len - item->who);
	account_write(out, h, &item->split, false);
	if (item->late_ns >= 0)
		writer_i64(out, KEY("late_ns"), item->late_ns);
	if (item->wait_ns >= 0)
		writer_i64(out, KEY("wait_ns"), item->wait_ns);
	if (item->transfer_ns >= 0)
		writer_i64(out, KEY("transfer_ns"), item->transfer_ns);
	if (item->server) {
		const struct exchange *exchange = &item->server->exchange;

		if (exchange->pid >= 0)
			writer_i64(out, KEY("server.pid"), exchange->pid);
		writer_i64(out, KEY("server.tid"), exchange->tid);
		if (exchange->comm.len)
			writer_raw(out, KEY("server.comm"), label_text(&exchange->comm));
		writer_i64(out, KEY("server.dur_ns"), exchange->to - exchange->from);
		if (item->tid >= 0)
			account_write(out, h, &item->server->split, true);
	}
	if (item->split.incomplete)
		writer_raw(out, KEY("incomplete"), SLICE("1"));
	writer_end(out);
}

/* The value of a field of an item, by `TAB KEY =`. */
static struct slice field_of(const struct explained *item, const char *key)
{
	size_t n = strlen(key);
	const char *at = memmem(item->text, item->len, key, n), *end;

	if (!at)
		return SLICE("");
	at += n;
	end = memchr(at, '\t', (size_t)(item->text + item->len - at));
	return (struct slice){ at, (size_t)((end ? end : item->text + item->len) - at) };
}

/* Writes `A B C` without blanks where one of them is all that is missing. */
static struct slice join(char *to, struct slice a, const char *between, struct slice b)
{
	size_t n = a.len && b.len ? strlen(between) : 0;

	memcpy(to, a.at, a.len);
	memcpy(to + a.len, between, n);
	memcpy(to + a.len + n, b.at, b.len);
	return (struct slice){ to, a.len + n + b.len };
}

struct slice explained_what(const struct explained *item, struct slice by, char *to)
{
	struct slice name = field_of(item, "\tname="), url = field_of(item, "\turl=");

	if (name.len || url.len)
		return name.len ? name : url;
	if (field_of(item, "\tdport=").len)
		return join(to, field_of(item, "\tdaddr="), ":", field_of(item, "\tdport="));
	return by;
}

struct slice explained_who(const struct explained *item, char *to)
{
	char tid[NUMBER_TEXT];

	if (item->tid < 0 && item->server)
		return join(to, label_text(&item->server->exchange.comm), "/",
			    (struct slice){ tid, number_put_i64(tid, item->server->exchange.tid) });
	return join(to, field_of(item, "\tcomm="), "/", field_of(item, "\ttid="));
}

struct slice explained_why(const struct history *h, const struct explained *item, char *to)
{
	static const char server[] = "; server: ";
	size_t len = account_sentence(to, h, &item->split, !item->in_call);

	if (item->server && item->tid >= 0) {
		memcpy(to + len, server, sizeof server - 1);
		len += sizeof server - 1;
		len += account_sentence(to + len, h, &item->server->split, true);
	}
	if (item->late_ns > 0 && item->late_ns >= (item->to - item->from) / 100) {
		char late[DISPLAY_NUMBER + 1];

		late[display_duration(late, (double)item->late_ns)] = '\0';
		len += (size_t)sprintf(to + len, "; sent %s late", late);
	}
	if (item->split.incomplete) {
		memcpy(to + len, "; events were lost", 18);
		len += 18;
	}
	return (struct slice){ to, len };
}
