/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexes of casync: whatever the bytes are, an inspection ends with a report that its
 * reader takes, and nothing is verified under an empty trust set.
 */
#include <stdint.h>
#include <stdlib.h>

#include "images/entail.h"
#include "images/casync.h"
#include "images/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s;
	struct report_refusal why;
	struct writer w;
	struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE };
	struct trust *trust = trust_new();
	struct report *r = report_new(REPORT_VERIFY), *back = report_new(REPORT_KIND_NONE);
	source_memory(&s, view_of(data, size));
	if (!trust || !r || !back)
		abort();
	r->have_image = true;
	r->format = FORMAT_CASYNC_INDEX;
	r->size = size;
	r->inputs.inspector[0] = 'x';
	if (walk_image(&s, FORMAT_CASYNC_INDEX, trust, &policy, 1767225600, r) || entail_raise(r, false))
		abort();
	if (report_verified(r))
		abort();
	writer_init(&w, REPORT_MAX);
	if (report_encode(r, REPORT_MAX, &w) || report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		abort();
	writer_free(&w);
	report_free(r);
	report_free(back);
	trust_free(trust);
	return 0;
}
