// SPDX-License-Identifier: MIT
// pkg-config: libmicrohttpd json-c
#include "service/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"

void reply_text(struct request *request, unsigned status, const char *type, char *text, size_t len)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);

	if (!response)
		message_die("cannot make an answer: out of memory");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (request->last)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (MHD_queue_response(request->connection, status, response) == MHD_YES)
		request->status = status;
	MHD_destroy_response(response);
}

void reply_json(struct request *request, unsigned status, struct json_object *object)
{
	size_t len;
	const char *text = json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	char *line = memory_get(len + 1);

	memcpy(line, text, len);
	line[len] = '\n';
	json_object_put(object);
	reply_text(request, status, "application/json", line, len + 1);
}

void reply_error(struct request *request, unsigned status, const char *format, ...)
{
	struct json_object *object = reply_object("error");
	char text[REPLY_ERROR];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	reply_add_text(object, "error", text);
	reply_json(request, status, object);
}

struct json_object *reply_object(const char *status)
{
	struct json_object *object = json_object_new_object();

	reply_add_text(object, "status", status);
	return object;
}

void reply_add_ms(struct json_object *object, const char *key, uint64_t ns)
{
	char text[NUMBER_TEXT];

	snprintf(text, sizeof text, "%.3f", (double)ns / 1e6);
	json_object_object_add(object, key, json_object_new_double_s((double)ns / 1e6, text));
}

void reply_add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

void reply_add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static const char *parameter(struct request *request, const char *key)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, key);
}

bool reply_whole(struct request *request, const char *key, uint64_t most, uint64_t *value)
{
	const char *text = parameter(request, key);

	if (!text || (number_u64(slice_of(text), value) && *value <= most))
		return true;
	reply_error(request, MHD_HTTP_BAD_REQUEST, "%s wants a whole number from 0 to %llu", key,
		    (unsigned long long)most);
	return false;
}

bool reply_share(struct request *request, const char *key, double *value)
{
	const char *text = parameter(request, key);

	if (!text || (number_real(slice_of(text), value) && *value >= 0 && *value <= 1))
		return true;
	reply_error(request, MHD_HTTP_BAD_REQUEST, "%s wants a number from 0 to 1", key);
	return false;
}
