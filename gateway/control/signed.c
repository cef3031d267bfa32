/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/control/control_private.h"
#include "gateway/control/reviews_private.h"

bool
signed_put(struct signed_list *l, unsigned most, const char *approver, const uint8_t statement[DIGEST_SHA256_LEN])
{
	unsigned i = 0;
	while (i < l->n && strcmp(l->approver[i], approver) != 0)
		i++;
	if (i >= most || i >= SIGNED_MAX)
		return false;
	memcpy(l->statement[i], statement, DIGEST_SHA256_LEN);
	snprintf(l->approver[i], sizeof l->approver[i], "%s", approver);
	if (i == l->n)
		l->n++;
	return true;
}

/* Its bytes as well, appended to w. */
static int
read_text(struct control *c, const uint8_t statement[DIGEST_SHA256_LEN], struct approval *ret, struct writer *w)
{
	char why[160];
	int err = files_doc_get(c->files, FILES_STATEMENT, statement, w);
	return err ? err : approval_parse(writer_view(w), ret, why, sizeof why);
}

int
signed_read(struct control *c, const uint8_t statement[DIGEST_SHA256_LEN], struct approval *ret)
{
	struct writer w;
	writer_init(&w, APPROVAL_BYTES_MAX);
	int err = read_text(c, statement, ret, &w);
	writer_free(&w);
	return err;
}

int
signed_count(struct control *c, struct signed_list *l, bool (*counts)(void *ctx, const struct approval *a), void *ctx)
{
	struct approval *a = calloc(1, sizeof *a);
	unsigned kept = 0;
	if (!a)
		return FG_ENOMEM;
	for (unsigned i = 0; i < l->n; i++) {
		struct writer w;
		writer_init(&w, APPROVAL_BYTES_MAX);
		bool good = read_text(c, l->statement[i], a, &w) == FG_OK && counts(ctx, a) &&
		    reviews_still_signed(c, a, l->statement[i], writer_view(&w));
		writer_free(&w);
		if (!good)
			continue;
		memmove(l->statement[kept], l->statement[i], sizeof l->statement[i]);
		snprintf(l->approver[kept++], sizeof l->approver[0], "%s", a->approver);
	}
	l->n = kept;
	free(a);
	return FG_OK;
}
