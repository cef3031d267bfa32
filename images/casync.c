/* SPDX-License-Identifier: Apache-2.0 */
#include "images/casync.h"

#include <inttypes.h>
#include <stdio.h>

#include "crypto/err.h"
#include "images/casync_index.h"

static void
malformed(void *arg, uint64_t at, const char *why)
{
	walk_raise(arg, FINDING_FMT_MALFORMED, &at, "index of casync: %s", why);
}

/* That it means something only with a base, or a store, is told of every delta. */
int
casync_walk(struct walk *w)
{
	struct casync_index x;
	char text[CONTENTS_VALUE_MAX];
	int err = casync_index_read(w->image, &(struct casync_teller){ .malformed = malformed, .arg = w }, &x);
	if (err)
		return err == FG_EFORMAT ? 0 : err;
	snprintf(text, sizeof text, "%s of %" PRIu64 " bytes in %" PRIu64 " chunks, kept elsewhere and named by their %s",
	    x.tree ? "a tree" : "a blob", x.size, x.chunks, x.alg == DIGEST_SHA512_256 ? "SHA-512/256" : "SHA-256");
	walk_fact(w, CONTENTS_FACT_REQUIRES, (struct walk_signed){ 0 }, view_str(text));
	return 0;
}
