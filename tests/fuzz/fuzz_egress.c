/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_egress - a report of the operator's network. Every line that is taken reads back as itself: its endpoint has
 * one spelling, its identity is canonical; and reading ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/stamp.h"
#include "policy/egress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const struct egress_line *line)
{
	struct egress_reader r;
	struct egress_line again;
	const char *why = NULL;
	char at[STAMP_CAP], csv[1024];
	if (stamp_format(line->at, at))
		abort();
	int n = snprintf(csv, sizeof csv, EGRESS_HEADER "\n%s,%s,%s,%s\n", identity_kind_name(line->kind), line->identity,
	    line->endpoint, at);
	if (n < 0 || (size_t)n >= sizeof csv || !egress_begin(&r, view_str(csv)))
		abort();
	/* What an identity may hold, a comma among it, is the identity's affair. */
	if (strchr(line->identity, ','))
		return;
	if (!egress_next(&r, &again, &why) || why || again.kind != line->kind || again.at != line->at ||
	    strcmp(again.identity, line->identity) != 0 || strcmp(again.endpoint, line->endpoint) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct egress_reader r;
	struct egress_line line;
	const char *why = NULL;
	unsigned last = 1;
	if (!egress_begin(&r, view_of(data, size)))
		return 0;
	while (egress_next(&r, &line, &why)) {
		if (r.line <= last)
			abort();
		last = r.line;
		if (!why)
			check_line(&line);
	}
	return 0;
}
