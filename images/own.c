/* SPDX-License-Identifier: Apache-2.0 */
#include "images/own.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"

#define MAP_BITS                                                                                 \
	24 /* of a print: which of them begin with it, so that nearly all other bytes are passed \
	      by */

struct print {
	uint8_t bytes[OWN_PRINT];
	bool md5;
};

struct own {
	uint8_t (*sha256)[DIGEST_SHA256_LEN]; /* ascending */
	size_t n, cap;
	struct print *print; /* ascending */
	size_t prints, prints_cap;
	uint8_t *map;
	struct token_own tokens;
};

/* ---- reading ---- */

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 12 lower-case hex digits of a MAC address. */
static bool
mac(struct view line, uint8_t dst[12])
{
	size_t step = line.n == 17 ? 3 : 2, k = 0;
	if (line.n != 17 && line.n != 12)
		return false;
	uint8_t mark = step == 3 ? line.p[2] : 0;
	if (step == 3 && mark != ':' && mark != '-')
		return false;
	for (size_t i = 0; i < line.n; i++) {
		if (step == 3 && i % 3 == 2) {
			if (line.p[i] != mark)
				return false;
			continue;
		}
		if (!is_hex(line.p[i]))
			return false;
		dst[k++] = line.p[i] >= 'A' && line.p[i] <= 'F' ? (uint8_t)(line.p[i] - 'A' + 'a')
								: line.p[i];
	}
	return true;
}

static bool
digits(struct view line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
	return line.n >= 14 && line.n <= 20;
}

static int
room(void *io_list, size_t *io_cap, size_t n, size_t one)
{
	void **list = io_list;
	if (n < *io_cap)
		return 0;
	size_t cap = *io_cap ? *io_cap * 2 : 256;
	void *more = reallocarray(*list, cap, one);
	if (!more)
		return FG_ENOMEM;
	*list = more;
	*io_cap = cap;
	return 0;
}

static int
add_print(struct own *o, const uint8_t *hash, bool md5)
{
	int err = room(&o->print, &o->prints_cap, o->prints, sizeof *o->print);
	if (err)
		return err;
	memcpy(o->print[o->prints].bytes, hash, OWN_PRINT);
	o->print[o->prints++].md5 = md5;
	return 0;
}

/* text: what is hashed; none: hash is all that is known. */
static int
add(struct own *o, struct view text, uint8_t hash[DIGEST_SHA256_LEN])
{
	uint8_t md5[DIGEST_LEN_MAX];
	if (o->n == OWN_MAX)
		return FG_ELIMIT;
	int err = room(&o->sha256, &o->cap, o->n, sizeof *o->sha256);
	if (!err && text.n)
		err = digest_sha256(text, hash);
	if (!err && text.n)
		err = digest_bytes(DIGEST_MD5, text, md5);
	if (!err)
		err = add_print(o, hash, false);
	if (!err && text.n)
		err = add_print(o, md5, true);
	if (!err)
		memcpy(o->sha256[o->n++], hash, DIGEST_SHA256_LEN);
	return err;
}

static int
read_line(struct own *o, struct view line)
{
	uint8_t hash[DIGEST_SHA256_LEN], address[12], lower[2 * DIGEST_SHA256_LEN];
	if (line.n == 0 || line.p[0] == '#')
		return 0;
	if (digits(line))
		return add(o, line, hash);
	if (mac(line, address))
		return add(o, view_of(address, sizeof address), hash);
	if (line.n != sizeof lower)
		return FG_EFORMAT;
	for (size_t i = 0; i < line.n; i++)
		lower[i] = line.p[i] >= 'A' && line.p[i] <= 'F' ? (uint8_t)(line.p[i] - 'A' + 'a')
								: line.p[i];
	return hex_decode(view_of(lower, sizeof lower), hash, sizeof hash)
		   ? add(o, view_of(NULL, 0), hash)
		   : FG_EFORMAT;
}

/* ---- finding ---- */

static int
by_hash(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SHA256_LEN);
}

static int
by_print(const void *a, const void *b)
{
	return memcmp(a, b, OWN_PRINT);
}

static uint32_t
head(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static int
settle(struct own *o)
{
	o->map = calloc(1, (1u << MAP_BITS) / 8);
	if (!o->map)
		return FG_ENOMEM;
	if (o->n)
		qsort(o->sha256, o->n, sizeof *o->sha256, by_hash);
	if (o->prints)
		qsort(o->print, o->prints, sizeof *o->print, by_print);
	for (size_t i = 0; i < o->prints; i++)
		o->map[head(o->print[i].bytes) / 8] |= (uint8_t)(1u << head(o->print[i].bytes) % 8);
	o->tokens = (struct token_own){(const uint8_t(*)[DIGEST_SHA256_LEN])o->sha256, o->n};
	return 0;
}

int
own_parse(struct view text, struct own **ret, unsigned *ret_line)
{
	struct own *o = calloc(1, sizeof *o);
	int err = o ? 0 : FG_ENOMEM;
	unsigned number = 0;
	for (size_t at = 0; at < text.n && !err;) {
		size_t n = 0, from = at;
		while (at + n < text.n && text.p[at + n] != '\n')
			n++;
		at += n + 1;
		number++;
		while (n && strchr(" \t\r", text.p[from]) && text.p[from])
			from++, n--;
		while (n && strchr(" \t\r", text.p[from + n - 1]) && text.p[from + n - 1])
			n--;
		err = read_line(o, view_of(text.p + from, n));
	}
	*ret_line = number;
	if (!err)
		err = settle(o);
	if (err)
		own_free(o);
	else
		*ret = o;
	return err;
}

void
own_free(struct own *o)
{
	if (!o)
		return;
	free(o->sha256);
	free(o->print);
	free(o->map);
	free(o);
}

const struct token_own *
own_tokens(const struct own *o)
{
	return &o->tokens;
}

long
own_find(const struct own *o, const uint8_t *bytes)
{
	if (!(o->map[head(bytes) / 8] & 1u << head(bytes) % 8))
		return -1;
	const struct print *p = bsearch(bytes, o->print, o->prints, sizeof *o->print, by_print);
	return p ? p - o->print : -1;
}

size_t
own_prints(const struct own *o)
{
	return o->prints;
}

bool
own_is_md5(const struct own *o, size_t print)
{
	return o->print[print].md5;
}
