/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SUIT envelopes with their COSE blocks. Nobody is trusted, so nothing may come
 * out verified, whatever the bytes are; and what was found must be a report that
 * its own reader takes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/cose.h"
#include "images/entail.h"
#include "images/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE };
	struct trust *nobody = trust_new();
	struct report *r = report_new(REPORT_VERIFY), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct source s;
	struct writer w;
	struct cose *c = calloc(1, sizeof *c);
	const char *text;
	if (!nobody || !r || !back || !c)
		abort();
	(void)cose_parse(view_of(data, size), c, &text);
	source_memory(&s, view_of(data, size));
	r->have_image = true;
	r->format = FORMAT_SUIT;
	r->size = size;
	r->inputs.at = 1767225600;
	snprintf(r->inputs.inspector, sizeof r->inputs.inspector, "x");
	writer_init(&w, REPORT_MAX);
	if (walk_image(&s, FORMAT_SUIT, nobody, &policy, 1767225600, r) || report_verified(r) ||
	    entail_raise(r, false) || report_encode(r, REPORT_MAX, &w) ||
	    report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		abort();
	writer_free(&w);
	report_free(r);
	report_free(back);
	trust_free(nobody);
	free(c);
	return 0;
}
