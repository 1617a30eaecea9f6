// SPDX-License-Identifier: MIT
#include "records/expression.h"

#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"

enum operator { PRESENT, ABSENT, EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST, GLOB, NOT_GLOB, REGEX,
		NOT_REGEX };

/* Longer ones first, so that `>=` is not read as `>`. */
static const struct {
	const char *text;
	enum operator is;
} operators[] = {
	{ "!=~", NOT_REGEX }, { "!~", NOT_GLOB }, { "!=", UNEQUAL }, { "=~", REGEX }, { "<=", AT_MOST },
	{ ">=", AT_LEAST }, { "=", EQUAL }, { "<", LESS }, { ">", MORE }, { "~", GLOB },
};

/* One of the values of `key=a,b,c`: as text, and as a number where it is one. */
struct operand {
	struct slice text;
	bool is_number;
	long double number;	/* 64 bits of mantissa: every int64 and uint64 exactly */
};

struct test {
	struct lookup key;
	enum operator is;
	struct operand *operands;
	size_t n;
	char **list;		/* what the operands' texts are slices of */
	const char *glob;
	regex_t regex;
};

static bool has_suffix(struct slice key, const char *suffix)
{
	size_t n = strlen(suffix);

	return key.len >= n && memcmp(key.at + key.len - n, suffix, n) == 0;
}

/* A number as it stands in a record. */
static bool field_number(struct slice text, long double *number)
{
	uint64_t whole;
	int64_t negative;
	double real;

	if (number_u64(text, &whole))
		*number = (long double)whole;
	else if (number_i64(text, &negative))
		*number = (long double)negative;
	else if (number_real(text, &real))
		*number = (long double)real;
	else
		return false;
	return true;
}

/* A number as people write it: with the unit that the key's name promises. */
static bool operand_number(struct slice key, struct slice text, long double *number)
{
	struct moment moment;
	uint64_t scaled;

	if (field_number(text, number))
		return true;
	if (has_suffix(key, "_ns") && number_duration(text, 0, &scaled)) {
		*number = (long double)scaled;
		return true;
	}
	if (has_suffix(key, "bytes") && number_size(text, &scaled)) {
		*number = (long double)scaled;
		return true;
	}
	if ((slice_equal(key, SLICE("ts")) || has_suffix(key, "_ts")) && number_moment(text, &moment) &&
	    moment.from == MOMENT_EPOCH) {
		*number = (long double)moment.ns;
		return true;
	}
	return false;
}

static void parse_operands(struct test *test, const char *expression, const char *value)
{
	bool ordered = test->is >= LESS && test->is <= AT_LEAST;

	test->list = options_split(value);
	while (test->list[test->n])
		test->n++;
	test->operands = memory_zeroed(test->n * sizeof *test->operands);
	for (size_t i = 0; i < test->n; i++) {
		struct operand *operand = &test->operands[i];

		operand->text = slice_of(test->list[i]);
		operand->is_number = operand_number(test->key.key, operand->text, &operand->number);
		if (ordered && (!operand->is_number || test->n > 1))
			message_usage("cannot use '%.200s': '%.100s' is not a number (units: ns us ms s m h d "
				      "for keys in _ns, k M G T for bytes, a date and time for ts)",
				      expression, value);
	}
}

static struct test parse(const char *expression)
{
	const char *p = expression, *value = NULL;
	struct test test = { .is = PRESENT };

	if (*p == '!') {
		test.is = ABSENT;
		p++;
	}
	test.key.key.at = p;
	while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' ||
	       (p > test.key.key.at && ((*p >= '0' && *p <= '9') || *p == '.')))
		p++;
	test.key.key.len = (size_t)(p - test.key.key.at);
	if (test.key.key.len == 0)
		message_usage("cannot use '%.200s': an expression begins with a key", expression);
	if (*p == '\0')
		return test;
	for (size_t i = 0; i < sizeof operators / sizeof *operators && !value; i++) {
		size_t n = strlen(operators[i].text);

		if (test.is == PRESENT && strncmp(p, operators[i].text, n) == 0) {
			test.is = operators[i].is;
			value = p + n;
		}
	}
	if (!value)
		message_usage("cannot use '%.200s': after the key comes one of = != < <= > >= ~ !~ =~ !=~",
			      expression);
	if (test.is == GLOB || test.is == NOT_GLOB) {
		test.glob = value;
	} else if (test.is == REGEX || test.is == NOT_REGEX) {
		int error = regcomp(&test.regex, value, REG_EXTENDED | REG_NOSUB);
		char reason[200];

		if (error) {
			regerror(error, &test.regex, reason, sizeof reason);
			message_usage("cannot use '%.200s': %s", expression, reason);
		}
	} else {
		parse_operands(&test, expression, value);
	}
	return test;
}

static bool equals_any(const struct test *test, struct slice value)
{
	long double number;

	for (size_t i = 0; i < test->n; i++)
		if (slice_equal(test->operands[i].text, value))
			return true;
	for (size_t i = 0; i < test->n; i++)
		if (test->operands[i].is_number && field_number(value, &number) &&
		    number == test->operands[i].number)
			return true;
	return false;
}

static bool compares(const struct test *test, struct slice value)
{
	long double number, bound = test->operands[0].number;

	if (!field_number(value, &number))
		return false;
	switch (test->is) {
	case LESS:
		return number < bound;
	case AT_MOST:
		return number <= bound;
	case MORE:
		return number > bound;
	default:
		return number >= bound;
	}
}

static bool matches_regex(const struct test *test, struct slice value)
{
	regmatch_t all = { .rm_so = 0, .rm_eo = (regoff_t)value.len };

	return regexec(&test->regex, value.at, 1, &all, REG_STARTEND) == 0;
}

static bool matches_glob(const struct test *test, struct slice value)
{
	char brief[256], *copy = value.len < sizeof brief ? brief : memory_get(value.len + 1);
	bool match;

	memcpy(copy, value.at, value.len);
	copy[value.len] = '\0';
	match = fnmatch(test->glob, copy, 0) == 0;
	if (copy != brief)
		free(copy);
	return match;
}

static bool holds_for(const struct test *test, struct slice value)
{
	switch (test->is) {
	case EQUAL:
		return equals_any(test, value);
	case UNEQUAL:
		return !equals_any(test, value);
	case GLOB:
		return matches_glob(test, value);
	case NOT_GLOB:
		return !matches_glob(test, value);
	case REGEX:
		return matches_regex(test, value);
	case NOT_REGEX:
		return !matches_regex(test, value);
	default:
		return compares(test, value);
	}
}

static bool test_holds(struct test *test, const struct record *record)
{
	const struct slice *value = lookup_value(&test->key, record);
	char brief[256], *plain;
	struct slice unescaped;
	bool result;

	if (test->is == PRESENT || test->is == ABSENT)
		return (value != NULL) == (test->is == PRESENT);
	if (!value)
		return false;
	if (!reader_escaped(*value))
		return holds_for(test, *value);
	plain = value->len <= sizeof brief ? brief : memory_get(value->len);
	unescaped = (struct slice){ plain, reader_unescape(*value, plain) };
	result = holds_for(test, unescaped);
	if (plain != brief)
		free(plain);
	return result;
}

struct expression {
	size_t n;
	struct test tests[];
};

struct expression *expression_parse(char **texts)
{
	struct expression *expression;
	size_t n = 0;

	while (texts[n])
		n++;
	expression = memory_get(sizeof *expression + n * sizeof *expression->tests);
	expression->n = n;
	for (size_t i = 0; i < n; i++)
		expression->tests[i] = parse(texts[i]);
	return expression;
}

void expression_free(struct expression *expression)
{
	for (size_t i = 0; i < expression->n; i++) {
		struct test *test = &expression->tests[i];

		lookup_free(&test->key);
		free(test->operands);
		free(test->list);
		if (test->is == REGEX || test->is == NOT_REGEX)
			regfree(&test->regex);
	}
	free(expression);
}

bool expression_holds(struct expression *expression, const struct record *record)
{
	size_t i = 0;

	while (i < expression->n && test_holds(&expression->tests[i], record))
		i++;
	return i == expression->n;
}
