/* SPDX-License-Identifier: MIT */
/*
 * SQLite databases: opening them, and the values of records in them. pkg-config: sqlite3
 *
 * A value becomes what comes back as the same text: an INTEGER or a REAL where the number, printed again,
 * is the same (not 007, +1, -0, 1.50, 0x10, 1e400 or what is beyond 64 bits), else TEXT, or a BLOB
 * where it holds NUL or is not UTF-8, because then neither the sqlite3 shell nor other programs can read
 * a TEXT. Absent is NULL.
 */
#ifndef WEIR_DATABASE_H
#define WEIR_DATABASE_H

#include <sqlite3.h>

#include "records/writer.h"

/* Says what the database's last error was, `prog: cannot VERB PATH: REASON`, and exits with EXIT_FAILED. */
_Noreturn void database_die(sqlite3 *db, const char *verb);

/*
 * Opens the file at PATH, which is a file's name whatever it looks like (`:memory:`, `file:x?mode=ro`).
 * WAIT_NS is how long a lock of another program is waited for.
 */
sqlite3 *database_open(const char *path, int flags, uint64_t wait_ns);

/* The same for reading only; a file that cannot be written is read all the same. */
sqlite3 *database_open_read(const char *path, uint64_t wait_ns);
void database_close(sqlite3 *db);

/* Runs statements that give no rows; the FORMAT is that of sqlite3_mprintf(): %w within "" for a name. */
void database_run(sqlite3 *db, const char *format, ...);

/* Prepares one statement, for long use. */
sqlite3_stmt *database_prepare(sqlite3 *db, const char *sql);

/* True: there is a row. */
bool database_step(sqlite3 *db, sqlite3_stmt *statement);

/* Carries out a statement that gives no rows, and makes it ready for the next time. */
void database_do(sqlite3 *db, sqlite3_stmt *statement);

/* The first column of the first row of a query, as a number; 0 where there is none. */
int64_t database_number(sqlite3 *db, const char *sql);

enum { DATABASE_INTEGER = 1, DATABASE_REAL = 2, DATABASE_TEXT = 4, DATABASE_BLOB = 8 };

/*
 * Gives SQLite a value as it stands in a record, as the result of a function or a virtual table's column
 * (TEXT_ONLY: never as a number), and returns the type that it got. Escapes are undone where the value
 * stands, so its bytes must be the caller's own; they stay as long as SQLite may use the result.
 */
int database_result(sqlite3_context *context, struct slice *value, bool text_only);

/* The same for text without escapes, which is left as it is. */
int database_result_text(sqlite3_context *context, struct slice text);

/* Binds text, without escapes, as TEXT or BLOB. */
int database_bind_text(sqlite3_stmt *statement, int index, struct slice text);

/* The bytes of a column as text, valid until the next step. */
struct slice database_text(sqlite3_stmt *statement, int column);

/* Writes a column as a field, unless it is NULL; true: it was written. */
bool database_put(struct writer *out, struct key key, sqlite3_stmt *statement, int column);

#endif
