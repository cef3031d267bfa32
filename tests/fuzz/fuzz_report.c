/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report reader and the merger on hostile text: what is accepted must write
 * itself back byte for byte, and no reply may ever lead to a whole that is not
 * a report. A NUL byte parts the reply of verify from that of explain.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "images/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_come_back(const struct report *r, struct view text)
{
	struct writer w;
	writer_init(&w, REPORT_MAX);
	if (report_encode(r, REPORT_MAX, &w) || (text.p && !view_equal(writer_view(&w), text)))
		abort();
	writer_free(&w);
}

static void
parse(struct view text, enum report_kind kind)
{
	struct report *r = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	if (r && report_parse(text, kind, r, &why) == 0)
		must_come_back(r, text);
	report_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t first = nul ? (size_t)(nul - data) : size;
	struct report_reply verify = { .end = REPORT_END_REPLIED, .text = view_of(data, first) };
	struct report_reply explain = { .end = REPORT_END_REPLIED,
					.text = nul ? view_of(nul + 1, size - first - 1) : view_of(data, size) };
	const struct report_applied delta = { .stage = explain };
	struct report_delta made;
	struct report_asked asked = { .at = 1767225600, .image_size = 5, .have_old = nul != NULL, .have_base = nul != NULL };
	struct report *whole = report_new(REPORT_KIND_NONE), *again = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	for (unsigned kind = REPORT_VERIFY; kind <= REPORT_WHOLE; kind++)
		parse(view_of(data, size), (enum report_kind)kind);
	writer_init(&w, REPORT_MAX);
	/* The delta that it says, so that it gets as far as its target, which nobody inspected. */
	if (report_delta_made(&explain, &made))
		memcpy(asked.base, made.base_sha256, sizeof asked.base);
	if (!whole || !again || report_merge(&asked, &verify, &explain, &delta, whole) ||
	    report_encode(whole, REPORT_MAX, &w) || report_parse(writer_view(&w), REPORT_WHOLE, again, &why))
		abort();
	writer_free(&w);
	report_free(whole);
	report_free(again);
	return 0;
}
