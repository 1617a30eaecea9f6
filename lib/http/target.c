// SPDX-License-Identifier: MIT
// pkg-config: libcurl
#include "http/target.h"

#include <curl/curl.h>
#include <net/if.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "records/writer.h"

enum { URL_MAX = 8192 };	/* bytes */

static const char *text_of(CURLU *url, CURLUPart part, char **text)
{
	CURLUcode code = curl_url_get(url, part, text, 0);

	return code ? curl_url_strerror(code) : NULL;
}

static const char *parse(const char *text, CURLU **url)
{
	CURLUcode code;

	*url = curl_url();
	if (!*url)
		return "no memory";
	code = curl_url_set(*url, CURLUPART_URL, text, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
	return code ? curl_url_strerror(code) : NULL;
}

/* The interface of fe80::1%25eth0, by name or number: libcurl 7.88 loses it when it copies a URL. */
static const char *set_scope(struct target *target)
{
	char *zone = NULL;
	uint64_t number;

	if (text_of(target->url, CURLUPART_ZONEID, &zone) || !zone)
		return NULL;
	target->scope = if_nametoindex(zone);
	if (!target->scope && number_u64(slice_of(zone), &number) && number <= INT32_MAX)
		target->scope = (unsigned)number;
	curl_free(zone);
	return target->scope ? NULL : "no interface has the name behind its %25";
}

/* What a record shows has no password in it. */
static const char *set_label(struct target *target, const char *text)
{
	char *shown = NULL;
	CURLU *url;
	const char *wrong = parse(text, &url);

	if (!wrong && (curl_url_set(url, CURLUPART_USER, NULL, 0) || curl_url_set(url, CURLUPART_PASSWORD, NULL, 0)))
		wrong = "no memory";
	if (!wrong)
		wrong = text_of(url, CURLUPART_URL, &shown);
	curl_url_cleanup(url);
	if (wrong)
		return wrong;
	target->label = memory_get(4 * strlen(shown));
	target->label_len = writer_escape(target->label, slice_of(shown));
	curl_free(shown);
	return NULL;
}

const char *target_open(struct target *target, const char *text)
{
	const char *wrong;
	char *scheme = NULL;
	CURLU *url;
	bool is_http;

	*target = (struct target){ 0 };
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return "it holds a blank or a control character";
	if (strlen(text) > URL_MAX)
		return "it is longer than 8192 bytes";
	wrong = parse(text, &url);
	target->url = url;
	if (!wrong)
		wrong = text_of(target->url, CURLUPART_SCHEME, &scheme);
	if (wrong)
		return wrong;
	target->plain = strcmp(scheme, "http") == 0;
	is_http = target->plain || strcmp(scheme, "https") == 0;
	curl_free(scheme);
	if (!is_http)
		return "its scheme is not http or https";
	wrong = set_scope(target);
	return wrong ? wrong : set_label(target, text);
}

void target_free(struct target *target)
{
	curl_url_cleanup(target->url);
	free(target->label);
}
