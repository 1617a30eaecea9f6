// SPDX-License-Identifier: MIT
// pkg-config: libcurl
#include "target.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "memory.h"
#include "writer.h"

enum { URL_MAX = 8192 };	/* bytes */

static const char *text_of(CURLU *url, CURLUPart part, char **text)
{
	CURLUcode code = curl_url_get(url, part, text, 0);

	return code ? curl_url_strerror(code) : NULL;
}

const char *target_open(struct target *target, const char *text)
{
	CURLU *url = curl_url();
	CURLUcode code;
	const char *wrong;
	char *part = NULL;
	bool is_http;

	*target = (struct target){ .url = url };
	if (!url)
		return "no memory";
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return "it holds a blank or a control character";
	if (strlen(text) > URL_MAX)
		return "it is longer than 8192 bytes";
	code = curl_url_set(url, CURLUPART_URL, text, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
	if (code)
		return curl_url_strerror(code);
	wrong = text_of(url, CURLUPART_SCHEME, &part);
	if (wrong)
		return wrong;
	target->plain = strcmp(part, "http") == 0;
	is_http = target->plain || strcmp(part, "https") == 0;
	curl_free(part);
	if (!is_http)
		return "its scheme is not http or https";
	/* What a record shows has no password in it. */
	url = curl_url_dup(target->url);
	if (!url || curl_url_set(url, CURLUPART_USER, NULL, 0) || curl_url_set(url, CURLUPART_PASSWORD, NULL, 0))
		return "no memory";
	wrong = text_of(url, CURLUPART_URL, &part);
	curl_url_cleanup(url);
	if (wrong)
		return wrong;
	target->label = memory_get(4 * strlen(part));
	target->label_len = writer_escape(target->label, slice_of(part));
	curl_free(part);
	return NULL;
}

void target_free(struct target *target)
{
	curl_url_cleanup(target->url);
	free(target->label);
}
