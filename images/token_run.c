/* SPDX-License-Identifier: Apache-2.0 */
#include "images/token.h"

#include <stdlib.h>

#include "crypto/err.h"

/* A piece of a long line ends at the last byte of this many that cannot be inside a token. */
#define TAIL 1024

struct runs {
	token_run_fn *fn;
	void *arg;
	/* the text that is open */
	char *narrow;
	size_t narrow_n;
	uint64_t narrow_at;
	/*
	 * UTF-16LE of ASCII characters looks like texts of one character with a NUL
	 * between them; the first of them may hang on a byte before it.
	 */
	char *wide;
	size_t wide_n;
	uint64_t wide_at, wide_next; /* first byte; where the next character has to lie */
};

static bool
is_text(uint8_t c)
{
	return (c >= 0x20 && c <= 0x7e) || c == '\t';
}

/* In no class of token: where a line may be cut. */
static bool
is_gap(char c)
{
	return c == ' ' || c == '\t' || c == '"' || c == '<' || c == '>' || c == ',' || c == ';' || c == '{' ||
	       c == '}';
}

/* Hands out the first piece of a full buffer and keeps the rest in it. */
static int
piece(struct runs *r, char *text, size_t *io_n, uint64_t *io_at, bool wide)
{
	size_t cut = *io_n;
	for (size_t i = *io_n; i > *io_n - TAIL; i--) {
		if (is_gap(text[i - 1])) {
			cut = i;
			break;
		}
	}
	int err = r->fn(r->arg, view_of(text, cut), *io_at, wide);
	memmove(text, text + cut, *io_n - cut);
	*io_n -= cut;
	*io_at += cut * (wide ? 2 : 1);
	return err;
}

static int
close_wide(struct runs *r)
{
	int err = 0;
	if (r->wide_n >= TOKEN_RUN_MIN)
		err = r->fn(r->arg, view_of(r->wide, r->wide_n), r->wide_at, true);
	r->wide_n = 0;
	return err;
}

/* The open text ended before the byte at offset, which is c. */
static int
close_narrow(struct runs *r, uint64_t offset, uint8_t c)
{
	int err = 0;
	if (r->narrow_n == 0)
		return close_wide(r);
	if (c == 0) {
		char last = r->narrow[r->narrow_n - 1];
		bool follows = r->wide_n && r->narrow_n == 1 && offset - 1 == r->wide_next;
		if (!follows) {
			err = close_wide(r);
			r->wide_at = offset - 1;
		}
		r->wide[r->wide_n++] = last;
		r->wide_next = offset + 1;
		if (!err && r->wide_n == TOKEN_RUN_MAX)
			err = piece(r, r->wide, &r->wide_n, &r->wide_at, true);
	} else {
		err = close_wide(r);
	}
	if (!err && r->narrow_n >= TOKEN_RUN_MIN)
		err = r->fn(r->arg, view_of(r->narrow, r->narrow_n), r->narrow_at, false);
	r->narrow_n = 0;
	return err;
}

static int
feed(struct runs *r, struct view chunk, uint64_t at)
{
	int err = 0;
	for (size_t i = 0; i < chunk.n && !err; i++) {
		uint8_t c = chunk.p[i];
		if (!is_text(c)) {
			if (r->narrow_n || r->wide_n)
				err = close_narrow(r, at + i, c);
			continue;
		}
		if (r->narrow_n == 0)
			r->narrow_at = at + i;
		r->narrow[r->narrow_n++] = (char)c;
		if (r->narrow_n == TOKEN_RUN_MAX)
			err = piece(r, r->narrow, &r->narrow_n, &r->narrow_at, false);
	}
	return err;
}

int
token_runs(const struct source *s, token_run_fn *fn, void *arg)
{
	struct runs r = { .fn = fn, .arg = arg };
	size_t chunk_n = source_chunk(s->size);
	uint8_t *chunk = malloc(chunk_n);
	r.narrow = malloc(TOKEN_RUN_MAX);
	r.wide = malloc(TOKEN_RUN_MAX);
	int err = chunk && r.narrow && r.wide ? 0 : FG_ENOMEM;
	for (uint64_t at = 0; !err && at < s->size;) {
		long n = source_read_some(s, at, chunk, chunk_n);
		err = n < 0 ? (int)n : feed(&r, view_of(chunk, (size_t)n), at);
		at += n > 0 ? (uint64_t)n : 0;
	}
	/* A byte that is no text ends what is open; the second one what could have gone on behind a NUL. */
	if (!err)
		err = close_narrow(&r, s->size, 0xff);
	if (!err)
		err = close_wide(&r);
	free(chunk);
	free(r.narrow);
	free(r.wide);
	return err;
}
