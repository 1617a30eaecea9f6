// SPDX-License-Identifier: MIT
// pkg-config: libcurl
#include "service/upstream.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/random.h"

struct upstream {
	struct upstream_plan plan;
	pthread_mutex_t lock;	/* of all below */
	CURL **idle;		/* handles with their connections, the one used last on top */
	size_t n, room;
	struct random random;
};

/* What one attempt has received. */
struct body {
	char *at;
	size_t len, room;
	bool too_long;
};

struct upstream *upstream_new(const struct upstream_plan *plan)
{
	struct upstream *upstream = memory_zeroed(sizeof *upstream);
	size_t len = strlen(plan->base);

	if ((strncmp(plan->base, "http://", 7) && strncmp(plan->base, "https://", 8)) || len > 2000)
		message_usage("cannot ask '%.200s': it is no URL that begins with http:// or https://", plan->base);
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		message_die("cannot start libcurl");
	upstream->plan = *plan;
	while (len && plan->base[len - 1] == '/')
		len--;
	upstream->plan.base = memory_copy((struct slice){ plan->base, len });
	upstream->random = random_start((uint64_t)clock_epoch(), 0);
	pthread_mutex_init(&upstream->lock, NULL);
	return upstream;
}

void upstream_free(struct upstream *upstream)
{
	while (upstream->n)
		curl_easy_cleanup(upstream->idle[--upstream->n]);
	free(upstream->idle);
	free((char *)(uintptr_t)upstream->plan.base);
	pthread_mutex_destroy(&upstream->lock);
	free(upstream);
	curl_global_cleanup();
}

static size_t receive(char *at, size_t size, size_t n, void *to)
{
	struct body *body = to;

	n *= size;
	if (body->len + n > UPSTREAM_BODY) {
		body->too_long = true;
		return 0;
	}
	body->at = memory_grow(body->at, &body->room, body->len + n + 1, 1);
	memcpy(body->at + body->len, at, n);
	body->len += n;
	body->at[body->len] = '\0';
	return n;
}

static CURL *take(struct upstream *upstream)
{
	const struct upstream_plan *plan = &upstream->plan;
	CURL *curl = NULL;

	pthread_mutex_lock(&upstream->lock);
	if (upstream->n)
		curl = upstream->idle[--upstream->n];
	pthread_mutex_unlock(&upstream->lock);
	if (curl)
		return curl;
	curl = curl_easy_init();
	if (!curl)
		message_die("cannot make a handle of libcurl: out of memory");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(plan->timeout_ns / 1000000));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "weir-demo-service");
	if (plan->direct)
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	return curl;
}

static void give_back(struct upstream *upstream, CURL *curl)
{
	pthread_mutex_lock(&upstream->lock);
	upstream->idle = memory_grow(upstream->idle, &upstream->room, upstream->n + 1, sizeof *upstream->idle);
	upstream->idle[upstream->n++] = curl;
	pthread_mutex_unlock(&upstream->lock);
}

/* Half the pause, and a random part of the other half. */
static uint64_t pause_before(struct upstream *upstream, size_t retry)
{
	uint64_t ns = upstream->plan.backoff_ns << retry, part;

	pthread_mutex_lock(&upstream->lock);
	part = random_below(&upstream->random, ns / 2 + 1);
	pthread_mutex_unlock(&upstream->lock);
	return ns / 2 + part;
}

/* One attempt; true: it is of no use to try again. */
static bool attempt(CURL *curl, struct upstream_answer *answer)
{
	struct upstream_attempt *now = &answer->attempt[answer->attempts++];
	struct body body = { 0 };
	uint64_t begun = clock_monotonic();
	CURLcode code;

	now->ts = clock_epoch();
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	code = curl_easy_perform(curl);
	now->dur_ns = clock_monotonic() - begun;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &now->status);
	if (code == CURLE_OK && now->status >= 200 && now->status < 300) {
		answer->body = body.at ? body.at : memory_copy(SLICE(""));
		answer->len = body.len;
		answer->error[0] = '\0';
		return true;
	}
	free(body.at);
	if (body.too_long)
		snprintf(answer->error, sizeof answer->error, "the answer is longer than %d bytes", UPSTREAM_BODY);
	else if (code != CURLE_OK)
		snprintf(answer->error, sizeof answer->error, "%s", curl_easy_strerror(code));
	else
		snprintf(answer->error, sizeof answer->error, "status %ld", now->status);
	return body.too_long || (code == CURLE_OK && now->status < 500 && now->status != 429);
}

bool upstream_get(struct upstream *upstream, const char *path, struct upstream_answer *answer)
{
	const struct upstream_plan *plan = &upstream->plan;
	size_t size = strlen(plan->base) + strlen(path) + 2;
	char *url = memory_get(size);
	CURL *curl = take(upstream);

	memset(answer, 0, sizeof *answer);
	snprintf(url, size, "%s/%s", plan->base, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	while (!attempt(curl, answer) && answer->attempts <= plan->retries)
		if (!plan->pause(pause_before(upstream, answer->attempts - 1), plan->data))
			break;
	give_back(upstream, curl);
	free(url);
	return answer->body != NULL;
}
