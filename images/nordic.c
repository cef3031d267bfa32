/* SPDX-License-Identifier: Apache-2.0 */
#include "images/nordic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/reader.h"
#include "crypto/writer.h"

#define SIGNATURE_LEN 256
#define SCHEME "nordic-modem/cose-sign1-rsa-2048-pss-sha256"

/* Tag 18, array of four, the protected header {1: -37} as a byte string, and an empty map. */
static const uint8_t head[] = { 0xd2, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x24, 0xa0 };
#define PROTECTED_AT 2 /* of the byte string, its head too */
#define PROTECTED_LEN 5

enum cbor_major { CBOR_UINT = 0, CBOR_BYTES = 2, CBOR_ARRAY = 4 };

/* What the wrapper says; views borrow from its bytes. */
struct wrapper {
	const char *bad; /* NULL: sound */
	size_t where;
	struct view payload; /* the manifest */
	struct view signature;
	size_t length; /* of the wrapper: the segments start there */
	uint64_t version, compat;
	struct view hash;
	unsigned n;
	struct {
		uint64_t address, length;
	} segment[NORDIC_SEGMENTS_MAX];
	uint64_t blob; /* sum of the segments' lengths */
};

/* ---- reading ---- */

/* The value in a data item's head, which must be the shortest that holds it (RFC 8949, section 4.2.1). */
static uint64_t
item(struct reader *r, enum cbor_major major)
{
	uint8_t first = reader_u8(r);
	unsigned info = first & 31;
	uint64_t v = info, least = 0;
	if (info == 24) {
		v = reader_u8(r);
		least = 24;
	} else if (info == 25) {
		v = reader_u16(r);
		least = 0x100;
	} else if (info == 26) {
		v = reader_u32(r);
		least = 0x10000;
	} else if (info > 26) {
		reader_fail(r);
	}
	if (first >> 5 != major || v < least)
		reader_fail(r);
	return r->bad ? 0 : v;
}

static struct view
bytes(struct reader *r)
{
	uint64_t n = item(r, CBOR_BYTES);
	if (n > reader_left(r))
		reader_fail(r);
	return r->bad ? view_of(NULL, 0) : reader_take(r, (size_t)n);
}

static void
refuse(struct wrapper *m, size_t where, const char *why)
{
	m->bad = why;
	m->where = where;
}

/* [ +(address, length) ]: an array of twice as many numbers. */
static void
read_segments(struct view text, struct wrapper *m)
{
	struct reader r;
	reader_init(&r, text);
	uint64_t n = item(&r, CBOR_ARRAY);
	if (n == 0 || n % 2 != 0 || n / 2 > NORDIC_SEGMENTS_MAX) {
		refuse(m, 0, "no segments, half a segment or too many");
		return;
	}
	for (m->n = 0; m->n < n / 2; m->n++) {
		m->segment[m->n].address = item(&r, CBOR_UINT);
		m->segment[m->n].length = item(&r, CBOR_UINT);
		m->blob += m->segment[m->n].length; /* 128 times an u32 */
	}
	if (!reader_end(&r))
		refuse(m, r.off, "the list of segments is no list of numbers");
}

static void
read_wrapper(struct view text, struct wrapper *m)
{
	struct reader r, in;
	*m = (struct wrapper){ .bad = NULL };
	reader_init(&r, text);
	bool ours = view_equal(reader_take(&r, sizeof head), view_of(head, sizeof head));
	m->payload = bytes(&r);
	m->signature = bytes(&r);
	m->length = r.off;
	if (r.bad || m->signature.n != SIGNATURE_LEN || !ours) {
		refuse(m, r.off, "the COSE_Sign1 is not the modem's form of it, or longer than 1024 bytes");
		return;
	}
	reader_init(&in, m->payload);
	bool four = item(&in, CBOR_ARRAY) == 4;
	m->version = item(&in, CBOR_UINT);
	m->compat = item(&in, CBOR_UINT);
	m->hash = bytes(&in);
	struct view segments = bytes(&in);
	if (!four || !reader_end(&in) || m->hash.n != DIGEST_SHA256_LEN)
		refuse(m, (size_t)(m->payload.p - text.p), "the manifest is not the modem's form of one");
	else
		read_segments(segments, m);
}

/* ---- judging ---- */

/* RFC 9052, section 4.4: what a COSE_Sign1 signs. */
static int
sig_structure(const struct wrapper *m, struct writer *w)
{
	static const uint8_t start[] = { 0x84, 0x6a, 'S', 'i', 'g', 'n', 'a', 't', 'u', 'r', 'e', '1' };
	writer_bytes(w, view_of(start, sizeof start));
	writer_bytes(w, view_of(head + PROTECTED_AT, PROTECTED_LEN));
	writer_u8(w, 0x40); /* no external data */
	if (m->payload.n < 24) {
		writer_u8(w, (uint8_t)(0x40 | m->payload.n));
	} else if (m->payload.n < 0x100) {
		writer_u8(w, 0x58);
		writer_u8(w, (uint8_t)m->payload.n);
	} else {
		writer_u8(w, 0x59);
		writer_u16(w, (uint16_t)m->payload.n);
	}
	writer_bytes(w, m->payload);
	return writer_err(w);
}

static bool
is_rsa_2048(const struct trust_key *key, const void *arg)
{
	(void)arg;
	return strcmp(key->key_type, "rsa-2048") == 0;
}

static int
judge(struct walk *w, struct view text, const struct wrapper *m, struct walk_signed *by)
{
	struct writer out;
	uint64_t payload = (uint64_t)(m->payload.p - text.p);
	writer_init(&out, 2 * NORDIC_WRAPPER_MAX);
	int err = sig_structure(m, &out);
	struct walk_claim claim = { .scheme = SCHEME,
		.as = TRUST_RSA_PSS_SHA256,
		.signature = m->signature,
		.span = { .range = { { PROTECTED_AT, PROTECTED_LEN }, { payload, m->payload.n } }, .n = 2 },
		.have_message = true,
		.message = writer_view(&out),
		.candidate = is_rsa_2048 };
	if (!err)
		err = walk_keys(w, &claim, by);
	writer_free(&out);
	if (err)
		return err;
	/* Heads of the shortest form, a tag and an empty map: there is one way to write them. */
	walk_structure(w, 0, payload);
	uint64_t signature = (uint64_t)(m->signature.p - text.p), after = payload + m->payload.n;
	walk_structure(w, after, signature - after);
	if (walk_verified(w, *by))
		walk_structure(w, signature, SIGNATURE_LEN);
	return 0;
}

static void
claims(struct walk *w, const struct wrapper *m, struct walk_signed by)
{
	char text[CONTENTS_VALUE_MAX], hex[2 * DIGEST_SHA256_LEN + 1];
	walk_fact(w, CONTENTS_FACT_TYPE, by, view_str("full modem firmware"));
	hex_encode(m->hash.p, m->hash.n, hex);
	walk_fact(w, CONTENTS_FACT_DIGEST, by, view_str(hex));
	snprintf(text, sizeof text, "manifest of version %" PRIu64 ", compat %" PRIu64, m->version, m->compat);
	walk_fact(w, CONTENTS_FACT_NOTE, by, view_str(text));
	for (unsigned i = 0; i < m->n && i < 8; i++) {
		snprintf(text, sizeof text, "segment %u%s: %" PRIu64 " bytes for address 0x%08" PRIx64, i,
		    i == 0 ? ", which runs first and writes the others" : "", m->segment[i].length,
		    m->segment[i].address);
		walk_fact(w, CONTENTS_FACT_NOTE, by, view_str(text));
	}
}

/* All segments are one run of bytes to the manifest's hash, and so they are one member. */
static int
blob(struct walk *w, const struct wrapper *m, struct walk_signed by)
{
	uint64_t at = m->length, there = w->image->size - at;
	if (m->blob > there) {
		walk_raise(w, FINDING_FMT_MALFORMED, &at,
		    "the segments have %" PRIu64 " bytes, %" PRIu64 " are there", m->blob, there);
		return 0;
	}
	struct walk_member member = { .name = view_str("segments"),
		.at = { at, m->blob },
		.alg = DIGEST_SHA256,
		.by = by,
		.plain = true };
	memcpy(member.digest, m->hash.p, m->hash.n);
	at += m->blob;
	if (there > m->blob)
		walk_raise(w, FINDING_FMT_TRAILING_BYTES, &at,
		    "%" PRIu64 " bytes behind the last segment", there - m->blob);
	return walk_member(w, &member, NULL);
}

int
nordic_walk(struct walk *w)
{
	struct wrapper *m = malloc(sizeof *m);
	struct walk_signed by = { .n = 0 };
	uint8_t *text = NULL;
	uint64_t n = w->image->size < NORDIC_WRAPPER_MAX ? w->image->size : NORDIC_WRAPPER_MAX;
	int err = m ? walk_load(w, (struct sig_range){ 0, n }, NORDIC_WRAPPER_MAX, &text) : FG_ENOMEM;
	if (!err)
		read_wrapper(view_of(text, (size_t)n), m);
	if (!err && m->bad) {
		uint64_t where = m->where;
		walk_raise(w, FINDING_FMT_MALFORMED, &where, "%s", m->bad);
	} else if (!err) {
		err = judge(w, view_of(text, (size_t)n), m, &by);
		if (!err)
			claims(w, m, by);
		if (!err)
			err = blob(w, m, by);
	}
	free(text);
	free(m);
	return err;
}
