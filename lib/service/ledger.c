// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "service/ledger.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "database/database.h"

enum { TIMESTAMP = 40 };

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *rollback, *user, *call, *log;
	pthread_mutex_t lock;	/* of all above */
	uint64_t wait_ns;
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS users(id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS logs(id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, message TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS api_calls(id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, source TEXT NOT NULL,"
	" status_code INTEGER, latency_ms REAL NOT NULL);";

static void make_users(struct ledger *ledger, uint64_t users)
{
	database_run(ledger->db,
		     "INSERT INTO users WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < %llu)"
		     " SELECT id, 'User ' || id, 'user' || id || '@example.org' FROM n",
		     (unsigned long long)users);
}

struct ledger *ledger_open(const char *path, uint64_t users, uint64_t wait_ns)
{
	struct ledger *ledger = memory_zeroed(sizeof *ledger);

	ledger->wait_ns = wait_ns;
	ledger->db = database_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, wait_ns);
	/* Readers do not stop the service, and a commit costs no wait for the disk. */
	database_run(ledger->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
	database_run(ledger->db, "BEGIN IMMEDIATE");
	database_run(ledger->db, "%s", schema);
	if (users && database_number(ledger->db, "SELECT count(*) FROM users") == 0)
		make_users(ledger, users);
	database_run(ledger->db, "COMMIT");
	ledger->begin = database_prepare(ledger->db, "BEGIN IMMEDIATE");
	ledger->commit = database_prepare(ledger->db, "COMMIT");
	ledger->rollback = database_prepare(ledger->db, "ROLLBACK");
	ledger->user = database_prepare(ledger->db,
		"INSERT INTO users(id, name, email) VALUES(?1, ?2, ?3)"
		" ON CONFLICT(id) DO UPDATE SET name = ?2, email = ?3");
	ledger->call = database_prepare(ledger->db,
		"INSERT INTO api_calls(timestamp, source, status_code, latency_ms) VALUES(?1, ?2, ?3, ?4)");
	ledger->log = database_prepare(ledger->db, "INSERT INTO logs(timestamp, message) VALUES(?1, ?2)");
	pthread_mutex_init(&ledger->lock, NULL);
	return ledger;
}

void ledger_close(struct ledger *ledger)
{
	sqlite3_stmt *const statements[] = { ledger->begin, ledger->commit, ledger->rollback, ledger->user,
					     ledger->call, ledger->log };

	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
		sqlite3_finalize(statements[i]);
	database_close(ledger->db);
	pthread_mutex_destroy(&ledger->lock);
	free(ledger);
}

static void timestamp(int64_t ts, char *text)
{
	time_t seconds = (time_t)(ts / 1000000000);
	struct tm utc;
	size_t n;

	gmtime_r(&seconds, &utc);
	n = strftime(text, TIMESTAMP, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + n, TIMESTAMP - n, ".%06dZ", (int)(ts % 1000000000 / 1000));
}

static bool run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	return code == SQLITE_DONE;
}

static bool store_user(struct ledger *ledger, const struct ledger_user *user)
{
	sqlite3_bind_int64(ledger->user, 1, user->id);
	database_bind_text(ledger->user, 2, user->name);
	database_bind_text(ledger->user, 3, user->email);
	return run(ledger->user);
}

static bool store_call(struct ledger *ledger, const struct ledger_call *call)
{
	bool good = true;

	for (size_t i = 0; good && i < call->answer->attempts; i++) {
		const struct upstream_attempt *attempt = &call->answer->attempt[i];
		char at[TIMESTAMP];

		timestamp(attempt->ts, at);
		database_bind_text(ledger->call, 1, slice_of(at));
		database_bind_text(ledger->call, 2, slice_of(call->source));
		if (attempt->status)
			sqlite3_bind_int64(ledger->call, 3, attempt->status);
		else
			sqlite3_bind_null(ledger->call, 3);
		sqlite3_bind_double(ledger->call, 4, (double)attempt->dur_ns / 1e6);
		good = run(ledger->call);
	}
	return good;
}

static bool store_message(struct ledger *ledger, const char *text)
{
	char at[TIMESTAMP];

	timestamp(clock_epoch(), at);
	database_bind_text(ledger->log, 1, slice_of(at));
	database_bind_text(ledger->log, 2, slice_of(text));
	return run(ledger->log);
}

static bool store(struct ledger *ledger, const struct ledger_entry *entry)
{
	bool good = run(ledger->begin);

	if (good && entry->user)
		good = store_user(ledger, entry->user);
	for (size_t i = 0; good && i < entry->n_calls; i++)
		good = store_call(ledger, &entry->calls[i]);
	if (good && entry->message)
		good = store_message(ledger, entry->message);
	return good && run(ledger->commit);
}

/* A moment on CLOCK_MONOTONIC. */
static struct timespec deadline(uint64_t ns)
{
	ns += clock_monotonic();
	return (struct timespec){ (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
}

bool ledger_store(struct ledger *ledger, const struct ledger_entry *entry, char *error)
{
	struct timespec until = deadline(ledger->wait_ns);
	bool good;

	/* While another program has the database locked, the threads do not wait for it one after another. */
	if (pthread_mutex_clocklock(&ledger->lock, CLOCK_MONOTONIC, &until)) {
		snprintf(error, LEDGER_ERROR, "database is locked");
		return false;
	}
	good = store(ledger, entry);
	if (!good) {
		snprintf(error, LEDGER_ERROR, "%s", sqlite3_errmsg(ledger->db));
		if (!sqlite3_get_autocommit(ledger->db))
			run(ledger->rollback);
	}
	pthread_mutex_unlock(&ledger->lock);
	return good;
}
