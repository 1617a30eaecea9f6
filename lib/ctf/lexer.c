// SPDX-License-Identifier: MIT
#include "ctf/lexer.h"

static struct token wrong(const char *what)
{
	return (struct token){ .kind = TOKEN_WRONG, .text = slice_of(what) };
}

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* Passes blanks and comments; false when a comment has no end. */
static bool skip_blanks(struct lexer *l)
{
	for (; l->at < l->end; l->at++) {
		if (*l->at == '\n')
			l->line++;
		if (*l->at == ' ' || (*l->at >= '\t' && *l->at <= '\r'))
			continue;
		if (*l->at != '/' || l->end - l->at < 2)
			return true;
		if (l->at[1] == '/') {
			while (l->at < l->end && *l->at != '\n')
				l->at++;
			l->at--;
		} else if (l->at[1] == '*') {
			for (l->at += 2;; l->at++) {
				if (l->end - l->at < 2)
					return false;
				if (l->at[0] == '*' && l->at[1] == '/')
					break;
				if (*l->at == '\n')
					l->line++;
			}
			l->at++;
		} else {
			return true;
		}
	}
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static struct token number(struct lexer *l)
{
	struct token token = { .kind = TOKEN_NUMBER, .text.at = l->at };
	int base = 10;

	if (*l->at == '0' && l->end - l->at > 1) {
		base = 8;
		if (l->at[1] == 'x' || l->at[1] == 'X') {
			base = 16;
			l->at += 2;
		} else if (l->at[1] == 'b' || l->at[1] == 'B') {
			base = 2;
			l->at += 2;
		}
	}
	for (; l->at < l->end && digit(*l->at) < base; l->at++)
		if (__builtin_mul_overflow(token.number, (uint64_t)base, &token.number) ||
		    __builtin_add_overflow(token.number, (uint64_t)digit(*l->at), &token.number))
			return wrong("the number needs more than 64 bits");
	while (l->at < l->end && (*l->at == 'u' || *l->at == 'U' || *l->at == 'l' || *l->at == 'L'))
		l->at++;
	if (l->at < l->end && is_name(*l->at, false))
		return wrong("a number with letters in it");
	token.text.len = (size_t)(l->at - token.text.at);
	return token;
}

static struct token string(struct lexer *l)
{
	struct token token = { .kind = TOKEN_STRING, .text.at = ++l->at };

	for (; l->at < l->end && *l->at != '"'; l->at++) {
		if (*l->at == '\n')
			return wrong("a string without end");
		if (*l->at == '\\' && l->end - l->at > 1)
			l->at++;
	}
	if (l->at >= l->end)
		return wrong("a string without end");
	token.text.len = (size_t)(l->at++ - token.text.at);
	return token;
}

struct token lexer_next(struct lexer *l)
{
	struct token token = { .kind = TOKEN_SIGN };

	if (!skip_blanks(l))
		return wrong("a comment without end");
	if (l->at == l->end)
		return (struct token){ .kind = TOKEN_END };
	if (is_name(*l->at, true)) {
		token.kind = TOKEN_NAME;
		token.text.at = l->at;
		while (l->at < l->end && is_name(*l->at, false))
			l->at++;
		token.text.len = (size_t)(l->at - token.text.at);
		return token;
	}
	if (*l->at >= '0' && *l->at <= '9')
		return number(l);
	if (*l->at == '"')
		return string(l);
	if (l->end - l->at >= 2 && l->at[0] == ':' && l->at[1] == '=') {
		l->at += 2;
		return (struct token){ .kind = TOKEN_ASSIGN };
	}
	if (l->end - l->at >= 3 && memcmp(l->at, "...", 3) == 0) {
		l->at += 3;
		return (struct token){ .kind = TOKEN_ELLIPSIS };
	}
	if (!*l->at || !strchr("{}[]()<>;,.=:*-+", *l->at))
		return wrong("a character that TSDL does not have");
	token.sign = *l->at++;
	return token;
}
