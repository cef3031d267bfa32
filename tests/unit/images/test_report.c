/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/entail.h"
#include "images/report.h"

#define SIZE 100000

/* ---- making reports ---- */

static struct sig_result
signature(enum sig_outcome outcome, uint8_t key)
{
	struct sig_result s = { .scheme = "cms-detached",
				.outcome = outcome,
				.digest = DIGEST_SHA256,
				.revocation = SIG_REVOCATION_CHECKED,
				.covers = { { 0, SIZE } },
				.covers_n = 1,
				.have_claimed_time = true,
				.claimed_time = 1767225600 };
	snprintf(s.detail, sizeof s.detail, "made for a test");
	s.signer.have_spki = true;
	memset(s.signer.spki_sha256, key, DIGEST_SHA256_LEN);
	snprintf(s.signer.key_type, sizeof s.signer.key_type, "rsa-3072");
	snprintf(s.signer.subject, sizeof s.signer.subject, "CN=Vendor<U+202E>");
	snprintf(s.signer.issuer, sizeof s.signer.issuer, "CN=CA");
	snprintf(s.signer.serial, sizeof s.signer.serial, "01");
	snprintf(s.signer.anchor, sizeof s.signer.anchor, "ca.pem");
	s.signer.not_before = 1700000000;
	s.signer.not_after = 1800000000;
	return s;
}

/* A verify fragment with one verified signature over everything. */
static struct report *
verify_facts(void)
{
	struct report *r = report_new(REPORT_VERIFY);
	assert_non_null(r);
	r->inputs.at = 1767225600;
	r->inputs.have_trust = r->inputs.have_signature = true;
	memset(r->inputs.trust, 1, DIGEST_SHA256_LEN);
	memset(r->inputs.signature, 2, DIGEST_SHA256_LEN);
	snprintf(r->inputs.inspector, sizeof r->inputs.inspector, "%s", REPORT_INSPECTOR);
	r->have_image = true;
	r->format = FORMAT_ELF;
	memset(r->sha256, 3, sizeof r->sha256);
	r->size = SIZE;
	r->signatures.n = 1;
	r->signatures.result[0] = signature(SIG_VERIFIED, 9);
	return r;
}

static struct report *
verify_fragment(void)
{
	struct report *r = verify_facts();
	assert_int_equal(entail_raise(r, false), 0);
	return r;
}

static struct report *
explain_fragment(void)
{
	struct report *r = report_new(REPORT_EXPLAIN);
	struct changes *c = &r->changes;
	r->have_changes = true;
	c->old = (struct changes_image){ .size = SIZE, .format = FORMAT_ELF };
	c->old.entropy = (struct entropy_profile){ .windows = { 0, 2, 0, 0 }, .total = 2, .sum = 12000 };
	c->new = c->old;
	memset(c->new.sha256, 3, DIGEST_SHA256_LEN);
	memset(c->old.sha256, 4, DIGEST_SHA256_LEN);
	c->prefix = 10;
	c->suffix = SIZE - 20;
	c->same_offset = SIZE - 10;
	c->block_size = CHANGES_BLOCK_MIN;
	c->blocks_changed = c->blocks_same = 1;
	c->ranges_total = c->ranges_n = 1;
	c->ranges[0] = (struct sig_range){ 10, 10 };
	assert_int_equal(entail_raise(r, false), 0);
	return r;
}

/* Text to free(). */
static char *
text_of(const struct report *r)
{
	struct writer w;
	size_t n;
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	return (char *)writer_take(&w, &n);
}

static struct report_asked
asked(void)
{
	return (struct report_asked){ .at = 1767225600, .image_size = SIZE, .have_signature = true,
				      .have_trust = true };
}

static struct report_reply
replied(const char *text)
{
	return (struct report_reply){ .end = REPORT_END_REPLIED, .text = view_str(text) };
}

/* Merges texts (explain may be NULL); the whole must be readable again. */
static struct report *
merged(const struct report_asked *a, const char *verify, const char *explain)
{
	struct report *r = report_new(REPORT_KIND_NONE), *again = report_new(REPORT_WHOLE);
	struct report_reply v = replied(verify), e = replied(explain);
	struct report_refusal why;
	assert_int_equal(report_merge(a, &v, explain ? &e : NULL, NULL, r), 0);
	char *text = text_of(r);
	if (report_parse(view_str(text), REPORT_WHOLE, again, &why))
		fail_msg("%s: %s\n%s", finding_get(why.finding)->id, why.text, text);
	free(text);
	report_free(again);
	return r;
}

/* Replaces the first occurrence; text to free(). */
static char *
edited(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	if (!at)
		fail_msg("no %s in %s", from, text);
	size_t before = (size_t)(at - text), n = strlen(text) - strlen(from) + strlen(to);
	char *out = calloc(1, n + 1);
	memcpy(out, text, before);
	memcpy(out + before, to, strlen(to));
	memcpy(out + before + strlen(to), at + strlen(from), strlen(at) - strlen(from));
	return out;
}

static void
refused(const char *text, enum report_kind kind, enum finding_id want)
{
	struct report *r = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	if (report_parse(view_str(text), kind, r, &why) != FG_EFORMAT)
		fail_msg("not refused: %s", text);
	if (why.finding != want)
		fail_msg("%s instead of %s (%s): %s", finding_get(why.finding)->id, finding_get(want)->id, why.text, text);
	assert_true(why.text[0] != '\0');
	assert_int_equal(r->kind, REPORT_KIND_NONE); /* untouched */
	report_free(r);
}

/* ---- the model ---- */

static void
verdict_is_the_worst_finding(void **state)
{
	(void)state;
	struct report *r = report_new(REPORT_WHOLE);
	assert_int_equal(report_verdict(r), REPORT_ACCEPTABLE);
	report_raise(r, FINDING_FMT_RAW, FINDING_NONE, NULL, "x");
	assert_int_equal(report_verdict(r), REPORT_ACCEPTABLE);
	report_raise(r, FINDING_SIG_ABSENT, FINDING_WARNING, NULL, "x");
	assert_int_equal(report_verdict(r), REPORT_REVIEW);
	report_raise(r, FINDING_SIG_ABSENT, FINDING_BLOCK, NULL, "x");
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	report_raise(r, FINDING_SIG_ABSENT, FINDING_WARNING, NULL, "x"); /* the worst stays */
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	assert_int_equal(r->findings[FINDING_SIG_ABSENT].count, 3);
	report_free(r);
}

static void
findings_are_counted_and_made_visible(void **state)
{
	(void)state;
	struct report *r = report_new(REPORT_WHOLE);
	uint64_t offset = 77;
	report_raise(r, FINDING_FMT_AMBIGUOUS, FINDING_NONE, &offset, "a\x1b[2J%s", "\xe2\x80\xae");
	for (unsigned i = 0; i < 1000; i++)
		report_raise(r, FINDING_FMT_AMBIGUOUS, FINDING_NONE, NULL, "<U+202E> stays");
	struct report_finding *f = &r->findings[FINDING_FMT_AMBIGUOUS];
	assert_int_equal(f->count, 1001);
	assert_int_equal(f->details_n, REPORT_DETAILS_MAX);
	assert_string_equal(f->details[0].text, "a<1B>[2J<U+202E>");
	assert_int_equal(f->details[0].offset, 77);
	assert_string_equal(f->details[1].text, "<U+202E> stays");
	report_free(r);
}

static void
times(void **state)
{
	(void)state;
	char s[REPORT_TIME_LEN];
	int64_t t;
	static const char *const bad[] = { "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 10:00:00Z",
		"2026-01-01T10:00:00", "2026-01-01T10:00:00+", "2026-13-01T10:00:00Z", "+026-01-01T10:00:00Z", "" };
	assert_true(report_time_format(1767261600, s));
	assert_string_equal(s, "2026-01-01T10:00:00Z");
	assert_true(report_time_parse(view_str(s), &t));
	assert_int_equal(t, 1767261600);
	assert_true(report_time_parse(view_str("1950-06-01T00:00:00Z"), &t));
	assert_true(t < 0);
	assert_false(report_time_format(INT64_MAX, s));
	assert_false(report_time_format(INT64_MIN, s));
	assert_true(report_time_format(253402300799, s));
	assert_false(report_time_format(253402300800, s));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(report_time_parse(view_str(bad[i]), &t));
}

/* ---- text ---- */

static void
text_is_canonical_and_comes_back(void **state)
{
	(void)state;
	struct report *v = verify_fragment(), *e = explain_fragment(), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	char *text = text_of(v), *again;
	assert_int_equal(report_parse(view_str(text), REPORT_VERIFY, back, &why), 0);
	again = text_of(back);
	assert_string_equal(text, again);
	assert_int_equal(back->signatures.result[0].outcome, SIG_VERIFIED);
	assert_string_equal(back->signatures.result[0].signer.subject, "CN=Vendor<U+202E>");
	assert_non_null(strstr(text, "\"coverage\":{\"gaps\":[],\"gaps_total\":0,\"signed\":100000,\"unsigned\":0}"));
	free(text);
	free(again);
	text = text_of(e);
	assert_int_equal(report_parse(view_str(text), REPORT_EXPLAIN, back, &why), 0);
	again = text_of(back);
	assert_string_equal(text, again);
	assert_int_equal(back->changes.same_offset, SIZE - 10);
	free(text);
	free(again);
	report_free(v);
	report_free(e);
	report_free(back);
}

static void
what_came_before_is_compared_with_and_named(void **state)
{
	(void)state;
	struct report *v = verify_fragment();
	char *vt = text_of(v), *text, *x;
	struct report_asked a = asked();
	struct report_refusal why;
	struct report *back = report_new(REPORT_KIND_NONE);
	a.have_history = true;
	struct report *r = merged(&a, vt, NULL);
	assert_true(report_has(r, FINDING_CONT_FIRST));
	text = text_of(r);
	assert_non_null(strstr(text, "\"history\":[]"));
	/* "The first" and "compared with" exclude each other. */
	x = edited(text, "\"history\":[]", "\"history\":[\"0101010101010101010101010101010101010101010101010101010101010101\"]");
	assert_int_equal(report_parse(view_str(x), REPORT_WHOLE, back, &why), FG_EFORMAT);
	free(x);
	free(text);
	report_free(r);

	a.past_n = 1;
	a.past[0] = (struct continuity_mark){ .report = { 0xab, 0xcd }, .keys_n = 1, .key = { { 1, 2, 3 } }, .strength = 128 };
	r = merged(&a, vt, NULL);
	assert_true(report_has(r, FINDING_CONT_NEW_SIGNER));
	text = text_of(r);
	assert_non_null(strstr(text, "\"history\":[\"abcd0000"));
	free(text);
	report_free(r);

	/* A stage knows nothing of that. */
	x = edited(vt, "\"history\":null", "\"history\":[]");
	assert_int_equal(report_parse(view_str(x), REPORT_VERIFY, back, &why), FG_EFORMAT);
	assert_int_equal(why.finding, FINDING_INSPECT_FOREIGN_FIELD);
	free(x);
	free(vt);
	report_free(v);
	report_free(back);
}

static void
unknown_and_foreign_fields_are_refused(void **state)
{
	(void)state;
	struct report *v = verify_fragment(), *e = explain_fragment();
	char *vt = text_of(v), *et = text_of(e), *x;
	static const struct { bool explain; const char *from, *to; } edits[] = {
		{ false, "{\"changes\":null", "{\"a\":1,\"changes\":null" },
		{ false, "\"image\":{", "\"image\":{\"approved\":true," },
		{ false, "\"signer\":{", "\"signer\":{\"a\":1," },
		{ false, "\"inputs\":{\"at\"", "\"inputs\":{\"as\":1,\"at\"" },
		{ false, "\"base\":null", "\"base\":\"0101010101010101010101010101010101010101010101010101010101010101\"" },
		{ false, "\"delta\":null", "\"delta\":{}" },
		{ true, "\"delta\":null", "\"delta\":{}" },
		{ true, "\"coverage\":null", "\"coverage\":{\"gaps\":[],\"gaps_total\":0,\"signed\":100000,\"unsigned\":0}" },
		{ true, "\"contents\":null", "\"contents\":{\"facts\":[],\"members\":[],\"members_total\":0,\"structure\":[]}" },
		{ true, "\"image\":null", "\"image\":{\"format\":\"raw\",\"sha256\":\"\",\"size\":1}" },
		{ true, "\"inputs\":null", "\"inputs\":{}" },
		{ true, "\"signatures\":[]", "\"signatures\":[{}]" },
		{ true, "\"findings\":[", "\"findings\":[{\"count\":1,\"detail\":\"x\",\"id\":\"SIG-ABSENT\",\"more\":[],\"severity\":\"block\"}" },
		{ true, "\"findings\":[", "\"findings\":[{\"count\":1,\"detail\":\"x\",\"id\":\"NO-SUCH\",\"more\":[],\"severity\":\"block\"}" },
		{ true, "\"findings\":[", "\"findings\":[{\"count\":1,\"detail\":\"x\",\"id\":\"INSPECT-CRASHED\",\"more\":[],\"severity\":\"block\"}" },
	};
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		x = edited(edits[i].explain ? et : vt, edits[i].from, edits[i].to);
		refused(x, edits[i].explain ? REPORT_EXPLAIN : REPORT_VERIFY, FINDING_INSPECT_FOREIGN_FIELD);
		free(x);
	}
	/* The verify stage may not explain. */
	const char *changes = strstr(et, "\"changes\":"), *end = strstr(et, ",\"contents\"");
	char *whole = strndup(changes, (size_t)(end - changes));
	x = edited(vt, "\"changes\":null", whole);
	refused(x, REPORT_VERIFY, FINDING_INSPECT_FOREIGN_FIELD);
	free(x);
	free(whole);
	free(vt);
	free(et);
	report_free(v);
	report_free(e);
}

/* Evidence beside an image that is no container makes claims; members and structure need one. */
static void
claims_need_no_container_but_members_do(void **state)
{
	(void)state;
	struct report *v = verify_facts(), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct contents *c = &v->contents;
	c->facts_n = 1;
	c->fact[0] = (struct contents_fact){ .id = CONTENTS_FACT_SECURITY_COUNTER, .sure = true };
	snprintf(c->fact[0].path, sizeof c->fact[0].path, "tuf/targets");
	snprintf(c->fact[0].value, sizeof c->fact[0].value, "4");
	assert_int_equal(entail_raise(v, false), 0);
	char *vt = text_of(v);
	assert_non_null(strstr(vt, "\"walked\":false"));
	assert_int_equal(report_parse(view_str(vt), REPORT_VERIFY, back, &why), 0);
	assert_int_equal(back->contents.facts_n, 1);
	assert_false(back->contents.walked);
	static const struct { const char *from, *to; } edits[] = {
		{ "\"structure\":[]", "\"structure\":[[0,5]]" },
		{ "\"members_total\":0", "\"members_total\":1" },
		{ "\"facts\":[{\"fact\":\"security-counter\",\"sure\":true,\"value\":\"4\",\"where\":\"tuf/targets\"}]", "\"facts\":[]" },
	};
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		char *x = edited(vt, edits[i].from, edits[i].to);
		refused(x, REPORT_VERIFY, FINDING_INSPECT_MALFORMED);
		free(x);
	}
	free(vt);
	report_free(v);
	report_free(back);
}

static void
what_does_not_fit_together_is_refused(void **state)
{
	(void)state;
	struct report *v = verify_fragment(), *e = explain_fragment();
	char *vt = text_of(v), *et = text_of(e), *x;
	static const struct { bool explain; const char *from, *to; } edits[] = {
		/* facts that need a finding */
		{ false, "\"outcome\":\"verified\"", "\"outcome\":\"untrusted\"" },
		{ false, "\"outcome\":\"verified\"", "\"outcome\":\"unknown\"" },
		{ false, "\"published_key\":false", "\"published_key\":true" },
		{ false, "\"revocation\":\"checked\"", "\"revocation\":\"not-checked\"" },
		{ false, "\"covers\":[[0,100000]]", "\"covers\":[[0,99999]]" },
		{ false, "\"format\":\"elf\"", "\"format\":\"raw\"" },
		/* numbers */
		{ false, "\"covers\":[[0,100000]]", "\"covers\":[[0,100001]]" },
		{ false, "\"covers\":[[0,100000]]", "\"covers\":[[50,99950],[0,50]]" },
		{ false, "\"covers\":[[0,100000]]", "\"covers\":[[0,100000,1]]" },
		{ false, "\"covers\":[[0,100000]]", "\"covers\":[]" },
		{ false, "\"signed\":100000,\"unsigned\":0", "\"signed\":99999,\"unsigned\":1" },
		{ false, "\"size\":100000", "\"size\":-1" },
		{ false, "\"size\":100000", "\"size\":1125899906842625" },
		{ true, "\"changed\":1", "\"changed\":2" },
		{ true, "\"prefix\":10", "\"prefix\":100001" },
		{ true, "\"same_offset\":99990", "\"same_offset\":100001" },
		{ true, "\"ranges\":[[10,10]]", "\"ranges\":[[99999,10]]" },
		{ true, "\"ranges_total\":1", "\"ranges_total\":0" },
		{ true, "\"text_code\":2", "\"text_code\":3" },
		{ true, "\"millibits_sum\":12000", "\"millibits_sum\":16001" },
		{ true, "\"size\":65536}", "\"size\":65535}" },
		/* words, names, form */
		{ false, "fotagate-report-stage/1", "fotagate-report-stage/2" },
		{ false, "\"stage\":\"verify\"", "\"stage\":\"explain\"" },
		{ false, "\"anchor\":\"ca.pem\"", "\"anchor\":\"\"" },
		{ false, "CN=CA", "CN=C\\u0007A" },
		{ false, "CN=CA", "CN=C\xc3\xa4" },
		{ false, "\"digest\":\"sha256\"", "\"digest\":\"sha-256\"" },
		{ false, "\"at\":\"2026-01-01T00:00:00Z\"", "\"at\":\"2026-01-01T00:00:00z\"" },
		{ false, "\"at\":\"2026-01-01T00:00:00Z\"", "\"at\":null" },
		{ false, ",\"delta\":null", ", \"delta\":null" },
		{ false, "\"delta\":null,", "" },
		{ false, "\"findings\":[]", "\"findings\":[{\"count\":0,\"detail\":\"x\",\"id\":\"FMT-RAW\",\"more\":[],\"severity\":\"notice\"}]" },
		{ false, "\"findings\":[]", "\"findings\":[{\"count\":1,\"detail\":\"x\",\"id\":\"SIG-INVALID\",\"more\":[],\"severity\":\"info\"}]" },
		{ false, "\"findings\":[]", "\"findings\":{}" },
	};
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		x = edited(edits[i].explain ? et : vt, edits[i].from, edits[i].to);
		refused(x, edits[i].explain ? REPORT_EXPLAIN : REPORT_VERIFY, FINDING_INSPECT_MALFORMED);
		free(x);
	}
	refused("", REPORT_VERIFY, FINDING_INSPECT_MALFORMED);
	refused("null", REPORT_WHOLE, FINDING_INSPECT_MALFORMED);
	refused(et, REPORT_VERIFY, FINDING_INSPECT_MALFORMED);
	refused(vt, REPORT_WHOLE, FINDING_INSPECT_MALFORMED);
	free(vt);
	free(et);
	report_free(v);
	report_free(e);
}

static void
too_long_and_trailing(void **state)
{
	(void)state;
	struct report *v = verify_fragment();
	char *text = text_of(v), *x = calloc(1, REPORT_MAX + 2);
	memset(x, ' ', REPORT_MAX + 1);
	refused(x, REPORT_VERIFY, FINDING_INSPECT_OVERLONG);
	free(x);
	x = calloc(1, strlen(text) + 8);
	snprintf(x, strlen(text) + 8, "%s\n", text);
	refused(x, REPORT_VERIFY, FINDING_INSPECT_MALFORMED); /* white space is not canonical */
	snprintf(x, strlen(text) + 8, "%s{}", text);
	refused(x, REPORT_VERIFY, FINDING_INSPECT_TRAILING);
	free(x);
	free(text);
	report_free(v);
}

/* Whatever one byte is made of: refused, or a report that says exactly these bytes. */
static void
no_byte_can_change_unseen(void **state)
{
	(void)state;
	struct report *v = verify_fragment(), *r = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	char *text = text_of(v);
	for (size_t i = 0; text[i]; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			text[i] = (char)(text[i] ^ (1 << bit));
			if (text[i] && report_parse(view_str(text), REPORT_VERIFY, r, &why) == 0) {
				char *again = text_of(r);
				assert_string_equal(text, again);
				assert_int_equal(r->signatures.result[0].outcome, SIG_VERIFIED);
				free(again);
			}
			text[i] = (char)(text[i] ^ (1 << bit));
		}
	free(text);
	report_free(v);
	report_free(r);
}

static void
a_cut_blocks_and_keeps_the_worst(void **state)
{
	(void)state;
	struct report *v = verify_fragment(), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	for (unsigned i = 0; i < 8; i++) {
		report_raise(v, FINDING_TRUST_EMPTY, FINDING_NONE, NULL, "%0200u", i);
		report_raise(v, FINDING_FMT_AMBIGUOUS, FINDING_NONE, NULL, "%0200u", i);
	}
	char *full = text_of(v);
	size_t most = strlen(full);
	unsigned cuts = 0;
	for (size_t max = most; max > 1800; max -= 100) {
		struct writer w;
		writer_init(&w, REPORT_MAX);
		int err = report_encode(v, max, &w);
		if (!err) {
			assert_true(w.n <= max);
			assert_int_equal(report_parse(writer_view(&w), REPORT_VERIFY, back, &why), 0);
			assert_true(report_has(back, FINDING_FMT_AMBIGUOUS));
			assert_int_equal(back->findings[FINDING_FMT_AMBIGUOUS].count, 8);
			assert_int_equal(report_has(back, FINDING_REPORT_CUT), max < most);
			if (max < most) {
				assert_int_equal(report_verdict(back), REPORT_BLOCKED);
				cuts++;
			}
		} else {
			assert_int_equal(err, FG_ELIMIT);
			assert_int_equal(w.n, 0);
		}
		writer_free(&w);
	}
	assert_true(cuts > 10);
	assert_false(report_has(v, FINDING_REPORT_CUT)); /* the model is as it was */
	free(full);
	report_free(v);
	report_free(back);
}

/* The fullest report there can be stays below the limit: nothing is ever cut in practice. */
static void
the_fullest_report_fits(void **state)
{
	(void)state;
	struct report *v = verify_facts();
	char longest[SIG_TEXT_MAX];
	memset(longest, '\\', sizeof longest - 1); /* doubled by JSON */
	longest[sizeof longest - 1] = '\0';
	v->signatures.n = SIG_SIGNERS_MAX;
	for (unsigned i = 0; i < SIG_SIGNERS_MAX; i++) {
		struct sig_result *s = &v->signatures.result[i];
		*s = signature(SIG_INVALID, (uint8_t)i);
		memcpy(s->detail, longest, sizeof longest);
		memcpy(s->signer.subject, longest, sizeof longest);
		memcpy(s->signer.issuer, longest, sizeof longest);
		memcpy(s->signer.anchor, longest, sizeof longest);
		s->covers_n = SIG_COVERS_MAX;
		for (unsigned k = 0; k < SIG_COVERS_MAX; k++)
			s->covers[k] = (struct sig_range){ SIZE - SIG_COVERS_MAX + k, 1 };
	}
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		for (unsigned k = 0; k < 100; k++)
			report_raise(v, (enum finding_id)i, FINDING_NONE, &(uint64_t){ SIZE }, "%s", longest);
	char *text = text_of(v);
	assert_true(strlen(text) < REPORT_MAX);
	assert_true(strlen(text) > 100000);
	free(text);
	report_free(v);
}

/* ---- merging ---- */

static void
merge_of_good_stages(void **state)
{
	(void)state;
	struct report *v = verify_fragment(), *e = explain_fragment();
	char *vt = text_of(v), *et = text_of(e);
	struct report_asked a = asked();
	struct report *r = merged(&a, vt, NULL);
	assert_int_equal(r->kind, REPORT_WHOLE);
	assert_true(r->have_image && !r->have_changes);
	assert_true(report_has(r, FINDING_CHG_NO_OLD));
	assert_int_equal(report_verdict(r), REPORT_ACCEPTABLE);
	report_free(r);
	a.have_old = true;
	r = merged(&a, vt, et);
	assert_true(r->have_changes);
	assert_false(report_has(r, FINDING_CHG_NO_OLD));
	assert_int_equal(report_verdict(r), REPORT_ACCEPTABLE);
	report_free(r);
	a.have_base = true;
	memset(a.base, 7, sizeof a.base);
	r = merged(&a, vt, et);
	assert_true(report_has(r, FINDING_DELTA_NOT_APPLIED));
	assert_int_equal(report_verdict(r), REPORT_REVIEW);
	report_free(r);
	free(vt);
	free(et);
	report_free(v);
	report_free(e);
}

static void
every_way_to_die_blocks(void **state)
{
	(void)state;
	static const struct { enum report_end end; enum finding_id id; } ways[] = {
		{ REPORT_END_FAILED, FINDING_INSPECT_FAILED },
		{ REPORT_END_CRASHED, FINDING_INSPECT_CRASHED },
		{ REPORT_END_TIMEOUT, FINDING_INSPECT_TIMEOUT },
		{ REPORT_END_OVERLONG, FINDING_INSPECT_OVERLONG },
		{ REPORT_END_TRAILING, FINDING_INSPECT_TRAILING },
		{ REPORT_END_MALFORMED, FINDING_INSPECT_MALFORMED },
		{ (enum report_end)77, FINDING_INSPECT_FAILED },
	};
	struct report *v = verify_fragment(), *e = explain_fragment(), *r = report_new(REPORT_WHOLE);
	char *vt = text_of(v), *et = text_of(e);
	struct report_asked a = asked();
	a.have_old = true;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct report_reply dead = { .end = ways[i].end, .detail = "signal 11\x1b" }, good = replied(vt);
		for (unsigned which = 0; which < 2; which++) {
			if (which == 0)
				assert_int_equal(report_merge(&a, &good, &dead, NULL, r), 0);
			else
				assert_int_equal(report_merge(&a, &dead, &dead, NULL, r), 0);
			assert_int_equal(report_verdict(r), REPORT_BLOCKED);
			assert_true(report_has(r, ways[i].id));
			assert_int_equal(r->findings[ways[i].id].count, which + 1);
			assert_int_equal(r->have_image, which == 0);
			assert_false(r->have_changes);
			/* It is a report all the same. */
			struct report_refusal why;
			char *text = text_of(r);
			assert_int_equal(report_parse(view_str(text), REPORT_WHOLE, r, &why), 0);
			free(text);
		}
	}
	assert_int_equal(report_merge(&a, NULL, NULL, NULL, r), 0);
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	free(vt);
	free(et);
	report_free(v);
	report_free(e);
	report_free(r);
}

/* One fact of the question at a time is not what the answer is about. */
static void
answers_to_another_question_block(void **state)
{
	(void)state;
	struct report *v = verify_fragment(), *e = explain_fragment();
	char *vt = text_of(v), *et = text_of(e);
	for (unsigned i = 0; i < 7; i++) {
		struct report_asked a = asked();
		if (i == 0)
			a.at++;
		else if (i == 1)
			a.image_size++;
		else if (i == 2)
			a.have_signature = false;
		else if (i == 3)
			a.have_trust = false;
		else if (i == 4)
			snprintf(a.profile, sizeof a.profile, "acme");
		else
			a.have_old = true;
		a.have_old_sha256 = i == 6; /* of zeros, and the reply compared with another */
		struct report_reply good = replied(vt), other;
		char *x = edited(et, "0303030303", i == 6 ? "0303030303" : "0303030304");
		other = replied(x);
		struct report *r = report_new(REPORT_WHOLE);
		assert_int_equal(report_merge(&a, &good, &other, NULL, r), 0);
		assert_true(report_has(r, FINDING_INSPECT_DISAGREES));
		assert_int_equal(report_verdict(r), REPORT_BLOCKED);
		assert_false(r->have_changes);
		report_free(r);
		free(x);
	}
	free(vt);
	free(et);
	report_free(v);
	report_free(e);
}

static void
foreign_findings_become_a_block(void **state)
{
	(void)state;
	struct report *v = verify_fragment(), *e = explain_fragment();
	char *vt = text_of(v), *et = text_of(e);
	struct report_asked a = asked();
	a.have_old = true;
	char *x = edited(et, "\"signatures\":[]", "\"signatures\":[{\"outcome\":\"verified\"}]");
	struct report *r = merged(&a, vt, x);
	assert_true(report_has(r, FINDING_INSPECT_FOREIGN_FIELD));
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	assert_int_equal(r->signatures.n, 1); /* verify's, untouched */
	assert_false(r->have_changes);
	report_free(r);
	free(x);
	free(vt);
	free(et);
	report_free(v);
	report_free(e);
}

/* Without a demanded signature absence is a warning; the verify stage must not play it down. */
static void
a_demanded_signature_is_demanded_by_the_merger_too(void **state)
{
	(void)state;
	struct report *v = verify_facts();
	struct report_asked a = asked();
	v->signatures.n = 0;
	v->inputs.have_signature = a.have_signature = false;
	assert_int_equal(entail_raise(v, false), 0);
	char *vt = text_of(v);
	struct report *r = merged(&a, vt, NULL);
	assert_int_equal(report_verdict(r), REPORT_REVIEW);
	report_free(r);
	a.require_signature = true;
	r = merged(&a, vt, NULL);
	assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	assert_true(report_has(r, FINDING_INSPECT_DISAGREES));
	report_free(r);
	free(vt);
	report_free(v);
}

/* ---- what facts entail ---- */

static void
outcomes_have_their_findings(void **state)
{
	(void)state;
	static const struct { enum sig_outcome outcome; enum finding_id id; bool always_block; } map[] = {
		{ SIG_INVALID, FINDING_SIG_INVALID, true },
		{ SIG_UNKNOWN, FINDING_SIG_INVALID, true },
		{ SIG_REVOKED, FINDING_SIG_REVOKED, true },
		{ SIG_WEAK, FINDING_SIG_WEAK, false },
		{ SIG_EXPIRED, FINDING_SIG_EXPIRED, false },
		{ SIG_UNTRUSTED, FINDING_SIG_UNTRUSTED, false },
		{ SIG_OPAQUE, FINDING_SIG_UNSUPPORTED_SCHEME, false },
	};
	for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
		struct report *r = verify_facts();
		r->signatures.result[0].outcome = map[i].outcome;
		assert_int_equal(entail_raise(r, false), 0);
		assert_int_equal(r->findings[map[i].id].severity, FINDING_BLOCK);
		assert_true(report_has(r, FINDING_COV_UNSIGNED_BYTES)); /* what is not verified covers nothing */
		report_free(r);
		r = verify_facts();
		r->signatures.n = 2;
		r->signatures.result[1] = signature(map[i].outcome, 8);
		assert_int_equal(entail_raise(r, false), 0);
		assert_int_equal(r->findings[map[i].id].severity, map[i].always_block ? FINDING_BLOCK : FINDING_WARNING);
		report_free(r);
	}
}

static void
other_facts_have_theirs(void **state)
{
	(void)state;
	struct report *r = verify_facts();
	r->signatures.n = 2;
	r->signatures.result[1] = signature(SIG_VERIFIED, 9); /* the same key */
	r->signatures.result[1].revocation = SIG_REVOCATION_STALE;
	r->signatures.result[0].revocation = SIG_REVOCATION_NOT_CHECKED;
	r->signatures.result[0].signer.published_key = true;
	r->signatures.overflow = true;
	r->format = FORMAT_SWU;
	assert_int_equal(entail_raise(r, false), 0);
	assert_true(report_has(r, FINDING_SIG_DUPLICATE_SIGNER));
	assert_true(report_has(r, FINDING_SIG_REVOCATION_NOT_CHECKED));
	assert_true(report_has(r, FINDING_SIG_REVOCATION_STALE));
	assert_true(report_has(r, FINDING_SIG_MANY));
	assert_true(report_has(r, FINDING_SIG_KEY_PUBLISHED));
	assert_true(report_has(r, FINDING_FMT_NOT_WALKED));
	report_free(r);
	r = verify_facts();
	r->signatures.n = 2;
	r->signatures.result[1] = signature(SIG_VERIFIED, 9);
	snprintf(r->signatures.result[1].scheme, sizeof r->signatures.result[1].scheme, "x/of-another-part");
	assert_int_equal(entail_raise(r, false), 0);
	assert_false(report_has(r, FINDING_SIG_DUPLICATE_SIGNER));
	report_free(r);
	r = verify_facts();
	r->format = FORMAT_BSDIFF;
	r->contents.structure[0] = (struct sig_range){ 0, 100 };
	r->contents.structure[1] = (struct sig_range){ SIZE - 100, 100 };
	r->contents.structure_n = 2;
	r->signatures.result[0].covers[0] = (struct sig_range){ 100, SIZE - 200 };
	assert_int_equal(entail_raise(r, false), 0);
	assert_true(report_has(r, FINDING_FMT_DELTA));
	assert_true(report_has(r, FINDING_COV_ENVELOPE));
	assert_false(report_has(r, FINDING_COV_UNSIGNED_BYTES));
	report_free(r);
	r = verify_facts();
	r->format = FORMAT_NORDIC_DELTA;
	assert_int_equal(entail_raise(r, false), 0);
	assert_false(report_has(r, FINDING_SIG_OPAQUE)); /* a verified one says more */
	report_free(r);
	r = verify_facts();
	r->format = FORMAT_NORDIC_DELTA;
	r->signatures.n = 0;
	assert_int_equal(entail_raise(r, false), 0);
	assert_int_equal(r->findings[FINDING_SIG_OPAQUE].severity, FINDING_WARNING);
	report_free(r);
	r = verify_facts();
	r->size = 0;
	r->format = FORMAT_RAW;
	r->signatures.n = 0;
	assert_int_equal(entail_raise(r, true), 0);
	assert_true(report_has(r, FINDING_IMG_EMPTY));
	assert_int_equal(r->findings[FINDING_SIG_ABSENT].severity, FINDING_BLOCK);
	report_free(r);
}

static void
changes_have_theirs(void **state)
{
	(void)state;
	struct report *r = explain_fragment();
	memcpy(r->changes.old.sha256, r->changes.new.sha256, DIGEST_SHA256_LEN);
	assert_int_equal(entail_raise(r, false), 0);
	assert_true(report_has(r, FINDING_CHG_IDENTICAL));
	report_free(r);
	r = explain_fragment();
	r->changes.old.size = 3 * SIZE;
	r->changes.old.format = FORMAT_RAW;
	r->changes.same_offset = 5;
	r->changes.new.entropy.windows[ENTROPY_RANDOM] = 2;
	r->changes.new.entropy.windows[ENTROPY_TEXT_CODE] = 0;
	assert_int_equal(entail_raise(r, false), 0);
	assert_true(report_has(r, FINDING_CHG_SHRUNK));
	assert_true(report_has(r, FINDING_CHG_FORMAT));
	assert_true(report_has(r, FINDING_CHG_NEARLY_ALL));
	assert_true(report_has(r, FINDING_ENT_OPAQUE));
	assert_true(report_has(r, FINDING_ENT_CLASS_SHIFT));
	report_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdict_is_the_worst_finding),
		cmocka_unit_test(findings_are_counted_and_made_visible),
		cmocka_unit_test(times),
		cmocka_unit_test(text_is_canonical_and_comes_back),
		cmocka_unit_test(what_came_before_is_compared_with_and_named),
		cmocka_unit_test(unknown_and_foreign_fields_are_refused),
		cmocka_unit_test(claims_need_no_container_but_members_do),
		cmocka_unit_test(what_does_not_fit_together_is_refused),
		cmocka_unit_test(too_long_and_trailing),
		cmocka_unit_test(no_byte_can_change_unseen),
		cmocka_unit_test(a_cut_blocks_and_keeps_the_worst),
		cmocka_unit_test(the_fullest_report_fits),
		cmocka_unit_test(merge_of_good_stages),
		cmocka_unit_test(every_way_to_die_blocks),
		cmocka_unit_test(answers_to_another_question_block),
		cmocka_unit_test(foreign_findings_become_a_block),
		cmocka_unit_test(a_demanded_signature_is_demanded_by_the_merger_too),
		cmocka_unit_test(outcomes_have_their_findings),
		cmocka_unit_test(other_facts_have_theirs),
		cmocka_unit_test(changes_have_theirs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
