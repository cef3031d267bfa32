/* SPDX-License-Identifier: Apache-2.0 */
#include "images/report_terms.h"

#include <string.h>

_Static_assert(APPROVAL_APPLIER_MAX == DELTA_APPLIER_MAX, "a statement has room for the name of an applier");

void
report_terms_delta(const struct report *r, struct approval_delta *ret)
{
	const struct report_delta *d = &r->delta;
	*ret = (struct approval_delta){ .made = APPROVAL_MADE_WHOLE };
	if (!r->have_delta && !report_is_delta(r))
		return;
	ret->made = APPROVAL_MADE_UNSEEN;
	if (!r->have_delta || d->result.outcome != DELTA_APPLIED || !d->have_target)
		return;
	ret->made = report_delta_proved(r) ? APPROVAL_MADE_PROVED : APPROVAL_MADE_RECONSTRUCTED;
	memcpy(ret->applier, d->result.applier, sizeof ret->applier);
	memcpy(ret->base, d->base_sha256, sizeof ret->base);
	memcpy(ret->target, d->result.target_sha256, sizeof ret->target);
}
