/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused with a review, and what becomes of releases of which it cannot be told who signed them. */
#include "gateway/control/refusals.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/control/decisions.h"
#include "gateway/control/recount_private.h"
#include "gateway/control/standing.h"
#include "gateway/state/db_private.h"
#include "images/entail.h"
#include "unit/gateway/control_rig.h"
#include "unit/gateway/edge_sample.h"

#define SIGNER 9 /* each byte of the key's digest */

struct fixture {
	struct control_rig *r;
	struct control *c;
	struct sample *s; /* a release of what is reported about */
	uint8_t report[DIGEST_SHA256_LEN];
};

/* A stored report about bytes; signer 0: nobody signed them. */
static void
report_of(struct control *c, const uint8_t image[DIGEST_SHA256_LEN], uint8_t signer, uint8_t ret[DIGEST_SHA256_LEN])
{
	struct report *report = report_new(REPORT_WHOLE);
	struct writer w;
	snprintf(report->inputs.inspector, sizeof report->inputs.inspector, "%s", REPORT_INSPECTOR);
	report->have_image = true;
	report->format = FORMAT_RAW;
	report->size = 64;
	memcpy(report->sha256, image, sizeof report->sha256);
	report_raise(report, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "the first");
	if (signer) {
		struct sig_result *s = &report->signatures.result[report->signatures.n++];
		*s = (struct sig_result){ .scheme = "cms-detached", .outcome = SIG_VERIFIED, .digest = DIGEST_SHA256,
			.revocation = SIG_REVOCATION_CHECKED, .covers = { { 0, 64 } }, .covers_n = 1 };
		report->inputs.have_trust = report->inputs.have_signature = true;
		snprintf(s->detail, sizeof s->detail, "made for a test");
		s->signer.have_spki = true;
		memset(s->signer.spki_sha256, signer, DIGEST_SHA256_LEN);
		snprintf(s->signer.anchor, sizeof s->signer.anchor, "ca.pem");
		snprintf(s->signer.key_type, sizeof s->signer.key_type, "rsa-3072");
		s->signer.not_after = 1900000000;
	}
	assert_int_equal(entail_raise(report, false), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(report, REPORT_MAX, &w), 0);
	assert_int_equal(report_digest(writer_view(&w), ret), 0);
	assert_int_equal(files_doc_put(c->files, FILES_REPORT, ret, writer_view(&w)), 0);
	struct report_refusal why = { 0 };
	if (report_parse(writer_view(&w), REPORT_WHOLE, report, &why))
		fail_msg("%s", why.text);
	writer_free(&w);
	report_free(report);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->r = control_rig_new();
	f->c = &f->r->c;
	f->c->edges = edges_new(f->c);
	f->s = sample_new(64, "EC25", "2.0");
	report_of(f->c, f->s->r.terms.image, SIGNER, f->report);
	memcpy(f->s->r.terms.report, f->report, sizeof f->report);
	/* Signed under the policy in force: that has nothing against it. */
	memcpy(f->s->r.terms.policy, policies_find(f->c->policies, "acme-rtr")->digest, DIGEST_SHA256_LEN);
	sample_seal(f->s);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	edges_free(f->c->edges);
	control_rig_free(f->r); /* has the rest of it */
	sample_free(f->s);
	free(f);
	return 0;
}

/* A disk that does not give it, and then does again. */
static void
hide_report(struct fixture *f, bool hide)
{
	char hex[DIGEST_HEX_LEN + 1], name[128], there[512], aside[512];
	hex_encode(f->report, sizeof f->report, hex);
	snprintf(name, sizeof name, "reports/%s.json", hex);
	snprintf(there, sizeof there, "%s", scratch_path(&f->r->s, name));
	snprintf(aside, sizeof aside, "%s", scratch_path(&f->r->s, "aside"));
	if (hide)
		assert_true(rename(there, aside) == 0 && mkdir(there, 0700) == 0);
	else
		assert_true(rmdir(there) == 0 && rename(aside, there) == 0);
}

static void
refuse_signer(struct fixture *f, uint8_t signer)
{
	struct db_refusal d = { .kind = REFUSAL_SIGNER, .at = f->r->now, .by = "alice", .reason = "its key is out" };
	uint8_t key[DIGEST_SHA256_LEN];
	memset(key, signer, sizeof key);
	hex_encode(key, sizeof key, d.value);
	assert_int_equal(refusal_id(REFUSAL_SIGNER, view_str(d.value), d.id), 0);
	assert_int_equal(refusals_begin(f->c->refusals, &d), 0);
}

static bool
is_withheld(const struct fixture *f)
{
	assert_true(releases_offers(f->c->releases, f->s->id));
	return releases_withheld(f->c->releases, f->s->id) != NULL;
}

static void
a_release_that_a_refused_signer_signed_is_revoked(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(releases_take(f->c->releases, f->s->id, writer_view(&f->s->record)), 0);
	refuse_signer(f, SIGNER + 1);
	assert_false(is_withheld(f));
	refuse_signer(f, SIGNER);
	assert_false(releases_offers(f->c->releases, f->s->id));
}

/* Not for good: it is withheld, until it can be told. */
static void
nothing_is_revoked_because_a_disk_is_away(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(releases_take(f->c->releases, f->s->id, writer_view(&f->s->record)), 0);
	hide_report(f, true);
	refuse_signer(f, SIGNER + 1);
	assert_true(is_withheld(f));
	standing_review(f->c);
	refusals_tick(f->c->refusals);
	assert_true(is_withheld(f));
	hide_report(f, false);
	standing_review(f->c);
	assert_true(is_withheld(f)); /* the log, which has to have that it goes on, is away */
	hide_report(f, true);
	refuse_signer(f, SIGNER);
	assert_true(is_withheld(f));
	hide_report(f, false);
	standing_review(f->c);
	assert_false(releases_offers(f->c->releases, f->s->id));
}

/* The same when the warden lists it, at a start. */
static void
what_the_warden_lists_is_withheld_until_it_can_be_told(void **state)
{
	struct fixture *f = *state;
	struct msg_warden_state m = { .record = writer_view(&f->s->record) };
	memcpy(m.release, f->s->id, sizeof m.release);
	refuse_signer(f, SIGNER);
	hide_report(f, true);
	releases_on_listed(f->c->releases, &m);
	assert_true(is_withheld(f));
	hide_report(f, false);
	standing_review(f->c);
	assert_false(releases_offers(f->c->releases, f->s->id));
}

/* Where nothing of what is refused could be read, anything may be refused: it waits. */
static void
a_release_waits_while_refusals_are_unread(void **state)
{
	struct fixture *f = *state;
	struct msg_warden_state m = { .record = writer_view(&f->s->record) };
	memcpy(m.release, f->s->id, sizeof m.release);
	assert_int_equal(db_exec(f->c->db, "ALTER TABLE refusal RENAME TO gone"), 0);
	assert_int_not_equal(refusals_recall(f->c->refusals), 0);
	releases_on_listed(f->c->releases, &m);
	assert_true(is_withheld(f));
	standing_review(f->c);
	assert_true(is_withheld(f));
}

/* A report that is lost is lost: then nobody knows who signed, and that is as good as the refused one. */
static void
a_report_that_is_lost_meets_a_refused_signer(void **state)
{
	struct fixture *f = *state;
	char hex[DIGEST_HEX_LEN + 1], name[128];
	assert_int_equal(releases_take(f->c->releases, f->s->id, writer_view(&f->s->record)), 0);
	hex_encode(f->report, sizeof f->report, hex);
	snprintf(name, sizeof name, "reports/%s.json", hex);
	assert_int_equal(unlink(scratch_path(&f->r->s, name)), 0);
	refuse_signer(f, SIGNER + 1);
	assert_false(releases_offers(f->c->releases, f->s->id));
}

/* ---- with a review ---- */

/* Bytes of their own from a URL of their own, in review. */
static struct db_candidate *
reviewed(struct fixture *f, uint8_t fill, const char *target, uint8_t signer)
{
	struct db_resource res = { .sightings = 1, .product = "EC25" };
	struct db_candidate *cand = calloc(1, sizeof *cand);
	bool fresh;
	memset(res.id, fill, sizeof res.id);
	snprintf(res.profile, sizeof res.profile, "acme-rtr");
	snprintf(res.url, sizeof res.url, "https://up.example/%u", fill);
	snprintf(res.target, sizeof res.target, "%s", target);
	snprintf(res.state, sizeof res.state, "judging");
	assert_int_equal(db_resource_sight(f->c->db, &res, &fresh), 0);
	*cand = (struct db_candidate){ .have_image = true, .in_quarantine = true, .size = 64, .created = 1000,
		.have_report = true };
	memcpy(cand->resource, res.id, sizeof cand->resource);
	memset(cand->image, fill, sizeof cand->image);
	snprintf(cand->state, sizeof cand->state, "review");
	report_of(f->c, cand->image, signer, cand->report);
	assert_int_equal(db_candidate_new(f->c->db, cand, &cand->id), 0);
	assert_int_equal(db_candidate_get(f->c->db, cand->id, cand), 0);
	return cand;
}

/* What decides: with the signers of its report. */
static bool
meets(struct fixture *f, const struct db_candidate *cand)
{
	char why[REFUSALS_SENTENCE_MAX];
	struct report *report = NULL;
	bool met;
	assert_int_equal(decisions_report(f->c, cand->report, &report), 0);
	assert_int_equal(refusals_meets(f->c->refusals, cand, report, &met, why), 0);
	report_free(report);
	return met;
}

static int
draft(struct fixture *f, const struct db_candidate *cand, const char *kind, struct db_refusal *d)
{
	const char *why = NULL;
	int err = refusals_draft(f->c->refusals, cand, view_str(kind), "alice", "no", d, &why);
	assert_true((err == FG_EINVAL) == (why != NULL));
	return err;
}

/* Rejected also by its version or its signer, the same thing by another way is refused; anything else is not. */
static void
what_a_review_is_refused_by_as_well(void **state)
{
	struct fixture *f = *state;
	static const char *const kinds[] = { "digest", "version", "signer" };
	char key[DIGEST_HEX_LEN + 1], image[DIGEST_HEX_LEN + 1];
	uint8_t bytes[DIGEST_SHA256_LEN];
	struct db_candidate *cand = reviewed(f, 1, "1.1", SIGNER);
	struct db_candidate *other[] = { cand, reviewed(f, 2, "1.1", SIGNER + 1), reviewed(f, 3, "1.2", SIGNER) };
	struct db_candidate *neither = reviewed(f, 4, "1.3", SIGNER + 1), *nobodys = reviewed(f, 5, "1.4", 0);
	memset(bytes, SIGNER, sizeof bytes);
	hex_encode(bytes, sizeof bytes, key);
	hex_encode(cand->image, sizeof cand->image, image);
	const char *const values[] = { image, "EC25/1.1", key };
	for (unsigned i = 0; i < 3; i++) {
		struct db_refusal d;
		assert_int_equal(draft(f, cand, kinds[i], &d), 0);
		assert_int_equal(d.kind, refusal_kind_parse(view_str(kinds[i])));
		assert_string_equal(d.value, values[i]);
		assert_false(meets(f, other[i])); /* a draft is not in force */
		assert_int_equal(refusals_begin(f->c->refusals, &d), 0);
		assert_true(meets(f, other[i]));
		assert_false(meets(f, neither) || meets(f, nobodys));
		refusals_free(f->c->refusals);
		assert_int_equal(db_refusal_drop(f->c->db, d.id), 0);
		f->c->refusals = refusals_new(f->c);
		assert_int_equal(refusals_recall(f->c->refusals), 0);
	}
	struct db_refusal d;
	assert_int_equal(draft(f, nobodys, "signer", &d), FG_EINVAL);
	assert_int_equal(draft(f, nobodys, "version", &d), 0);
	assert_int_equal(draft(f, cand, "pattern", &d), FG_EINVAL);
	assert_int_equal(draft(f, cand, "", &d), FG_EINVAL);
	/* What cannot be read now is not what the person got wrong. */
	memcpy(f->report, cand->report, sizeof f->report);
	hide_report(f, true);
	assert_int_equal(draft(f, cand, "signer", &d), FG_EIO);
	hide_report(f, false);
	cand->have_report = false;
	assert_int_equal(draft(f, cand, "signer", &d), FG_EINVAL);
	for (unsigned i = 0; i < 3; i++)
		free(other[i]);
	free(neither);
	free(nobodys);
}

/* Nor is a candidate refused for want of a database: whoever decides waits. */
static void
what_cannot_be_told_of_a_candidate_is_no_answer(void **state)
{
	struct fixture *f = *state;
	struct db_candidate *cand = reviewed(f, 1, "1.1", SIGNER);
	char why[REFUSALS_SENTENCE_MAX];
	bool met;
	assert_int_equal(refusals_meets(f->c->refusals, cand, NULL, &met, why), 0);
	assert_false(met);
	assert_int_equal(db_exec(f->c->db, "ALTER TABLE resource RENAME TO gone"), 0);
	assert_int_equal(refusals_meets(f->c->refusals, cand, NULL, &met, why), FG_EIO);
	assert_true(met); /* for whoever does not ask further */
	free(cand);
}

/* ---- the log ---- */

static void
on_head(void *ctx, struct chan *chan, const void *msg, struct wire_frame *frame)
{
	(void)chan;
	(void)frame;
	logbook_on_head(((struct control *)ctx)->logbook, msg);
}

/* The next entry that audit gets, as a start reads it; borrows from got. */
static void
next_entry(int audit, struct msg_append *got, struct entry *ret)
{
	struct wire_frame frame;
	assert_true(loop_next(audit, MSG_APPEND, got, &frame));
	*ret = (struct entry){ .ev = (enum entry_event)got->event, .obj = view_str(got->obj), .refs = got->refs_n };
	for (unsigned i = 0; i < got->refs_n; i++) {
		ret->ref[i].key = view_str(got->refs[i].key);
		ret->ref[i].text = view_str(got->refs[i].text);
	}
}

/* However long a pattern is: what the log has of it is the same refusal. */
static void
the_log_has_all_of_a_long_pattern(void **state)
{
	static const struct chan_rule rules[] = { { MSG_HEAD, CHAN_ALWAYS, on_head } };
	static const struct chan_ops ops = { rules, 1, NULL };
	static const size_t lengths[] = { 4, REFUSALS_PIECE, REFUSALS_PIECE + 1, 255, 256, REFUSAL_VALUE_MAX };
	struct fixture *f = *state;
	struct msg_append *got = calloc(1, sizeof *got);
	struct msg_head_ask ask;
	struct wire_frame frame;
	struct entry *e = calloc(1, sizeof *e);
	int pair[2];
	assert_int_equal(wire_pair(pair), 0);
	struct chan *audit = chan_new(f->c->base, pair[0], &ops, f->c);
	logbook_up(f->c->logbook, audit);
	assert_true(loop_next(pair[1], MSG_HEAD_ASK, &ask, &frame));
	const struct msg_head head = { .token = ask.token, .state = MSG_LOG_OPEN_OK };
	assert_int_equal(msg_send(pair[1], MSG_HEAD, &head, NULL, 0), 0);
	loop_pump(f->c->base);
	assert_true(logbook_permits(f->c->logbook));
	for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct db_refusal d = { .kind = REFUSAL_PATTERN, .at = f->r->now, .by = "alice", .reason = "no" };
		struct recount *log = recount_new(1);
		for (size_t k = 0; k < lengths[i]; k++)
			d.value[k] = (char)('a' + k % 26);
		assert_int_equal(refusal_id(REFUSAL_PATTERN, view_str(d.value), d.id), 0);
		assert_int_equal(refusals_begin(f->c->refusals, &d), 0);
		next_entry(pair[1], got, e);
		assert_int_equal(recount_take(log, i, e), 0);
		const struct recount_refusal *one = shelf_at(&log->refusals, 0);
		assert_string_equal(one->value, d.value);
		assert_false(refusals_again(f->c->refusals, d.id, REFUSAL_PATTERN, view_str(one->value), 0, f->r->now));
		/* A database without it, and one letter less than was refused: that is another refusal, which nobody made. */
		refusals_free(f->c->refusals);
		assert_int_equal(db_refusal_drop(f->c->db, d.id), 0);
		f->c->refusals = refusals_new(f->c);
		assert_int_equal(refusals_recall(f->c->refusals), 0);
		const struct view less = view_of((const uint8_t *)d.value, lengths[i] - 1);
		assert_false(refusals_again(f->c->refusals, d.id, REFUSAL_PATTERN, less, 0, f->r->now));
		assert_true(refusals_again(f->c->refusals, d.id, REFUSAL_PATTERN, view_str(one->value), 0, f->r->now));
		recount_free(log);
	}
	logbook_down(f->c->logbook);
	chan_free(audit);
	close(pair[1]);
	free(e);
	free(got);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_release_that_a_refused_signer_signed_is_revoked),
		T(nothing_is_revoked_because_a_disk_is_away),
		T(what_the_warden_lists_is_withheld_until_it_can_be_told),
		T(a_release_waits_while_refusals_are_unread),
		T(a_report_that_is_lost_meets_a_refused_signer),
		T(what_a_review_is_refused_by_as_well),
		T(what_cannot_be_told_of_a_candidate_is_no_answer),
		T(the_log_has_all_of_a_long_pattern),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
