/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a bundle of TUF metadata beside an image, for one repository or for
 * two, and as metadata itself. What the bundle's own roots are is pinned, so that
 * all of the way is gone; whatever comes of it leaves a report that its reader
 * takes, and nothing is verified that nobody pinned.
 */
#include "fuzz/walk_fuzz.h"

#include "images/inspect.h"
#include "images/trustset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The seeds' image: tests/vectors/tuf-seeds.py. */
static const char image[] = "fuzzed firmware\n";

/* Every text in the bytes that may be a root, pinned under name. */
static void
pin(struct writer *w, struct view bytes, const char *name)
{
	static const char end[] = "\n}";
	for (size_t at = 0; at < bytes.n;) {
		const uint8_t *from = memchr(bytes.p + at, '{', bytes.n - at);
		const uint8_t *to = from ? memmem(from, bytes.n - (size_t)(from - bytes.p), end, sizeof end - 1) : NULL;
		char text[200];
		if (!to)
			return;
		struct view root = view_of(from, (size_t)(to - from) + sizeof end - 1);
		struct trust *t = trust_new();
		if (t && trust_add_pem(t, name, root, TRUST_SCHEME_NONE, text, sizeof text) == 0)
			trustset_add(w, name, TRUST_SCHEME_NONE, root);
		trust_free(t);
		at = (size_t)(to - bytes.p) + sizeof end - 1;
	}
}

static void
judge(struct view bundle, struct view trust, enum inspect_scheme scheme)
{
	struct inspect_job job = { 0 };
	struct source s, sig;
	struct report *r = report_new(REPORT_KIND_NONE), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	inspect_defaults(&job);
	source_memory(&s, view_str(image));
	source_memory(&sig, bundle);
	job.image = &s;
	job.signature = &sig;
	job.have_trust = trust.n > 0;
	job.trust = trust;
	job.at = INT64_C(1767225600);
	job.scheme = scheme;
	if (!r || !back || inspect_verify(&job, r))
		abort();
	for (unsigned i = 0; i < r->signatures.n; i++)
		if (r->signatures.result[i].outcome == SIG_UNKNOWN ||
		    (r->signatures.result[i].outcome == SIG_VERIFIED && trust.n == 0))
			abort();
	writer_init(&w, REPORT_MAX);
	if (report_encode(r, REPORT_MAX, &w) || report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		abort();
	writer_free(&w);
	report_free(r);
	report_free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view bytes = view_of(data, size), nobody = { NULL, 0 };
	struct writer w;
	bool two = memmem(data, size, "director/", 9) != NULL;
	writer_init(&w, TRUSTSET_MAX);
	walk_fuzz(FORMAT_TUF, data, size);
	judge(bytes, nobody, two ? INSPECT_UPTANE : INSPECT_TUF);
	trustset_begin(&w);
	pin(&w, bytes, "root");
	if (two)
		pin(&w, bytes, "director");
	trustset_end(&w);
	if (writer_err(&w) == 0)
		judge(bytes, writer_view(&w), two ? INSPECT_UPTANE : INSPECT_TUF);
	writer_free(&w);
	return 0;
}
