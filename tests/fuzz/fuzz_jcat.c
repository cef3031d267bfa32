/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jcat files, alone and beside an image. What is no gzip stream is packed into one,
 * so that the text inside is searched too and not only its checksum. Whatever comes
 * of it leaves a report that its reader takes, and nobody trusted signed anything.
 */
#include "fuzz/walk_fuzz.h"

#include <zlib.h>

#include "images/inspect.h"

#define TEXT_MAX (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* That of which the seeds are. */
static const char image[] = "fuzzed firmware\n";

static void
judge(struct view beside)
{
	struct inspect_job job = { 0 };
	struct source s, sig;
	struct report *r = report_new(REPORT_KIND_NONE), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	inspect_defaults(&job);
	source_memory(&s, view_str(image));
	source_memory(&sig, beside);
	job.image = &s;
	job.signature = &sig;
	job.at = INT64_C(1767225600);
	job.scheme = INSPECT_JCAT;
	if (!r || !back || inspect_verify(&job, r) || r->signatures.n == 0)
		abort();
	for (unsigned i = 0; i < r->signatures.n; i++)
		if (r->signatures.result[i].outcome == SIG_UNKNOWN || r->signatures.result[i].outcome == SIG_VERIFIED)
			abort();
	writer_init(&w, REPORT_MAX);
	if (report_encode(r, REPORT_MAX, &w) || report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		abort();
	writer_free(&w);
	report_free(r);
	report_free(back);
}

/* As it is, in a stream whose checksum is right. */
static void
judge_text(struct view text)
{
	static uint8_t packed[TEXT_MAX + 1024];
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)text.p, .avail_in = (uInt)text.n, .next_out = packed,
		.avail_out = sizeof packed };
	if (deflateInit2(&z, 0, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	judge(view_of(packed, z.total_out));
	deflateEnd(&z);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	walk_fuzz(FORMAT_JCAT, data, size);
	if (size > TEXT_MAX || (size > 1 && data[0] == 0x1f && data[1] == 0x8b))
		judge(view_of(data, size));
	else
		judge_text(view_of(data, size));
	return 0;
}
