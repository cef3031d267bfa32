/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jsonw.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/json_text.h"
#include "crypto/utf8.h"

#define HEX_RUN 32 /* bytes spelt at a time: one digest */

static void
insist(bool ok)
{
	if (!ok)
		abort();
}

static struct jsonw_level *
top(struct jsonw *j)
{
	return &j->level[j->depth];
}

/* A value begins: is this a place for one, and does a comma go before it? */
static void
begin(struct jsonw *j)
{
	struct jsonw_level *l = top(j);
	if (l->object) {
		insist(l->have_key);
		l->have_key = false;
	} else if (l->any) {
		insist(j->depth > 0); /* a document is one value */
		writer_u8(j->out, ',');
	}
	l->any = true;
}

static void
open_level(struct jsonw *j, bool object)
{
	begin(j);
	insist(j->depth < JSON_DEPTH_MAX);
	j->depth++;
	*top(j) = (struct jsonw_level){ .object = object };
	writer_u8(j->out, object ? '{' : '[');
}

static void
close_level(struct jsonw *j, bool object)
{
	insist(j->depth > 0 && top(j)->object == object && !top(j)->have_key);
	j->depth--;
	writer_u8(j->out, object ? '}' : ']');
}

void
jsonw_init(struct jsonw *j, struct writer *out)
{
	*j = (struct jsonw){ .out = out };
}

void
jsonw_object(struct jsonw *j)
{
	open_level(j, true);
}

void
jsonw_object_end(struct jsonw *j)
{
	close_level(j, true);
}

void
jsonw_array(struct jsonw *j)
{
	open_level(j, false);
}

void
jsonw_array_end(struct jsonw *j)
{
	close_level(j, false);
}

void
jsonw_key(struct jsonw *j, const char *key)
{
	struct jsonw_level *l = top(j);
	size_t n = strlen(key);
	insist(l->object && !l->have_key && n < sizeof l->last);
	for (size_t i = 0; i < n; i++)
		insist(key[i] >= 0x20 && key[i] <= 0x7e);
	insist(!l->any || strcmp(l->last, key) < 0);
	if (l->any)
		writer_u8(j->out, ',');
	memcpy(l->last, key, n + 1);
	l->any = true;
	l->have_key = true;
	json_text_string(j->out, view_of(key, n));
	writer_u8(j->out, ':');
}

void
jsonw_string(struct jsonw *j, struct view s)
{
	insist(utf8_is_text(s));
	begin(j);
	json_text_string(j->out, s);
}

void
jsonw_cstr(struct jsonw *j, const char *s)
{
	insist(s != NULL);
	jsonw_string(j, view_str(s));
}

void
jsonw_hex(struct jsonw *j, const void *p, size_t n)
{
	char digits[2 * HEX_RUN + 1];
	const uint8_t *b = p;
	begin(j);
	writer_u8(j->out, '"');
	while (n > 0) {
		size_t run = n < HEX_RUN ? n : HEX_RUN;
		hex_encode(b, run, digits);
		writer_bytes(j->out, view_of(digits, 2 * run));
		b += run;
		n -= run;
	}
	writer_u8(j->out, '"');
}

void
jsonw_int(struct jsonw *j, int64_t v)
{
	insist(v > -JSON_INT_MAX && v < JSON_INT_MAX);
	begin(j);
	json_text_int(j->out, v);
}

void
jsonw_uint(struct jsonw *j, uint64_t v)
{
	insist(v < (uint64_t)JSON_INT_MAX);
	jsonw_int(j, (int64_t)v);
}

void
jsonw_bool(struct jsonw *j, bool v)
{
	begin(j);
	json_text_bool(j->out, v);
}

void
jsonw_null(struct jsonw *j)
{
	begin(j);
	json_text_null(j->out);
}

/* Containers within containers, v included; at most what json_parse let in. */
static unsigned
height(const struct json_value *v)
{
	unsigned highest = 0;
	enum json_type type = json_type(v);
	if (type != JSON_OBJECT && type != JSON_ARRAY)
		return 0;
	for (size_t i = 0; i < json_count(v); i++) {
		unsigned h = height(json_at(v, i));
		highest = h > highest ? h : highest;
	}
	return highest + 1;
}

void
jsonw_value(struct jsonw *j, const struct json_value *v)
{
	insist(json_type(v) != JSON_NONE);
	begin(j);
	/*
	 * How deep v is was its sender's choice, so this is no programmer's
	 * mistake: the writer fails, rather than make what nobody can read back.
	 */
	if (j->depth + height(v) > JSON_DEPTH_MAX && !writer_err(j->out))
		j->out->err = FG_ELIMIT;
	json_canonical(v, j->out);
}

void
jsonw_kcstr(struct jsonw *j, const char *key, const char *s)
{
	jsonw_key(j, key);
	jsonw_cstr(j, s);
}

void
jsonw_kstring(struct jsonw *j, const char *key, struct view s)
{
	jsonw_key(j, key);
	jsonw_string(j, s);
}

void
jsonw_khex(struct jsonw *j, const char *key, const void *p, size_t n)
{
	jsonw_key(j, key);
	jsonw_hex(j, p, n);
}

void
jsonw_kuint(struct jsonw *j, const char *key, uint64_t v)
{
	jsonw_key(j, key);
	jsonw_uint(j, v);
}

void
jsonw_kbool(struct jsonw *j, const char *key, bool v)
{
	jsonw_key(j, key);
	jsonw_bool(j, v);
}

void
jsonw_knull(struct jsonw *j, const char *key)
{
	jsonw_key(j, key);
	jsonw_null(j);
}

bool
jsonw_done(const struct jsonw *j)
{
	return j->depth == 0 && j->level[0].any;
}
