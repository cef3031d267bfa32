/* SPDX-License-Identifier: Apache-2.0 */
/* Statements and release records: one form each, and nothing out of bounds in what is read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
one_statement(struct view text, struct writer *w)
{
	char why[256] = "";
	uint8_t key[DIGEST_SHA256_LEN];
	struct approval *a = malloc(sizeof *a);
	must(a != NULL);
	memset(a, 0x5a, sizeof *a);
	int err = approval_parse(text, a, why, sizeof why);
	must(err == 0 || (err == FG_EFORMAT && why[0]));
	if (err) {
		must(a->approver[0] == 0x5a);
	} else {
		must(approval_encode(a, w, why, sizeof why) == 0 && view_equal(writer_view(w), text));
		must(approval_key(&a->terms, key) == 0);
		must(approval_terms_differ(&a->terms, &a->terms) == NULL);
		must(approval_check_time(a, a->time, UINT64_MAX, why, sizeof why) == FG_EPERM);
		must(a->terms.decision > APPROVAL_NONE && a->terms.decision <= APPROVAL_AFTERREVIEW);
	}
	free(a);
}

static void
one_record(struct view text, struct writer *w)
{
	char why[256] = "";
	struct release *r = malloc(sizeof *r);
	must(r != NULL);
	memset(r, 0x5a, sizeof *r);
	int err = release_parse(text, r, why, sizeof why);
	must(err == 0 || (err == FG_EFORMAT && why[0]));
	if (err) {
		must(r->statements_n == 0x5a5a5a5a);
	} else {
		must(release_encode(r, w) == 0 && view_equal(writer_view(w), text));
		must(r->quorum >= 1 && r->statements_n >= r->quorum && r->statements_n <= RELEASE_STATEMENTS_MAX);
		must(r->size > 0 && r->blocks == (r->size - 1) / RELEASE_BLOCK + 1);
		must(r->terms.max_devices > 0 && r->terms.not_after > r->terms.not_before);
	}
	free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer w;
	writer_init(&w, 1u << 20);
	one_statement(view_of(data, size), &w);
	writer_reset(&w);
	one_record(view_of(data, size), &w);
	writer_free(&w);
	return 0;
}
