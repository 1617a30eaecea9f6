// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "database/database.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/utf8.h"
#include "records/reader.h"

static const char *opened = "the database";	/* for messages */

_Noreturn void database_die(sqlite3 *db, const char *verb)
{
	int code = sqlite3_extended_errcode(db), system = sqlite3_system_errno(db);
	int kind = code & 0xff;
	const char *remedy = "", *reason = sqlite3_errmsg(db), *detail = "";

	if (kind == SQLITE_FULL || kind == SQLITE_IOERR || kind == SQLITE_READONLY)
		verb = "write";
	if (kind == SQLITE_BUSY)
		remedy = " (another program writes it; --wait gives it more time)";
	if (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN)
		detail = system ? strerror(system) : "";
	message_die("cannot %s %s: %s%s%s%s", verb, opened, reason, *detail ? ": " : "", detail, remedy);
}

sqlite3 *database_open(const char *path, int flags, uint64_t wait_ns)
{
	char *file = memory_get(strlen(path) + 3);
	sqlite3 *db = NULL;

	opened = path;
	sqlite3_config(SQLITE_CONFIG_URI, 0);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	strcpy(file, *path == '/' ? "" : "./");
	strcat(file, path);
	if (sqlite3_open_v2(file, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		if (!db)
			message_die("cannot open %s: out of memory", path);
		database_die(db, "open");
	}
	free(file);
	sqlite3_busy_timeout(db, (int)(wait_ns / 1000000));
	return db;
}

sqlite3 *database_open_read(const char *path, uint64_t wait_ns)
{
	bool may_write = access(path, W_OK) == 0;
	sqlite3 *db = database_open(path, may_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, wait_ns);

	database_run(db, "PRAGMA query_only = 1");
	return db;
}

void database_close(sqlite3 *db)
{
	if (sqlite3_close(db) != SQLITE_OK)
		database_die(db, "close");
}

void database_run(sqlite3 *db, const char *format, ...)
{
	va_list args;
	char *sql;

	va_start(args, format);
	sql = sqlite3_vmprintf(format, args);
	va_end(args);
	if (!sql)
		message_die("cannot write %s: out of memory", opened);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		database_die(db, "use");
	sqlite3_free(sql);
}

sqlite3_stmt *database_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
		database_die(db, "use");
	return statement;
}

bool database_step(sqlite3 *db, sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	if (result != SQLITE_ROW && result != SQLITE_DONE)
		database_die(db, "use");
	return result == SQLITE_ROW;
}

void database_do(sqlite3 *db, sqlite3_stmt *statement)
{
	database_step(db, statement);
	sqlite3_reset(statement);
}

int64_t database_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = database_prepare(db, sql);
	int64_t number = database_step(db, statement) ? sqlite3_column_int64(statement, 0) : 0;

	sqlite3_finalize(statement);
	return number;
}

int database_bind_text(sqlite3_stmt *statement, int index, struct slice text)
{
	const char *at = text.len ? text.at : "";

	if (memchr(at, '\0', text.len) || !utf8_valid(text)) {
		sqlite3_bind_blob64(statement, index, at, text.len, SQLITE_STATIC);
		return DATABASE_BLOB;
	}
	sqlite3_bind_text64(statement, index, at, text.len, SQLITE_STATIC, SQLITE_UTF8);
	return DATABASE_TEXT;
}

/* Whether all bytes are ASCII and none is NUL or a backslash: true for nearly all that is met. */
static inline bool simple(struct slice text)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7, backslashes = ones * '\\';
	uint64_t word, found = 0;

	for (; text.len >= 8; text.at += 8, text.len -= 8) {
		memcpy(&word, text.at, 8);
		found |= word | (word - ones) | ((word ^ backslashes) - ones);
	}
	word = ones;
	memcpy(&word, text.at, text.len);
	/* The high bit is set by each byte that is sought; a borrow can only come from such a byte. */
	return !((found | word | (word - ones) | ((word ^ backslashes) - ones)) & high);
}

int database_result_text(sqlite3_context *context, struct slice text)
{
	if (memchr(text.at, '\0', text.len) || !utf8_valid(text)) {
		sqlite3_result_blob64(context, text.at, text.len, SQLITE_STATIC);
		return DATABASE_BLOB;
	}
	sqlite3_result_text64(context, text.at, text.len, SQLITE_STATIC, SQLITE_UTF8);
	return DATABASE_TEXT;
}

int database_result(sqlite3_context *context, struct slice *value, bool text_only)
{
	int64_t whole;
	double real;

	if (!text_only && value->len && value->at[0] <= '9') {
		if (number_plain(*value) && number_i64(*value, &whole)) {
			sqlite3_result_int64(context, whole);
			return DATABASE_INTEGER;
		}
		if (number_canonical(*value) && number_real(*value, &real)) {
			sqlite3_result_double(context, real);
			return DATABASE_REAL;
		}
	}
	if (!simple(*value)) {
		if (reader_escaped(*value))
			value->len = reader_unescape(*value, (char *)(uintptr_t)value->at);
		return database_result_text(context, *value);
	}
	sqlite3_result_text64(context, value->at, value->len, SQLITE_STATIC, SQLITE_UTF8);
	return DATABASE_TEXT;
}

struct slice database_text(sqlite3_stmt *statement, int column)
{
	bool text = sqlite3_column_type(statement, column) == SQLITE_TEXT;
	const char *at = text ? (const char *)sqlite3_column_text(statement, column) :
			 sqlite3_column_blob(statement, column);

	return (struct slice){ at ? at : "", (size_t)sqlite3_column_bytes(statement, column) };
}

bool database_put(struct writer *out, struct key key, sqlite3_stmt *statement, int column)
{
	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_NULL:
		return false;
	case SQLITE_INTEGER:
		writer_i64(out, key, sqlite3_column_int64(statement, column));
		return true;
	case SQLITE_FLOAT:
		writer_real(out, key, sqlite3_column_double(statement, column));
		return true;
	default:
		writer_text(out, key, database_text(statement, column));
		return true;
	}
}
