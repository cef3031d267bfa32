/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/evidence.h"
#include "unit/policy/sample.h"

static struct config_problems problems;

struct world {
	struct config *c;
	struct report *r;
	struct evidence_update u;
	struct evidence e;
	uint8_t policy[DIGEST_SHA256_LEN];
};

static int
begin(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	if (!w || sample_parse(SAMPLE_MAIN "security_updates = ( { profile = \"acme-rtr\"; version = \"1.2\"; reason = \"CVE\"; } );\n",
	    SAMPLE_PROFILE, &w->c, &problems) || !(w->r = report_new(REPORT_WHOLE)))
		return -1;
	w->r->have_image = true;
	w->r->size = 1000;
	w->r->sha256[0] = 7;
	w->r->inputs.have_profile = true;
	w->policy[3] = w->r->inputs.profile_sha256[3] = 9;
	w->r->inputs.at = 1800000000;
	w->u = (struct evidence_update){ .product = "EC21E", .target = "1.3", .from = "1.1", .image = w->r->sha256,
		.policy = w->policy, .arrived = 1700000000 };
	*state = w;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;
	report_free(w->r);
	config_free(w->c);
	free(w);
	return 0;
}

static const struct evidence *
make(struct world *w)
{
	memset(&w->e, 0xa5, sizeof w->e);
	assert_int_equal(evidence_make(w->r, w->c, &w->c->profiles[0], &w->u, &w->e), 0);
	return &w->e;
}

static void
sign(struct world *w, enum sig_outcome outcome)
{
	struct sig_result *s = &w->r->signatures.result[w->r->signatures.n++];
	memset(s, 0, sizeof *s);
	s->outcome = outcome;
}

static void
a_report_without_anything(void **state)
{
	const struct evidence *e = make(*state);
	assert_true(e->decide.complete && e->decide.same_image && e->decide.same_policy);
	assert_int_equal(e->decide.class, DECIDE_CLASS_ACCEPTABLE);
	assert_int_equal(e->decide.signature, SIG_ABSENT);
	assert_int_equal(e->decide.unsigned_bytes, 1000);
	assert_int_equal(e->decide.judged_at, 1800000000);
	assert_null(e->decide.refused);
	assert_string_equal(e->rules.supplier, "acme");
	assert_string_equal(e->rules.word[0], "country:DE");
	assert_int_equal(e->rules.covered, 0);
	assert_int_equal(e->rules.explained, 0);
	assert_int_equal(e->rules.signer, RULES_SIGNER_UNKNOWN);
	assert_int_equal(e->rules.direction, RULES_UP);
	assert_int_equal(e->rules.delta, RULES_DELTA_NONE);
	assert_int_equal(e->rules.worst, RULES_NO_FINDING);
	assert_int_equal(e->rules.first_seen, 1700000000);
	assert_int_equal(e->rules.reach, RULES_REACH_NOBODY);
	assert_null(e->rules.security);
}

static void
of_other_bytes_or_another_policy(void **state)
{
	struct world *w = *state;
	static const uint8_t other[DIGEST_SHA256_LEN] = { 1 };
	w->u.image = other;
	w->u.policy = other;
	assert_false(make(w)->decide.same_image || w->e.decide.same_policy);
	w->u.image = w->u.policy = NULL;
	assert_false(make(w)->decide.same_image || w->e.decide.same_policy);
	w->r->have_image = false;
	assert_false(make(w)->decide.complete || w->e.rules.complete);
	assert_null(w->e.rules.format);
	assert_int_equal(w->e.rules.worst, RULES_BLOCK);
	assert_int_equal(w->e.rules.delta, RULES_DELTA_OPAQUE);
	assert_int_equal(w->e.decide.signature, SIG_UNKNOWN);
}

static void
a_bad_signature_spoils_the_rest(void **state)
{
	struct world *w = *state;
	sign(w, SIG_EXPIRED);
	assert_int_equal(make(w)->decide.signature, SIG_EXPIRED);
	sign(w, SIG_VERIFIED);
	assert_int_equal(make(w)->decide.signature, SIG_VERIFIED);
	sign(w, SIG_REVOKED);
	assert_int_equal(make(w)->decide.signature, SIG_REVOKED);
	/* Of something inside it: not the image's. */
	snprintf(w->r->signatures.result[2].where, sizeof w->r->signatures.result[2].where, "part");
	assert_int_equal(make(w)->rules.signature, SIG_VERIFIED);
}

static void
the_signer_by_its_findings(void **state)
{
	struct world *w = *state;
	w->r->inputs.have_history = true;
	assert_int_equal(make(w)->rules.signer, RULES_SIGNER_FIRST);
	w->r->inputs.history_n = 1;
	assert_int_equal(make(w)->rules.signer, RULES_SIGNER_UNKNOWN);
	sign(w, SIG_VERIFIED);
	assert_int_equal(make(w)->rules.signer, RULES_SIGNER_KEPT);
	report_raise(w->r, FINDING_CONT_WEAKER, FINDING_NONE, NULL, "x");
	assert_int_equal(make(w)->rules.signer, RULES_SIGNER_WEAKER);
	report_raise(w->r, FINDING_CONT_NEW_SIGNER, FINDING_NONE, NULL, "x");
	assert_int_equal(make(w)->rules.signer, RULES_SIGNER_NEW);
	report_raise(w->r, FINDING_CONT_COUNTER_BACK, FINDING_NONE, NULL, "x");
	assert_int_equal(make(w)->rules.signer, RULES_SIGNER_BACK);
	report_raise(w->r, FINDING_CONT_SIGNATURE_LOST, FINDING_NONE, NULL, "x");
	assert_int_equal(make(w)->rules.signer, RULES_SIGNER_UNKNOWN);
}

static void
the_way_is_the_worst_of_all_steps(void **state)
{
	struct world *w = *state;
	w->u.from = "1.4";
	assert_int_equal(make(w)->rules.direction, RULES_DOWN);
	w->u.from = "";
	assert_int_equal(make(w)->rules.direction, RULES_UP);
	w->u.scoped = true;
	w->u.versions[w->u.versions_n++] = "1.2";
	w->u.group[w->u.groups_n++] = "lab";
	assert_int_equal(make(w)->rules.direction, RULES_UP);
	assert_int_equal(w->e.rules.reach, RULES_REACH_NAMED);
	assert_string_equal(w->e.rules.group[0], "lab");
	w->u.versions[w->u.versions_n++] = "1.3";
	assert_int_equal(make(w)->rules.direction, RULES_SAME);
	w->u.versions[w->u.versions_n++] = "1.10";
	assert_int_equal(make(w)->rules.direction, RULES_DOWN);
	w->u.versions[w->u.versions_n++] = "x";
	assert_int_equal(make(w)->rules.direction, RULES_WAY_UNKNOWN);
	w->u.versions_n = 1;
	report_raise(w->r, FINDING_META_DOWNGRADE, FINDING_NONE, NULL, "x");
	assert_int_equal(make(w)->rules.direction, RULES_DOWN);
}

static void
findings_and_what_a_cut_report_hides(void **state)
{
	struct world *w = *state;
	report_raise(w->r, FINDING_SIG_ABSENT, FINDING_WARNING, NULL, "x");
	assert_true(make(w)->rules.finding[FINDING_SIG_ABSENT]);
	assert_int_equal(w->e.rules.worst, RULES_WARNING);
	assert_int_equal(w->e.decide.class, DECIDE_CLASS_REVIEW);
	assert_int_equal(w->e.decide.findings_n, 1);
	assert_false(w->e.rules.finding[FINDING_CHG_TEXT]);
	report_raise(w->r, FINDING_REPORT_CUT, FINDING_NONE, NULL, "x");
	assert_true(make(w)->rules.finding[FINDING_CHG_TEXT]);
	report_raise(w->r, FINDING_INSPECT_CRASHED, FINDING_NONE, NULL, "x");
	assert_false(make(w)->rules.complete);
	assert_int_equal(w->e.rules.worst, RULES_BLOCK);
}

static void
deltas_dates_and_marks(void **state)
{
	struct world *w = *state;
	w->r->have_delta = true;
	w->r->delta.result.outcome = DELTA_APPLIED;
	w->u.target = "1.2";
	assert_int_equal(make(w)->rules.delta, RULES_DELTA_RECONSTRUCTED);
	assert_string_equal(w->e.rules.security, "CVE");
	w->r->delta.result.outcome = 0;
	assert_int_equal(make(w)->rules.delta, RULES_DELTA_OPAQUE);
	w->r->have_delta = false;
	w->r->format = FORMAT_ANDROID_PAYLOAD;
	assert_true(make(w)->decide.whole);
	assert_int_equal(w->e.rules.delta, RULES_DELTA_NONE);
	report_raise(w->r, FINDING_FMT_DELTA, FINDING_NONE, NULL, "x");
	assert_false(make(w)->decide.whole);
	assert_int_equal(w->e.rules.delta, RULES_DELTA_OPAQUE);
	w->r->format = FORMAT_SWU; /* holds one, and is none */
	assert_true(make(w)->decide.whole);
	assert_int_equal(w->e.rules.delta, RULES_DELTA_OPAQUE);
	struct contents_fact *fact = &w->r->contents.fact[w->r->contents.facts_n++];
	fact->id = CONTENTS_FACT_TIMESTAMP;
	snprintf(fact->value, sizeof fact->value, "1600000000");
	assert_int_equal(make(w)->rules.vendor_date, 0);
	fact->sure = true;
	assert_int_equal(make(w)->rules.vendor_date, 1600000000);
}

/* A fixed check's no or not yet stands, and says why; what they let before people, a rule may deny. */
static void
the_fixed_checks_come_first(void **state)
{
	static const struct {
		enum decide_verdict fixed;
		enum rules_outcome rules;
		enum decide_verdict both;
		const char *says;
	} rows[] = {
		{ DECIDE_DENY, RULES_DENY, DECIDE_DENY, "of the checks" }, { DECIDE_DENY, RULES_HOLD, DECIDE_DENY, "of the checks" },
		{ DECIDE_HOLD, RULES_DENY, DECIDE_HOLD, "of the checks" }, { DECIDE_HOLD, RULES_HOLD, DECIDE_HOLD, "of the checks" },
		{ DECIDE_REVIEW, RULES_DENY, DECIDE_DENY, NULL }, { DECIDE_REVIEW, RULES_HOLD, DECIDE_REVIEW, NULL },
	};
	char says[RULES_SENTENCE_MAX], rule[RULES_SENTENCE_MAX];
	struct decide_result d = { .because[0] = { DECIDE_REFUSED, "of the checks" } };
	struct rules_result *r = calloc(1, sizeof *r);
	(void)state;
	assert_non_null(r);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		d.verdict = rows[i].fixed;
		d.reasons_n = rows[i].fixed != DECIDE_REVIEW;
		r->outcome = rows[i].rules;
		assert_int_equal(evidence_verdict(&d, r), rows[i].both);
		evidence_describe(&d, r, says);
		rules_describe(r, rule);
		assert_string_equal(says, rows[i].says ? rows[i].says : rule);
	}
	free(r);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_report_without_anything),
		T(of_other_bytes_or_another_policy),
		T(a_bad_signature_spoils_the_rest),
		T(the_signer_by_its_findings),
		T(the_way_is_the_worst_of_all_steps),
		T(findings_and_what_a_cut_report_hides),
		T(deltas_dates_and_marks),
		cmocka_unit_test(the_fixed_checks_come_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
