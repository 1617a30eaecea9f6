/* SPDX-License-Identifier: MIT */
/*
 * What we use of DuckDB's C API. The package that carries libduckdb.so has no duckdb.h, so its functions are
 * declared here; all of them are in the part of the API that is stable since DuckDB 1.0
 * (https://duckdb.org/docs/stable/clients/c/api).
 */
#ifndef WEIR_DUCKAPI_H
#define WEIR_DUCKAPI_H

#include <stdint.h>

typedef struct duck_database *duckdb_database;
typedef struct duck_connection *duckdb_connection;
typedef struct duck_config *duckdb_config;
typedef struct duck_table_function *duckdb_table_function;
typedef struct duck_bind *duckdb_bind_info;
typedef struct duck_init *duckdb_init_info;
typedef struct duck_function *duckdb_function_info;
typedef struct duck_logical_type *duckdb_logical_type;
typedef struct duck_chunk *duckdb_data_chunk;
typedef struct duck_vector *duckdb_vector;
typedef struct {
	uint64_t deprecated[3];
	void *deprecated_columns;
	char *deprecated_error;
	void *internal;
} duckdb_result;
enum duckdb_state { DUCKDB_SUCCESS, DUCKDB_ERROR };
enum duckdb_type { DUCKDB_BIGINT = 5, DUCKDB_UBIGINT = 9, DUCKDB_DOUBLE = 11, DUCKDB_VARCHAR = 17 };
enum { DUCKDB_CHUNK_ROWS = 2048 };	/* duckdb_vector_size() of every build that is published */

enum duckdb_state duckdb_create_config(duckdb_config *config);
enum duckdb_state duckdb_set_config(duckdb_config config, const char *name, const char *value);
void duckdb_destroy_config(duckdb_config *config);
enum duckdb_state duckdb_open_ext(const char *path, duckdb_database *database, duckdb_config config,
				  char **error);
void duckdb_close(duckdb_database *database);
enum duckdb_state duckdb_connect(duckdb_database database, duckdb_connection *connection);
void duckdb_disconnect(duckdb_connection *connection);
void duckdb_interrupt(duckdb_connection connection);

/* RESULT is to be destroyed after a failure too, when its error has been read. */
enum duckdb_state duckdb_query(duckdb_connection connection, const char *sql, duckdb_result *result);
const char *duckdb_result_error(duckdb_result *result);
void duckdb_destroy_result(duckdb_result *result);

/* A function that gives a table: asked once for its columns, then for chunks of rows until one has none. */
duckdb_table_function duckdb_create_table_function(void);
void duckdb_destroy_table_function(duckdb_table_function *function);
void duckdb_table_function_set_name(duckdb_table_function function, const char *name);
void duckdb_table_function_set_extra_info(duckdb_table_function function, void *info,
					  void (*destroy)(void *));
void duckdb_table_function_set_bind(duckdb_table_function function, void (*bind)(duckdb_bind_info));
void duckdb_table_function_set_init(duckdb_table_function function, void (*init)(duckdb_init_info));
void duckdb_table_function_set_function(duckdb_table_function function,
					void (*rows)(duckdb_function_info, duckdb_data_chunk));
enum duckdb_state duckdb_register_table_function(duckdb_connection connection,
						 duckdb_table_function function);
void *duckdb_bind_get_extra_info(duckdb_bind_info info);
void duckdb_bind_add_result_column(duckdb_bind_info info, const char *name, duckdb_logical_type type);
void *duckdb_function_get_extra_info(duckdb_function_info info);

duckdb_logical_type duckdb_create_logical_type(enum duckdb_type type);
/* From 19 digits up its values have 128 bits. */
duckdb_logical_type duckdb_create_decimal_type(uint8_t width, uint8_t scale);
void duckdb_destroy_logical_type(duckdb_logical_type *type);
void duckdb_data_chunk_set_size(duckdb_data_chunk chunk, uint64_t rows);
duckdb_vector duckdb_data_chunk_get_vector(duckdb_data_chunk chunk, uint64_t column);
void *duckdb_vector_get_data(duckdb_vector vector);
void duckdb_vector_ensure_validity_writable(duckdb_vector vector);
uint64_t *duckdb_vector_get_validity(duckdb_vector vector);
void duckdb_vector_assign_string_element_len(duckdb_vector vector, uint64_t row, const char *text,
					     uint64_t len);

#endif
