/* SPDX-License-Identifier: Apache-2.0 */
/* suit_manifest - what a SUIT manifest claims and commands; nothing of it is carried out. */
#include "images/suit_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "crypto/hex.h"

/* Keys of the manifest. */
enum { KEY_VERSION = 1, KEY_SEQUENCE = 2, KEY_COMMON = 3, KEY_URI = 4, KEY_COMPONENT = 5, KEY_FIRST_COMMANDS = 7,
	KEY_LAST_COMMANDS = 22, KEY_TEXT = 23 };
enum { COMMON_DEPENDENCIES = 1, COMMON_COMPONENTS = 2, COMMON_SEQUENCE = 4 };
/* Commands whose argument is looked at. */
enum { DIRECTIVE_TRY_EACH = 15, DIRECTIVE_SET = 19, DIRECTIVE_OVERRIDE = 20, DIRECTIVE_RUN_SEQUENCE = 32,
	DIRECTIVE_INVOKE = 23 };
enum { PARAMETER_VENDOR = 1, PARAMETER_CLASS = 2, PARAMETER_DIGEST = 3, PARAMETER_SIZE = 14, PARAMETER_URI = 21,
	PARAMETER_DEVICE = 24 };

static void
broken(struct suit *s, struct view part, const char *what)
{
	uint64_t at = part.p ? (uint64_t)(part.p - s->all.p) : 0;
	walk_raise(s->w, FINDING_FMT_MALFORMED, part.p ? &at : NULL, "%s", what);
}

static void
identifier(struct suit *s, enum contents_fact_id id, const char *what, struct view bytes)
{
	char text[96], hex[65];
	if (bytes.n > 32)
		bytes.n = 32;
	hex_encode(bytes.p, bytes.n, hex);
	snprintf(text, sizeof text, "%s %s", what, hex);
	walk_fact(s->w, id, s->by, view_str(text));
}

static void
image_digest(struct suit *s, struct view bytes)
{
	struct reader r;
	struct suit_digest d;
	char hex[2 * DIGEST_LEN_MAX + 1];
	reader_init(&r, bytes);
	if (!suit_digest_read(&r, &d) || !reader_end(&r)) {
		broken(s, bytes, "an image digest is malformed");
		return;
	}
	if (d.alg == DIGEST_NONE)
		return;
	for (unsigned i = 0; i < s->digests_n; i++)
		if (view_equal(s->digest[i].sum, d.sum))
			return;
	hex_encode(d.sum.p, d.sum.n, hex);
	walk_fact(s->w, CONTENTS_FACT_DIGEST, s->by, view_str(hex));
	if (s->digests_n < SUIT_DIGESTS_MAX)
		s->digest[s->digests_n++] = d;
}

static void
parameters(struct suit *s, struct reader *r)
{
	size_t n = cbor_map(r, SUIT_PARTS_MAX);
	for (size_t i = 0; i < n && !r->bad; i++) {
		int64_t key = cbor_int(r);
		if (key == PARAMETER_VENDOR)
			identifier(s, CONTENTS_FACT_COMPATIBLE, "vendor", cbor_bytes(r));
		else if (key == PARAMETER_CLASS)
			identifier(s, CONTENTS_FACT_COMPATIBLE, "class", cbor_bytes(r));
		else if (key == PARAMETER_DIGEST)
			image_digest(s, cbor_bytes(r));
		else if (key == PARAMETER_URI) {
			struct view uri = cbor_text(r);
			walk_fact(s->w, CONTENTS_FACT_NOTE, s->by, uri);
			if (s->uris_n < SUIT_DIGESTS_MAX)
				s->uri[s->uris_n++] = uri;
		} else if (key == PARAMETER_DEVICE) {
			struct view device = cbor_bytes(r);
			identifier(s, CONTENTS_FACT_TARGET, "device", device);
			uint64_t at = r->bad ? 0 : (uint64_t)(device.p - s->all.p);
			walk_raise(s->w, FINDING_META_TARGETED, r->bad ? NULL : &at,
			    "the manifest names a single device");
		} else {
			(void)cbor_skip(r);
		}
	}
}

/* Each of a list of sequences, of which the device takes the first that works. */
static void
try_each(struct suit *s, struct reader *r, unsigned depth)
{
	size_t n = cbor_array(r, SUIT_PARTS_MAX);
	for (size_t i = 0; i < n && !r->bad; i++) {
		if (cbor_peek(r) == CBOR_BYTES)
			suit_sequence_read(s, cbor_bytes(r), depth + 1);
		else
			cbor_null(r); /* "or do nothing" */
	}
}

void
suit_sequence_read(struct suit *s, struct view sequence, unsigned depth)
{
	struct reader r;
	if (depth > SUIT_DEPTH_MAX) {
		walk_raise(s->w, FINDING_FMT_WALK_LIMIT, NULL, "command sequences are read %u deep", SUIT_DEPTH_MAX);
		return;
	}
	reader_init(&r, sequence);
	size_t n = cbor_array(&r, SUIT_COMMANDS_MAX * 2);
	if (n % 2)
		reader_fail(&r);
	for (size_t i = 0; i < n / 2 && !r.bad; i++) {
		if (++s->commands > SUIT_COMMANDS_MAX) {
			walk_raise(s->w, FINDING_FMT_WALK_LIMIT, NULL, "more than %u commands", SUIT_COMMANDS_MAX);
			return;
		}
		int64_t command = cbor_int(&r);
		if (command == DIRECTIVE_SET || command == DIRECTIVE_OVERRIDE)
			parameters(s, &r);
		else if (command == DIRECTIVE_TRY_EACH)
			try_each(s, &r, depth);
		else if (command == DIRECTIVE_RUN_SEQUENCE)
			suit_sequence_read(s, cbor_bytes(&r), depth + 1);
		else
			(void)cbor_skip(&r);
	}
	if (!reader_end(&r))
		broken(s, sequence, "a command sequence is malformed");
}

static void
common(struct suit *s, struct view part)
{
	struct reader r;
	reader_init(&r, part);
	size_t n = cbor_map(&r, SUIT_PARTS_MAX);
	for (size_t i = 0; i < n && !r.bad; i++) {
		int64_t key = cbor_int(&r);
		if (key == COMMON_SEQUENCE) {
			suit_sequence_read(s, cbor_bytes(&r), 0);
		} else {
			if (key == COMMON_DEPENDENCIES)
				walk_fact(s->w, CONTENTS_FACT_REQUIRES, s->by, view_str("dependencies: manifests of their own"));
			(void)cbor_skip(&r);
		}
	}
	if (!reader_end(&r))
		broken(s, part, "the common part of the manifest is malformed");
}

/* A part that may be severed: here as bytes, or as the digest of what the envelope holds. */
static void
severable(struct suit *s, struct reader *r, int64_t key)
{
	if (cbor_peek(r) == CBOR_BYTES) {
		struct view sequence = cbor_bytes(r);
		if (key != KEY_TEXT)
			suit_sequence_read(s, sequence, 0);
		return;
	}
	struct suit_severed v = { .key = key };
	if (!suit_digest_read(r, &v.digest))
		reader_fail(r);
	else if (s->severed_n < SUIT_PARTS_MAX)
		s->severed[s->severed_n++] = v;
}

static void
one(struct suit *s, struct reader *r, int64_t key)
{
	uint64_t number;
	if (key == KEY_VERSION) {
		number = cbor_uint(r);
		if (!r->bad && number != 1)
			walk_raise(s->w, FINDING_FMT_UNKNOWN_PART, NULL, "manifest version %" PRIu64, number);
	} else if (key == KEY_SEQUENCE) {
		number = cbor_uint(r);
		if (!r->bad)
			walk_fact_uint(s->w, CONTENTS_FACT_SECURITY_COUNTER, s->by, number);
	} else if (key == KEY_COMMON) {
		common(s, cbor_bytes(r));
	} else if (key == KEY_URI) {
		walk_fact(s->w, CONTENTS_FACT_NOTE, s->by, cbor_text(r));
	} else if (key == KEY_COMPONENT) {
		(void)cbor_skip(r);
	} else if (key >= KEY_FIRST_COMMANDS && key <= KEY_TEXT) {
		severable(s, r, key);
	} else {
		walk_raise(s->w, FINDING_FMT_UNKNOWN_PART, NULL, "element %" PRId64 " of the manifest", key);
		(void)cbor_skip(r);
	}
}

void
suit_manifest_read(struct suit *s)
{
	struct reader r;
	int64_t seen[SUIT_PARTS_MAX];
	size_t seen_n = 0;
	reader_init(&r, s->manifest);
	size_t n = cbor_map(&r, SUIT_PARTS_MAX);
	for (size_t i = 0; i < n && !r.bad; i++) {
		int64_t key = cbor_int(&r);
		for (size_t k = 0; k < seen_n; k++)
			if (seen[k] == key)
				walk_raise(s->w, FINDING_FMT_DUPLICATE, NULL,
				    "element %" PRId64 " of the manifest stands there twice", key);
		seen[seen_n++] = key;
		one(s, &r, key);
	}
	if (!reader_end(&r))
		broken(s, s->manifest, "the manifest is malformed");
}
