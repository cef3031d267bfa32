/* SPDX-License-Identifier: Apache-2.0 */
#include "images/cwe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "crypto/err.h"
#include "crypto/reader.h"

#define OWN_LEN 256 /* the product's own, under the first CRC */
#define REVISION 3  /* CWE_HDRCURVER; later ones are read as if they were of it, as its readers do ... */
#define REVISION_MAX 255 /* ... but a large number is none */
#define VERSION_LEN 84
#define DATE_LEN 8
#define LETTERS 4

/* Options. */
#define OPT_PACKED 0x01
#define OPT_ENCRYPTED 0x02
#define OPT_SIGNED 0x04
#define OPT_DELTA 0x08

struct header {
	uint32_t own_crc, revision, size, crc, compatible;
	uint8_t type[LETTERS], product[LETTERS];
	uint8_t version[VERSION_LEN], date[DATE_LEN];
	uint8_t options;
};

static uint32_t
crc_step(uint32_t crc, const uint8_t *p, size_t n)
{
	return (uint32_t)crc32_z(crc, p, n);
}

static bool
read_header(struct view head, struct header *h)
{
	struct reader r;
	reader_init(&r, head);
	(void)reader_take(&r, OWN_LEN);
	h->own_crc = reader_u32(&r);
	h->revision = reader_u32(&r);
	(void)reader_u32(&r); /* that the CRC is valid: readers compare it in any case */
	reader_copy(&r, h->type, sizeof h->type);
	reader_copy(&r, h->product, sizeof h->product);
	h->size = reader_u32(&r);
	h->crc = reader_u32(&r);
	reader_copy(&r, h->version, sizeof h->version);
	reader_copy(&r, h->date, sizeof h->date);
	h->compatible = reader_u32(&r);
	h->options = reader_u8(&r);
	return head.n >= CWE_HEADER_LEN && !r.bad;
}

bool
cwe_recognise(struct view head)
{
	struct header h;
	if (!read_header(head, &h) || h.revision < REVISION || h.revision > REVISION_MAX)
		return false;
	for (unsigned i = 0; i < LETTERS; i++)
		if (!(h.type[i] >= 'A' && h.type[i] <= 'Z') && !(h.type[i] >= '0' && h.type[i] <= '9'))
			return false;
	return (uint32_t)~crc_step(0, head.p, OWN_LEN) == h.own_crc;
}

/* The header at at; false: there is none before end. */
static int
header_at(struct walk *w, uint64_t at, uint64_t end, struct header *h, bool *ret_there)
{
	uint8_t head[CWE_HEADER_LEN];
	*ret_there = false;
	if (end - at < sizeof head)
		return 0;
	int err = source_read(w->image, at, head, sizeof head);
	if (!err && cwe_recognise(view_of(head, sizeof head)))
		*ret_there = read_header(view_of(head, sizeof head), h);
	return err;
}

static int
crc_of(struct walk *w, uint64_t at, uint64_t n, uint32_t *ret)
{
	uint8_t *chunk = malloc(source_chunk(n));
	uint32_t crc = 0;
	int err = chunk ? 0 : FG_ENOMEM;
	while (n > 0 && !err) {
		size_t take = n < SOURCE_CHUNK ? (size_t)n : SOURCE_CHUNK;
		err = source_read(w->image, at, chunk, take);
		if (!err)
			crc = crc_step(crc, chunk, take);
		at += take;
		n -= take;
	}
	free(chunk);
	*ret = ~crc;
	return err;
}

/* ---- what it says ---- */

static void
text_fact(struct walk *w, enum contents_fact_id id, const uint8_t *p, size_t n)
{
	const struct walk_signed nobody = { .n = 0 };
	const uint8_t *end = memchr(p, 0, n);
	n = end ? (size_t)(end - p) : n;
	if (n)
		walk_fact(w, id, nobody, view_of(p, n));
}

static void
facts(struct walk *w, const struct header *h)
{
	char note[40];
	text_fact(w, CONTENTS_FACT_TYPE, h->type, sizeof h->type);
	text_fact(w, CONTENTS_FACT_COMPATIBLE, h->product, sizeof h->product);
	text_fact(w, CONTENTS_FACT_VERSION, h->version, sizeof h->version);
	text_fact(w, CONTENTS_FACT_BUILD, h->date, sizeof h->date);
	snprintf(note, sizeof note, "compatibility word 0x%08" PRIx32, h->compatible);
	walk_fact(w, CONTENTS_FACT_NOTE, (struct walk_signed){ .n = 0 }, view_str(note));
}

static void
options(struct walk *w, const struct header *h)
{
	uint8_t other = h->options & (uint8_t)~(OPT_PACKED | OPT_ENCRYPTED | OPT_SIGNED | OPT_DELTA);
	if (h->options & OPT_PACKED)
		walk_raise(w, FINDING_FMT_NOT_WALKED, NULL, "said to be packed; how is not public");
	if (h->options & OPT_ENCRYPTED)
		walk_raise(w, FINDING_FMT_ENCRYPTED, NULL, "said to be encrypted");
	if (h->options & OPT_DELTA)
		walk_raise(w, FINDING_FMT_DELTA, NULL, "said to be a delta");
	if (h->options & OPT_SIGNED)
		walk_settle(w, "sierra-cwe", SIG_OPAQUE, "the header says that the image is signed; how is not public");
	if (other)
		walk_raise(w, FINDING_FMT_UNKNOWN_PART, NULL, "options 0x%02x", other);
}

/* ---- what it holds ---- */

/* Images in a row from at to end; *ret_at: where they end, at itself when there is none. */
static int
row(struct walk *w, uint64_t at, uint64_t end, unsigned first, uint64_t *ret_at)
{
	int err = 0;
	for (unsigned n = first;; n++) {
		struct header h;
		bool there;
		char name[16];
		err = header_at(w, at, end, &h, &there);
		if (err || !there)
			break;
		if (h.size > end - at - CWE_HEADER_LEN) {
			walk_raise(w, FINDING_FMT_MALFORMED, &at, "image %u of %" PRIu32 " bytes does not fit", n, h.size);
			at = end;
			break;
		}
		if (n - first == CWE_IMAGES_MAX) {
			walk_raise(w, FINDING_FMT_WALK_LIMIT, &at, "more than %u images in a row", CWE_IMAGES_MAX);
			at = end;
			break;
		}
		snprintf(name, sizeof name, "%u-%.4s", n, (const char *)h.type);
		const struct walk_member m = { .name = view_str(name), .at = { at, CWE_HEADER_LEN + (uint64_t)h.size } };
		err = walk_member(w, &m, NULL);
		if (err)
			break;
		at += m.at.length;
	}
	*ret_at = at;
	return err;
}

/* Either images, to the last byte, or bytes that are for a partition. */
static int
body(struct walk *w, const struct header *h)
{
	uint64_t end = CWE_HEADER_LEN + (uint64_t)h->size, at = CWE_HEADER_LEN;
	int err = h->options & (OPT_PACKED | OPT_ENCRYPTED | OPT_DELTA) ? 0 : row(w, at, end, 1, &at);
	if (err || at == end)
		return err;
	if (at > CWE_HEADER_LEN) {
		walk_raise(w, FINDING_FMT_HIDDEN_BYTES, &at, "%" PRIu64 " bytes behind the last image in it", end - at);
		return 0;
	}
	const struct walk_member m = { .name = view_str("payload"),
		.at = { at, h->size },
		.plain = (h->options & OPT_ENCRYPTED) != 0 };
	return walk_member(w, &m, NULL);
}

int
cwe_walk(struct walk *w)
{
	struct header h;
	bool there;
	uint32_t crc = 0;
	int err = header_at(w, 0, w->image->size, &h, &there);
	if (err)
		return err;
	if (!there) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "no header, or one whose own checksum is another");
		return 0;
	}
	uint64_t end = CWE_HEADER_LEN + (uint64_t)h.size, at = end;
	facts(w, &h);
	options(w, &h);
	if (end > w->image->size) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "%" PRIu32 " bytes of image, and %" PRIu64 " are there", h.size,
		    w->image->size - CWE_HEADER_LEN);
		return 0;
	}
	err = crc_of(w, CWE_HEADER_LEN, h.size, &crc);
	if (!err && crc != h.crc)
		walk_raise(w, FINDING_FMT_INTEGRITY, NULL, "the checksum of the image is another");
	if (!err)
		err = body(w, &h);
	/* The maker's packages for several products, firmware and carrier settings, stand one behind the other. */
	if (!err)
		err = row(w, end, w->image->size, 2, &at);
	if (!err && at < w->image->size)
		walk_raise(w, FINDING_FMT_TRAILING_BYTES, &at, "%" PRIu64 " bytes behind the last image",
		    w->image->size - at);
	return err;
}
