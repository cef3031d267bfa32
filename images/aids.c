/* SPDX-License-Identifier: Apache-2.0 */
#include "images/aids.h"

#include "crypto/err.h"
#include "crypto/reader.h"

#define MAGIC "FGA1"

void
aids_write(const struct aids *a, struct writer *w)
{
	writer_bytes(w, view_str(MAGIC));
	writer_blob(w, a->rules);
	writer_blob(w, a->own);
}

int
aids_read(struct view bytes, struct aids *ret)
{
	struct reader r;
	struct aids a;
	reader_init(&r, bytes);
	if (!view_equal(reader_take(&r, sizeof MAGIC - 1), view_str(MAGIC)))
		return FG_EFORMAT;
	a.rules = reader_blob(&r, AIDS_RULES_MAX);
	a.own = reader_blob(&r, AIDS_OWN_MAX);
	if (!reader_end(&r))
		return FG_EFORMAT;
	*ret = a;
	return 0;
}
