/* SPDX-License-Identifier: Apache-2.0 */
/* token_internal - what the files of token.h share: names, addresses and shell commands by their spelling. */
#ifndef FG_IMAGES_TOKEN_INTERNAL_H
#define FG_IMAGES_TOKEN_INTERNAL_H

#include "images/token.h"

static inline bool
token_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool
token_is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
token_is_alnum(uint8_t c)
{
	return token_is_digit(c) || token_is_alpha(c);
}

/* Of names of hosts, files, programs and versions. */
static inline bool
token_is_word(uint8_t c)
{
	return token_is_alnum(c) || c == '.' || c == '-' || c == '_';
}

static inline char
token_lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* text begins with lower (which is lower case), in any case. */
static inline bool
token_begins(struct view text, const char *lower)
{
	size_t n = strlen(lower);
	if (text.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (token_lower(text.p[i]) != lower[i])
			return false;
	return true;
}

static inline bool
token_same(struct view text, const char *lower)
{
	return text.n == strlen(lower) && token_begins(text, lower);
}

static inline struct view
token_from(struct view text, size_t at)
{
	return view_of(text.p + at, text.n - at);
}

/* ---- token_host.c ---- */

enum token_mark {
	TOKEN_MARK_NONE = 0, /* a bare word */
	TOKEN_MARK_PATH,     /* a bare word behind a slash */
	TOKEN_MARK_PORT, /* a bare word before a port, which could be a line of a file */
	TOKEN_MARK_SURE, /* behind a scheme */
};

/* A name that DNS could resolve, and no file name or member of an object by the marks it has. */
bool token_is_host(struct view name, enum token_mark mark);
/* HOST or LOCATION. */
enum token_class token_host_class(struct view name);
/* Dotted quad that a packet could be sent to: not 0/8, 127/8 or 255/8. */
bool token_is_ipv4(struct view text, uint8_t ret[4]);
/* Could as well be a version or an object identifier: all of it small numbers, or the first. */
bool token_ipv4_is_doubtful(const uint8_t a[4]);
/* Of the public resolvers that everybody knows. */
bool token_is_resolver(struct view address);
/* A global or unique local address, RFC 4291; not the loopback and no link-local one. */
bool token_is_ipv6(struct view text);
/* A country calling code of E.164 and seven digits at least, digits only. */
bool token_is_phone(struct view digits);

/* ---- token_shell.c ---- */

/*
 * What begins with the word at "at" of a run, if that is a command to be told: SHELL,
 * LISTEN or DIAG, and how long it is; TOKEN_NONE.
 */
enum token_class token_shell_word(struct view run, size_t at, size_t word_n, size_t *ret_n);
/* A "|" at "at" that hands what was fetched or decoded before it to a shell: where the fetching begins, or run.n. */
size_t token_shell_pipe(struct view run, size_t at);

/* ---- token_fuse.c ---- */

/* How long a command is that changes a module for good and begins with the word at "at"; 0: it is none. */
size_t token_fuse_word(struct view run, size_t at, size_t word_n);
/* The same for one that writes to the place whose path begins at "at": *ret_from is where the command begins. */
size_t token_fuse_path(struct view run, size_t at, size_t *ret_from);

#endif
