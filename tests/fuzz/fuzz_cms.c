/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cms - any bytes as a detached signature over a fixed content, and as an
 * attached object, judged under a fixed trust set. Beyond not crashing: whatever
 * is called verified names a key, an anchor and a strong digest, and every text
 * that would reach a report is plain ASCII.
 */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/cms.h"

#define NOW INT64_C(1767225600) /* 2026-01-01, as in tests/vectors/pki.sh */

static const char trust_pem[] =
#include "fuzz_cms_trust.inc"
    ;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What may stand in a report. */
static bool
is_ascii(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

static const struct trust_policy policy = {
	.purpose = TRUST_PURPOSE_FIRMWARE,
	.allow_leaf_anchor = true,
};

static struct trust *
trust_set(void)
{
	static struct trust *t;
	char why[SIG_TEXT_MAX];
	if (!t) {
		t = trust_new();
		if (!t ||
		    trust_add_pem(
			t, "fuzz", view_str(trust_pem), TRUST_SCHEME_NONE, why, sizeof why))
			abort();
	}
	return t;
}

static void
check(const struct sig_result *r)
{
	if (r->outcome == SIG_UNKNOWN)
		abort();
	if (r->outcome == SIG_VERIFIED &&
	    (!r->signer.have_spki || r->signer.anchor[0] == '\0' || !digest_is_strong(r->digest)))
		abort();
	if (!is_ascii(r->detail) || !is_ascii(r->signer.subject) || !is_ascii(r->signer.issuer))
		abort();
}

static void
judge(struct view der, bool detached)
{
	char why[SIG_TEXT_MAX] = "";
	uint8_t digests[CMS_DIGESTS_MAX][DIGEST_LEN_MAX];
	enum digest_alg alg[CMS_DIGESTS_MAX];
	struct view content = view_str("fotagate fuzz\n");
	struct cms *c = NULL;
	struct sig_set set;

	if (cms_open(der, detached, &c, why, sizeof why)) {
		if (why[0] == '\0' || !is_ascii(why))
			abort();
		return;
	}
	if (detached)
		cms_content_head(c, content);
	else
		content = cms_content(c);
	struct sig_range range = cms_content_range(c);
	if (range.offset > der.n || range.length > der.n - range.offset)
		abort();
	unsigned n = cms_digests(c, alg);
	for (unsigned i = 0; i < n; i++)
		if (digest_bytes(alg[i], content, digests[i]))
			abort();
	if (cms_judge(c, trust_set(), &policy, NOW, (const uint8_t(*)[DIGEST_LEN_MAX])digests,
		&range, 1, &set))
		abort();
	if (set.n == 0)
		abort();
	for (unsigned i = 0; i < set.n; i++)
		check(&set.result[i]);
	cms_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	judge(view_of(data, size), true);
	judge(view_of(data, size), false);
	return 0;
}
