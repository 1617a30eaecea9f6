/* SPDX-License-Identifier: MIT */
/*
 * One request of libmicrohttpd's, its parameters, and the answer to it. pkg-config: libmicrohttpd json-c
 */
#ifndef WEIR_SERVICE_REPLY_H
#define WEIR_SERVICE_REPLY_H

#include <json-c/json.h>
#include <microhttpd.h>

#include "base/slice.h"

enum { REPLY_ERROR = 400 };	/* bytes of the longest error */

struct request {
	struct MHD_Connection *connection;
	void *service;		/* the caller's */
	const char *path, *method;
	size_t page;		/* the caller's */
	bool last;		/* the connection is closed after the answer */
	unsigned status;	/* of the answer; 0: there is none yet */
	uint64_t begun;		/* clock_monotonic() */
};

/* Sends LEN bytes of TEXT, which is freed. */
void reply_text(struct request *request, unsigned status, const char *type, char *text, size_t len);

/* Sends the object as a line of JSON, and puts it. */
void reply_json(struct request *request, unsigned status, struct json_object *object);

/* Sends {"status":"error","error":"…"}. */
void reply_error(struct request *request, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* {"status":STATUS}, and more members. */
struct json_object *reply_object(const char *status);
void reply_add_ms(struct json_object *object, const char *key, uint64_t ns);
void reply_add_number(struct json_object *object, const char *key, uint64_t number);
void reply_add_text(struct json_object *object, const char *key, const char *text);

/*
 * The parameter KEY of the query, a whole number up to MOST or a number from 0 to 1; *VALUE stays what it is where
 * there is none. False: it is something else, which has been answered with status 400.
 */
bool reply_whole(struct request *request, const char *key, uint64_t most, uint64_t *value);
bool reply_share(struct request *request, const char *key, double *value);

#endif
