/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta_rig - what the tests of appliers share: files, an application into a
 * memfd whose content, size and digest must agree with the result, and the trial of
 * every byte and every length of a patch.
 */
#ifndef FG_TESTS_UNIT_IMAGES_DELTA_RIG_H
#define FG_TESTS_UNIT_IMAGES_DELTA_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/err.h"
#include "images/delta.h"
#include "unit/images/walk_rig.h"

/* Applies; what was written goes to *ret_target (malloc'ed) when it is not NULL. */
static inline struct delta_result
rig_apply(enum format_id format, struct view patch, struct view base, struct view *ret_target)
{
	struct delta_result r;
	struct source p, b, t;
	uint8_t sum[DIGEST_SHA256_LEN];
	int fd = memfd_create("target", MFD_CLOEXEC);
	assert_true(fd >= 0);
	source_memory(&p, patch);
	source_memory(&b, base);
	assert_int_equal(delta_apply(format, &p, &b, fd, &r), 0);
	assert_true(r.outcome == DELTA_APPLIED || r.detail[0]);
	assert_true(r.outcome != DELTA_APPLIED || !r.detail[0]);
	if (r.outcome == DELTA_APPLIED) {
		assert_int_equal(source_open(&t, fd), 0);
		assert_int_equal(t.size, r.target_size);
		assert_int_equal(r.from_base + r.from_patch, r.target_size);
		uint8_t *bytes = malloc(t.size ? t.size : 1);
		assert_int_equal(source_read(&t, 0, bytes, t.size), 0);
		assert_int_equal(digest_sha256(view_of(bytes, t.size), sum), 0);
		assert_memory_equal(sum, r.target_sha256, sizeof sum);
		if (ret_target)
			*ret_target = view_of(bytes, t.size);
		else
			free(bytes);
	} else if (ret_target) {
		*ret_target = view_of(NULL, 0);
	}
	close(fd);
	return r;
}

/* It makes exactly that. */
static inline struct delta_result
rig_makes(enum format_id format, struct view patch, struct view base, struct view want)
{
	struct view got;
	struct delta_result r = rig_apply(format, patch, base, &got);
	if (r.outcome != DELTA_APPLIED)
		fail_msg("%s: %s", delta_outcome_name(r.outcome), r.detail);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
	rig_drop(got);
	return r;
}

/* It is refused with that outcome, in words that hold this. */
static inline void
rig_refuses(enum format_id format, struct view patch, struct view base, enum delta_outcome outcome,
    const char *words)
{
	struct delta_result r = rig_apply(format, patch, base, NULL);
	if (r.outcome != outcome || !strstr(r.detail, words))
		fail_msg("%s: \"%s\" instead of %s: \"%s\"", delta_outcome_name(r.outcome), r.detail,
		    delta_outcome_name(outcome), words);
}

/*
 * Every step-th byte changed in three ways, every step-th length, one byte more:
 * a refusal, or another target. How many changes made the same target all the
 * same: where nobody reads the byte, which the caller knows the number of.
 */
static inline unsigned
rig_tries(enum format_id format, struct view patch, struct view base, struct view want, size_t step)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	uint8_t sum[DIGEST_SHA256_LEN], *p = malloc(patch.n + 1);
	unsigned same = 0;
	assert_int_equal(digest_sha256(want, sum), 0);
	for (size_t i = 0; i < patch.n; i += step)
		for (unsigned k = 0; k < sizeof flips; k++) {
			memcpy(p, patch.p, patch.n);
			p[i] ^= flips[k];
			struct delta_result r = rig_apply(format, view_of(p, patch.n), base, NULL);
			same += r.outcome == DELTA_APPLIED && memcmp(sum, r.target_sha256, sizeof sum) == 0;
		}
	memcpy(p, patch.p, patch.n);
	p[patch.n] = 0;
	assert_int_not_equal(rig_apply(format, view_of(p, patch.n + 1), base, NULL).outcome, DELTA_APPLIED);
	free(p);
	for (size_t n = 0; n < patch.n; n += step) {
		p = malloc(n ? n : 1); /* exact, so that ASan sees a read past the end */
		memcpy(p, patch.p, n);
		if (rig_apply(format, view_of(p, n), base, NULL).outcome == DELTA_APPLIED)
			fail_msg("cut at %zu it still makes something", n);
		free(p);
	}
	return same;
}

#endif
