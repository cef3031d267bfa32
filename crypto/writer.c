/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

#include "crypto/err.h"

#define WRITER_FIRST_CAP 256 /* most messages and small objects fit at once */
#define DIGITS_MAX 20        /* of UINT64_MAX */

void
writer_init(struct writer *w, size_t max)
{
	*w = (struct writer){ .max = max };
}

void
writer_free(struct writer *w)
{
	if (w->p)
		OPENSSL_cleanse(w->p, w->cap);
	free(w->p);
	*w = (struct writer){ .max = w->max };
}

void
writer_reset(struct writer *w)
{
	w->n = 0;
	w->err = 0;
}

/* Room for n more bytes and one uncounted NUL, or NULL with the error set. */
static uint8_t *
grow(struct writer *w, size_t n)
{
	if (w->err)
		return NULL;
	if (n > w->max - w->n) {
		w->err = FG_ELIMIT;
		return NULL;
	}
	size_t need = w->n + n + 1;
	if (need > w->cap) {
		size_t cap = w->cap ? w->cap : WRITER_FIRST_CAP;
		while (cap < need && cap <= SIZE_MAX / 2)
			cap *= 2;
		if (cap < need)
			cap = need;
		uint8_t *p = malloc(cap);
		if (!p) {
			w->err = FG_ENOMEM;
			return NULL;
		}
		if (w->p) {
			memcpy(p, w->p, w->n);
			OPENSSL_cleanse(w->p, w->cap);
			free(w->p);
		}
		w->p = p;
		w->cap = cap;
	}
	uint8_t *at = w->p + w->n;
	w->n += n;
	w->p[w->n] = '\0';
	return at;
}

static void
big_endian(struct writer *w, uint64_t v, size_t n)
{
	uint8_t *p = grow(w, n);
	for (size_t i = n; p && i > 0; i--, v >>= 8)
		p[i - 1] = (uint8_t)v;
}

void
writer_u8(struct writer *w, uint8_t v)
{
	big_endian(w, v, 1);
}

void
writer_u16(struct writer *w, uint16_t v)
{
	big_endian(w, v, 2);
}

void
writer_u32(struct writer *w, uint32_t v)
{
	big_endian(w, v, 4);
}

void
writer_u64(struct writer *w, uint64_t v)
{
	big_endian(w, v, 8);
}

void
writer_bytes(struct writer *w, struct view v)
{
	uint8_t *p = grow(w, v.n);
	if (p && v.n)
		memcpy(p, v.p, v.n);
}

void
writer_text(struct writer *w, const char *s)
{
	writer_bytes(w, view_str(s));
}

void
writer_decimal(struct writer *w, uint64_t v)
{
	char digits[DIGITS_MAX];
	size_t at = sizeof digits;
	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	writer_bytes(w, view_of(digits + at, sizeof digits - at));
}

void
writer_textf(struct writer *w, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	uint8_t *p = n < 0 ? NULL : grow(w, (size_t)n);
	if (p)
		vsnprintf((char *)p, (size_t)n + 1, fmt, again);
	va_end(again);
}

void
writer_blob(struct writer *w, struct view v)
{
	if (v.n > UINT32_MAX) {
		w->err = w->err ? w->err : FG_ELIMIT;
		return;
	}
	writer_u32(w, (uint32_t)v.n);
	writer_bytes(w, v);
}

void
writer_cstr(struct writer *w, const char *s)
{
	writer_blob(w, view_str(s));
}

int
writer_err(const struct writer *w)
{
	return w->err;
}

struct view
writer_view(const struct writer *w)
{
	return view_of(w->p, w->err ? 0 : w->n);
}

uint8_t *
writer_take(struct writer *w, size_t *ret_n)
{
	if (!w->err && !w->p)
		grow(w, 0);
	if (w->err)
		return NULL;
	uint8_t *p = w->p;
	*ret_n = w->n;
	*w = (struct writer){ .max = w->max };
	return p;
}
