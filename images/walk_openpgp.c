/* SPDX-License-Identifier: Apache-2.0 */
/* walk_openpgp - detached OpenPGP signatures over a span. */
#include "images/walk.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/openpgp.h"
#include "images/walk_internal.h"

/* Into a set of its own, then what there is room for; *ret_whole: that was all. */
static int
judge(struct walk *w, const char *scheme, const struct openpgp *o, const struct walk_span *span,
    struct walk_signed *ret, bool *ret_whole)
{
	struct digest *running[DIGEST_LIMIT] = { NULL };
	enum digest_alg algs[DIGEST_LIMIT];
	struct sig_set *set = calloc(1, sizeof *set);
	unsigned n = openpgp_digests(o, algs);
	int err = set ? 0 : FG_ENOMEM;
	for (unsigned i = 0; i < n && !err; i++)
		err = walk_running(w, span, algs[i], &running[algs[i]]);
	if (!err)
		err = openpgp_judge(o, w->room->trust, w->room->policy->rsa_bits_min, w->room->at, running, set);
	for (unsigned i = 0; i < n; i++)
		digest_free(running[algs[i]]);
	for (unsigned i = 0; !err && i < set->n; i++) {
		struct walk_signed one;
		struct sig_result *s = walk_place(w, &one), *is = &set->result[i];
		if (!s)
			break;
		memcpy(is->where, s->where, sizeof is->where);
		snprintf(is->scheme, sizeof is->scheme, "%s", scheme);
		walk_place_covers(w, span, is);
		*s = *is;
		ret->n++;
	}
	*ret_whole = !err && !set->overflow && ret->n == set->n;
	if (!err && set->overflow)
		w->room->r->signatures.overflow = true;
	free(set);
	return err;
}

int
walk_openpgp(struct walk *w, const char *scheme, struct view sig, const struct walk_span *span,
    struct walk_signed *ret, bool *ret_closed)
{
	char why[SIG_TEXT_MAX];
	struct openpgp *o = NULL;
	struct walk_signed by = { .first = walk_mark(w) };
	bool whole = false, closed = false;
	int err = openpgp_open(sig, &o, why, sizeof why);
	if (err == FG_EFORMAT) {
		walk_settle(w, scheme, SIG_INVALID, "%s", why);
		err = 0;
	} else if (!err) {
		err = judge(w, scheme, o, span, &by, &whole);
		closed = !err && whole && openpgp_is_closed(o) && walk_all_verified(w, by);
		if (!err && !openpgp_is_lean(o))
			walk_raise(w, FINDING_FMT_UNKNOWN_PART, NULL,
			    "%s: armour headers, markers or subpackets that nobody signed and that it has no need of",
			    scheme);
	}
	openpgp_free(o);
	if (!err)
		*ret = by;
	if (ret_closed)
		*ret_closed = closed;
	return err;
}
