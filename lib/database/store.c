// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "database/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/table.h"
#include "database/catalog.h"
#include "database/feed.h"
#include "database/mapping.h"
#include "database/views.h"

enum {
	APPLICATION = 0x77656972,	/* `weir`, in the database's header */
	FORMAT = 1,
	MAPPINGS_MAX = 2000,
};

struct store {
	sqlite3 *db;
	const char *path, *only;	/* only: the table of --table, or NULL */
	struct catalog *catalog;
	struct feed *feed;
	struct table *mappings;	/* struct mapping *, by sheet << 32 | shape */
	sqlite3_stmt *begin, *commit, *version, *update;
	int64_t run, seq, data_version, first_seq;
	int64_t first_ts, last_ts;
	uint64_t rows;
	bool in_transaction;
	const struct loss *loss;
	struct lookup ts, ev;
};

bool store_is_table_name(const char *name)
{
	return catalog_is_table_name(name);
}

/* ---- transactions ---- */

static void forget_mappings(struct store *s)
{
	uint64_t *keys = table_keys(s->mappings);

	for (size_t i = 0; i < table_count(s->mappings); i++)
		mapping_free(*(struct mapping **)table_find(s->mappings, keys[i]));
	free(keys);
	table_free(s->mappings);
	s->mappings = table_new(sizeof(struct mapping *));
}

/* Counts the commits of other programs. */
static int64_t data_version(struct store *s)
{
	int64_t version;

	database_step(s->db, s->version);
	version = sqlite3_column_int64(s->version, 0);
	sqlite3_reset(s->version);
	return version;
}

static int64_t last_seq(struct store *s)
{
	return database_number(s->db, "SELECT coalesce(max(last_seq), 0) FROM runs");
}

static void begin(struct store *s)
{
	int64_t version;

	database_do(s->db, s->begin);
	s->in_transaction = true;
	version = data_version(s);
	if (version != s->data_version) {	/* another program has written */
		forget_mappings(s);
		catalog_load(s->catalog);
		s->seq = last_seq(s);
	}
	s->data_version = version;
}

static void update_run(struct store *s, bool complete)
{
	sqlite3_bind_int64(s->update, 1, (int64_t)s->rows);
	if (s->first_ts <= s->last_ts) {
		sqlite3_bind_int64(s->update, 2, s->first_ts);
		sqlite3_bind_int64(s->update, 3, s->last_ts);
	}
	if (s->rows) {
		sqlite3_bind_int64(s->update, 4, s->first_seq);
		sqlite3_bind_int64(s->update, 5, s->seq);
	}
	if (s->loss->unknown)
		sqlite3_bind_null(s->update, 6);
	else
		sqlite3_bind_int64(s->update, 6, (int64_t)s->loss->events);
	sqlite3_bind_int(s->update, 7, complete);
	sqlite3_bind_int64(s->update, 8, clock_epoch());
	sqlite3_bind_int64(s->update, 9, s->run);
	database_do(s->db, s->update);
}

/* LAST: the run ends here. */
static void commit(struct store *s, bool complete, bool last)
{
	feed_flush(s->feed);
	catalog_write_types(s->catalog);
	update_run(s, complete);
	if (s->catalog->reshaped || last)
		views_make(s->db, last);
	s->catalog->reshaped = false;
	database_do(s->db, s->commit);
	s->in_transaction = false;
}

void store_commit(struct store *s)
{
	if (s->in_transaction)
		commit(s, false, false);
}

void store_complete(struct store *s, bool complete)
{
	if (!s->in_transaction)
		begin(s);
	commit(s, complete, true);
}

void store_index(struct store *s, const char *keys)
{
	begin(s);
	catalog_index(s->catalog, keys);
	database_do(s->db, s->commit);
	s->in_transaction = false;
}

/* ---- records ---- */

/* The index of the table that the record goes to. */
static size_t sheet_of(struct store *s, const struct record *record)
{
	const struct slice *ev = lookup_value(&s->ev, record);
	char *plain;
	size_t sheet;

	if (s->only)
		return catalog_sheet_named(s->catalog, s->only);
	if (!ev)
		return catalog_sheet_named(s->catalog, "records");
	if (!reader_escaped(*ev))
		return catalog_sheet_of_ev(s->catalog, *ev);
	plain = memory_get(ev->len);
	sheet = catalog_sheet_of_ev(s->catalog, (struct slice){ plain, reader_unescape(*ev, plain) });
	free(plain);
	return sheet;
}

void store_put(struct store *s, const struct record *record)
{
	const struct shape *shape = record->shape;
	struct mapping *passing = NULL, **mapping = &passing;
	int64_t ts;
	size_t sheet;

	if (!s->in_transaction)
		begin(s);
	feed_reserve(s->feed, record);
	sheet = sheet_of(s, record);
	if (shape->id != SHAPE_PASSING) {
		if (table_count(s->mappings) >= MAPPINGS_MAX) {
			feed_flush(s->feed);
			forget_mappings(s);
		}
		mapping = table_at(s->mappings, (uint64_t)sheet << 32 | shape->id);
	}
	if (!*mapping)
		*mapping = mapping_new(s->catalog, &s->catalog->sheets[sheet], shape);
	feed_put(s->feed, sheet, *mapping, ++s->seq, record);
	if (passing) {
		feed_flush(s->feed);
		mapping_free(passing);
	}
	if (lookup_i64(&s->ts, record, &ts)) {
		s->first_ts = ts < s->first_ts ? ts : s->first_ts;
		s->last_ts = ts > s->last_ts ? ts : s->last_ts;
	}
	if (s->rows++ == 0)
		s->first_seq = s->seq;
}

/* ---- begin and end ---- */

/* Makes the file, so that only one program can; with -a one that exists is taken. */
static void create_file(const char *path, bool append)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (append ? 0 : O_EXCL), 0666);

	if (fd < 0 && errno == EEXIST)
		message_die("cannot create %s: it exists (-a adds to it)", path);
	if (fd < 0)
		message_die("cannot %s %s: %m", append ? "open" : "create", path);
	close(fd);
}

static void create_schema(struct store *s)
{
	database_run(s->db, "CREATE TABLE runs(id INTEGER PRIMARY KEY, source TEXT, begin_ns, end_ns, "
			    "first_ts, last_ts, first_seq, last_seq, rows, lost, complete, version TEXT)");
	database_run(s->db, "CREATE TABLE tables(name TEXT PRIMARY KEY, ev, more, key_order) WITHOUT ROWID");
	database_run(s->db, "CREATE TABLE columns(\"table\" TEXT, \"column\" TEXT, key TEXT, position, "
			    "unit TEXT, types TEXT, indexed, PRIMARY KEY(\"table\", \"column\")) "
			    "WITHOUT ROWID");
	database_run(s->db, "PRAGMA application_id = %d", APPLICATION);
	database_run(s->db, "PRAGMA user_version = %d", FORMAT);
}

static void check_schema(struct store *s)
{
	int64_t format;

	if (database_number(s->db, "SELECT count(*) FROM sqlite_schema") == 0) {
		create_schema(s);
		return;
	}
	format = database_number(s->db, "PRAGMA user_version");
	if (database_number(s->db, "PRAGMA application_id") != APPLICATION)
		message_die("cannot add to %s: to-sqlite did not make it (attach it to a database of its "
			    "own)", s->path);
	if (format != FORMAT)
		message_die("cannot add to %s: it has format %lld, and this program knows %d", s->path,
			    (long long)format, FORMAT);
}

static void insert_run(struct store *s, const char *source)
{
	sqlite3_stmt *q = database_prepare(s->db, "INSERT INTO runs(source, begin_ns, rows, lost, complete, "
						  "version) VALUES(?, ?, 0, 0, 0, ?)");

	database_bind_text(q, 1, slice_of(source));
	sqlite3_bind_int64(q, 2, clock_epoch());
	sqlite3_bind_text(q, 3, WEIR_VERSION, -1, SQLITE_STATIC);
	database_do(s->db, q);
	s->run = sqlite3_last_insert_rowid(s->db);
	sqlite3_finalize(q);
}

/*
 * Write-ahead logging: what is committed survives a kill, and others read while this writes. While another one
 * makes the same change, SQLite does not wait by itself.
 */
static void write_ahead(struct store *s, uint64_t wait_ns)
{
	uint64_t began = clock_monotonic();
	int error;

	do {
		error = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	} while (error == SQLITE_BUSY && clock_monotonic() - began < wait_ns &&
		 nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL) == 0);
	if (error != SQLITE_OK)
		database_die(s->db, "use");
}

static void start(struct store *s, const char *source, uint64_t wait_ns)
{
	write_ahead(s, wait_ns);
	database_run(s->db, "PRAGMA wal_autocheckpoint = 4000; PRAGMA synchronous = NORMAL; "
			    "PRAGMA cache_size = -8000; PRAGMA secure_delete = OFF");
	s->begin = database_prepare(s->db, "BEGIN IMMEDIATE");
	s->commit = database_prepare(s->db, "COMMIT");
	s->version = database_prepare(s->db, "PRAGMA data_version");
	database_do(s->db, s->begin);
	check_schema(s);
	views_settings(s->db);
	s->update = database_prepare(s->db, "UPDATE runs SET rows = ?, first_ts = ?, last_ts = ?, "
					    "first_seq = ?, last_seq = ?, lost = ?, complete = ?, "
					    "end_ns = ? WHERE id = ?");
	insert_run(s, source);
	s->catalog = catalog_new(s->db, s->path);
	s->feed = feed_new(s->catalog, s->run);
	s->seq = last_seq(s);
	s->data_version = data_version(s);
	database_do(s->db, s->commit);
}

struct store *store_open(const char *path, bool append, const char *table, const char *source,
			 const struct loss *loss, uint64_t wait_ns)
{
	struct store *s;

	create_file(path, append);
	s = memory_zeroed(sizeof *s);
	s->path = path;
	s->only = table;
	s->loss = loss;
	s->first_ts = INT64_MAX;
	s->last_ts = INT64_MIN;
	s->ts = (struct lookup)LOOKUP("ts");
	s->ev = (struct lookup)LOOKUP("ev");
	s->mappings = table_new(sizeof(struct mapping *));
	s->db = database_open(path, SQLITE_OPEN_READWRITE, wait_ns);
	start(s, source, wait_ns);
	return s;
}

struct store_totals store_totals(const struct store *s)
{
	return (struct store_totals){ s->rows, s->catalog->n, s->run };
}

void store_interrupt(struct store *s)
{
	sqlite3_interrupt(s->db);
}

void store_close(struct store *s)
{
	sqlite3_stmt *statements[] = { s->begin, s->commit, s->version, s->update };

	/* One file again, which a directory that cannot be written does not hinder. Others may still read. */
	sqlite3_busy_timeout(s->db, 0);
	sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
		sqlite3_finalize(statements[i]);
	forget_mappings(s);
	catalog_free(s->catalog);
	database_close(s->db);
	feed_free(s->feed);
	table_free(s->mappings);
	lookup_free(&s->ts);
	lookup_free(&s->ev);
	free(s);
}
