/* SPDX-License-Identifier: Apache-2.0 */
/* Audit entries: what parses as one of ours encodes to a fixed point. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *doc, *doc2;
	struct entry e, back;
	struct writer w, again;
	const char *why = NULL;
	int rc = entry_parse(view_of(data, size), &doc, &e, &why);
	if (rc < 0) {
		must(why != NULL);
		return 0;
	}
	writer_init(&w, ENTRY_MAX);
	writer_init(&again, ENTRY_MAX);
	if (entry_encode(&e, &w, NULL) == 0) {
		for (size_t i = 0; i < w.n; i++)
			must(w.p[i] >= 0x20 && w.p[i] <= 0x7e);
		must(entry_parse(writer_view(&w), &doc2, &back, NULL) == 0);
		must(back.ev == e.ev && back.seq == e.seq && back.t_us == e.t_us && back.refs == e.refs);
		must(view_equal(back.msg, e.msg) && view_equal(back.doc, e.doc));
		must(entry_encode(&back, &again, NULL) == 0);
		must(view_equal(writer_view(&w), writer_view(&again)));
		json_free(doc2);
	}
	writer_free(&w);
	writer_free(&again);
	json_free(doc);
	return 0;
}
