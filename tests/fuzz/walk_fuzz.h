/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk_fuzz - what holds for every walker, whatever the bytes: it answers 0, calls
 * nothing verified that nobody trusted signed, names members and structure
 * inside the image, and leaves a report that its own reader takes.
 */
#ifndef FG_TESTS_WALK_FUZZ_H
#define FG_TESTS_WALK_FUZZ_H

#include <stdint.h>
#include <stdlib.h>

#include "images/entail.h"
#include "images/walk.h"

static inline void
walk_fuzz(enum format_id format, const uint8_t *data, size_t size)
{
	static const struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE,
		.allow_leaf_anchor = true,
		.pinned_ignores_expiry = true };
	struct source s;
	struct report *r = report_new(REPORT_VERIFY), *back = report_new(REPORT_VERIFY);
	struct trust *nobody = trust_new();
	struct report_refusal why;
	struct writer w;
	if (!r || !back || !nobody)
		abort();
	source_memory(&s, view_of(data, size));
	r->have_image = true;
	r->format = format;
	r->size = size;
	if (digest_sha256(view_of(data, size), r->sha256) ||
	    walk_image(&s, format, nobody, &policy, INT64_C(1767225600), r) || !r->contents.walked)
		abort();
	for (unsigned i = 0; i < r->signatures.n; i++)
		if (r->signatures.result[i].outcome == SIG_VERIFIED ||
		    r->signatures.result[i].outcome == SIG_UNKNOWN)
			abort();
	for (unsigned i = 0; i < r->contents.members_n; i++) {
		const struct contents_member *m = &r->contents.member[i];
		if (m->vouch == CONTENTS_VOUCH_INSIDE || m->vouch == CONTENTS_VOUCH_DIGEST)
			abort();
		if (m->have_offset && (m->offset > size || m->size > size - m->offset))
			abort();
	}
	writer_init(&w, REPORT_MAX);
	if (entail_raise(r, false) || report_encode(r, REPORT_MAX, &w) ||
	    report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		abort();
	writer_free(&w);
	trust_free(nobody);
	report_free(back);
	report_free(r);
}

#endif
