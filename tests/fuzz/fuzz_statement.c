/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people and the warden sign: genesis, signer sets, policies, approvals, release
 * records. The warden and fotagate-verify read them from whoever hands them in,
 * and their digests are names: what is accepted has exactly one spelling.
 */
#include <stdlib.h>

#include "crypto/genesis.h"
#include "crypto/release.h"

#define NOW INT64_C(1767225600) /* 2026-01-01 */
#define WHY_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All are too large for a stack that ASan widens. */
struct papers {
	struct genesis genesis;
	struct signers set;
	struct policyset policy;
	struct approval approval;
	struct release release;
	char why[WHY_MAX];
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
comes_back(int err, struct writer *w, struct view in)
{
	must(err == 0 && view_equal(writer_view(w), in));
	writer_reset(w);
}

static void
genesis(struct papers *p, struct view in, struct writer *w)
{
	if (genesis_parse(in, &p->genesis, p->why, sizeof p->why)) {
		must(p->why[0] != '\0');
		return;
	}
	comes_back(genesis_encode(&p->genesis, w), w, in);
	must(p->genesis.floor_canary > 0 && p->genesis.floor_production > 0);
	must(signers_persons(&p->genesis.set) >= p->genesis.set.threshold);
	/* Nobody signed: no set may be content with that. */
	must(genesis_check(&p->genesis, in, NULL, 0, NOW, p->why, sizeof p->why) != 0);
	must(signers_allowed(&p->genesis.set, SIGNERS_NAMESPACE, w) == 0);
	writer_reset(w);
}

static void
set(struct papers *p, struct view in, struct writer *w)
{
	if (signers_parse(in, "fuzz.invalid/log", &p->set, p->why, sizeof p->why) == 0)
		comes_back(signers_encode(&p->set, "fuzz.invalid/log", w), w, in);
}

static void
policy(struct papers *p, struct view in, struct writer *w)
{
	if (policyset_parse(in, "fuzz.invalid/log", &p->policy, p->why, sizeof p->why)) {
		must(p->why[0] != '\0');
		return;
	}
	comes_back(policyset_encode(&p->policy, "fuzz.invalid/log", w), w, in);
	must(p->policy.number > 0);
}

static void
approval(struct papers *p, struct view in, struct writer *w)
{
	uint8_t key[DIGEST_SHA256_LEN];
	if (approval_parse(in, &p->approval, p->why, sizeof p->why)) {
		must(p->why[0] != '\0');
		return;
	}
	comes_back(approval_encode(&p->approval, w, p->why, sizeof p->why), w, in);
	must(approval_key(&p->approval.terms, key) == 0);
	must(!approval_terms_differ(&p->approval.terms, &p->approval.terms));
	/* A restriction later than what was seen always wins. */
	must(approval_check_time(&p->approval, NOW, UINT64_MAX, p->why, sizeof p->why) != 0);
}

static void
release(struct papers *p, struct view in, struct writer *w)
{
	if (release_parse(in, &p->release, p->why, sizeof p->why)) {
		must(p->why[0] != '\0');
		return;
	}
	comes_back(release_encode(&p->release, w), w, in);
	must(p->release.quorum > 0 && p->release.block_size > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size);
	struct papers *p = calloc(1, sizeof *p);
	struct writer w;
	must(p != NULL);
	writer_init(&w, 1u << 20);
	genesis(p, in, &w);
	p->why[0] = '\0';
	set(p, in, &w);
	p->why[0] = '\0';
	policy(p, in, &w);
	p->why[0] = '\0';
	approval(p, in, &w);
	p->why[0] = '\0';
	release(p, in, &w);
	writer_free(&w);
	free(p);
	return 0;
}
