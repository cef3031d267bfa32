/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/control_private.h"
#include "gateway/control/decisions.h"
#include "gateway/control/reviews_private.h"
#include "gateway/control/rivals.h"
#include "policy/scope.h"

#define META_WITHHELD "withheld:" /* and the release; "1" while the log has it so */

struct verdict {
	bool waits;      /* the decision hook has yet to say: what is offered stays so, and what is withheld */
	bool have_hook;  /* its kept answer */
	uint8_t hook[DIGEST_SHA256_LEN];
	char rule[PROFILE_WORD_MAX + 1]; /* "" : the fixed checks, or nothing could be told */
	char why[STANDING_WHY_MAX];
};

static void
meta_key(const uint8_t id[RELEASE_ID], char key[sizeof META_WITHHELD + 2 * RELEASE_ID])
{
	memcpy(key, META_WITHHELD, sizeof META_WITHHELD);
	hex_encode(id, RELEASE_ID, key + strlen(META_WITHHELD));
}

/* Whether the log has it withheld. Where that cannot be told it may: what ends that is logged. */
static bool
is_marked(struct control *c, const uint8_t id[RELEASE_ID])
{
	char key[sizeof META_WITHHELD + 2 * RELEASE_ID], value[DB_META_VALUE_MAX] = "";
	meta_key(id, key);
	int err = db_meta_get(c->db, key, value, sizeof value);
	return err == FG_OK ? value[0] == '1' : err != FG_ENOTFOUND;
}

static void
mark(struct control *c, const uint8_t id[RELEASE_ID], bool withheld)
{
	char key[sizeof META_WITHHELD + 2 * RELEASE_ID];
	meta_key(id, key);
	if (db_meta_set(c->db, key, withheld ? "1" : ""))
		oplog(OPLOG_WARNING, "whether a release is withheld could not be kept: %s", db_why(c->db));
}

static struct msg_append *
entry(enum entry_event event, const uint8_t id[RELEASE_ID], const struct release *record)
{
	char obj[2 * RELEASE_ID + 16] = "release:";
	hex_encode(id, RELEASE_ID, obj + strlen(obj));
	struct msg_append *e = logbook_entry(event, "ok", "control", obj);
	logbook_ref_sha256(e, "image", record->terms.image);
	logbook_ref(e, "profile", record->terms.profile);
	logbook_ref(e, "review", record->terms.review);
	return e;
}

/* ---- judging ---- */

/* What rules say of a release as it was signed. */
static bool
rules_let(struct control *c, const struct db_candidate *cand, const struct report *r, const struct policy *p,
    const struct release *record, struct verdict *v)
{
	const struct genesis *g = people_genesis(c->people);
	const struct approval_terms *t = &record->terms;
	uint32_t modules = releases_modules_with(c->releases, t->image, &t->delta, t->max_devices, true);
	struct rules_result *rules = calloc(1, sizeof *rules);
	struct db_scope *scope = calloc(1, sizeof *scope);
	char said[RULES_SENTENCE_MAX];
	bool good = false;
	if (rules && scope && reviews_scope(t, scope) == FG_OK &&
	    decisions_rules(c, cand, r, p, scope, rules) == FG_OK) {
		if (v->waits) {
			/* What nobody signed for waits for it; what people signed was let through without that program. */
			rules->hook_holds = record->by_standing;
			rules->hook_never = false;
		}
		uint32_t need = rules_quorum(rules, scope_kind_of(modules, g->canary_max), p->profile, genesis_floor(g, modules));
		rules_describe(rules, said);
		/* What nobody signed for has to be let through without anybody by this policy, too. */
		good = need <= record->statements_n && (!record->by_standing || rules_automatic(rules));
		snprintf(v->rule, sizeof v->rule, "%s", rules_decider(rules));
		if (!good && need <= record->statements_n && rules->outcome != RULES_DENY)
			snprintf(v->why, sizeof v->why, "%s: persons have to sign, and nobody signed for it", said);
		else if (!good && rules->outcome != RULES_DENY)
			snprintf(v->why, sizeof v->why, "%s: %u have to sign, %u did", said, need, record->statements_n);
		else if (!good)
			snprintf(v->why, sizeof v->why, "%s", said);
	}
	free(scope);
	free(rules);
	return good;
}

static bool
policy_lets(struct control *c, const struct policy *p, const struct release *record, struct verdict *v)
{
	struct db_candidate *cand = calloc(1, sizeof *cand);
	struct decide_result *d = calloc(1, sizeof *d);
	struct report *r = NULL;
	struct hook_said *said = calloc(1, sizeof *said);
	uint64_t number;
	bool good = cand && d && said && db_candidate_review_parse(view_str(record->terms.review), &number) &&
	    db_candidate_get(c->db, number, cand) == FG_OK && decisions_report(c, record->terms.report, &r) == FG_OK &&
	    decisions_make(c, cand, r, p, d) == FG_OK;
	snprintf(v->why, sizeof v->why, "its report cannot be judged by the policy that is in force now");
	if (good) {
		hooks_said(c, cand, said);
		v->waits = said->state == HOOK_UNANSWERED;
		v->have_hook = said->state == HOOK_ANSWERED;
		memcpy(v->hook, cand->hook, sizeof v->hook);
	}
	/* What only holds an image back (an old report, another policy) is about reviews, not about what was signed. */
	if (good && d->verdict == DECIDE_DENY) {
		snprintf(v->why, sizeof v->why, "%s", d->because[0].sentence);
		good = false;
	} else if (good) {
		good = rules_let(c, cand, r, p, record, v);
	}
	report_free(r);
	free(said);
	free(d);
	free(cand);
	return good;
}

static bool
passes(struct control *c, const struct release *record, struct verdict *v)
{
	const struct policy *p = policies_find(c->policies, record->terms.profile);
	*v = (struct verdict){ .rule = "" };
	if (rivals_freeze(c, record, v->why, sizeof v->why))
		return false;
	/* Without a profile no request matches it. What was signed under this very policy was judged by it. */
	return !p || !memcmp(p->digest, record->terms.policy, sizeof p->digest) || policy_lets(c, p, record, v);
}

/* Whether anybody refuses it; false: nobody can say that now. */
static bool
is_told(struct control *c, const struct release *record, bool *ret_refused, struct verdict *v)
{
	_Static_assert(STANDING_WHY_MAX >= REFUSALS_SENTENCE_MAX, "says why");
	v->rule[0] = '\0';
	return refusals_meets_release(c->refusals, &record->terms, ret_refused, v->why) == FG_OK;
}

/* ---- withholding, and its end ---- */

static void
withhold(struct control *c, const uint8_t id[RELEASE_ID], const struct release *record, const struct verdict *v)
{
	releases_withhold(c->releases, id, v->why);
	oplog(OPLOG_WARNING, "a release of %s is withheld: %s", record->terms.review, v->why);
	if (is_marked(c, id))
		return; /* at an earlier start */
	struct msg_append *e = entry(ENTRY_RELEASE_WITHHELD, id, record);
	if (v->rule[0])
		logbook_ref(e, "rule", v->rule);
	if (v->have_hook)
		logbook_ref_sha256(e, "hook.answer", v->hook);
	logbook_say(e, "%s", v->why);
	logbook_tell(c->logbook, e);
	mark(c, id, true);
}

void
standing_withhold(struct control *c, const uint8_t id[RELEASE_ID], const char *why)
{
	const struct release *record = releases_record(c->releases, id);
	struct verdict v = { .rule = "" };
	if (!record || releases_withheld(c->releases, id))
		return;
	snprintf(v.why, sizeof v.why, "%s", why);
	withhold(c, id, record, &v);
}

struct lifting { /* waits for its entry */
	struct control *c;
	uint8_t id[RELEASE_ID];
};

static void
on_logged(void *ctx, int err, uint64_t index)
{
	struct lifting *l = ctx;
	struct control *c = l->c;
	const struct release *record = releases_record(c->releases, l->id);
	struct verdict v;
	bool refused;
	(void)index;
	if (!err && record) {
		mark(c, l->id, false);
		if (passes(c, record, &v) && is_told(c, record, &refused, &v) && !refused)
			releases_withhold(c->releases, l->id, NULL);
		else /* the policy changed again, or who refuses it: the log has it as offered */
			standing_review(c);
	}
	free(l);
}

static void
lift(struct control *c, const struct tables_release *t)
{
	struct lifting *l = calloc(1, sizeof *l);
	struct msg_append *e = l ? entry(ENTRY_RELEASE_OFFERED, t->id, t->record) : NULL;
	int err = e ? FG_OK : FG_ENOMEM;
	if (!err) {
		*l = (struct lifting){ .c = c };
		memcpy(l->id, t->id, sizeof l->id);
		logbook_say(e, "nothing withholds it any more");
		err = logbook_append(c->logbook, e, on_logged, l);
	}
	free(e);
	if (err)
		free(l); /* the log is away: the next minute comes by */
}

bool
standing_may_offer(struct control *c, const uint8_t id[RELEASE_ID], const struct release *record,
    char why[STANDING_WHY_MAX])
{
	struct verdict v;
	bool good = passes(c, record, &v);
	if (good && !is_marked(c, id))
		return true;
	snprintf(why, STANDING_WHY_MAX, "%s",
	    good ? "it may have been withheld, and the log has yet to say that it is no more" : v.why);
	return false;
}

void
standing_review(struct control *c)
{
	size_t n;
	const struct tables_release *list = releases_all(c->releases, &n);
	while (n-- > 0) { /* the last takes the place of one that is dropped */
		const struct tables_release *t = &list[n];
		struct verdict v;
		bool refused = false, good = passes(c, t->record, &v);
		/* What is offered was looked at when the refusal came. */
		if (good && t->withheld)
			good = is_told(c, t->record, &refused, &v);
		if (refused)
			releases_revoke(c->releases, t->id, "control", v.why, NULL);
		else if (!good && (!t->withheld || !is_marked(c, t->id)))
			withhold(c, t->id, t->record, &v);
		else if (good && t->withheld && !v.waits)
			lift(c, t);
	}
}
