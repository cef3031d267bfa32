/* SPDX-License-Identifier: Apache-2.0 */
/* Entries for the tests of the views: a friendly one, a hostile one, and a line of nobody's. */
#ifndef FG_TESTS_VIEW_RIG_H
#define FG_TESTS_VIEW_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/view/record.h"

#define IMAGE "1111111111111111111111111111111111111111111111111111111111111111"

#define FRIENDLY \
	"{\"v\":1,\"seq\":41234,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"ntp\",\"src\":\"gw-7f3a/control\"," \
	"\"cat\":\"approval\",\"ev\":\"approval.signed\",\"sev\":5,\"out\":\"ok\",\"act\":\"alice@fleet.example\"," \
	"\"obj\":\"R-12\",\"dev\":\"ab010000000000000000000000000000\",\"ref\":{\"image\":\"sha256:" IMAGE "\",\"size\":12}," \
	"\"doc\":\"{}\",\"msg\":\"tested on two boards\"}"

/* Everything that means something to one of the formats, in every field it can stand in. */
#define BAD "a]b\\\\c\\\"d=e|f [x@1 y=\\\"z\\\"] k=v <13>1"
#define HOSTILE \
	"{\"v\":1,\"seq\":7,\"t\":\"2026-01-01T00:00:00.000123Z\",\"clk\":\"free\",\"src\":\"gw 1]/r o\"," \
	"\"cat\":\"x y\",\"ev\":\"new event|of=later] versions and far too long\",\"sev\":0,\"out\":\"" BAD "\"," \
	"\"act\":\"" BAD "\",\"obj\":\"" BAD "\",\"ref\":{\"a.b\":\"" BAD "\"},\"msg\":\"" BAD "\"}"
#define BAD_TEXT "a]b\\c\"d=e|f [x@1 y=\"z\"] k=v <13>1"

#define NOBODYS "\x80 no entry\r\nof ours"

struct view_rig {
	struct merkle *m;
	struct record r;
	struct writer w;
	char leaf[2 * MERKLE_HASH_LEN + 1];
};

static inline void
view_rig_start(struct view_rig *v, uint64_t index, const char *line)
{
	*v = (struct view_rig){ .m = merkle_new() };
	writer_init(&v->w, 1u << 20);
	assert_non_null(v->m);
	assert_int_equal(record_read(v->m, index, view_str(line), &v->r), 0);
	for (size_t i = 0; i < MERKLE_HASH_LEN; i++)
		snprintf(v->leaf + 2 * i, 3, "%02x", v->r.leaf[i]);
}

static inline void
view_rig_end(struct view_rig *v)
{
	record_free(&v->r);
	writer_free(&v->w);
	merkle_free(v->m);
}

/* What was written: the leaf hash between two texts. */
static inline void
view_rig_expect(struct view_rig *v, const char *before, const char *after)
{
	struct writer want;
	writer_init(&want, 1u << 20);
	writer_text(&want, before);
	writer_text(&want, v->leaf);
	writer_text(&want, after);
	if (!view_equal(writer_view(&want), writer_view(&v->w)))
		fail_msg("\n%.*s\nnot\n%.*s", (int)v->w.n, (const char *)v->w.p, (int)want.n, (const char *)want.p);
	writer_free(&want);
}

#endif
