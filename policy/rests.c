/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rests.h"

#include <string.h>

#include "policy/decide.h"

const struct rests_decision *
rests_on(const struct rests_decision *list, unsigned n, uint64_t index, const struct release *r)
{
	const struct rests_decision *latest = NULL;
	for (unsigned i = 0; i < n; i++) {
		const struct rests_decision *d = &list[i];
		if (d->named && d->index < index && (!latest || d->index > latest->index) &&
		    !memcmp(d->report, r->terms.report, sizeof d->report) && !memcmp(d->policy, r->terms.policy, sizeof d->policy))
			latest = d;
	}
	return latest;
}

const char *
rests_bad(const struct rests_decision *d)
{
	if (!d)
		return "no decision of the log before it is about its report and its policy";
	return strcmp(d->decision, decide_verdict_name(DECIDE_REVIEW)) != 0 ? "what was decided let nobody sign for it" : NULL;
}
