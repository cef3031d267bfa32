/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of names and digests that a policy is of, as control and the command line read it from files that
 * anybody may have changed. What is accepted writes itself back byte for byte, its digest is that text's, and no
 * name stands in it twice; two of them (a newline between) differ in what they are said to differ in, both ways.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/policy_bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
is_itself(const struct policy_bundle *b, struct view text)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	struct writer w;
	writer_init(&w, POLICY_BUNDLE_TEXT_MAX);
	must(policy_bundle_write(b, &w) == 0 && view_equal(writer_view(&w), text));
	must(digest_sha256(text, digest) == 0 && memcmp(digest, b->sha256, sizeof digest) == 0);
	for (size_t i = 0; i < b->n; i++) {
		must(policy_bundle_kind_name(b->at[i].kind)[0] != '\0');
		must(i == 0 || b->at[i].kind >= b->at[i - 1].kind);
		must(policy_bundle_find(b, b->at[i].kind, b->at[i].name) == &b->at[i]);
	}
	writer_free(&w);
}

/* A statement has its policies, in order, each once; what was there before is gone. */
static void
is_put(const struct policy_bundle *b)
{
	struct policyset *s = calloc(1, sizeof *s);
	must(s != NULL);
	s->n = 1;
	policy_bundle_put(b, s);
	must(s->n <= POLICYSET_PROFILES_MAX && memcmp(s->bundle, b->sha256, sizeof s->bundle) == 0 &&
	    memcmp(s->config, b->config, sizeof s->config) == 0);
	for (unsigned i = 0; i < s->n; i++)
		must(i == 0 || strcmp(s->profile[i - 1].name, s->profile[i].name) < 0);
	free(s);
}

struct counts {
	size_t of[POLICY_BUNDLE_GONE + 1];
};

static void
count(void *ctx, const struct policy_bundle_item *item, enum policy_bundle_change change)
{
	struct counts *n = ctx;
	must(item->kind && change >= POLICY_BUNDLE_NEW && change <= POLICY_BUNDLE_GONE);
	n->of[change]++;
}

static struct counts
compared(const struct policy_bundle *was, const struct policy_bundle *now)
{
	struct counts n = { { 0 } };
	policy_bundle_compare(was, now, count, &n);
	return n;
}

static void
differ_both_ways(const struct policy_bundle *a, const struct policy_bundle *b)
{
	struct counts there = compared(a, b), back = compared(b, a);
	must(there.of[POLICY_BUNDLE_NEW] == back.of[POLICY_BUNDLE_GONE] && there.of[POLICY_BUNDLE_GONE] == back.of[POLICY_BUNDLE_NEW] &&
	    there.of[POLICY_BUNDLE_CHANGED] == back.of[POLICY_BUNDLE_CHANGED]);
	must(a->n + there.of[POLICY_BUNDLE_NEW] == b->n + there.of[POLICY_BUNDLE_GONE]);
	/* Of one digest nothing is said to differ. */
	bool same = memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
	must(!same || !(there.of[POLICY_BUNDLE_NEW] + there.of[POLICY_BUNDLE_GONE] + there.of[POLICY_BUNDLE_CHANGED]));
}

static struct policy_bundle *
read_one(struct view text)
{
	struct policy_bundle *b = NULL;
	if (policy_bundle_read(text, &b)) {
		must(b == NULL);
		return NULL;
	}
	is_itself(b, text);
	is_put(b);
	differ_both_ways(b, b);
	return b;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t first = end ? (size_t)(end - data) : size;
	struct policy_bundle *a = read_one(view_of(data, first));
	struct policy_bundle *b = end ? read_one(view_of(end + 1, size - first - 1)) : NULL;
	if (a && b)
		differ_both_ways(a, b);
	policy_bundle_free(a);
	policy_bundle_free(b);
	return 0;
}
