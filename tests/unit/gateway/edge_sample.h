/* SPDX-License-Identifier: Apache-2.0 */
/* edge_sample - releases as a warden makes them, for the edge's tests. */
#ifndef FG_TESTS_EDGE_SAMPLE_H
#define FG_TESTS_EDGE_SAMPLE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/err.h"
#include "crypto/release.h"
#include "gateway/edge/table.h"
#include "gateway/wire/memfd.h"
#include "policy/rollout.h"

#define SAMPLE_NOT_BEFORE INT64_C(1000000000)
#define SAMPLE_NOT_AFTER INT64_C(4000000000)

struct sample {
	struct release r;
	uint8_t *image, *blocks;
	size_t blocks_n;
	struct writer record;
	uint8_t id[RELEASE_ID];
};

static inline uint8_t
sample_byte(uint64_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16) * 3);
}

/* Digests, record and id from what stands in s->r and s->image. */
static inline void
sample_seal(struct sample *s)
{
	for (uint64_t b = 0; b < s->r.blocks; b++) {
		uint64_t at = b * RELEASE_BLOCK, left = s->r.size - at;
		assert_int_equal(digest_sha256(view_of(s->image + at, left < RELEASE_BLOCK ? left : RELEASE_BLOCK),
		    s->blocks + b * DIGEST_SHA256_LEN), 0);
	}
	assert_int_equal(digest_sha256(view_of(s->blocks, s->blocks_n), s->r.blocks_sha256), 0);
	assert_int_equal(digest_sha256(view_of(s->image, s->r.size), s->r.terms.image), 0);
	writer_free(&s->record);
	writer_init(&s->record, RELEASE_RECORD_MAX);
	assert_int_equal(release_encode(&s->r, &s->record), 0);
	assert_int_equal(release_id(writer_view(&s->record), s->id), 0);
}

/* product and target name it; resource is zero until set (then sample_seal again). */
static inline struct sample *
sample_new(uint64_t size, const char *product, const char *target)
{
	struct sample *s = calloc(1, sizeof *s);
	assert_non_null(s);
	struct approval_terms *t = &s->r.terms;
	s->r.size = size;
	s->r.block_size = RELEASE_BLOCK;
	s->r.blocks = (size - 1) / RELEASE_BLOCK + 1;
	s->r.quorum = 1;
	s->r.signers_number = 1;
	s->r.issued = SAMPLE_NOT_BEFORE;
	s->r.statements_n = 1;
	snprintf(s->r.statement[0].approver, sizeof s->r.statement[0].approver, "alice@example.com");
	t->decision = APPROVAL_APPROVE;
	snprintf(t->gateway, sizeof t->gateway, "gate.invalid");
	snprintf(t->review, sizeof t->review, "R-1");
	snprintf(t->subject, sizeof t->subject, "a subject");
	snprintf(t->product, sizeof t->product, "%s", product);
	snprintf(t->target, sizeof t->target, "%s", target);
	snprintf(t->profile, sizeof t->profile, "acme-rtr");
	assert_int_equal(approval_list_add(&t->from_versions, "*"), 0);
	assert_int_equal(approval_list_add(&t->groups, "*"), 0);
	t->max_devices = 100;
	t->not_before = SAMPLE_NOT_BEFORE;
	t->not_after = SAMPLE_NOT_AFTER;
	s->blocks_n = s->r.blocks * DIGEST_SHA256_LEN;
	s->image = malloc(size);
	s->blocks = malloc(s->blocks_n);
	assert_non_null(s->image);
	assert_non_null(s->blocks);
	for (uint64_t i = 0; i < size; i++)
		s->image[i] = sample_byte(i);
	sample_seal(s);
	return s;
}

static inline void
sample_free(struct sample *s)
{
	writer_free(&s->record);
	free(s->image);
	free(s->blocks);
	free(s);
}

/* Sealed memfds; the caller's to close or hand over. */
static inline int
sample_image_fd(const struct sample *s)
{
	int fd = memfd_sealed("image", view_of(s->image, s->r.size));
	assert_true(fd >= 0);
	return fd;
}

static inline int
sample_blocks_fd(const struct sample *s)
{
	int fd = memfd_sealed("blocks", view_of(s->blocks, s->blocks_n));
	assert_true(fd >= 0);
	return fd;
}

/* The row that offers exactly what the record permits. Strings are borrowed from s. */
static inline struct table_decision
sample_row(const struct sample *s)
{
	const struct approval_terms *t = &s->r.terms;
	struct table_decision d = {
		.profile = t->profile, .product = t->product, .target = t->target, .from = "*", .group = "*",
		.not_before = t->not_before, .not_after = t->not_after, .size = s->r.size, .last_modified = s->r.issued,
		.share = ROLLOUT_PLACES, .known_by = INT64_MAX, .as_of = INT64_MAX,
	};
	memcpy(d.release, s->id, sizeof d.release);
	memcpy(d.resource, t->resource, sizeof d.resource);
	memcpy(d.image, t->image, sizeof d.image);
	return d;
}

#endif
