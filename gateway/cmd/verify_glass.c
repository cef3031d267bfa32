/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_glass.h"

#include <string.h>

#include "crypto/approval_glass.h"
#include "crypto/err.h"
#include "crypto/hex.h"

bool
verify_glass_too_few(const struct genesis *g, const struct verify_release *r, uint64_t modules)
{
	if (!r->record->glass)
		return !genesis_permits(g, modules, r->record->statements_n, r->off_console);
	return approval_glass_outside(g, modules, r->released_before) || (modules > g->canary_max && !r->off_console);
}

bool
verify_glass_waited(const struct verify_release *r, int64_t t_us)
{
	return t_us >= r->t_us + (int64_t)r->record->glass * 1000000 - VERIFY_JUDGE_ON_ITS_WAY_US;
}

/* People in full number let that image go to so many, and have thereby looked at what one did with it before. */
static int
released(struct verify_judge *j, const struct verify_release *r)
{
	const struct genesis *g = &j->signers->genesis;
	const struct release *record = r->record;
	uint64_t most = 0;
	if (record->by_standing || !g->glass.delay)
		return FG_OK;
	if (j->owed && !memcmp(j->owed_image, record->terms.image, sizeof j->owed_image) && r->off_console &&
	    r->seen > j->owed_size &&
	    record->statements_n >= approval_review_quorum(g, j->owed_quorum))
		j->owed = false;
	if (verify_index_get(j->released, record->terms.image, &most) && most >= record->terms.max_devices)
		return FG_OK;
	return verify_index_put(j->released, record->terms.image, record->terms.max_devices);
}

int
verify_glass_release(struct verify_judge *j, struct verify_release *r)
{
	const struct genesis *g = &j->signers->genesis;
	const struct release *record = r->record;
	unsigned long long at = r->at;
	uint64_t most = 0;
	if (!record->glass)
		return released(j, r);
	if (verify_index_get(j->released, record->terms.image, &most))
		r->released_before = (uint32_t)most;
	const char *outside = approval_glass_outside(g, record->terms.max_devices, r->released_before);
	if (outside)
		verify_log_problem(j->l, "entry %llu: one person alone let it through: %s", at, outside);
	if (g->glass.delay && record->glass != g->glass.delay)
		verify_log_problem(j->l, "entry %llu: break-glass with another veto delay than that of genesis", at);
	if (j->owed)
		verify_log_problem(j->l, "entry %llu: break-glass before the after-review of the one before", at);
	if (!j->have_said || memcmp(j->said, r->id, sizeof j->said) != 0)
		verify_log_problem(j->l, "entry %llu: break-glass that was not announced right before", at);
	j->owed = true;
	j->owed_quorum = record->terms.quorum;
	j->owed_size = record->log_size;
	memcpy(j->owed_image, record->terms.image, sizeof j->owed_image);
	memcpy(j->owed_release, r->id, sizeof j->owed_release);
	return FG_OK;
}

void
verify_glass_said(struct verify_judge *j, const struct entry *e)
{
	static const char prefix[] = "release:";
	size_t n = sizeof prefix - 1;
	j->have_said = e->obj.n == n + (size_t)2 * RELEASE_ID && !memcmp(e->obj.p, prefix, n) &&
	    hex_decode(view_of(e->obj.p + n, (size_t)2 * RELEASE_ID), j->said, sizeof j->said);
}

int
verify_glass_reviewed(struct verify_judge *j, const struct verify_release *r, const struct entry *e, uint64_t at)
{
	bool enough = false;
	/* One that the log did not take, after it was noted as owed: what nobody got ends nothing by being looked at. */
	if (!r)
		return FG_OK;
	if (!r->record->glass) {
		verify_log_problem(j->l, "entry %llu: an after-review of what was no break-glass", (unsigned long long)at);
		return FG_OK;
	}
	uint32_t need = approval_review_quorum(&j->signers->genesis, r->record->terms.quorum);
	int err = verify_judge_reviewed(j, r, e, need, at, &enough);
	if (enough && j->owed && !memcmp(j->owed_release, r->id, sizeof r->id))
		j->owed = false;
	return err;
}
