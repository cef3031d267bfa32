/* SPDX-License-Identifier: Apache-2.0 */
/* The delta stage's fragment, and what the merger makes of it and of the target's own report. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/entail.h"
#include "images/inspect.h"
#include "unit/images/delta_rig.h"

static struct view old, new, patch;
static bool demanded; /* a signature, of the verify stage */
static uint8_t old_sum[DIGEST_SHA256_LEN], new_sum[DIGEST_SHA256_LEN];

static int
setup(void **state)
{
	(void)state;
	old = rig_made("delta", "old");
	new = rig_made("delta", "new");
	patch = rig_made("delta", "bsdiff40");
	assert_int_equal(digest_sha256(old, old_sum), 0);
	assert_int_equal(digest_sha256(new, new_sum), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_drop(old);
	rig_drop(new);
	rig_drop(patch);
	return 0;
}

static struct view
text_of(const struct report *r)
{
	struct writer w;
	size_t n;
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	uint8_t *p = writer_take(&w, &n);
	return view_of(p, n);
}

/* The stage over what, as text; it must be its own kind's and no other's. */
static struct view
stage(struct view what, struct view base, enum format_id format)
{
	struct source p, b;
	struct report_refusal why;
	struct report *r = report_new(REPORT_KIND_NONE);
	int fd = memfd_create("target", MFD_CLOEXEC);
	source_memory(&p, what);
	source_memory(&b, base);
	const struct inspect_delta job = { .patch = &p, .base = &b, .format = format, .out = fd,
		.target_max = DELTA_TARGET_MAX };
	assert_int_equal(inspect_delta(&job, r), 0);
	struct view text = text_of(r);
	if (report_parse(text, REPORT_DELTA, r, &why))
		fail_msg("%s: %.*s", why.text, (int)text.n, (const char *)text.p);
	assert_int_equal(report_parse(text, REPORT_VERIFY, r, &why), FG_EFORMAT);
	assert_int_equal(report_parse(text, REPORT_EXPLAIN, r, &why), FG_EFORMAT);
	assert_int_equal(report_parse(text, REPORT_WHOLE, r, &why), FG_EFORMAT);
	close(fd);
	report_free(r);
	return text;
}

/* The verify stage over what, without any trust. */
static struct view
verified(struct view what)
{
	struct inspect_job job = { .at = RIG_NOW };
	struct source s;
	struct report *r = report_new(REPORT_KIND_NONE);
	source_memory(&s, what);
	inspect_defaults(&job);
	job.image = &s;
	job.require_signature = demanded;
	assert_int_equal(inspect_verify(&job, r), 0);
	struct view text = text_of(r);
	report_free(r);
	return text;
}

static struct report_asked
asked(void)
{
	struct report_asked a = { .at = RIG_NOW, .image_size = patch.n, .have_base = true };
	memcpy(a.base, old_sum, sizeof a.base);
	return a;
}

/* A target's report: of these bytes, signed over the first n of them. */
static struct report *
target(struct view bytes, uint64_t n)
{
	struct report *r = report_new(REPORT_WHOLE);
	r->inputs.at = RIG_NOW;
	r->inputs.have_trust = true;
	snprintf(r->inputs.inspector, sizeof r->inputs.inspector, "%s", REPORT_INSPECTOR);
	r->have_image = true;
	r->format = FORMAT_ELF;
	r->size = bytes.n;
	assert_int_equal(digest_sha256(bytes, r->sha256), 0);
	struct sig_result *s = &r->signatures.result[0];
	*s = (struct sig_result){ .scheme = "cms-detached", .outcome = SIG_VERIFIED, .digest = DIGEST_SHA256,
		.revocation = SIG_REVOCATION_CHECKED, .covers = { { 0, n } }, .covers_n = 1 };
	s->signer.have_spki = true;
	snprintf(s->signer.anchor, sizeof s->signer.anchor, "ca.pem");
	r->signatures.n = n > 0;
	report_raise(r, FINDING_CHG_NO_OLD, FINDING_NONE, NULL, "for a test");
	assert_int_equal(entail_raise(r, false), 0);
	return r;
}

/* Merges; the whole must survive its reader. t may be NULL. */
static struct report *
merged(const struct report_asked *a, struct report_reply reply, const struct report *t, const uint8_t *full)
{
	struct report *r = report_new(REPORT_KIND_NONE), *again = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct view vt = verified(patch);
	struct report_reply v = { .end = REPORT_END_REPLIED, .text = vt };
	struct report_applied d = { .stage = reply, .target = t, .have_full = full != NULL };
	memset(d.target_report, 7, sizeof d.target_report);
	if (full)
		memcpy(d.full_sha256, full, sizeof d.full_sha256);
	assert_int_equal(report_merge(a, &v, NULL, &d, r), 0);
	struct view text = text_of(r);
	if (report_parse(text, REPORT_WHOLE, again, &why))
		fail_msg("%s: %.*s", why.text, (int)text.n, (const char *)text.p);
	rig_drop(text);
	rig_drop(vt);
	report_free(again);
	return r;
}

static struct report_reply
said(struct view text)
{
	return (struct report_reply){ .end = REPORT_END_REPLIED, .text = text };
}

/* ---- the stage ---- */

static void
fragment_says_what_was_made(void **state)
{
	struct view text = stage(patch, old, FORMAT_NONE);
	struct report_reply reply = said(text), dead = { .end = REPORT_END_CRASHED };
	struct report_delta d;
	(void)state;
	assert_true(report_delta_made(&reply, &d));
	assert_int_equal(d.result.outcome, DELTA_APPLIED);
	assert_memory_equal(d.result.target_sha256, new_sum, sizeof new_sum);
	assert_memory_equal(d.base_sha256, old_sum, sizeof old_sum);
	assert_int_equal(d.patch_size, patch.n);
	assert_int_equal(d.base_size, old.n);
	assert_string_equal(d.result.applier, "bsdiff40/1");
	assert_false(report_delta_made(&dead, &d));
	rig_drop(text);
	/* A format may be told; it is then that, whatever the bytes look like. */
	text = stage(patch, old, FORMAT_NORDIC_DELTA);
	reply = said(text);
	assert_false(report_delta_made(&reply, &d));
	assert_non_null(strstr((const char *)text.p, "\"outcome\":\"opaque\""));
	assert_non_null(strstr((const char *)text.p, "DELTA-UNSUPPORTED"));
	rig_drop(text);
	text = stage(old, old, FORMAT_NONE); /* no delta at all */
	assert_non_null(strstr((const char *)text.p, "\"outcome\":\"opaque\""));
	rig_drop(text);
	text = stage(patch, view_of(old.p, 100), FORMAT_NONE);
	assert_non_null(strstr((const char *)text.p, "\"outcome\":\"malformed\""));
	assert_non_null(strstr((const char *)text.p, "DELTA-MALFORMED"));
	rig_drop(text);
}

/* ---- the whole ---- */

static void
proved_only_when_all_of_it_is_signed(void **state)
{
	struct report_asked a = asked();
	struct view text = stage(patch, old, FORMAT_NONE);
	struct report *t = target(new, new.n), *r = merged(&a, said(text), t, NULL);
	(void)state;
	assert_string_equal(report_delta_word(r), "proved");
	assert_false(report_has(r, FINDING_DELTA_NOT_PROVED));
	assert_false(report_has(r, FINDING_DELTA_NOT_APPLIED));
	assert_false(report_has(r, FINDING_CHG_NO_OLD));
	assert_int_equal(r->findings[FINDING_FMT_DELTA].severity, FINDING_NOTICE);
	report_free(r);
	/* The image that was given is that one. */
	r = merged(&a, said(text), t, new_sum);
	assert_string_equal(report_delta_word(r), "proved");
	report_free(r);
	/* Or another: whatever is signed, it is not what somebody meant. */
	r = merged(&a, said(text), t, old_sum);
	assert_string_equal(report_delta_word(r), "reconstructed");
	assert_int_equal(r->findings[FINDING_DELTA_OTHER_TARGET].severity, FINDING_BLOCK);
	assert_true(report_has(r, FINDING_DELTA_NOT_PROVED));
	report_free(r);
	report_free(t);

	/* All but its last byte. */
	t = target(new, new.n - 1);
	r = merged(&a, said(text), t, new_sum);
	assert_string_equal(report_delta_word(r), "reconstructed");
	assert_true(report_has(r, FINDING_DELTA_NOT_PROVED));
	report_free(r);
	report_free(t);
	/* By a key that everybody has. */
	t = target(new, new.n);
	t->signatures.result[0].signer.published_key = true;
	assert_int_equal(entail_raise(t, false), 0);
	r = merged(&a, said(text), t, NULL);
	assert_string_equal(report_delta_word(r), "reconstructed");
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	report_free(r);
	report_free(t);
	rig_drop(text);
}

/* The verify stage's word on the patch, with a signature over its first n bytes. */
static struct view
signed_patch(uint64_t n, bool published)
{
	struct report_refusal why;
	struct view vt = verified(patch);
	struct report *r = report_new(REPORT_KIND_NONE), *s = target(patch, n);
	assert_int_equal(report_parse(vt, REPORT_VERIFY, r, &why), 0);
	r->inputs.have_trust = true;
	r->signatures = s->signatures;
	r->signatures.result[0].signer.published_key = published;
	memset(r->findings, 0, sizeof r->findings);
	assert_int_equal(entail_raise(r, false), 0);
	report_free(s);
	rig_drop(vt);
	vt = text_of(r);
	report_free(r);
	return vt;
}

/* A signature over the patch is one over the target where the patch names its SHA-256; else it is none. */
static void
a_signed_patch_that_names_its_target(void **state)
{
	static const struct {
		bool named, published;
		uint64_t less;
		const char *word;
	} of[] = {
		{ true, false, 0, "proved" },
		{ false, false, 0, "reconstructed" },
		{ true, false, 1, "reconstructed" },
		{ true, true, 0, "reconstructed" },
	};
	struct report_asked a = asked();
	struct report_refusal why;
	struct view text = stage(patch, old, FORMAT_NONE);
	struct report *part = report_new(REPORT_KIND_NONE), *t = target(new, 0);
	(void)state;
	a.have_trust = true;
	assert_int_equal(report_parse(text, REPORT_DELTA, part, &why), 0);
	rig_drop(text);
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct report *r = report_new(REPORT_KIND_NONE), *again = report_new(REPORT_KIND_NONE);
		struct view vt = signed_patch(patch.n - of[i].less, of[i].published);
		struct report_reply v = said(vt);
		part->delta.result.checked = part->delta.result.named = of[i].named;
		text = text_of(part);
		struct report_applied d = { .stage = said(text), .target = t };
		assert_int_equal(report_merge(&a, &v, NULL, &d, r), 0);
		assert_string_equal(report_delta_word(r), of[i].word);
		assert_int_equal(report_has(r, FINDING_DELTA_NOT_PROVED), report_delta_word(r)[0] != 'p');
		rig_drop(vt);
		rig_drop(text);
		text = text_of(r);
		if (report_parse(text, REPORT_WHOLE, again, &why))
			fail_msg("%s: %.*s", why.text, (int)text.n, (const char *)text.p);
		assert_int_equal(again->delta.result.named, of[i].named);
		rig_drop(text);
		report_free(again);
		report_free(r);
	}
	report_free(t);
	report_free(part);
}

/* Where the profile lets a proof stand for a signature it does so for one that is absent, and with a proof. */
static void
a_proof_may_stand_for_a_signature(void **state)
{
	struct report_asked a = asked();
	struct view text = stage(patch, old, FORMAT_NONE);
	(void)state;
	a.require_signature = true;
	for (unsigned proof = 0; proof < 2; proof++)
		for (unsigned lets = 0; lets < 2; lets++) {
			struct report *t = target(new, proof ? new.n : 0);
			a.proof_signs = lets != 0;
			demanded = true;
			struct report *r = merged(&a, said(text), t, NULL);
			demanded = false;
			assert_int_equal(r->findings[FINDING_SIG_ABSENT].severity, proof && lets ? FINDING_WARNING : FINDING_BLOCK);
			assert_int_equal(report_verdict(r), proof && lets ? REPORT_REVIEW : REPORT_BLOCKED);
			report_free(r);
			report_free(t);
		}
	rig_drop(text);
}

/* A target's report without an image: its stage died, and nothing was inspected. */
static void
a_report_about_nothing_inspected_nothing(void **state)
{
	struct report_asked a = asked();
	struct view text = stage(patch, old, FORMAT_NONE);
	struct report *t = target(new, new.n);
	(void)state;
	t->have_image = false;
	report_raise(t, FINDING_INSPECT_FAILED, FINDING_NONE, NULL, "the stage died");
	struct report *r = merged(&a, said(text), t, NULL);
	assert_false(r->delta.have_target || r->delta.target_signed);
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	assert_true(report_has(r, FINDING_INSPECT_FAILED));
	assert_int_equal(r->findings[FINDING_INSPECT_FAILED].count, 2);
	report_free(r);
	report_free(t);
	rig_drop(text);
}

/* What would stop the target stops the delta, and is told as the target's. */
static void
no_verdict_gets_milder(void **state)
{
	struct report_asked a = asked();
	struct view text = stage(patch, old, FORMAT_NONE);
	struct report *t = target(new, 0);
	const uint64_t at = 5;
	(void)state;
	for (unsigned i = 0; i < 12; i++)
		report_raise(t, FINDING_MEMBER_DIGEST, FINDING_NONE, &at, "member %u", i);
	struct report *r = merged(&a, said(text), t, NULL);
	assert_string_equal(report_delta_word(r), "reconstructed");
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	assert_int_equal(r->delta.target_verdict, REPORT_BLOCKED);
	assert_int_equal(r->findings[FINDING_MEMBER_DIGEST].count, 12);
	assert_string_equal(r->findings[FINDING_MEMBER_DIGEST].details[0].text, "target: member 0");
	assert_false(r->findings[FINDING_MEMBER_DIGEST].details[0].have_offset);
	assert_int_equal(r->findings[FINDING_SIG_ABSENT].count, 2);
	/* And a text that leaves it out is none. */
	struct report_refusal why;
	r->findings[FINDING_MEMBER_DIGEST].count = 0;
	struct view cut = text_of(r);
	assert_int_equal(report_parse(cut, REPORT_WHOLE, r, &why), FG_EFORMAT);
	assert_non_null(strstr(why.text, "milder"));
	rig_drop(cut);
	report_free(r);
	report_free(t);
	rig_drop(text);
}

static void
replies_must_fit(void **state)
{
	struct report_asked a = asked();
	struct view endsley = rig_made("delta", "endsley");
	struct view text = stage(patch, old, FORMAT_NONE), other = stage(endsley, old, FORMAT_NONE);
	struct report *t = target(old, old.n), *r;
	(void)state;
	/* A target that is not what the stage made. */
	r = merged(&a, said(text), t, NULL);
	assert_true(report_has(r, FINDING_INSPECT_DISAGREES));
	assert_string_equal(report_delta_word(r), "reconstructed");
	report_free(r);
	/* One that nobody inspected. */
	r = merged(&a, said(text), NULL, NULL);
	assert_true(report_has(r, FINDING_INSPECT_FAILED));
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	assert_int_equal(r->findings[FINDING_FMT_DELTA].severity, FINDING_WARNING);
	report_free(r);
	/* Another patch than was verified. */
	r = merged(&a, said(other), NULL, NULL);
	assert_true(report_has(r, FINDING_INSPECT_DISAGREES));
	assert_true(report_has(r, FINDING_DELTA_NOT_APPLIED));
	assert_false(r->have_delta);
	report_free(r);
	/* Another base than was given. */
	a.base[0] ^= 1;
	r = merged(&a, said(text), NULL, NULL);
	assert_true(report_has(r, FINDING_INSPECT_DISAGREES));
	assert_false(r->have_delta);
	report_free(r);
	a.base[0] ^= 1;
	/* A dead stage, and one that says what is not its own to say. */
	r = merged(&a, (struct report_reply){ .end = REPORT_END_CRASHED, .detail = "signal 11" }, NULL, NULL);
	assert_true(report_has(r, FINDING_INSPECT_CRASHED));
	assert_true(report_has(r, FINDING_DELTA_NOT_APPLIED));
	report_free(r);
	struct view vt = verified(patch);
	r = merged(&a, said(vt), NULL, NULL);
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	assert_false(r->have_delta);
	report_free(r);
	rig_drop(vt);
	report_free(t);
	rig_drop(text);
	rig_drop(other);
	rig_drop(endsley);
}

/* Each outcome has its word and its finding, and the reader insists on it. */
static void
outcomes(void **state)
{
	static const struct {
		enum delta_outcome outcome;
		const char *word;
		enum finding_id id;
		enum report_verdict verdict;
	} of[] = {
		{ DELTA_MALFORMED, "malformed", FINDING_DELTA_MALFORMED, REPORT_BLOCKED },
		{ DELTA_WRONG_BASE, "wrong-base", FINDING_DELTA_WRONG_BASE, REPORT_BLOCKED },
		{ DELTA_UNSUPPORTED, "unsupported", FINDING_DELTA_UNSUPPORTED, REPORT_REVIEW },
		{ DELTA_OPAQUE, "opaque", FINDING_DELTA_UNSUPPORTED, REPORT_REVIEW },
		{ DELTA_LIMIT, "limit", FINDING_DELTA_NOT_APPLIED, REPORT_REVIEW },
	};
	struct report_asked a = asked();
	struct report_delta made;
	(void)state;
	struct view text = stage(patch, old, FORMAT_NONE);
	struct report_reply reply = said(text);
	assert_true(report_delta_made(&reply, &made));
	rig_drop(text);
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct report *part = report_new(REPORT_DELTA);
		struct report_refusal why;
		part->have_delta = true;
		part->delta = made;
		part->delta.result = (struct delta_result){ .outcome = of[i].outcome, .applier = "x/1", .detail = "because",
			.wants = "sha256 00" };
		text = text_of(part);
		assert_int_equal(report_parse(text, REPORT_DELTA, part, &why), FG_EFORMAT); /* says nothing of it */
		rig_drop(text);
		assert_int_equal(entail_raise(part, false), 0);
		text = text_of(part);
		struct report *r = merged(&a, said(text), NULL, NULL);
		assert_string_equal(report_delta_word(r), of[i].word);
		assert_true(report_has(r, of[i].id));
		assert_int_equal(report_verdict(r), of[i].verdict);
		assert_int_equal(r->findings[FINDING_FMT_DELTA].severity, FINDING_WARNING);
		report_free(r);
		report_free(part);
		rig_drop(text);
	}
}

/* What the reader refuses in a fragment or a whole: each is one edit away from a good text. */
static void
edits(void **state)
{
	static const struct {
		const char *from, *to;
	} of[] = {
		{ "\"outcome\":\"applied\"", "\"outcome\":\"proved\"" },
		{ "\"outcome\":\"applied\"", "\"outcome\":\"malformed\"" },
		{ "\"outcome\":\"applied\"", "\"outcome\":\"x\"" },
		{ "\"signed\":false", "\"signed\":true" },
		{ "\"report\":null", "\"report\":\"0000000000000000000000000000000000000000000000000000000000000000\"" },
		{ "\"full\":null", "\"full\":\"0000000000000000000000000000000000000000000000000000000000000000\"" },
		{ "\"verdict\":null", "\"verdict\":\"acceptable\"" },
		{ "\"from_base\":", "\"from_base\":1" },
		{ "\"detail\":\"\"", "\"detail\":\"x\"" },
		{ "\"applier\":\"bsdiff40/1\"", "\"applier\":\"\"" },
		{ "\"checked\":false", "\"checked\":0" },
		{ "\"outcome\":", "\"named\":true,\"outcome\":" },
		{ "\"outcome\":", "\"named\":false,\"outcome\":" },
		{ "\"wants\":\"\"", "\"wants\":\"\\u0007\"" },
		{ "\"image\":null", "\"image\":{}" },
		{ "\"coverage\":null", "\"coverage\":{}" },
		{ "\"contents\":null", "\"contents\":{}" },
		{ "\"inputs\":null", "\"inputs\":{}" },
		{ "\"changes\":null", "\"changes\":{}" },
		{ "\"stage\":\"delta\"", "\"stage\":\"verify\"" },
	};
	struct view text = stage(patch, old, FORMAT_NONE);
	struct report *r = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		const char *at = strstr((const char *)text.p, of[i].from);
		if (!at)
			fail_msg("no %s in %s", of[i].from, (const char *)text.p);
		char *out = malloc(text.n + 100);
		int n = snprintf(out, text.n + 100, "%.*s%s%s", (int)(at - (const char *)text.p), (const char *)text.p,
		    of[i].to, at + strlen(of[i].from));
		if (report_parse(view_of(out, (size_t)n), REPORT_DELTA, r, &why) != FG_EFORMAT)
			fail_msg("not refused: %s", out);
		free(out);
	}
	report_free(r);
	rig_drop(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragment_says_what_was_made),
		cmocka_unit_test(proved_only_when_all_of_it_is_signed),
		cmocka_unit_test(a_signed_patch_that_names_its_target),
		cmocka_unit_test(a_proof_may_stand_for_a_signature),
		cmocka_unit_test(a_report_about_nothing_inspected_nothing),
		cmocka_unit_test(no_verdict_gets_milder),
		cmocka_unit_test(replies_must_fit),
		cmocka_unit_test(outcomes),
		cmocka_unit_test(edits),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
