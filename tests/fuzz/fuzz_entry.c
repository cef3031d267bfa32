/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit entries: what parses as one of ours encodes to a fixed point, and the
 * fast reader agrees with the strict one about everything it recognises.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/entry.h"
#include "crypto/entry_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
must_be_equal(const struct entry *a, const struct entry *b)
{
	must(a->seq == b->seq && a->t_us == b->t_us && a->clk == b->clk && a->ev == b->ev && a->sev == b->sev);
	must(view_equal(a->src, b->src) && view_equal(a->cat, b->cat) && view_equal(a->ev_text, b->ev_text));
	must(view_equal(a->out, b->out) && view_equal(a->act, b->act) && view_equal(a->obj, b->obj));
	must(view_equal(a->doc, b->doc) && view_equal(a->msg, b->msg));
	must(a->have_dev == b->have_dev && (!a->have_dev || memcmp(a->dev, b->dev, sizeof a->dev) == 0));
	must(a->refs == b->refs);
	for (unsigned i = 0; i < a->refs; i++) {
		const struct entry_ref *x = &a->ref[i], *y = &b->ref[i];
		must(view_equal(x->key, y->key) && x->is_number == y->is_number);
		must(x->is_number ? x->number == y->number : view_equal(x->text, y->text));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *doc, *doc2;
	struct entry e, back, fast;
	struct writer w, again;
	const char *why = NULL;
	int rc = entry_parse(view_of(data, size), &doc, &e, &why);
	bool scanned = entry_scan(view_of(data, size), &fast);
	if (rc < 0) {
		must(why != NULL && !scanned);
		return 0;
	}
	if (scanned)
		must_be_equal(&fast, &e);
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
		/* Our own form is recognised, unless something in it needs an escape. */
		if (!memchr(w.p, '\\', w.n)) {
			must(entry_scan(writer_view(&w), &fast));
			must_be_equal(&fast, &back);
		}
		json_free(doc2);
	}
	writer_free(&w);
	writer_free(&again);
	json_free(doc);
	return 0;
}
