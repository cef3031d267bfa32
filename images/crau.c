/* SPDX-License-Identifier: Apache-2.0 */
#include "images/crau.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "images/protobuf.h"

#define ECDSA_LEN_MAX 144u /* DER of P-521; RSA signatures begin at 256 bytes */
#define SIGNATURES_LEN_MAX (64u << 10)

/* One of the two places where signatures stand, and what they are over. */
struct place {
	const char *name; /* "metadata" */
	const char *scheme_rsa, *scheme_ecdsa;
	struct sig_range at;
	struct walk_span span;
};

/* One signature of the Signatures message. */
struct entry {
	struct view data;
	struct sig_range at; /* the whole of it in the message, with its tag */
	bool have_version; /* a number that nothing checks */
	bool have_length;
	uint64_t length; /* without its zero padding (EC) */
};

/* ---- signatures ---- */

/* version 1 is what old generators write beside it, and says nothing. */
static const char *
read_entry(struct view message, struct entry *ret)
{
	struct protobuf it;
	struct protobuf_field f;
	bool have_data = false;
	int rc;
	*ret = (struct entry){ .have_length = false };
	protobuf_begin(&it, message);
	while ((rc = protobuf_next(&it, &f)) == 1) {
		if (f.number == 1 && f.wire == PROTOBUF_VARINT && !ret->have_version) {
			ret->have_version = true;
		} else if (f.number == 2 && f.wire == PROTOBUF_BYTES && !have_data) {
			have_data = true;
			ret->data = f.bytes;
		} else if (f.number == 3 && f.wire == PROTOBUF_FIXED32 && !ret->have_length) {
			ret->have_length = true;
			ret->length = f.value;
		} else {
			return "a field that is not a signature's, or there twice";
		}
	}
	if (rc != 0 || !have_data)
		return "no message, or one without bytes";
	if (!ret->have_length)
		return NULL;
	if (ret->length > ret->data.n)
		return "a length beyond its bytes";
	for (size_t i = (size_t)ret->length; i < ret->data.n; i++)
		if (ret->data.p[i])
			return "bytes where its padding must be zero";
	ret->data.n = (size_t)ret->length;
	return NULL;
}

/* NULL, or what is wrong with the whole message; all of it is then not used. */
static const char *
read_entries(struct view message, struct entry entry[CRAU_SIGNATURES_MAX], unsigned *ret_n)
{
	struct protobuf it;
	struct protobuf_field f;
	int rc;
	*ret_n = 0;
	uint64_t start = 0;
	protobuf_begin(&it, message);
	while ((rc = protobuf_next(&it, &f)) == 1) {
		if (f.number != 1 || f.wire != PROTOBUF_BYTES)
			return "a field that is not a signature";
		if (*ret_n == CRAU_SIGNATURES_MAX)
			return "more than eight signatures";
		struct entry *e = &entry[(*ret_n)++];
		const char *why = read_entry(f.bytes, e);
		if (why)
			return why;
		e->at = (struct sig_range){ start, it.r.off - start };
		start = it.r.off;
	}
	if (rc != 0)
		return "no message of signatures";
	return *ret_n == 0 ? "an empty list of signatures" : NULL;
}

/*
 * update_engine wants one that fits one of its keys: RSA PKCS#1 v1.5 or ECDSA,
 * over SHA-256. Which of the two follows from the length, which says nothing
 * about the key; a wrong guess fits no key. Only one that verified is structure, and
 * not where a version stands in it, which anybody could change: update_engine passes
 * over the others, whatever stands there.
 */
static int
judge_place(struct walk *w, const struct place *p, struct walk_signed *ret)
{
	struct entry entry[CRAU_SIGNATURES_MAX];
	unsigned n = 0, mark = walk_mark(w);
	uint8_t *bytes = NULL;
	int err = walk_load(w, p->at, SIGNATURES_LEN_MAX, &bytes);
	const char *why = err == FG_EFORMAT ? "longer than 64 KiB" : NULL;
	if (!err)
		why = read_entries(view_of(bytes, (size_t)p->at.length), entry, &n);
	if (why) {
		char scheme[48];
		snprintf(scheme, sizeof scheme, "android-payload/%s", p->name);
		walk_settle(w, scheme, SIG_INVALID, "%s", why);
		err = 0;
		n = 0;
	}
	for (unsigned i = 0; i < n && !err; i++) {
		bool ecdsa = entry[i].data.n <= ECDSA_LEN_MAX;
		struct walk_claim claim = { .scheme = ecdsa ? p->scheme_ecdsa : p->scheme_rsa,
			.as = ecdsa ? TRUST_ECDSA_DER : TRUST_RSA_PKCS1_SHA256,
			.signature = entry[i].data,
			.several = n > 1,
			.certificates = true, /* update_engine reads otacerts.zip */
			.span = p->span };
		struct walk_signed by = { 0 };
		err = walk_keys(w, &claim, &by);
		if (!err && walk_verified(w, by) && !entry[i].have_version)
			walk_structure(w, p->at.offset + entry[i].at.offset, entry[i].at.length);
	}
	free(bytes);
	*ret = walk_since(w, mark);
	return err;
}

static int
judge_metadata(struct walk *w, const struct crau_header *h, struct walk_signed *ret)
{
	const struct place p = { .name = "metadata",
		.scheme_rsa = "android-payload/metadata-rsa-pkcs1v15-sha256",
		.scheme_ecdsa = "android-payload/metadata-ecdsa-der",
		.at = { CRAU_HEADER_LEN + h->manifest, h->signature },
		.span = { .range = { { 0, CRAU_HEADER_LEN + h->manifest } }, .n = 1 } };
	return h->signature ? judge_place(w, &p, ret) : 0;
}

/* Over everything but the two signatures. */
static int
judge_payload(struct walk *w, const struct crau_header *h, const struct crau_manifest *m, struct walk_signed *ret)
{
	const struct place p = { .name = "payload",
		.scheme_rsa = "android-payload/payload-rsa-pkcs1v15-sha256",
		.scheme_ecdsa = "android-payload/payload-ecdsa-der",
		.at = { h->blobs + m->signatures_offset, m->signatures_size },
		.span = { .range = { { 0, CRAU_HEADER_LEN + h->manifest }, { h->blobs, m->signatures_offset } },
		    .n = 2 } };
	return judge_place(w, &p, ret);
}

/* Where the operations' bytes end, and with them the file, but for the payload's signature. */
static int
judge_end(struct walk *w, const struct crau_header *h, const struct crau_manifest *m, struct sig_range *blobs,
    struct walk_signed *ret)
{
	uint64_t room = w->image->size - h->blobs;
	*blobs = (struct sig_range){ h->blobs, room };
	if (!m->have_signatures)
		return 0;
	if (m->signatures_offset > room || m->signatures_size > room - m->signatures_offset ||
	    m->signatures_size == 0) {
		walk_settle(w, "android-payload/payload", SIG_INVALID,
		    "%" PRIu64 " bytes at %" PRIu64 " behind the metadata do not lie within the file",
		    m->signatures_size, m->signatures_offset);
		return 0;
	}
	blobs->length = m->signatures_offset;
	uint64_t end = h->blobs + m->signatures_offset + m->signatures_size;
	if (end < w->image->size)
		walk_raise(w, FINDING_FMT_TRAILING_BYTES, &end, "%" PRIu64 " bytes behind the payload's signature",
		    w->image->size - end);
	return judge_payload(w, h, m, ret);
}

/* ---- what it says about itself ---- */

static void
tell_partition(struct walk *w, const struct crau_partition *p, struct walk_signed by)
{
	char line[CONTENTS_VALUE_MAX], hex[DIGEST_HEX_LEN + 1];
	int name = (int)(p->name.n < 40 ? p->name.n : 40);
	if (p->have_new) {
		hex_encode(p->new_sha256, DIGEST_SHA256_LEN, hex);
		snprintf(line, sizeof line, "%.*s %s", name, (const char *)p->name.p, hex);
		walk_fact(w, CONTENTS_FACT_DIGEST, by, view_str(line));
	}
	if (p->have_old) {
		hex_encode(p->old_sha256, DIGEST_SHA256_LEN, hex);
		snprintf(line, sizeof line, "%.*s %s", name, (const char *)p->name.p, hex);
		walk_fact(w, CONTENTS_FACT_REQUIRES, by, view_str(line));
	}
}

/* How many of the operations that read the old partition say what they expect to read. */
static void
tell_sources(struct walk *w, const struct crau_manifest *m, struct walk_signed by)
{
	char line[CONTENTS_VALUE_MAX];
	size_t reads = 0, hashed = 0;
	for (size_t i = 0; i < m->operations; i++) {
		reads += m->operation[i].reads_source;
		hashed += m->operation[i].reads_source && m->operation[i].have_source_hash;
	}
	if (reads == 0)
		return;
	snprintf(line, sizeof line, "%zu of %zu operations that read an old partition give its hash", hashed,
	    reads);
	walk_fact(w, CONTENTS_FACT_NOTE, by, view_str(line));
}

static void
tell(struct walk *w, const struct crau_manifest *m, struct walk_signed by)
{
	char line[CONTENTS_VALUE_MAX];
	unsigned deltas = 0;
	for (unsigned i = 0; i < m->partitions; i++)
		deltas += m->partition[i].delta || m->partition[i].have_old;
	snprintf(line, sizeof line, "%s, minor version %" PRIu64, deltas ? "delta" : "full", m->minor);
	walk_fact(w, CONTENTS_FACT_TYPE, by, view_str(line));
	if (m->have_timestamp)
		walk_fact_uint(w, CONTENTS_FACT_TIMESTAMP, by, m->timestamp);
	if (m->partial)
		walk_fact(w, CONTENTS_FACT_NOTE, by, view_str("a partial update: other partitions stay as they are"));
	if (m->patch_level.n > 0) {
		snprintf(line, sizeof line, "security patch level %.*s",
		    (int)(m->patch_level.n < 40 ? m->patch_level.n : 40), (const char *)m->patch_level.p);
		walk_fact(w, CONTENTS_FACT_NOTE, by, view_str(line));
	}
	for (unsigned i = 0; i < m->partitions; i++)
		tell_partition(w, &m->partition[i], by);
	tell_sources(w, m, by);
	if (deltas)
		walk_raise(w, FINDING_FMT_DELTA, NULL, "%u of %u partitions are made from the old ones", deltas,
		    m->partitions);
}

/* ---- the whole ---- */

/* Both kinds of signature are there, and a device that checks both would take neither alone. */
static void
compare_places(struct walk *w, struct walk_signed metadata, struct walk_signed payload)
{
	bool one = walk_verified(w, metadata), other = walk_verified(w, payload);
	if (metadata.n > 0 && payload.n > 0 && one != other)
		walk_raise(w, FINDING_FMT_CONFLICT, NULL, "the signature over the %s verifies, the one over the %s does not",
		    one ? "metadata" : "payload", one ? "payload" : "metadata");
}

static void
raise_finding(void *arg, enum finding_id id, const uint64_t *offset, const char *text)
{
	walk_raise(arg, id, offset, "%s", text);
}

static int
walk_manifest(struct walk *w, const struct crau_header *h, uint8_t *bytes, unsigned mark, struct walk_signed metadata)
{
	struct walk_signed payload = { 0 };
	struct sig_range blobs;
	bool usable = false;
	struct crau_manifest *m = calloc(1, sizeof *m);
	if (!m) {
		free(bytes);
		return FG_ENOMEM;
	}
	const struct crau_teller teller = { raise_finding, w };
	int err = crau_manifest_read(&teller, bytes, (size_t)h->manifest, m, &usable);
	if (!err && usable)
		err = judge_end(w, h, m, &blobs, &payload);
	if (!err && usable) {
		struct walk_signed by = walk_since(w, mark);
		compare_places(w, metadata, payload);
		if (by.n == 0)
			walk_fact(w, CONTENTS_FACT_NOTE, by,
			    view_str("the payload carries no signature of its own"));
		tell(w, m, by);
		err = crau_expand(w, m, blobs, by);
	}
	crau_manifest_free(m);
	free(m);
	return err;
}

int
crau_walk(struct walk *w)
{
	struct walk_signed metadata = { 0 };
	struct crau_header h;
	uint8_t b[CRAU_HEADER_LEN], *bytes = NULL;
	unsigned mark = walk_mark(w);
	int err = source_read(w->image, 0, b, sizeof b);
	if (err && err != FG_ELIMIT)
		return err;
	const char *why = err ? "shorter than its header" : crau_header_read(b, w->image->size, &h);
	if (why) {
		walk_raise(w, FINDING_FMT_MALFORMED, NULL, "%s", why);
		return 0;
	}
	err = judge_metadata(w, &h, &metadata);
	if (!err)
		err = walk_load(w, (struct sig_range){ CRAU_HEADER_LEN, h.manifest }, CRAU_MANIFEST_MAX, &bytes);
	if (err == FG_EFORMAT) {
		walk_raise(w, FINDING_FMT_WALK_LIMIT, NULL, "a manifest of %" PRIu64 " bytes", h.manifest);
		return 0;
	}
	return err ? err : walk_manifest(w, &h, bytes, mark, metadata);
}
