/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole engine without TLS, in both modes: an input gives the same answers
 * however it is cut, whether its owner answers at once or later, and behind
 * another request; no connection hangs.
 */
#include "unit/gateway/net_cuts.h"

#define INPUT_MAX 8192u
#define BEFORE                                                                                     \
	"POST /before HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"  \
	"3\r\nabc\r\n0\r\n\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
seed_of(const uint8_t *data, size_t size)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * UINT64_C(1099511628211);
	return h;
}

static bool
ends_with(const struct cuts_text *t, const struct cuts_text *end)
{
	return t->n >= end->n && (end->n == 0 || !memcmp(t->p + t->n - end->n, end->p, end->n));
}

static void
in_mode(struct cuts *c, enum http_mode mode, const uint8_t *data, size_t size)
{
	static struct cuts_text seen, back;
	static uint8_t behind[sizeof BEFORE + INPUT_MAX];
	struct cutter whole = { cut_nowhere, 0 }, random = { cut_anywhere, seed_of(data, size) };
	cuts_run(c, mode, data, size, &whole, false);
	seen.n = back.n = 0;
	cuts_add(&seen, c->seen.p, c->seen.n);
	cuts_add(&back, c->back.p, c->back.n);
	cuts_run(c, mode, data, size, &random, true);
	if (!cuts_same(&c->seen, &seen) || !cuts_same(&c->back, &back))
		abort();
	memcpy(behind, BEFORE, sizeof BEFORE - 1);
	memcpy(behind + sizeof BEFORE - 1, data, size);
	cuts_run(c, mode, behind, sizeof BEFORE - 1 + size, &random, false);
	if (!ends_with(&c->seen, &seen) || !ends_with(&c->back, &back))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cuts c;
	static const uint8_t none[1];
	if (!c.net)
		cuts_open(&c);
	if (size > INPUT_MAX)
		return 0;
	in_mode(&c, HTTP_STRICT, size ? data : none, size);
	in_mode(&c, HTTP_LENIENT, size ? data : none, size);
	return 0;
}
