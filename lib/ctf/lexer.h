/* SPDX-License-Identifier: MIT */
/* The words of TSDL (CTF 1.8.3, annex C): a C-like language with a few operators of its own. */
#ifndef WEIR_CTF_LEXER_H
#define WEIR_CTF_LEXER_H

#include "base/slice.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,	/* identifiers and keywords */
	TOKEN_NUMBER,	/* decimal, octal or hexadecimal; the sign is a token of its own */
	TOKEN_STRING,	/* text is what stands between the quotes, escapes and all */
	TOKEN_SIGN,	/* one of { } [ ] ( ) < > ; , . = : * - + */
	TOKEN_ASSIGN,	/* := */
	TOKEN_ELLIPSIS,	/* ... */
	TOKEN_WRONG,	/* text is what is wrong with it */
};

struct token {
	enum token_kind kind;
	char sign;
	struct slice text;
	uint64_t number;
};

struct lexer {
	const char *at, *end;
	unsigned line;
};

struct token lexer_next(struct lexer *lexer);

#endif
