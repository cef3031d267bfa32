/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a decision hook writes, and what is kept of it. An answer that is taken is within its limits and printable;
 * kept, it comes back as it was. A record that is taken writes itself back byte for byte.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/hook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_answer(const struct hook_answer *a)
{
	if ((unsigned)a->outcome >= HOOK_OUTCOMES || a->quorum > RULES_QUORUM_MAX || (a->quorum && a->outcome != HOOK_HOLD) ||
	    a->reasons_n > HOOK_REASONS_MAX)
		abort();
	for (unsigned i = 0; i < a->reasons_n; i++)
		for (const char *c = a->reason[i]; *c; c++)
			if (*c < 0x20 || *c > 0x7e)
				abort();
}

static bool
same(const struct hook_answer *a, const struct hook_answer *b)
{
	bool is = a->outcome == b->outcome && a->quorum == b->quorum && a->reasons_n == b->reasons_n;
	for (unsigned i = 0; is && i < a->reasons_n; i++)
		is = strcmp(a->reason[i], b->reason[i]) == 0;
	return is;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hook_record r, again;
	char why[HOOK_WHY_MAX];
	struct writer w;
	writer_init(&w, HOOK_RECORD_MAX);
	memset(&r, 0, sizeof r);
	if (hook_answer_read(view_of(data, size), &r.answer, why) == 0) {
		check_answer(&r.answer);
		/* Behind the end of a reason that was cut lies whatever did not fit. */
		if (hook_record_write(&r, &w) || hook_record_read(writer_view(&w), &again) || !same(&r.answer, &again.answer))
			abort();
	} else if (r.answer.outcome != HOOK_DENY || r.answer.reasons_n || r.answer.quorum) {
		abort();
	}
	writer_reset(&w);
	if (hook_record_read(view_of(data, size), &r) == 0) {
		check_answer(&r.answer);
		if (hook_record_write(&r, &w) || !view_equal(writer_view(&w), view_of(data, size)))
			abort();
	}
	writer_free(&w);
	return 0;
}
