/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pgppacket.h"

#include <stdio.h>

#include "crypto/base64.h"
#include "crypto/err.h"

#define BEGIN_WORD "-----BEGIN "
#define END_WORD "-----END "
#define LINE_MAX 128        /* base64 digits a line: gpg writes 64, section 6.3 allows 76 */
#define CRC24_INIT 0xb704ce /* section 6.1 */
#define CRC24_POLY 0x1864cfb

/* ---- packets ---- */

/* Length of the new format (section 4.2.2), without partial ones. */
static size_t
new_length(struct reader *r)
{
	uint8_t first = reader_u8(r);
	if (first < 192)
		return first;
	if (first < 224)
		return ((size_t)(first - 192) << 8) + reader_u8(r) + 192;
	if (first == 255)
		return reader_u32(r);
	reader_fail(r);
	return 0;
}

/* Of the old one (section 4.2.1), without the indeterminate one. */
static size_t
old_length(struct reader *r, unsigned type)
{
	if (type == 0)
		return reader_u8(r);
	if (type == 1)
		return reader_u16(r);
	if (type == 2)
		return reader_u32(r);
	reader_fail(r);
	return 0;
}

int
pgppacket_next(struct view *rest, struct pgppacket *ret)
{
	struct reader r;
	if (rest->n == 0)
		return 0;
	reader_init(&r, *rest);
	uint8_t head = reader_u8(&r);
	bool new = head & 0x40;
	size_t n = new ? new_length(&r) : old_length(&r, head & 3);
	struct pgppacket p = { .tag = new ? head & 0x3f : (head >> 2) & 0x0f };
	p.body = reader_take(&r, n);
	if (!(head & 0x80) || r.bad || p.tag == 0)
		return FG_EFORMAT;
	*rest = view_of(rest->p + (rest->n - reader_left(&r)), reader_left(&r));
	*ret = p;
	return 1;
}

int
pgppacket_sub_next(struct view *rest, struct pgppacket_sub *ret)
{
	struct reader r;
	if (rest->n == 0)
		return 0;
	reader_init(&r, *rest);
	uint8_t first = reader_u8(&r);
	size_t n = first;
	if (first == 255)
		n = reader_u32(&r);
	else if (first >= 192)
		n = ((size_t)(first - 192) << 8) + reader_u8(&r) + 192;
	if (n == 0)
		return FG_EFORMAT;
	uint8_t type = reader_u8(&r);
	struct view body = reader_take(&r, n - 1);
	if (r.bad)
		return FG_EFORMAT;
	*ret = (struct pgppacket_sub){ .type = type & 0x7f, .critical = type & 0x80, .body = body };
	*rest = view_of(rest->p + (rest->n - reader_left(&r)), reader_left(&r));
	return 1;
}

struct view
pgppacket_mpi(struct reader *r, size_t max)
{
	unsigned bits = reader_u16(r);
	size_t n = (bits + 7) / 8;
	struct view v = n <= max ? reader_take(r, n) : view_of(NULL, 0);
	unsigned top = (bits - 1) % 8; /* number of the highest bit in the first byte */
	if (n == 0 || v.n != n || v.p[0] >> top != 1) {
		reader_fail(r);
		return view_of(NULL, 0);
	}
	return v;
}

/* ---- armour ---- */

static bool
is_white(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* *around (may be NULL) grows by what is skipped. */
static struct view
skip_white(struct view v, size_t *around)
{
	size_t n = 0;
	while (n < v.n && is_white(v.p[n]))
		n++;
	if (around)
		*around += n;
	return view_of(v.p + n, v.n - n);
}

/*
 * The next line without its end and the white space before that, by which *around
 * (may be NULL) grows; false at the end of the text.
 */
static bool
next_line(struct view *rest, struct view *ret, size_t *around)
{
	if (rest->n == 0)
		return false;
	const uint8_t *lf = memchr(rest->p, '\n', rest->n);
	size_t n = lf ? (size_t)(lf - rest->p) : rest->n, skip = lf ? n + 1 : n;
	*ret = view_of(rest->p, n);
	if (lf && n && ret->p[n - 1] == '\r')
		ret->n = --n;
	while (ret->n && is_white(ret->p[ret->n - 1]))
		ret->n--;
	if (around)
		*around += n - ret->n;
	*rest = view_of(rest->p + skip, rest->n - skip);
	return true;
}

static bool
is_edge(struct view line, const char *word, const char *what)
{
	char due[64];
	snprintf(due, sizeof due, "%s%s-----", word, what);
	return view_is(line, due);
}

bool
pgppacket_is_armoured(struct view text, const char *what)
{
	struct view rest = skip_white(text, NULL), line;
	return next_line(&rest, &line, NULL) && is_edge(line, BEGIN_WORD, what);
}

static uint32_t
crc24(struct view v)
{
	uint32_t crc = CRC24_INIT;
	for (size_t i = 0; i < v.n; i++) {
		crc ^= (uint32_t)v.p[i] << 16;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 0x800000 ? (crc << 1) ^ CRC24_POLY : crc << 1;
	}
	return crc & 0xffffff;
}

static int
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return FG_EFORMAT;
}

/* "=abcd" */
static int
checksum(struct view line, struct view bytes, const char **ret_why)
{
	struct writer w;
	writer_init(&w, 8);
	int err = base64_decode(view_of(line.p + 1, line.n - 1), &w);
	struct view sum = writer_view(&w);
	if (!err && (sum.n != 3 ||
	                crc24(bytes) != ((uint32_t)sum.p[0] << 16 | (uint32_t)sum.p[1] << 8 | sum.p[2])))
		err = FG_EFORMAT;
	writer_free(&w);
	return err == FG_EFORMAT ? refuse(ret_why, "the armour's checksum does not fit") : err;
}

/* Headers up to the empty line: "Key: text". */
static int
skip_headers(struct view *rest, size_t *around, const char **ret_why)
{
	struct view line;
	while (next_line(rest, &line, around)) {
		if (line.n == 0)
			return 0;
		*around += line.n;
		if (!memmem(line.p, line.n, ": ", 2) && line.p[line.n - 1] != ':')
			return refuse(ret_why, "a line that is no header before the armour's empty line");
	}
	return refuse(ret_why, "the armour has no empty line");
}

/* One armour from its first line on. */
static int
block(struct view *rest, const char *what, struct writer *w, size_t *around, const char **ret_why)
{
	struct view line;
	struct writer digits, bytes;
	bool summed = false;
	size_t width = 0; /* of all lines of digits but the last, which is shorter or as long */
	bool last = false;
	if (!next_line(rest, &line, around) || !is_edge(line, BEGIN_WORD, what))
		return refuse(ret_why, "something else than the armour");
	int err = skip_headers(rest, around, ret_why);
	if (err)
		return err;
	writer_init(&digits, rest->n + 1);
	writer_init(&bytes, rest->n + 1);
	struct view sum = view_of(NULL, 0);
	for (;;) {
		if (!next_line(rest, &line, around)) {
			err = refuse(ret_why, "the armour has no end");
			break;
		}
		if (is_edge(line, END_WORD, what))
			break;
		if (summed || line.n == 0 || line.n > LINE_MAX) {
			err = refuse(ret_why, "a line inside the armour that is none of it");
			break;
		}
		summed = line.p[0] == '=';
		if (summed) {
			sum = line;
			continue;
		}
		width = width ? width : line.n;
		if (last || line.n > width)
			*around += line.n; /* where lines end is no place for words either */
		last = line.n < width;
		writer_bytes(&digits, line);
	}
	if (!err)
		err = writer_err(&digits);
	if (!err && base64_decode(writer_view(&digits), &bytes))
		err = writer_err(&bytes) ? writer_err(&bytes) : refuse(ret_why, "the armour holds no base64");
	if (!err && summed)
		err = checksum(sum, writer_view(&bytes), ret_why);
	if (!err)
		writer_bytes(w, writer_view(&bytes));
	writer_free(&digits);
	writer_free(&bytes);
	return err ? err : writer_err(w);
}

int
pgppacket_dearmour(struct view text, const char *what, struct writer *w, size_t *ret_around,
    const char **ret_why)
{
	size_t around = 0;
	struct view rest = skip_white(text, &around);
	int err = rest.n ? 0 : refuse(ret_why, "it is empty");
	while (!err && rest.n) {
		err = block(&rest, what, w, &around, ret_why);
		rest = skip_white(rest, &around);
	}
	if (ret_around)
		*ret_around = around;
	return err;
}
