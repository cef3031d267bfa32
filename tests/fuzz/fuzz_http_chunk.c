/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunked bodies: every cut gives the same data, the same end and the same
 * fault, no byte outside the input is handed out, and never more than allowed.
 */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/net/http_chunk.h"

#define MAX 512u /* small, so that inputs reach it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	enum http_chunk_step step;
	enum http_fault fault;
	size_t used, n;
	uint8_t data[MAX];
};

static void
decode(const uint8_t *bytes, size_t size, size_t piece, struct result *r)
{
	struct http_chunk k = { 0 };
	*r = (struct result){ .step = HTTP_CHUNK_MORE };
	while (r->step == HTTP_CHUNK_MORE && r->used < size) {
		size_t have = size - r->used < piece ? size - r->used : piece;
		struct view in = view_of(bytes + r->used, have), data;
		while ((r->step = http_chunk_next(&k, &in, MAX, &data, &r->fault)) == HTTP_CHUNK_DATA) {
			if (data.n == 0 || data.n > MAX - r->n || data.p < bytes || data.p + data.n > bytes + size)
				abort();
			memcpy(r->data + r->n, data.p, data.n);
			r->n += data.n;
		}
		r->used += have - in.n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct result whole, cut;
	decode(data, size, size ? size : 1, &whole);
	for (size_t piece = 1; piece < 8; piece += 2) {
		decode(data, size, piece, &cut);
		if (cut.step != whole.step || cut.fault != whole.fault || cut.used != whole.used ||
		    cut.n != whole.n || memcmp(cut.data, whole.data, whole.n))
			abort();
	}
	if (whole.step == HTTP_CHUNK_BAD && http_head_fault_status(whole.fault) != 400)
		abort();
	return 0;
}
