/* SPDX-License-Identifier: Apache-2.0 */
/* A decision table of any bytes: refused, or every walk stays inside and ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/edge/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sink;

static void
look(const struct table *t, unsigned kind, struct view text)
{
	struct table_row row;
	if (table_find(t, kind, text, &row)) {
		if (row.ordinal >= table_modules(t))
			abort();
		sink += strlen(row.group) + strlen(row.product) + strlen(row.version) + row.pseudonym[0] +
		    row.pseudonym[TABLE_ID - 1];
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table *t;
	struct table_decision d, e;
	if (table_open_bytes(view_of(data, size), &t))
		return 0;
	/* Identities cannot be listed: ask for ones that the corpus has, and for its own bytes. */
	for (unsigned kind = 0; kind < 18; kind++) {
		look(t, kind, view_str("490154203237518"));
		look(t, kind, view_str("SN-0001/x"));
		for (size_t n = 0; n <= size && n < 140; n += 7)
			look(t, kind, view_of(data + size - n, n));
	}
	struct table_link link;
	struct table_row row;
	for (size_t n = 0; n + DIGEST_SHA256_LEN <= size; n += 4)
		if (table_find_link(t, data + n, &link, &row)) {
			if (link.module >= table_modules(t) || row.ordinal != link.module ||
			    memcmp(link.digest, data + n, sizeof link.digest))
				abort();
			sink += strlen(link.profile) + strlen(row.group) + link.release[15];
		}
	size_t all = 0, met = 0;
	for (; table_decision_at(t, all, &d); all++) {
		uint32_t it = 0;
		unsigned here = 0;
		sink += strlen(d.product) + strlen(d.target) + strlen(d.from) + strlen(d.group) + d.image[31];
		while (here < 1000 && table_next(t, d.profile, d.resource, &it, &e))
			here++;
		met += here > 0;
	}
	if (all != table_decisions(t) || met != all)
		abort();
	table_free(t);
	return 0;
}
