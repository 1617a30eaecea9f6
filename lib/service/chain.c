// SPDX-License-Identifier: MIT
// pkg-config: libcurl sqlite3 libmicrohttpd json-c
#include "service/chain.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "service/reply.h"

enum { FIELD_LIMIT = 256 };

/* Only objects; PROBLEM is set where the text is none. */
static struct json_object *parse(const struct upstream_answer *answer)
{
	struct json_tokener *parser = json_tokener_new_ex(32);
	struct json_object *object;

	if (!parser)
		return NULL;
	json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With the NUL behind it, so that a number at the end is whole. */
	object = json_tokener_parse_ex(parser, answer->body, (int)answer->len + 1);
	json_tokener_free(parser);
	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

static struct json_object *call(struct chain *chain, struct upstream *upstream, struct traffic *traffic,
				const char *kind, int64_t id)
{
	const size_t i = chain->n++;
	struct upstream_answer *answer = &chain->answer[i];
	struct json_object *object = NULL;
	uint64_t begun = clock_monotonic();

	snprintf(chain->source[i], CHAIN_SOURCE, "%s/%lld", kind, (long long)id);
	chain->call[i] = (struct ledger_call){ chain->source[i], answer };
	upstream_get(upstream, chain->source[i], answer);
	chain->dur_ns[i] = clock_monotonic() - begun;
	for (size_t a = 0; a < answer->attempts; a++)
		traffic_upstream(traffic, answer->attempt[a].status, a > 0);
	if (!answer->body)
		snprintf(chain->problem, CHAIN_PROBLEM, "cannot get %s: %s (attempts: %zu)", chain->source[i],
			 answer->error, answer->attempts);
	else if (!(object = parse(answer)))
		snprintf(chain->problem, CHAIN_PROBLEM, "cannot use %s: the answer is no object in JSON",
			 chain->source[i]);
	return object;
}

/* The identity 1 stands for one that is not there. */
static int64_t field_id(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) && json_object_is_type(value, json_type_int) ?
	       json_object_get_int64(value) : 1;
}

/* At most FIELD_LIMIT bytes, cut between characters. */
static struct slice field_text(struct json_object *object, const char *key)
{
	struct json_object *value;
	struct slice text;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, json_type_string))
		return SLICE("");
	text = (struct slice){ json_object_get_string(value), (size_t)json_object_get_string_len(value) };
	if (text.len > FIELD_LIMIT)
		for (text.len = FIELD_LIMIT; text.len && ((unsigned char)text.at[text.len] & 0xc0) == 0x80;)
			text.len--;
	return text;
}

bool chain_follow(struct chain *chain, struct upstream *upstream, struct traffic *traffic)
{
	memset(chain, 0, sizeof *chain);
	chain->post = call(chain, upstream, traffic, "posts", 1);
	if (chain->post)
		chain->user = call(chain, upstream, traffic, "users", field_id(chain->post, "userId"));
	return chain->user != NULL;
}

bool chain_store(const struct chain *chain, struct ledger *ledger, char *error)
{
	struct ledger_entry entry = { .calls = chain->call, .n_calls = chain->n };
	struct ledger_user user;

	if (chain->user) {
		user = (struct ledger_user){ field_id(chain->user, "id"), field_text(chain->user, "name"),
					     field_text(chain->user, "email") };
		entry.user = &user;
	} else {
		entry.message = chain->problem;
	}
	return ledger_store(ledger, &entry, error);
}

struct json_object *chain_describe(const struct chain *chain)
{
	struct json_object *calls = json_object_new_array();

	for (size_t i = 0; i < chain->n; i++) {
		const struct upstream_answer *answer = &chain->answer[i];
		struct json_object *one = json_object_new_object();

		reply_add_text(one, "source", chain->source[i]);
		reply_add_number(one, "status_code", (uint64_t)answer->attempt[answer->attempts - 1].status);
		reply_add_number(one, "attempts", answer->attempts);
		reply_add_ms(one, "latency_ms", chain->dur_ns[i]);
		json_object_array_add(calls, one);
	}
	return calls;
}

void chain_free(struct chain *chain)
{
	json_object_put(chain->post);
	json_object_put(chain->user);
	for (size_t i = 0; i < chain->n; i++)
		free(chain->answer[i].body);
}
