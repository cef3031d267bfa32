/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/olpc.h"

#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/json_text.h"

static void
string(struct view s, struct writer *w)
{
	size_t from = 0;
	writer_u8(w, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '"' && s.p[i] != '\\')
			continue;
		writer_bytes(w, view_of(s.p + from, i - from));
		writer_u8(w, '\\');
		from = i;
	}
	if (from < s.n)
		writer_bytes(w, view_of(s.p + from, s.n - from));
	writer_u8(w, '"');
}

/* Code points are in the order of their UTF-8 bytes. */
static int
by_key(const void *a, const void *b, void *object)
{
	struct view ka = json_key_at(object, *(const uint32_t *)a);
	struct view kb = json_key_at(object, *(const uint32_t *)b);
	size_t n = ka.n < kb.n ? ka.n : kb.n;
	int order = n ? memcmp(ka.p, kb.p, n) : 0;
	return order ? order : (ka.n > kb.n) - (ka.n < kb.n);
}

static void
object(const struct json_value *v, struct writer *w)
{
	size_t n = json_count(v);
	uint32_t *at = malloc((n ? n : 1) * sizeof *at);
	if (!at) {
		w->err = w->err ? w->err : FG_ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++)
		at[i] = (uint32_t)i;
	qsort_r(at, n, sizeof *at, by_key, (void *)(uintptr_t)v);
	writer_u8(w, '{');
	for (size_t i = 0; i < n && writer_err(w) == 0; i++) {
		if (i > 0)
			writer_u8(w, ',');
		string(json_key_at(v, at[i]), w);
		writer_u8(w, ':');
		olpc_write(json_at(v, at[i]), w);
	}
	writer_u8(w, '}');
	free(at);
}

static void
array(const struct json_value *v, struct writer *w)
{
	writer_u8(w, '[');
	for (size_t i = 0; i < json_count(v) && writer_err(w) == 0; i++) {
		if (i > 0)
			writer_u8(w, ',');
		olpc_write(json_at(v, i), w);
	}
	writer_u8(w, ']');
}

/* Recursion is as deep as json_parse() allowed, JSON_DEPTH_MAX. */
void
olpc_write(const struct json_value *v, struct writer *w)
{
	struct view text;
	int64_t number;
	bool yes;
	switch (json_type(v)) {
	case JSON_NONE:
		return;
	case JSON_NULL:
		json_text_null(w);
		return;
	case JSON_BOOL:
		(void)json_bool(v, &yes);
		json_text_bool(w, yes);
		return;
	case JSON_INT:
		(void)json_int(v, &number);
		json_text_int(w, number);
		return;
	case JSON_STRING:
		(void)json_string(v, &text);
		string(text, w);
		return;
	case JSON_ARRAY:
		array(v, w);
		return;
	case JSON_OBJECT:
		object(v, w);
		return;
	}
}
